"""What came of journeys over a time: who came in, what was done, what was held back and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from operators.journeys.decisions import Decision, Moved
from operators.journeys.triggers import Turned
from schemas.instants import to_datetime


@dataclass
class Day:
    """One day of one journey, by the chain's clock."""

    entered: int = 0
    sent: int = 0
    given: int = 0
    held: int = 0


@dataclass
class Summary:
    """One journey: `entered` is `waiting` and all `exited`.

    `held` counts what was not done, by reason; `deferred` what was put off, whatever came of it;
    `regrets` what would not have been done, had a purchase been known in time. `stale` and
    `not_for` are triggers that let nobody in.
    """

    journey: str
    entered: int = 0
    waiting: int = 0
    sent: int = 0
    given: int = 0
    told_staff: int = 0
    exited: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    deferred: Counter[str] = field(default_factory=Counter)
    gifts: Counter[str] = field(default_factory=Counter)
    regrets: int = 0
    days: dict[str, Day] = field(default_factory=dict)
    stale: int = 0
    not_for: int = 0


def summarise(
    journeys: Iterable[str],
    decisions: Iterable[Decision],
    moves: Iterable[Moved],
    turned: Mapping[str, Turned],
    zone: ZoneInfo,
) -> list[Summary]:
    """By journey, in the order in which they are named."""
    found = {name: Summary(name) for name in journeys}

    def on(journey: str, at: int) -> tuple[Summary, Day]:
        one = found.setdefault(journey, Summary(journey))
        day = to_datetime(at).astimezone(zone).date().isoformat()
        return one, one.days.setdefault(day, Day())

    last: dict[tuple[str, str, str], Moved] = {}
    for move in moves:
        last[move.member, move.journey, move.entry] = move
    for move in last.values():
        one, day = on(move.journey, move.entered_at)
        one.entered += 1
        one.regrets += move.regret
        day.entered += 1
        if move.status == "exited":
            one.exited[move.reason] += 1
        else:
            one.waiting += 1
    for made in decisions:
        one, day = on(made.journey, made.decided_at)
        if made.decision == "defer":
            one.deferred[made.reason] += 1
        elif made.decision == "suppress":
            one.held[made.reason] += 1
            day.held += 1
        elif made.action == "send":
            one.sent += 1
            day.sent += 1
        elif made.gift is not None:
            one.given += 1
            day.given += 1
            one.gifts[made.gift] += 1
        elif made.action == "notify_staff":
            one.told_staff += 1
    for name, counts in turned.items():
        if name in found:
            found[name].stale, found[name].not_for = counts.stale, counts.not_for
    for one in found.values():
        one.days = dict(sorted(one.days.items()))
    return list(found.values())
