"""`HoldGate`, and `AsyncHoldGate` from its own file: the same calls, blocking or awaited.

Each method hands a conversation (see `protocol`) to the one place that talks to Redis.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from schemas.position import Position
from sinks.redis import hold_calls, keeper_calls
from sinks.redis.async_client import AsyncHoldGate
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
from sinks.redis.talk import Blocking

__all__ = ["AsyncHoldGate", "HoldGate"]


class HoldGate(Blocking):
    """The gate of one pool, for threads; see docs/holds.md for the protocol."""

    def __init__(self, settings: GateSettings, library: Library | None = None) -> None:
        """Prepare the gate; nothing is sent before the first call."""
        self.settings = settings
        self.protocol = Protocol(settings, library or load_library())
        super().__init__(self.protocol, settings.url, settings.timeout_seconds)

    def hold(
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
        """Claim all lines or none for `ttl_seconds`.

        `reservation` is the caller's id: the same call again answers the hold as it is now.
        `replaces`: a hold of the same customer that is given back in the same step, so that a
        changed cart never competes with itself.

        Raises:
            Short: some SKU is short; nothing was written. The same id may be tried again.
            Mismatch: the id belongs to a hold of other content.
            GateClosed, UnknownSku, CapReached, InvalidHold, AlreadyConfirmed, GateUnavailable:
                see their own words.
        """
        return self.run(
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

    def confirm(self, reservation: str) -> Hold:
        """Paid: the hold can lapse no more. Too late and the units gone: `expired_short`.

        A hold that was released stays released: look at the answer's state.
        """
        return self.run(hold_calls.change(self.protocol, "confirm", reservation, None))

    def release(self, reservation: str) -> Hold:
        """Give an unpaid hold back, once; a confirmed one stays confirmed (see the state)."""
        return self.run(hold_calls.change(self.protocol, "release", reservation, None))

    def extend(self, reservation: str, ttl_seconds: float) -> Hold:
        """Let an unpaid hold last until `ttl_seconds` from now, never shorter; not a lapsed one."""
        return self.run(hold_calls.change(self.protocol, "extend", reservation, ttl_seconds))

    def read(self, reservation: str) -> Hold:
        """The hold as it is now; UnknownReservation when there is none."""
        return self.run(hold_calls.read(self.protocol, reservation))

    def available(
        self, skus: Iterable[str], places: Sequence[str] | None = None
    ) -> dict[str, list[PlaceAvailable]]:
        """What can be promised now, by SKU and place; lapsed holds don't count."""
        return self.run(hold_calls.available(self.protocol, skus, places))

    def project(self, positions: Sequence[Position]) -> Projected:
        """Take in positions: older ones change nothing. An int that also tells `overclaimed`."""
        return self.run(keeper_calls.project(self.protocol, positions))

    def overclaimed(self) -> list[OverClaimed]:
        """Pairs whose claims exceed what is on hand, until `replace` or a position mends it."""
        return self.run(keeper_calls.overclaimed(self.protocol))

    def replace(self, sku: str, place: str) -> Replaced:
        """Make an over-claimed pair's youngest unpaid holds give way.

        Each goes to the place with most available that has room for it (the outbox tells `released`
        there, `held` here), or is named as lost, and stays: whether to refuse it is not ours.
        """
        return self.run(keeper_calls.replace(self.protocol, sku, place))

    def sweep(self, limit: int = 1000) -> int:
        """Tidy lapsed holds and tell `expired`; nothing that was promised depends on it."""
        return self.run(keeper_calls.sweep(self.protocol, limit))

    def outbox(self, after: str = "", count: int = 500) -> list[OutboxEntry]:
        """Events after `after`, oldest first."""
        return self.run(keeper_calls.outbox(self.protocol, after, count))

    def trim(self, upto: str) -> int:
        """Forget relayed events up to and including `upto`."""
        return self.run(keeper_calls.trim(self.protocol, upto))

    def open_gate(self, epoch: str) -> None:
        """Take holds under the name of an epoch: for a new pool; `Rebuild.write` for a lost one."""
        self.run(keeper_calls.open_gate(self.protocol, epoch))

    def close_gate(self) -> None:
        """Refuse holds until it is opened again."""
        self.run(keeper_calls.close_gate(self.protocol))

    def gate_state(self) -> GateState:
        """Open, closed or empty; whether the server restarted since it was opened."""
        return self.run(keeper_calls.gate_state(self.protocol))

    def check_server(self) -> list[str]:
        """Warnings about the server (no append-only file ...); ServerUnfit when it cannot serve."""
        return self.run(keeper_calls.check_server())
