"""`AsyncHoldGate`: the gate for asyncio."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas.position import Position
from sinks.redis import hold_calls, keeper_calls
from sinks.redis.library import Library, load_library
from sinks.redis.model import (
    ANYWHERE,
    GateState,
    Hold,
    HoldLine,
    OutboxEntry,
    OverClaimed,
    PlaceAvailable,
    Placing,
    Projected,
    Replaced,
)
from sinks.redis.protocol import Protocol
from sinks.redis.settings import GateSettings
from sinks.redis.talk import Awaited


class AsyncHoldGate(Awaited):
    """`HoldGate` for asyncio: the same methods, awaited."""

    def __init__(self, settings: GateSettings, library: Library | None = None) -> None:
        """Prepare the gate; nothing is sent before the first call."""
        self.settings = settings
        self.protocol = Protocol(settings, library or load_library())
        super().__init__(self.protocol, settings.url, settings.timeout_seconds)

    async def hold(
        self,
        reservation: str,
        lines: Sequence[HoldLine],
        *,
        ttl_seconds: float,
        policy: Placing = ANYWHERE,
        order: str | None = None,
        channel: str | None = None,
        customer: str | None = None,
        replaces: str | None = None,
    ) -> Hold:
        """See `HoldGate.hold`."""
        return await self.run(
            hold_calls.hold(
                self.protocol,
                reservation,
                lines,
                ttl_seconds=ttl_seconds,
                policy=policy,
                order=order,
                channel=channel,
                customer=customer,
                replaces=replaces,
            )
        )

    async def confirm(self, reservation: str) -> Hold:
        """See `HoldGate.confirm`."""
        return await self.run(hold_calls.change(self.protocol, "confirm", reservation, None))

    async def release(self, reservation: str) -> Hold:
        """See `HoldGate.release`."""
        return await self.run(hold_calls.change(self.protocol, "release", reservation, None))

    async def extend(self, reservation: str, ttl_seconds: float) -> Hold:
        """See `HoldGate.extend`."""
        return await self.run(hold_calls.change(self.protocol, "extend", reservation, ttl_seconds))

    async def read(self, reservation: str) -> Hold:
        """See `HoldGate.read`."""
        return await self.run(hold_calls.read(self.protocol, reservation))

    async def available(
        self, skus: Iterable[str], places: Sequence[str] | None = None
    ) -> dict[str, list[PlaceAvailable]]:
        """See `HoldGate.available`."""
        return await self.run(hold_calls.available(self.protocol, skus, places))

    async def project(self, positions: Sequence[Position]) -> Projected:
        """See `HoldGate.project`."""
        return await self.run(keeper_calls.project(self.protocol, positions))

    async def overclaimed(self) -> list[OverClaimed]:
        """See `HoldGate.overclaimed`."""
        return await self.run(keeper_calls.overclaimed(self.protocol))

    async def replace(self, sku: str, place: str) -> Replaced:
        """See `HoldGate.replace`."""
        return await self.run(keeper_calls.replace(self.protocol, sku, place))

    async def sweep(self, limit: int = 1000) -> int:
        """See `HoldGate.sweep`."""
        return await self.run(keeper_calls.sweep(self.protocol, limit))

    async def outbox(self, after: str = "", count: int = 500) -> list[OutboxEntry]:
        """See `HoldGate.outbox`."""
        return await self.run(keeper_calls.outbox(self.protocol, after, count))

    async def trim(self, upto: str) -> int:
        """See `HoldGate.trim`."""
        return await self.run(keeper_calls.trim(self.protocol, upto))

    async def open_gate(self, epoch: str) -> None:
        """See `HoldGate.open_gate`."""
        await self.run(keeper_calls.open_gate(self.protocol, epoch))

    async def close_gate(self) -> None:
        """See `HoldGate.close_gate`."""
        await self.run(keeper_calls.close_gate(self.protocol))

    async def gate_state(self) -> GateState:
        """See `HoldGate.gate_state`."""
        return await self.run(keeper_calls.gate_state(self.protocol))

    async def check_server(self) -> list[str]:
        """See `HoldGate.check_server`."""
        return await self.run(keeper_calls.check_server())
