"""What lets a member into a journey: something that happened, or a time that came."""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from operators.journeys.conditions import figure
from operators.journeys.program import (
    OnCrossing,
    OnEvent,
    OnSchedule,
    OnSegment,
    OnSilence,
    Program,
)
from operators.journeys.state import MemberJourneys, Run
from operators.journeys.view import Happening, View
from operators.journeys.wall import Schedule
from operators.members.experiments.assignment import in_holdout, slot
from operators.members.rules import MemberRules
from operators.members.segments import NONE, SEGMENTS
from schemas.instants import DAY_US, format_instant
from schemas.journey_rules import JourneysConfig
from schemas.member_events import Cause

# Nobody did anything when thresholds changed or ids were united.
_DEEDS: tuple[Cause, ...] = ("purchase", "refund", "time")
# Who is alone again was at its level before, as part of the person that it was of.
_NO_CROSSING: tuple[Cause, ...] = ("thresholds", "unmerge")


# Of each schedule and zone, an instant and the first of the schedule after it.
_NEXT: dict[tuple[Schedule, str], tuple[int, int]] = {}


class Turned(NamedTuple):
    """How many triggers let nobody in: too old or told by a backfill, and for whom they are not."""

    stale: int = 0
    not_for: int = 0


class Call(NamedTuple):
    """A trigger that came true: `entry` tells it from every other time that it does."""

    entry: str
    time: int


def called(
    program: Program, member: MemberJourneys, view: View, happened: Happening
) -> Call | None:
    """Whether what happened lets a member in; remembers where figures stand, whoever asks."""
    return _call(happened) if _true(program, member, view, happened) else None


def _call(happened: Happening) -> Call:
    entry = happened.event or f"{happened.kind}@{format_instant(happened.time)}"
    return Call(entry, happened.time)


def _true(program: Program, member: MemberJourneys, view: View, happened: Happening) -> bool:
    trigger = program.trigger
    if isinstance(trigger, OnEvent):
        right = trigger.event == happened.kind
        within = trigger.amount is None or trigger.amount.holds(happened.amount)
        return right and within
    if isinstance(trigger, OnSegment):
        if happened.after in (happened.before, NONE):
            return False
        causes = trigger.causes or _DEEDS
        return SEGMENTS[happened.after].code in trigger.segments and happened.cause in causes
    if isinstance(trigger, OnCrossing):
        before = member.above.get(program.name, False)
        value = figure(trigger.field, view)
        above = member.above[program.name] = value is not None and value >= trigger.level
        return above and not before and happened.cause not in _NO_CROSSING
    return False


def arm(
    program: Program,
    member: MemberJourneys,
    view: View,
    zone: ZoneInfo,
    now: int,
    rules: MemberRules,
) -> None:
    """Set when time next lets a member in; `zone` is the one that the schedule goes by."""
    trigger, name = program.trigger, program.name
    if isinstance(trigger, OnSchedule):
        # A member who has moved goes by the new clock; what has come already is not put off.
        if member.armed.get(name, now + 1) > now:
            member.armed[name] = next_of(trigger.schedule, now, zone)
    elif isinstance(trigger, OnSilence):
        last = view.figures.last
        # When a refund brings back an older purchase, that silence has been dealt with, too.
        if last is None or last <= member.silent.get(name, last - 1):
            member.armed.pop(name, None)
        else:
            # A refund may bring back a purchase whose silence has ended before; that is known now.
            member.armed[name] = max(silent_at(last, trigger.length, rules), view.clock)


def next_of(schedule: Schedule, now: int, zone: ZoneInfo) -> int:
    """`schedule.after`, which is mostly the same for one member after the other."""
    known = _NEXT.get((schedule, zone.key))
    if known is None or not known[0] <= now < known[1]:
        known = _NEXT[schedule, zone.key] = (now, schedule.after(now, zone))
    return known[1]


def silent_at(last: int, length: int, rules: MemberRules) -> int:
    """When so long has passed since a purchase; whole days as the chain counts days."""
    return last + length if length % DAY_US else rules.expires(last, length / DAY_US)


def came(
    program: Program,
    member: MemberJourneys,
    view: View,
    zone: ZoneInfo,
    now: int,
    rules: MemberRules,
) -> Call | None:
    """The trigger of a time that has come; sets the next one."""
    trigger, name = program.trigger, program.name
    due = member.armed.pop(name)
    if isinstance(trigger, OnSilence):
        last = view.figures.last
        if last is None or silent_at(last, trigger.length, rules) > due:
            arm(program, member, view, zone, now, rules)
            return None
        due = silent_at(last, trigger.length, rules)
        member.silent[name] = last
    else:
        arm(program, member, view, zone, now, rules)
    return Call(f"time@{format_instant(due)}", due)


def true_already(program: Program, view: View, now: int, rules: MemberRules) -> bool:
    """Whether a state that lets members in is true of one when the journey first runs."""
    trigger = program.trigger
    if isinstance(trigger, OnSilence):
        last = view.figures.last
        return last is not None and silent_at(last, trigger.length, rules) <= now
    if isinstance(trigger, OnCrossing):
        value = figure(trigger.field, view)
        return value is not None and value >= trigger.level
    if isinstance(trigger, OnSegment):
        number = view.figures.segment
        return number != NONE and SEGMENTS[number].code in trigger.segments
    return False


def not_so(program: Program, run: Run, view: View, now: int) -> bool:
    """Whether nothing was begun yet, and the state that let the member in was none after all.

    What came before it was told later: topics are read in any order.
    """
    if run.node or run.waiting or run.first_due is not None:
        return False
    state = isinstance(program.trigger, OnSegment | OnCrossing)
    return state and not true_already(program, view, now, view.rules)


def may_enter(program: Program, member: MemberJourneys, view: View, now: int) -> bool:
    """Whether the journey is for this member, now and again."""
    if member.running(program.name) or not program.who.holds(view, member.tags):
        return False
    before = member.entered.get(program.name)
    if before is None:
        return True
    return program.reenter is not None and now - before.last >= program.reenter


def had_already(program: Program, run: Run, other: MemberJourneys) -> bool:
    """Whether a run is one too many, now that who came out of its journey is the same person."""
    before = other.entered.get(program.name)
    # Of ids that were one before, both know of the same time that it came in.
    if before is None or other.running(program.name) or before.last == run.entered_at:
        return False
    return program.reenter is None or abs(run.entered_at - before.last) < program.reenter


def held_out(program: Program, name: str, config: JourneysConfig) -> bool:
    """Whether a member is in the journey's control, or in that of all journeys."""
    share = round(config.holdout * 100)
    return in_holdout(name, share, config.holdout_version) or (
        slot("journey", program.name, name) < program.holdout
    )
