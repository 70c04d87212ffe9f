"""Members and their changes of segment as rows of the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from operators.members.facts import Thresholds
from operators.members.figures import Figures
from operators.members.member import ConsentKey, Member, Statement
from operators.members.rules import MemberRules
from operators.members.segments import NONE, SEGMENTS, code_of
from schemas.instants import SECOND_US, format_instant
from schemas.member_events import Cause, Origin

Row = tuple[Any, ...]
NOBODY = (None,) * 7
# score, band, drivers, judged at, changes at, model: where there is no model
Shown = tuple[int | None, str | None, str | None, int | None, int | None, str | None]
UNKNOWN: Shown = (None, None, None, None, None, None)


class Why(NamedTuple):
    """What has changed a member: `event` is its source and id."""

    cause: Cause
    origin: Origin
    event: str | None


def state_row(
    name: str,
    member: Member,
    parts: Sequence[Member],
    figures: Figures,
    consents: dict[ConsentKey, Statement],
    rules: MemberRules,
    thresholds: Thresholds,
) -> Row:
    """The row of a member that stands for itself, and for `parts`."""
    number = figures.segment
    found = None if number == NONE else SEGMENTS[number]
    profiles = [one.profile for one in parts if one.profile is not None]
    profile = max(profiles, key=lambda one: one[:2]) if profiles else None
    return (
        name,
        "active",
        None,
        *(found or (None, None, None)),
        *(_bits(number)),
        figures.last,
        figures.visits,
        figures.spent,
        rules.currency,
        figures.orders,
        figures.first,
        figures.days,
        None if found is None else member.since,
        figures.wake,
        thresholds.version,
        min((one.registered for one in parts if one.registered is not None), default=None),
        profile and profile[2],
        profile and profile[3],
        _shown(consents),
        max((one.newest for one in parts if one.newest is not None), default=None),
        *UNKNOWN,
        int(member.linked),
    )


def with_health(row: Row, shown: Shown) -> Row:
    """The row of a member that stands for itself, with its health."""
    return (*row[: -1 - len(shown)], *shown, row[-1])


def empty_row(
    name: str, survivor: str | None, rules: MemberRules, thresholds: Thresholds, *, linked: bool
) -> Row:
    """The row of an id that stands for nobody: merged into `survivor`, or erased."""
    status = "erased" if survivor is None else "merged"
    head = (name, status, survivor, *NOBODY, 0, 0, rules.currency, 0, None, 0, None, None)
    return (*head, thresholds.version, None, None, None, "{}", None, *UNKNOWN, int(linked))


def transition_row(
    name: str, member: Member, figures: Figures, clock: int, why: Why, thresholds: Thresholds
) -> Row:
    """The row of a change to `figures`; the member is as it was before, but for its number."""
    before = code_of(member.segment)
    return (
        name,
        member.number,
        clock,
        before,
        code_of(figures.segment),
        why.cause,
        why.origin,
        why.event,
        figures.last,
        figures.visits,
        figures.spent,
        thresholds.version,
        None if before is None else (clock - member.since) / SECOND_US,
        1,
    )


def _bits(number: int) -> tuple[int | None, int | None, int | None]:
    if number == NONE:
        return None, None, None
    return number >> 2 & 1, number >> 1 & 1, number & 1


def _shown(consents: dict[ConsentKey, Statement]) -> str:
    shown = {}
    for (purpose, channel), (time, _, _, status, text, evidence) in sorted(consents.items()):
        one = {"status": status, "at": format_instant(time)}
        if text is not None:
            one["text_version"] = text
        if evidence is not None:
            one["evidence"] = evidence
        shown[f"{purpose}/{channel}"] = one
    return msgspec.json.encode(shown).decode()
