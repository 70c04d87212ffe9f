"""Journeys told again in the plainest way: every quarter of an hour of one member, from scratch.

No timers, no state that is carried but what was decided: figures are summed from the whole
history, clocks are read off the wall, and instants are found by trying one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

STEP = timedelta(minutes=15)
FRESH = timedelta(days=1)
Event = tuple[datetime, str, dict[str, Any]]


@dataclass
class Plan:
    """One journey as the oracle knows it; a step is a wait and its length, a clock, or an act."""

    name: str
    trigger: tuple[str, Any]
    steps: list[tuple[str, Any]]
    priority: int
    reenter: timedelta | None
    exits: bool
    ttl: timedelta
    on_capped: str
    who_visits: int


@dataclass
class Rules:
    """The chain's rules."""

    zone: ZoneInfo
    quiet: tuple[tuple[int, int], tuple[int, int]] | None
    caps: list[tuple[int, timedelta]]
    window: timedelta


@dataclass
class Going:
    """One way through a plan."""

    plan: Plan
    at: int
    entered: datetime
    ready: datetime
    last: datetime | None
    first_due: datetime | None = None


@dataclass
class Told:
    """What came of it: (plan, step, what, why, when), and (plan, why, when) of those who left."""

    done: list[tuple[str, int, str, str, datetime]] = field(default_factory=list)
    left: list[tuple[str, str, datetime]] = field(default_factory=list)


def live(
    plans: list[Plan], rules: Rules, events: list[Event], start: datetime, end: datetime
) -> Told:
    """Live through all quarters of an hour from `start` to `end`."""
    told = Told()
    going: list[Going] = []
    entered: dict[str, datetime] = {}
    above = {plan.name: False for plan in plans}
    silent: dict[str, datetime] = {}
    sent: list[datetime] = []
    now = start
    while now <= end:
        seen = [one for one in events if one[0] <= now]
        here = [one for one in seen if one[0] == now]
        for number in range(len(here) + 1):
            # Each event by itself, and time passing as the first of them.
            known = [one for one in seen if one[0] < now] + here[:number]
            event = here[number - 1] if number else None
            figures = _figures(known, now, rules)
            if event is not None and event[1] == "buy":
                for one in list(going):
                    last = figures["last"]
                    newer = last is not None and (one.last is None or last > one.last)
                    if one.plan.exits and newer:
                        going.remove(one)
                        told.left.append((one.plan.name, "purchase", now))
            for plan in plans:
                kind, value = plan.trigger
                came = False
                if kind == "crosses":
                    came = figures["spent"] >= value and not above[plan.name]
                    above[plan.name] = figures["spent"] >= value
                elif kind == "event":
                    came = event is not None and event[1] == value
                if came:
                    _enter(plan, going, entered, figures, now)
        figures = _figures(seen, now, rules)
        for plan in plans:
            kind, value = plan.trigger
            last = figures["last"]
            came = False
            dealt = silent.get(plan.name)
            if kind == "silent" and last is not None and last + value <= now:
                # A refund may bring an older purchase back, whose silence has ended before.
                if dealt is None or last > dealt:
                    came = now - (last + value) <= FRESH
                    silent[plan.name] = last
            elif kind == "daily":
                came = bool(seen) and now > seen[0][0] and _strikes(now, value, rules.zone)
            if came:
                _enter(plan, going, entered, figures, now)
        for one in sorted(going, key=lambda one: (-one.plan.priority, one.plan.name)):
            if one.ready <= now:
                _go_on(one, going, told, rules, seen, sent, now)
        now += STEP
    return told


def _enter(
    plan: Plan,
    going: list[Going],
    entered: dict[str, datetime],
    figures: dict[str, Any],
    now: datetime,
) -> None:
    if any(one.plan is plan for one in going) or figures["visits"] < plan.who_visits:
        return
    before = entered.get(plan.name)
    if before is not None and (plan.reenter is None or now - before < plan.reenter):
        return
    entered[plan.name] = now
    going.append(Going(plan, 0, now, now, figures["last"]))


def _figures(known: list[Event], now: datetime, rules: Rules) -> dict[str, Any]:
    back: dict[str, int] = {}
    for _, kind, about in known:
        if kind == "back":
            back[about["receipt"]] = back.get(about["receipt"], 0) + about["amount"]
    kept = []
    for at, kind, about in known:
        if kind == "buy":
            amount = about["amount"] - back.get(about["receipt"], 0)
            if amount > 0:
                kept.append((at, amount))
    inside = [one for one in kept if one[0] + rules.window > now]
    return {
        "last": max((at for at, _ in kept), default=None),
        "spent": sum(amount for _, amount in inside),
        "visits": len(inside),
    }


def _go_on(
    one: Going,
    going: list[Going],
    told: Told,
    rules: Rules,
    seen: list[Event],
    sent: list[datetime],
    now: datetime,
) -> None:
    while True:
        if one.at == len(one.plan.steps):
            going.remove(one)
            told.left.append((one.plan.name, "done", now))
            return
        kind, value = one.plan.steps[one.at]
        if kind == "wait":
            one.at += 1
            one.ready = now + value
            return
        if kind == "until":
            one.at += 1
            one.ready = _next_strike(now, value, rules.zone)
            if one.ready > now:
                return
            continue
        if one.first_due is None:
            one.first_due = now
        what, why, then = ("go", "", now) if kind == "give" else _judge(one, rules, seen, sent, now)
        if what == "later":
            one.ready = then
            return
        told.done.append((one.plan.name, one.at, what, why, now))
        one.first_due = None
        if what == "go" and kind == "send":
            sent.append(now)
        if why == "cap" and one.plan.on_capped == "exit":
            going.remove(one)
            told.left.append((one.plan.name, "cap", now))
            return
        one.at += 1


def _judge(
    one: Going, rules: Rules, seen: list[Event], sent: list[datetime], now: datetime
) -> tuple[str, str, datetime]:
    """What is decided, why, and when it is judged again: as soon as what is in the way is not."""
    assert one.first_due is not None
    ends = one.first_due + one.plan.ttl
    if now > ends:
        return "suppress", "expired", now
    said = [about["status"] for _, kind, about in seen if kind == "say"]
    if not said or said[-1] != "granted":
        return "suppress", "consent", now
    left = [now + number * STEP for number in range((ends - now) // STEP + 1)]
    if not _open(now, rules):
        opens = next((at for at in left if _open(at, rules)), None)
        return ("suppress", "quiet", now) if opens is None else ("later", "", opens)
    if not _room(now, rules, sent):
        room = next((at for at in left if _room(at, rules, sent)), None)
        waits = one.plan.on_capped == "wait" and room is not None
        return ("later", "", room or now) if waits else ("suppress", "cap", now)
    return "go", "", now


def _open(at: datetime, rules: Rules) -> bool:
    if rules.quiet is None:
        return True
    local = at.astimezone(rules.zone)
    clock = (local.hour, local.minute)
    begin, end = rules.quiet
    if begin < end:
        return not begin <= clock < end
    return end <= clock < begin


def _room(at: datetime, rules: Rules, sent: list[datetime]) -> bool:
    return all(sum(at - span < one for one in sent) < most for most, span in rules.caps)


def _strikes(at: datetime, clock: tuple[int, int], zone: ZoneInfo) -> bool:
    """Whether the wall shows `clock` for the first time that day, or has just skipped it."""
    local, before = at.astimezone(zone), (at - STEP).astimezone(zone)
    shown, passed = (local.hour, local.minute), (before.hour, before.minute)
    if shown == clock:
        return local.fold == 0
    return local.date() == before.date() and passed < clock < shown


def _next_strike(now: datetime, clock: tuple[int, int], zone: ZoneInfo) -> datetime:
    return next(at for number in range(300) if _strikes(at := now + number * STEP, clock, zone))
