"""Why an event was not accepted, in words a person understands."""

from __future__ import annotations

from typing import NamedTuple

from operators.stock.facts import Fact, Where
from schemas.instants import HOUR_US, format_instant
from schemas.movement import Corrected


class Refusal(NamedTuple):
    """An event on its way to `dead_letter`: where it stood, why it was refused, who it was.

    `time` in microseconds since 1970 UTC; what could not be read is None.
    """

    origin: str
    position: int
    code: str
    reason: str
    event_source: str | None
    event_id: str | None
    time: int | None
    raw: bytes


def _refusal(fact: Fact, where: Where, code: str, reason: str) -> Refusal:
    return Refusal(*where, code, reason, fact.source, fact.id, fact.time, b"")


def too_late(fact: Fact, where: Where, newest: int, horizon: int) -> Refusal:
    """The fact is older than anything that can still be judged."""
    return _refusal(
        fact,
        where,
        "too_late",
        f"{format_instant(fact.time)} is more than {horizon / HOUR_US:g} hours before the newest "
        f"event of {fact.movement.sku} ({format_instant(newest)}), so nobody can tell any more "
        "whether it is a duplicate or inside a count; raise stock.horizon_hours, or record the "
        "difference as an adjustment",
    )


def conflicting_duplicate(fact: Fact, where: Where, known: Fact) -> Refusal:
    """The same source and id came before with other content."""
    return _refusal(
        fact,
        where,
        "conflicting_duplicate",
        f"source {fact.source} sent id {fact.id} before with other content: "
        f"{_short(known)} stands, {_short(fact)} is refused; give every event its own id",
    )


def in_the_future(fact: Fact, where: Where, now: int) -> Refusal:
    """The fact's clock is so far ahead that everything after it would look late."""
    return _refusal(
        fact,
        where,
        "in_the_future",
        f"{format_instant(fact.time)} is too far ahead of the clock ({format_instant(now)}): "
        f"set the clock of {fact.source} right and send the event again",
    )


def unknown_place(fact: Fact, where: Where, place: str) -> Refusal:
    """The configuration does not know the place and says to refuse such."""
    return _refusal(
        fact,
        where,
        "unknown_place",
        f"place {place} is not in the chain's configuration; list it under `places`, or set "
        "`unknown_places: accept`",
    )


def corrects_a_correction(fact: Fact, where: Where) -> Refusal:
    """A correction cannot be taken back."""
    return _refusal(
        fact,
        where,
        "corrects_a_correction",
        f"{_named(fact)} is itself a correction and cannot be taken back: send the movement "
        "again under a new id",
    )


def corrects_unknown_event(fact: Fact, where: Where, horizon: int) -> Refusal:
    """The fact a correction names never came, or came too long ago."""
    return _refusal(
        fact,
        where,
        "corrects_unknown_event",
        f"no event {_named(fact)} of {fact.source} for {fact.movement.sku} was seen within "
        f"{horizon / HOUR_US:g} hours: check `corrects`, or record the difference as an adjustment",
    )


def _named(fact: Fact) -> str:
    movement = fact.movement
    return movement.corrects if isinstance(movement, Corrected) else fact.id


def _short(fact: Fact) -> str:
    movement = fact.movement
    return f"{movement.kind} {movement.quantity} at {movement.place}, {format_instant(fact.time)}"
