"""What a roster costs beside waiting: pay, wishes, fairness, steadiness, grades."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from operators.roster.model.builder import Builder, Linear
from operators.roster.prices import (
    overtime_price,
    shift_pay,
    shift_steadiness,
    steps_above,
    unmet_wishes,
)
from operators.roster.problem import SLOTS, SLOTS_AN_HOUR, slot_of
from schemas.roster_rules import FairEvenings, FairWeekends, Grades


def add_pay(build: Builder) -> None:
    """Hours at their pay, those above the limit of a week dearer."""
    rule = build.problem.rules.pay
    assert rule is not None
    limit = int(rule.overtime_after * SLOTS_AN_HOUR)
    for group in build.groups:
        who = build.problem.people[group[0]]
        for person in group:
            for day in range(len(build.problem.days)):
                for shape, chosen in build.choices[person, day]:
                    build.pay("pay", shift_pay(who, shape.worked) * chosen)
        for week in build.problem.weeks:
            # Whoever may not work longer has no overtime.
            most = sum(
                max((shape.worked for shape, _ in build.choices[person, day]), default=0)
                for person in group
                for day in week
            )
            if build.problem.rules.weekly_hours is not None:
                most = min(most, who.most)
            if most > limit:
                over = build.count(most - limit, f"overtime {who.name} {week[0]}")
                build.model.add(over >= build.worked(group, week) - limit)
                build.pay("pay", overtime_price(who, rule) * over)


def add_wishes(build: Builder) -> None:
    """What a day costs in wishes that are not met, by the shift that is chosen."""
    several = [group for group in build.groups if len(group) > 1]
    for group in several:
        _add_wishes_anywhere(build, group)
    apart = {person for group in build.problem.groups if len(group) > 1 for person in group}
    for (person, day), choices in build.choices.items():
        if person in apart:
            continue
        none = unmet_wishes(build.problem, person, day, None)
        build.pay("wishes", none)
        for shape, chosen in choices:
            cost = unmet_wishes(build.problem, person, day, (shape.start, shape.end))
            if cost != none:
                build.pay("wishes", (cost - none) * chosen)


def _add_wishes_anywhere(build: Builder, group: list[int]) -> None:
    """Wishes of somebody in several shops: off in all of them, or within the span in all."""
    rule, who = build.problem.rules.wishes, build.problem.people[group[0]]
    assert rule is not None
    for day, wish in who.wishes:
        works = build.works(group, day)
        if wish.off:
            build.pay("wishes", wish.weight * rule.cost * works)
            continue
        unmet = build.flag(f"wish {who.name} {day}")
        build.model.add(unmet >= 1 - works)
        for person in group:
            outside = [
                chosen
                for shape, chosen in build.choices[person, day]
                if not (wish.start <= shape.start and shape.end <= wish.end)
            ]
            build.model.add(unmet >= sum(outside))
        build.pay("wishes", wish.weight * rule.cost * unmet)


def add_steadiness(build: Builder) -> None:
    """What a day costs in changes against the published roster."""
    if not build.problem.published:
        return
    for (person, day), choices in build.choices.items():
        none = shift_steadiness(build.problem, person, day, None)
        build.pay("steadiness", none)
        for shape, chosen in choices:
            cost = shift_steadiness(build.problem, person, day, (shape.start, shape.end))
            if cost != none:
                build.pay("steadiness", (cost - none) * chosen)


def add_fair_evenings(build: Builder) -> None:
    """Late shifts above one's share."""
    problem, rule = build.problem, build.problem.rules.fair_evenings
    assert rule is not None
    for group in build.groups:
        add_late_shifts(build, group, problem.evening_share(group[0]), rule)


def add_late_shifts(build: Builder, group: list[int], share: int, rule: FairEvenings) -> None:
    """One person's late shifts above a share."""
    after, days = slot_of(rule.ends_after), range(len(build.problem.days))
    late = [
        chosen
        for day in days
        for person in group
        for shape, chosen in build.choices[person, day]
        if shape.end > after
    ]
    most = len(days) * len(group) - share
    _pay_steps(build, "fair_evenings", sum(late) - share, most, rule.cost)


def add_fair_weekends(build: Builder) -> None:
    """Days at weekends above one's share."""
    problem, rule = build.problem, build.problem.rules.fair_weekends
    assert rule is not None
    for group in build.groups:
        add_weekend_days(build, group, problem.weekend_share(group[0]), rule)


def add_weekend_days(build: Builder, group: list[int], share: int, rule: FairWeekends) -> None:
    """One person's days at weekends above a share."""
    weekdays = build.problem.weekdays
    days = [build.works(group, day) for day, weekday in enumerate(weekdays) if weekday >= 5]
    _pay_steps(build, "fair_weekends", sum(days) - share, len(days) - share, rule.cost)


def _pay_steps(build: Builder, rule: str, above: Linear, most: int, cost: int) -> None:
    """The n-th above costs 2n - 1 times as much, so that n of them cost n squared."""
    if most <= 0 or build.explain:
        return
    steps = [build.flag(f"{rule} {n}") for n in range(most)]
    build.model.add(sum(steps) >= above)
    for n, step in enumerate(steps, 1):
        build.pay(rule, (steps_above(n) - steps_above(n - 1)) * cost * step)


def add_fair_hours(build: Builder) -> None:
    """Slots away from the middle of the contract, with the balance so far."""
    problem, rule = build.problem, build.problem.rules.fair_hours
    assert rule is not None
    tolerance = int(rule.tolerance * SLOTS_AN_HOUR)
    for group in build.groups:
        who = problem.people[group[0]]
        worked = build.worked(group, range(len(problem.days)))
        contract = (who.least + who.most) * len(problem.days) // 14
        balance = worked + (who.past.over - contract)
        away = build.count(SLOTS * len(problem.days) + abs(who.past.over), f"away {who.name}")
        build.model.add(away >= balance - tolerance)
        build.model.add(away >= -balance - tolerance)
        build.pay("fair_hours", rule.cost // SLOTS_AN_HOUR * away)


def add_grades(build: Builder) -> None:
    """Grade points that are missing on duty (in a break, too) where many heads are needed."""
    problem, rule = build.problem, build.problem.rules.grades
    assert rule is not None
    for shop in range(max(1, len(problem.shops))):
        for day in build.days:
            _add_points(build, shop, day, rule)


def _add_points(build: Builder, shop: int, day: int, rule: Grades) -> None:
    problem = build.problem
    people = [(at, who) for at, who in enumerate(problem.people) if who.shop == shop]
    top = sum(who.grade for _, who in people)
    changes: dict[int, list[Linear]] = defaultdict(list)
    for person, who in people:
        for shape, chosen in build.choices[person, day]:
            changes[shape.start].append(who.grade * chosen)
            changes[shape.end].append(-who.grade * chosen)
    last: Linear = 0
    for slot in range(SLOTS):
        if slot in changes:
            points = build.count(top, f"points {day} {slot}")
            build.model.add(points == last + sum(changes[slot]))
            last = points
        heads = problem.heads_needed(day * SLOTS + slot, shop)
        if heads >= rule.peak_heads:
            short = build.count(rule.points * heads, f"points short {day} {slot}")
            build.model.add(short >= rule.points * heads - last)
            build.pay("grades", rule.cost * short)


ADD: dict[str, Callable[[Builder], None]] = {
    "pay": add_pay,
    "wishes": add_wishes,
    "fair_evenings": add_fair_evenings,
    "fair_weekends": add_fair_weekends,
    "fair_hours": add_fair_hours,
    "steadiness": add_steadiness,
    "grades": add_grades,
}
