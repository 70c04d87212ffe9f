"""A store's running day: stretches where need and roster differ, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np

from operators.forecast.intraday import Update
from operators.forecast.today import Today
from operators.roster.intraday.moves import Notice
from operators.roster.intraday.proposals import Options
from operators.roster.intraday.watch import OpenAlert, Status, Stretch, review, stretches
from operators.roster.problem import SLOTS, SLOTS_AN_HOUR, clock
from operators.staffing.need import TaskDay, spare_heads
from operators.staffing.shop import Rostered, with_need
from schemas.forecast_rules import Measure
from schemas.instants import to_datetime
from schemas.roster import RosterFile
from schemas.staffing import Proposal, StaffingAlert
from schemas.staffing_rules import IntradayRules

# Less than this off the forecast is as forecast.
_AS_FORECAST = 0.02


def review_day(
    file: RosterFile,
    there: Rostered | None,
    needs: Sequence[TaskDay],
    today: Mapping[Measure, Today],
    opened: Sequence[OpenAlert],
    rules: IntradayRules,
    now: tuple[str, int, int],
) -> tuple[list[StaffingAlert], list[OpenAlert]]:
    """What is to be told of a store now, and what stays open.

    `now` is the local day, its slot, and the instant. Without a roster there is nothing to differ
    from, and what was open is cleared.
    """
    day, slot, at = now
    begins = min((one.first for one in needs), default=SLOTS) - ceil(rules.begin_minutes / 15)
    found = []
    if there is not None and slot >= begins:
        found = _stretches(file, there, needs, rules, slot)
    changes, kept = review(opened, found, rules, day=day, at=at, prefix=file.shop)
    told = []
    options: Options | None = None
    for change in changes:
        one = change.alert
        proposals: list[Proposal] = []
        if change.status != "cleared" and there is not None and rules.proposals:
            if options is None:
                need = [each.need for each in needs]
                options = Options(with_need(file, need, there), there.roster)
            stretch = Stretch(one.task, one.kind, one.start, one.end, one.heads, one.amount)
            proposals = options.proposals(stretch, there.day, slot, _notice(rules), rules.proposals)
        if change.status == "raised" and one.kind == "over_staffed" and not proposals:
            # Nobody can go home by the rules: there is nothing to tell, and it may be so later.
            kept.remove(one)
            continue
        measure = next((each.measure for each in needs if each.task == one.task), None)
        running = today.get(measure) if measure else None
        told.append(_alert(file.shop, change.status, one, proposals, measure, running, rules, at))
    return told, kept


def _stretches(
    file: RosterFile,
    there: Rostered,
    needs: Sequence[TaskDay],
    rules: IntradayRules,
    now: int,
) -> list[Stretch]:
    found = []
    for one in needs:
        serving = [there.heads(one.task, one.first + at) for at in range(len(one.heads))]
        ahead = [at for at in range(len(one.heads)) if one.first + at >= now]
        short = {one.first + at: one.heads[at] - serving[at] for at in ahead}
        found += stretches(one.task, "short_staffed", short, rules.bridge)
        if sum(max(0, -off) for off in short.values()) < rules.over_clear_below:
            continue
        spare = _spare(file, one, serving)
        over = {one.first + at: spare[at] for at in ahead}
        # A spare hand now and then is no reason to wake anybody, unless it goes on: no bridges.
        found += stretches(one.task, "over_staffed", over, 0)
    return found


def _spare(file: RosterFile, one: TaskDay, serving: Sequence[int]) -> list[int]:
    """Heads too many: not those that a rule asks for, nor those that are worth their pay."""
    least_heads = file.rules.least_heads
    least = least_heads.heads.get(one.task, 0) if least_heads else 0
    pay = min((who.pay for who in file.employees if one.task in who.skills), default=0)
    spare = spare_heads(one, file.tasks[one.task], serving, pay // SLOTS_AN_HOUR)
    return [min(many, max(0, have - least)) for many, have in zip(spare, serving, strict=True)]


def _notice(rules: IntradayRules) -> Notice:
    wanted = (rules.stay_minutes, rules.go_minutes, rules.call_minutes)
    return Notice(*(ceil(minutes / 15) for minutes in wanted))


def _alert(
    store: str,
    status: Status,
    one: OpenAlert,
    proposals: list[Proposal],
    measure: Measure | None,
    running: Today | None,
    rules: IntradayRules,
    at: int,
) -> StaffingAlert:
    short = one.kind == "short_staffed"
    level = rules.raise_at if short else rules.over_raise_at
    off, since = _off(running)
    over = status == "cleared"
    return StaffingAlert(
        alert=one.alert,
        alert_type=one.kind,
        status=status,
        severity="high" if short and one.amount >= 2 * level else "warning",
        store=store,
        task=one.task,
        day=one.day,
        starts=clock(one.start),
        ends=clock(one.end),
        heads=0 if over else one.heads,
        amount=0 if over else one.amount,
        level=level,
        clear_level=min(level, rules.clear_below if short else rules.over_clear_below),
        measure=measure,
        off=off,
        since=since,
        reason="the roster fits the need again" if over else reason(one, measure, off, since),
        proposals=proposals,
        opened_at=to_datetime(one.opened_at),
        updated_at=to_datetime(at),
        cleared_at=to_datetime(at) if over else None,
    )


def _off(running: Today | None) -> tuple[float | None, str | None]:
    """How far what came is off what was forecast, and since when that is counted."""
    if running is None:
        return None, None
    update: Update = running.update
    first = np.flatnonzero(running.mean > 0)
    if update.expected <= 0 or not len(first):
        return None, None
    return round(update.came / update.expected - 1, 4), clock(int(first[0]))


def reason(one: OpenAlert, measure: Measure | None, off: float | None, since: str | None) -> str:
    """`entries 24 % above forecast since 10:00; 2 heads short at till 17:00-19:00`."""
    said = []
    if measure is not None and off is not None and since is not None:
        if abs(off) < _AS_FORECAST:
            said.append(f"{measure} as forecast since {since}")
        else:
            way = "above" if off > 0 else "below"
            said.append(f"{measure} {abs(off) * 100:.0f} % {way} forecast since {since}")
    heads = f"{one.heads} head{'s' if one.heads > 1 else ''}"
    what = "short" if one.kind == "short_staffed" else "too many"
    said.append(f"{heads} {what} at {one.task} {clock(one.start)}-{clock(one.end)}")
    return "; ".join(said)
