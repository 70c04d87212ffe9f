"""Stretches of a day where roster and need differ, and the alerts about them.

An alert is raised at one level and cleared below a lower one; what swings between them changes
nothing. While it is open it keeps its id, wherever its stretch moves to as long as it overlaps
what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from operators.roster.problem import clock
from schemas.instants import format_instant
from schemas.staffing import StaffingAlertType
from schemas.staffing_rules import IntradayRules

Status = Literal["raised", "updated", "cleared"]


class Stretch(NamedTuple):
    """From slot `start` to before `end` of a day; `amount` is heads times quarters of an hour."""

    task: str
    kind: StaffingAlertType
    start: int
    end: int
    heads: int
    amount: int


class Levels(NamedTuple):
    """When an alert of a kind is raised, cleared, and told again."""

    raise_at: int
    clear_below: int
    update_by: int


class OpenAlert(msgspec.Struct, array_like=True, frozen=True):
    """An alert that is open: its stretch as seen last, and the amount that was told last."""

    alert: str
    task: str
    kind: StaffingAlertType
    day: str
    start: int
    end: int
    heads: int
    amount: int
    told: int
    opened_at: int


class Change(NamedTuple):
    """What is to be told of an alert."""

    status: Status
    alert: OpenAlert


def levels_of(rules: IntradayRules, kind: StaffingAlertType) -> Levels:
    """The levels of a kind; one is never cleared at what raises it."""
    if kind == "short_staffed":
        high, low = rules.raise_at, rules.clear_below
    else:
        high, low = rules.over_raise_at, rules.over_clear_below
    return Levels(high, min(low, high), rules.update_by)


def stretches(
    task: str, kind: StaffingAlertType, off: Mapping[int, int], bridge: int
) -> list[Stretch]:
    """Stretches of slots where heads are off by more than 0, `bridge` even ones between at most."""
    found: list[Stretch] = []
    for slot in sorted(slot for slot, heads in off.items() if heads > 0):
        heads = off[slot]
        if found and slot - found[-1].end <= bridge:
            last = found[-1]
            found[-1] = last._replace(
                end=slot + 1, heads=max(last.heads, heads), amount=last.amount + heads
            )
        else:
            found.append(Stretch(task, kind, slot, slot + 1, heads, heads))
    return found


def review(
    opened: Sequence[OpenAlert],
    found: Iterable[Stretch],
    rules: IntradayRules,
    *,
    day: str,
    at: int,
    prefix: str,
) -> tuple[list[Change], list[OpenAlert]]:
    """What is to be told now, and the alerts that are open after it.

    `found` are the stretches of what is left of `day`; `at` is now, in microseconds since 1970;
    ids are like `short_staffed/S001/till/2026-12-04T17:00/2026-12-04T03:00:00Z`, with the begin of
    the stretch and the instant of opening.
    """
    left = list(found)
    changes: list[Change] = []
    kept: list[OpenAlert] = []
    for one in sorted(opened, key=lambda one: (one.opened_at, one.alert)):
        levels = levels_of(rules, one.kind)
        mine = [
            stretch
            for stretch in left
            if (stretch.task, stretch.kind, day) == (one.task, one.kind, one.day)
            and stretch.start < one.end
            and one.start < stretch.end
            and stretch.amount >= levels.clear_below
        ]
        if not mine:
            changes.append(Change("cleared", one))
            continue
        stretch = max(mine, key=lambda stretch: (stretch.amount, -stretch.start))
        left.remove(stretch)
        moved = abs(stretch.amount - one.told) >= levels.update_by
        now = msgspec.structs.replace(
            one,
            start=stretch.start,
            end=stretch.end,
            heads=stretch.heads,
            amount=stretch.amount,
            told=stretch.amount if moved else one.told,
        )
        kept.append(now)
        if moved:
            changes.append(Change("updated", now))
    for stretch in left:
        if stretch.amount < levels_of(rules, stretch.kind).raise_at:
            continue
        where = f"{stretch.task}/{day}T{clock(stretch.start)}"
        name = f"{stretch.kind}/{prefix}/{where}/{format_instant(at)}"
        fresh = OpenAlert(
            name,
            stretch.task,
            stretch.kind,
            day,
            stretch.start,
            stretch.end,
            stretch.heads,
            stretch.amount,
            stretch.amount,
            at,
        )
        kept.append(fresh)
        changes.append(Change("raised", fresh))
    return changes, kept
