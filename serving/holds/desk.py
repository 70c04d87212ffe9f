"""What the API does with a request once it may be made: calls of the gate, answers of the API."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from redis.exceptions import RedisError

from serving.holds.keys import ApiKey
from serving.holds.messages import (
    ID_PATTERN,
    AvailabilityAnswer,
    HealthAnswer,
    HeldLine,
    HoldAnswer,
    HoldRequest,
    PlaceAnswer,
    Preference,
    SkuAnswer,
)
from serving.holds.problems import ProblemError
from serving.holds.settings import ApiSettings
from sinks.redis.client import AsyncHoldGate
from sinks.redis.errors import GateError
from sinks.redis.model import ANYWHERE, Hold, HoldLine, Placing

REMEMBERED = 50_000


class Desk:
    """The API of one pool without HTTP; a key sees the holds of its own channel only."""

    def __init__(self, settings: ApiSettings, gate: AsyncHoldGate) -> None:
        self._settings = settings
        self._gate = gate
        # Which channel made a hold never changes.
        self._channels: dict[str, str] = {}
        # redis-py leaves this method untyped.
        self._execute: Callable[..., Awaitable[Any]] = gate.client.execute_command

    async def hold(self, key: ApiKey, request: HoldRequest, header_id: str | None) -> HoldAnswer:
        """Claim all lines or none.

        Raises:
            ProblemError: the request has no id, two, or lasts too long.
            GateError: the gate refused.
        """
        made = await self._gate.hold(
            _one_id(request.id, header_id),
            [HoldLine(line.sku, line.quantity, line.place) for line in request.lines],
            ttl_seconds=self._ttl(request.ttl_seconds or self._settings.default_ttl_seconds),
            policy=_placing(request.placing),
            order=request.order,
            channel=key.channel,
            customer=request.customer,
            replaces=request.replaces,
        )
        self._remember(made.reservation, key.channel)
        return _answer(made)

    async def read(self, key: ApiKey, hold_id: str) -> HoldAnswer:
        """The hold as it is now."""
        await self._own(key, hold_id)
        return _answer(await self._gate.read(hold_id))

    async def confirm(self, key: ApiKey, hold_id: str) -> HoldAnswer:
        """Paid; whatever does not end in `confirmed` is a problem, so that nobody ships it."""
        await self._own(key, hold_id)
        answer = _answer(await self._gate.confirm(hold_id))
        if answer.state == "expired_short":
            detail = "the hold had lapsed and its units are gone: refund the customer"
            raise ProblemError(detail, "expired-short", hold=answer)
        if answer.state != "confirmed":
            detail = f"the hold is {answer.state} and cannot be confirmed: make a new one"
            raise ProblemError(detail, "not-held", hold=answer)
        return answer

    async def release(self, key: ApiKey, hold_id: str) -> HoldAnswer:
        """Given back; a paid one is not."""
        await self._own(key, hold_id)
        answer = _answer(await self._gate.release(hold_id))
        if answer.state == "confirmed":
            detail = "it stays confirmed: its order is cancelled by a `released` movement"
            raise ProblemError(detail, "already-confirmed", hold=answer)
        return answer

    async def extend(self, key: ApiKey, hold_id: str, ttl_seconds: float) -> HoldAnswer:
        """A later end, for a hold that still holds."""
        ttl = self._ttl(ttl_seconds)
        await self._own(key, hold_id)
        answer = _answer(await self._gate.extend(hold_id, ttl))
        if answer.state == "confirmed":
            detail = "it lapses no more"
            raise ProblemError(detail, "already-confirmed", hold=answer)
        if answer.state != "held":
            detail = f"the hold is {answer.state}, its units may be another's: make a new one"
            raise ProblemError(detail, "not-held", hold=answer)
        return answer

    async def available(self, skus: list[str], places: list[str] | None) -> AvailabilityAnswer:
        """What can be promised now."""
        found = await self._gate.available(skus, places)
        items = []
        for sku, rows in found.items():
            answers = [
                PlaceAnswer(row.place, row.available, row.held, row.on_hand, row.version)
                for row in rows
            ]
            items.append(SkuAnswer(sku, sum(max(0, row.available) for row in rows), answers))
        return AvailabilityAnswer(items)

    async def health(self) -> HealthAnswer:
        """Whether holds are taken."""
        try:
            state = await self._gate.gate_state()
        except GateError:
            return HealthAnswer(status="unavailable", redis=False, gate="unknown")
        return HealthAnswer(
            status="ok" if state.state == "open" else "unavailable",
            redis=True,
            gate=state.state,
            epoch=state.epoch,
        )

    def _ttl(self, seconds: float) -> float:
        most = self._settings.max_ttl_seconds
        if seconds > most:
            msg = f"ttl_seconds is {seconds:g}: a hold lasts at most {most:g} s here"
            raise ProblemError(msg, "invalid-request")
        return seconds

    async def _own(self, key: ApiKey, hold_id: str) -> None:
        """Holds of other channels are as unknown as those that never were."""
        channel = self._channels.get(hold_id)
        if channel is None:
            name = self._gate.protocol.keys.reservation(hold_id)
            try:
                found = await self._execute("HGET", name, "channel")
            except RedisError as wrong:
                raise self._gate.protocol.unavailable(wrong) from wrong
            if found is None:
                # Closed or unknown: the gate's own answer says which.
                await self._gate.read(hold_id)
                return
            channel = found.decode()
            self._remember(hold_id, channel)
        if channel != key.channel:
            msg = "there is none of this channel with this id, or it ended long ago"
            raise ProblemError(msg, "unknown-hold")

    def _remember(self, hold_id: str, channel: str) -> None:
        if len(self._channels) >= REMEMBERED:
            self._channels.clear()
        self._channels[hold_id] = channel


def _one_id(in_body: str | None, in_header: str | None) -> str:
    if in_body is not None and in_header is not None and in_body != in_header:
        msg = "the body's id and the header Idempotency-Key differ: send one, or the same in both"
        raise ProblemError(msg, "invalid-request")
    hold_id = in_body if in_body is not None else in_header
    if not hold_id:
        msg = "the hold has no id: send `id` in the body or the header Idempotency-Key"
        raise ProblemError(msg, "invalid-request")
    if re.fullmatch(ID_PATTERN, hold_id) is None:
        msg = "an id has no `/` and no control characters: it becomes a part of an address"
        raise ProblemError(msg, "invalid-request")
    return hold_id


def _placing(wanted: Preference | None) -> Placing:
    if wanted is None:
        return ANYWHERE
    return Placing(tuple(wanted.order or ()), wanted.single_place, wanted.split)


def _answer(hold: Hold) -> HoldAnswer:
    return HoldAnswer(
        id=hold.reservation,
        state=hold.state,
        expires_at=hold.expires_at,
        lines=[HeldLine(line.sku, line.place, line.quantity) for line in hold.lines],
        order=hold.order,
        replayed=hold.replayed,
    )
