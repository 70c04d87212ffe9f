"""Hard rules over several shifts; each is a function that is called only when its rule is on."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from operators.roster.model.builder import Builder
from operators.roster.problem import SLOTS, SLOTS_AN_HOUR
from operators.roster.reasons import Reason, on_day


def add_rest(build: Builder) -> None:
    """For each start of a shift: not after what ends too late, nor anything that starts before."""
    rule = build.problem.rules.rest
    assert rule is not None
    rest = rule.hours * SLOTS_AN_HOUR
    pairs = [pair for group in build.groups for pair in product(group, repeat=2)]
    for person, after in pairs:
        who = build.problem.people[person]
        reason = Reason("rest", f"{who.name} rests {rule.hours:g} h between two shifts", person)
        for day in range(len(build.problem.days) - 1):
            today, tomorrow = build.choices[person, day], build.choices[after, day + 1]
            # Of the starts that the same shifts are too late for, the last one says it for all.
            starts: dict[int, int] = {}
            for start in sorted({shape.start for shape, _ in tomorrow}):
                too_late = sum(SLOTS + start - shape.end < rest for shape, _ in today)
                starts[too_late] = start
            for too_late, start in starts.items():
                if too_late:
                    late = [c for shape, c in today if SLOTS + start - shape.end < rest]
                    early = [c for shape, c in tomorrow if shape.start <= start]
                    build.require(reason, build.model.add(sum(late) + sum(early) <= 1))


def add_weekly_hours(build: Builder) -> None:
    """Between the contract's hours in whole weeks, and at most its hours in cut ones."""
    rule = build.problem.rules.weekly_hours
    assert rule is not None
    for group in build.groups:
        person = group[0]
        who = build.problem.people[person]
        most = min(who.most, int(rule.most * SLOTS_AN_HOUR))
        for week in build.problem.weeks:
            worked = build.worked(group, week)
            if isinstance(worked, int):
                continue
            since = build.problem.days[week[0]]
            build.require(
                Reason(
                    "weekly_hours",
                    f"{who.name} works {most / SLOTS_AN_HOUR:g} h at most in the week of {since}",
                    person,
                    week[0],
                ),
                build.model.add(worked <= most),
            )
            if who.least and len(week) == 7:
                build.require(
                    Reason(
                        "weekly_hours",
                        f"{who.name} works {who.least / SLOTS_AN_HOUR:g} h at least in the week "
                        f"of {since}",
                        person,
                        week[0],
                    ),
                    build.model.add(worked >= who.least),
                )


def add_days_in_a_row(build: Builder) -> None:
    """No run of working days is longer, those before the first day included."""
    rule = build.problem.rules.days_in_a_row
    assert rule is not None
    days = len(build.problem.days)
    for group in build.groups:
        person = group[0]
        who = build.problem.people[person]
        before = min(who.past.run, rule.most)
        text = f"{who.name} works {rule.most} days in a row at most"
        if before:
            text += f" ({who.past.run} before the first day)"
        reason = Reason("days_in_a_row", text, person)
        for first in range(-before, days - rule.most):
            span = range(max(0, first), first + rule.most + 1)
            worked = sum(build.works(group, day) for day in span)
            build.require(reason, build.model.add(worked <= len(span) - 1))


def add_days_off(build: Builder) -> None:
    """So many days off in each whole week."""
    rule = build.problem.rules.days_off
    assert rule is not None
    for group in build.groups:
        person = group[0]
        who = build.problem.people[person]
        reason = Reason("days_off", f"{who.name} has {rule.least} days off a week", person)
        for week in build.problem.weeks:
            if len(week) == 7:
                worked = sum(build.works(group, day) for day in week)
                build.require(reason, build.model.add(worked <= 7 - rule.least))


def add_minors(build: Builder) -> None:
    """Minors work so many days a week; their hours of the day are a matter of the shapes."""
    rule = build.problem.rules.minors
    assert rule is not None
    for group in build.groups:
        person = group[0]
        who = build.problem.people[person]
        if not who.minor:
            continue
        text = f"{who.name} is a minor and works {rule.most_days} days a week at most"
        for week in build.problem.weeks:
            worked = sum(build.works(group, day) for day in week)
            build.require(Reason("minors", text, person), build.model.add(worked <= rule.most_days))


def add_skilled_at_peak(build: Builder) -> None:
    """Enough people of the grade at work in every slot that needs many heads."""
    problem = build.problem
    rule = problem.rules.skilled_at_peak
    assert rule is not None
    for shop in range(max(1, len(problem.shops))):
        skilled = [
            kind
            for kind, members in enumerate(build.classes)
            if problem.people[members[0]].grade >= rule.grade
            and problem.people[members[0]].shop == shop
        ]
        for slot in build.slots():
            if problem.heads_needed(slot, shop) < rule.peak_heads:
                continue
            day = slot // SLOTS
            reason = Reason(
                "skilled_at_peak",
                f"{rule.people} people of grade {rule.grade} or better where {rule.peak_heads} "
                f"heads are needed{problem.within(shop)} {on_day(problem, day)}",
                None,
                day,
            )
            there = [build.inside[kind, slot] for kind in skilled if (kind, slot) in build.inside]
            if there:
                build.require(reason, build.model.add(sum(there) >= rule.people))
            elif rule.people:
                build.require(reason, build.model.add_bool_or([]))


def add_mentor_beside_trainee(build: Builder) -> None:
    """In every slot no more trainees at work than the mentors at work may have."""
    problem = build.problem
    rule = problem.rules.mentor_beside_trainee
    assert rule is not None
    heads = [problem.people[members[0]] for members in build.classes]
    reason = Reason(
        "mentor_beside_trainee",
        f"a trainee works only beside a mentor ({rule.trainees_per_mentor} to one)",
    )
    for slot in build.slots():
        for shop in range(max(1, len(problem.shops))):
            there = [
                (who, build.inside[kind, slot])
                for kind, who in enumerate(heads)
                if who.shop == shop and (kind, slot) in build.inside
            ]
            trainees = [inside for who, inside in there if who.trainee]
            mentors = [inside for who, inside in there if who.mentor and not who.trainee]
            if trainees:
                build.require(
                    reason,
                    build.model.add(sum(trainees) <= rule.trainees_per_mentor * sum(mentors)),
                )


ADD: dict[str, Callable[[Builder], None]] = {
    "rest": add_rest,
    "weekly_hours": add_weekly_hours,
    "days_in_a_row": add_days_in_a_row,
    "days_off": add_days_off,
    "minors": add_minors,
    "skilled_at_peak": add_skilled_at_peak,
    "mentor_beside_trainee": add_mentor_beside_trainee,
}
