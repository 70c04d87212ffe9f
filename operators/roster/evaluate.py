"""Judges a roster by itself: every hard rule, and what each soft one costs.

Knows the problem and the roster, nothing of the model: whatever the solver says is checked here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from operators.roster.evaluate_costs import costs
from operators.roster.people_at_work import Presence
from operators.roster.problem import SLOTS, SLOTS_AN_HOUR, Problem, clock, slot_of
from operators.roster.roster import Roster, Shift


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a roster breaks (in words) and costs by rule, and the heads serving by task and slot."""

    violations: tuple[str, ...]
    costs: dict[str, int]
    heads: dict[tuple[str, int], int]

    @property
    def total(self) -> int:
        """All costs together."""
        return sum(self.costs.values())


def evaluate(problem: Problem, roster: Roster) -> Evaluation:
    """The judgement of a roster."""
    presence = Presence(problem, roster)
    found = (
        *_shapes(problem, roster),
        *_single(problem, roster),
        *_sequences(problem, roster),
        *_places(problem, roster),
        *_together(problem, roster, presence),
    )
    return Evaluation(found, costs(problem, roster, presence), presence.serving)


def _name(problem: Problem, shift: Shift) -> str:
    span = f"{clock(shift.start)}-{clock(shift.end)}"
    return f"{problem.label(shift.person)} {problem.days[shift.day]} {span}"


def _worked(problem: Problem, shift: Shift) -> int:
    """Slots at work: the break is not."""
    return shift.end - shift.start - (problem.pause if shift.pause is not None else 0)


def _shapes(problem: Problem, roster: Roster) -> Iterator[str]:
    allowed = {(shape.start, shape.end) for shape in problem.shapes}
    seen: Counter[tuple[int, int]] = Counter()
    for shift in roster.shifts:
        name = _name(problem, shift)
        seen[shift.person, shift.day] += 1
        span, length = (shift.start, shift.end), shift.end - shift.start
        known = {problem.published.get(shift[:2]), problem.fixed.get(shift[:2])}
        if span not in allowed and span not in known:
            yield f"shape: {name} is no shift that the shop has"
        if len(shift.tasks) != length:
            yield f"shape: {name} has tasks for {len(shift.tasks)} slots"
        due = bool(problem.pause) and length > problem.pause_after
        if due != (shift.pause is not None):
            yield f"break: {name} {'lacks its break' if due else 'has a break too many'}"
        elif shift.pause is not None:
            off = abs((shift.pause + problem.pause / 2) - (shift.start + shift.end) / 2)
            if off > problem.around:
                yield f"break: {name} has its break at {clock(shift.pause)}, far from the middle"
            rest = shift.tasks[shift.pause - shift.start :][: problem.pause]
            if any(task is not None for task in rest):
                yield f"break: {name} works in the break"
    for (person, day), count in seen.items():
        if count > 1:
            yield f"shape: {problem.people[person].name} has {count} shifts on {problem.days[day]}"


def _single(problem: Problem, roster: Roster) -> Iterator[str]:
    rules = problem.rules
    spans = roster.spans()
    for shift in roster.shifts:
        who, name, worked = (
            problem.people[shift.person],
            _name(problem, shift),
            _worked(problem, shift),
        )
        if rules.availability is not None:
            free = {slot for start, end in who.free[shift.day] for slot in range(start, end)}
            whole = any(a <= shift.start and shift.end <= b for a, b in who.free[shift.day])
            if not whole or not free.issuperset(range(shift.start, shift.end)):
                yield f"availability: {name}"
        for task in {task for task in shift.tasks if task is not None}:
            if rules.qualification is not None and task not in who.skills:
                yield f"qualification: {name} does {task}"
            if problem.shop_of(task) != who.shop:
                yield f"travel: {name} does {task}, which is in another shop"
        if rules.daily_hours is not None and worked > rules.daily_hours.most * SLOTS_AN_HOUR:
            yield f"daily_hours: {name}"
        if rules.minors is not None and who.minor:
            rule = rules.minors
            if shift.start < slot_of(rule.earliest) or shift.end > slot_of(rule.latest):
                yield f"minors: {name}"
            if worked > rule.most_hours * SLOTS_AN_HOUR:
                yield f"minors: {name} is too long"
    if rules.fixed_assignments is not None:
        for key, span in problem.fixed.items():
            if spans.get(key) != span:
                yield (
                    f"fixed_assignments: {problem.people[key[0]].name} {problem.days[key[1]]} "
                    f"{clock(span[0])}-{clock(span[1])}"
                )


def _sequences(problem: Problem, roster: Roster) -> Iterator[str]:
    rules = problem.rules
    mine: dict[int, list[Shift]] = defaultdict(list)
    for shift in roster.shifts:
        mine[shift.person].append(shift)
    for group in problem.groups:
        who = problem.people[group[0]]
        shifts = sorted(
            (shift for person in group for shift in mine[person]),
            key=lambda shift: (shift.day, shift.start),
        )
        if rules.rest is not None:
            ended, on = None if who.past.ended is None else who.past.ended - SLOTS, -1
            for shift in shifts:
                start = shift.day * SLOTS + shift.start
                rested = ended is None or start - ended >= rules.rest.hours * SLOTS_AN_HOUR
                # Between two shops on one day it is the way that counts.
                if not rested and shift.day != on:
                    yield f"rest: {_name(problem, shift)}"
                ended, on = shift.day * SLOTS + shift.end, shift.day
        days = {shift.day for shift in shifts}
        if rules.days_in_a_row is not None:
            run = who.past.run
            for day in range(len(problem.days)):
                run = run + 1 if day in days else 0
                if run > rules.days_in_a_row.most:
                    yield f"days_in_a_row: {who.name} on {problem.days[day]}"
        for week in problem.weeks:
            worked = sum(_worked(problem, shift) for shift in shifts if shift.day in week)
            count = len(days.intersection(week))
            since = f"{who.name} in the week of {problem.days[week[0]]}"
            if rules.weekly_hours is not None:
                if worked > min(who.most, rules.weekly_hours.most * SLOTS_AN_HOUR):
                    yield f"weekly_hours: {since}: {worked / SLOTS_AN_HOUR:g} h are too many"
                if len(week) == 7 and worked < who.least:
                    yield f"weekly_hours: {since}: {worked / SLOTS_AN_HOUR:g} h are too few"
            if rules.days_off is not None and len(week) == 7 and 7 - count < rules.days_off.least:
                yield f"days_off: {since}"
            if rules.minors is not None and who.minor and count > rules.minors.most_days:
                yield f"minors: {since}: {count} days"


def _together(problem: Problem, roster: Roster, presence: Presence) -> Iterator[str]:
    rules = problem.rules
    if rules.opening_duties is not None:
        if len(roster.duties) != len(problem.duties):
            yield f"opening_duties: {len(roster.duties)} of {len(problem.duties)} are placed"
        for duty, start in zip(problem.duties, roster.duties, strict=False):
            if start < duty.earliest or start + duty.length > duty.latest:
                yield f"opening_duties: {duty.name} is outside its window"
        for (task, slot), heads in presence.serving.items():
            if heads < 0:
                yield f"opening_duties: {task} lacks {-heads} at {_at(problem, slot)}"
    for slot in range(len(problem.days) * SLOTS):
        if rules.least_heads is not None:
            for task, least in rules.least_heads.heads.items():
                is_open = problem.is_open(slot, problem.shop_of(task))
                if is_open and presence.serving.get((task, slot), 0) < least:
                    yield f"least_heads: {task} at {_at(problem, slot)}"
        for shop in range(max(1, len(problem.shops))):
            yield from _beside(problem, presence, slot, shop)


def _beside(problem: Problem, presence: Presence, slot: int, shop: int) -> Iterator[str]:
    """Who has to be in a shop together with whom."""
    rules = problem.rules
    there = [who for at in presence.at_work[slot] if (who := problem.people[at]).shop == shop]
    if rules.skilled_at_peak is not None:
        peak = rules.skilled_at_peak
        skilled = sum(who.grade >= peak.grade for who in there)
        if problem.heads_needed(slot, shop) >= peak.peak_heads and skilled < peak.people:
            yield f"skilled_at_peak: {skilled} at {_at(problem, slot)}{problem.within(shop)}"
    if rules.mentor_beside_trainee is not None:
        trainees = sum(who.trainee for who in there)
        mentors = sum(who.mentor and not who.trainee for who in there)
        if trainees > mentors * rules.mentor_beside_trainee.trainees_per_mentor:
            where = f"{_at(problem, slot)}{problem.within(shop)}"
            yield f"mentor_beside_trainee: {trainees} to {mentors} at {where}"


def _places(problem: Problem, roster: Roster) -> Iterator[str]:
    """Whoever works in several shops on a day gets from one to the next, within a day's hours."""
    by_day: dict[tuple[str, int], list[Shift]] = defaultdict(list)
    for shift in roster.shifts:
        by_day[problem.people[shift.person].name, shift.day].append(shift)
    for shifts in by_day.values():
        shifts.sort(key=lambda shift: shift.start)
        for before, after in pairwise(shifts):
            shops = problem.people[before.person].shop, problem.people[after.person].shop
            way = problem.travel.get(shops, SLOTS)
            if shops[0] != shops[1] and after.start - before.end < way:
                name = _name(problem, before)
                yield f"travel: {name}, then {clock(after.start)}{problem.within(shops[1])}"
        if len(shifts) > 1:
            who = problem.people[shifts[0].person]
            worked = sum(_worked(problem, shift) for shift in shifts) / SLOTS_AN_HOUR
            daily, minors = problem.rules.daily_hours, problem.rules.minors
            if daily is not None and worked > daily.most:
                yield f"daily_hours: {_name(problem, shifts[0])} and elsewhere: {worked:g} h"
            if minors is not None and who.minor and worked > minors.most_hours:
                yield f"minors: {_name(problem, shifts[0])} and elsewhere: {worked:g} h"


def _at(problem: Problem, slot: int) -> str:
    return f"{problem.days[slot // SLOTS]} {clock(slot % SLOTS)}"
