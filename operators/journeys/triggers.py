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
from operators.journeys.state import MemberJourneys
from operators.journeys.view import Happening, View
from operators.members.experiments.assignment import in_holdout, slot
from operators.members.segments import NONE, SEGMENTS
from schemas.instants import format_instant
from schemas.journey_rules import JourneysConfig
from schemas.member_events import Cause

# Nobody did anything when thresholds changed or ids were united.
_DEEDS: tuple[Cause, ...] = ("purchase", "refund", "time")


class Call(NamedTuple):
    """A trigger that came true: `entry` tells it from every other time that it does."""

    entry: str
    time: int


def called(
    program: Program, member: MemberJourneys, view: View, happened: Happening
) -> Call | None:
    """Whether what happened lets a member in; remembers where figures stand, whoever asks."""
    trigger = program.trigger
    entry = happened.event or f"{happened.kind}@{format_instant(happened.time)}"
    call = Call(entry, happened.time)
    if isinstance(trigger, OnEvent):
        right = trigger.event == happened.kind
        within = trigger.amount is None or trigger.amount.holds(happened.amount)
        return call if right and within else None
    if isinstance(trigger, OnSegment):
        if happened.after in (happened.before, NONE):
            return None
        causes = trigger.causes or _DEEDS
        found = SEGMENTS[happened.after].code in trigger.segments and happened.cause in causes
        return call if found else None
    if isinstance(trigger, OnCrossing):
        before = member.above.get(program.name, False)
        value = figure(trigger.field, view)
        above = member.above[program.name] = value is not None and value >= trigger.level
        return call if above and not before and happened.cause != "thresholds" else None
    return None


def arm(program: Program, member: MemberJourneys, view: View, zone: ZoneInfo, now: int) -> None:
    """Set when time next lets a member in."""
    trigger, name = program.trigger, program.name
    if isinstance(trigger, OnSchedule):
        member.armed.setdefault(name, trigger.schedule.after(now, zone))
    elif isinstance(trigger, OnSilence):
        last = view.figures.last
        if last is None or member.silent.get(name) == last:
            member.armed.pop(name, None)
        else:
            member.armed[name] = last + trigger.length


def came(
    program: Program, member: MemberJourneys, view: View, zone: ZoneInfo, now: int
) -> Call | None:
    """The trigger of a time that has come; sets the next one."""
    trigger, name = program.trigger, program.name
    due = member.armed.pop(name)
    if isinstance(trigger, OnSilence):
        last = view.figures.last
        if last is None or last + trigger.length != due:
            arm(program, member, view, zone, now)
            return None
        member.silent[name] = last
    else:
        arm(program, member, view, zone, now)
    return Call(f"time@{format_instant(due)}", due)


def true_already(program: Program, view: View, now: int) -> bool:
    """Whether a state that lets members in is true of one when the journey first runs."""
    trigger = program.trigger
    if isinstance(trigger, OnSilence):
        last = view.figures.last
        return last is not None and last + trigger.length <= now
    if isinstance(trigger, OnCrossing):
        value = figure(trigger.field, view)
        return value is not None and value >= trigger.level
    if isinstance(trigger, OnSegment):
        number = view.figures.segment
        return number != NONE and SEGMENTS[number].code in trigger.segments
    return False


def may_enter(program: Program, member: MemberJourneys, view: View, now: int) -> bool:
    """Whether the journey is for this member, now and again."""
    if member.running(program.name) or not program.who.holds(view, member.tags):
        return False
    before = member.entered.get(program.name)
    if before is None:
        return True
    return program.reenter is not None and now - before.last >= program.reenter


def held_out(program: Program, name: str, config: JourneysConfig) -> bool:
    """Whether a member is in the journey's control, or in that of all journeys."""
    share = round(config.holdout * 100)
    return in_holdout(name, share, config.holdout_version) or (
        slot("journey", program.name, name) < program.holdout
    )
