"""What journeys know of a member at an instant, and what has just happened to it."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from operators.members.facts import hashed
from operators.members.figures import Figures, kept_of
from operators.members.health.model import HealthModel
from operators.members.member import BACK, BOUGHT, ConsentKey, Member, Statement
from operators.members.rules import MemberRules
from schemas.member_events import Cause, Origin

Kind = Literal[
    "purchase", "refund", "registered", "consent", "time", "thresholds", "merge", "unmerge"
]


class View(NamedTuple):
    """A member as judged at `clock`; amounts in minor units. `parts` are its ids."""

    clock: int
    figures: Figures
    parts: Sequence[Member]
    rules: MemberRules
    consents: dict[ConsentKey, Statement]
    zone: str | None
    store: str | None
    registered: int | None
    health: HealthModel | None = None


class Happening(NamedTuple):
    """What made a member be judged: `time` is its own, `event` its source and id."""

    kind: Kind
    cause: Cause
    origin: Origin
    time: int
    event: str
    amount: int
    before: int
    after: int


def view_of(
    parts: Sequence[Member],
    figures: Figures,
    consents: dict[ConsentKey, Statement],
    clock: int,
    rules: MemberRules,
    health: HealthModel | None = None,
) -> View:
    """A person of one or of several ids."""
    profiles = [one.profile for one in parts if one.profile is not None]
    profile = max(profiles, key=lambda one: one[:2]) if profiles else None
    joined = [one.registered for one in parts if one.registered is not None]
    return View(
        clock,
        figures,
        parts,
        rules,
        consents,
        profile[3] if profile else None,
        profile[2] if profile else None,
        min(joined, default=None),
        health,
    )


def happening_of(
    parts: Sequence[Member],
    cause: Cause,
    origin: Origin,
    event: str | None,
    clock: int,
    segments: tuple[int, int],
) -> Happening:
    """What `event` was; causes alone do not tell, for whatever is said has that of a purchase."""
    if event is None or cause in ("merge", "unmerge", "thresholds", "time"):
        kind: Kind = cause
        return Happening(kind, cause, origin, clock, event or "", 0, *segments)
    for tie in _ties(event):
        for part in parts:
            found = _said(part, tie)
            if found is not None:
                return Happening(found[0], cause, origin, found[1], event, found[2], *segments)
    # Overtaken by something newer: nothing that lets anybody in.
    return Happening("time", cause, origin, clock, event, 0, *segments)


def _ties(event: str) -> Iterator[int]:
    """The hashes that a source and an id may have; both may have spaces in them."""
    for at, letter in enumerate(event):
        if letter == " ":
            yield hashed(event[:at], event[at + 1 :])


def _said(part: Member, tie: int) -> tuple[Kind, int, int] | None:
    """What an event was to an id, when, and its amount."""
    line = _line(part.bought, BOUGHT, tie)
    if line is not None:
        return "purchase", line[0], line[3]
    line = None if part.back is None else _line(part.back, BACK, tie)
    if line is not None:
        return "refund", line[0], line[3]
    profile = part.profile
    # A move to another shop is told as a registration, too, and is none.
    if profile is not None and profile[1] == tie and profile[0] == part.registered:
        return "registered", profile[0], 0
    for said in (part.consents or {}).values():
        if said[2] == tie:
            return "consent", said[0], 0
    return None


def _line(held: array[int], width: int, tie: int) -> array[int] | None:
    try:
        at = held[2::width].index(tie) * width
    except ValueError:
        return None
    return held[at : at + width]


def median_of(view: View) -> int | None:
    """The middle one of the receipts in the monetary window, the lower one of two.

    Each is what of it was not given back, and counts once, whatever ids it came under; what was
    given back in whole is none.
    """
    rules = view.rules
    kept = kept_of(view.parts, rules)
    amounts = sorted(
        net
        for time, net in zip(kept.times, kept.nets, strict=True)
        if rules.expires(time, rules.monetary_days) > view.clock
    )
    return amounts[(len(amounts) - 1) // 2] if amounts else None
