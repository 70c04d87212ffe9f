"""What a roster costs, rule by rule; written apart from the model's prices, to check them."""

from __future__ import annotations

from collections import defaultdict

from operators.roster.people_at_work import Presence
from operators.roster.problem import SLOTS_AN_HOUR, Problem, Wanted, slot_of
from operators.roster.roster import Roster, Shift


def costs(problem: Problem, roster: Roster, presence: Presence) -> dict[str, int]:
    """The cost of each soft rule that is on."""
    rules = problem.rules
    mine: dict[str, list[Shift]] = defaultdict(list)
    for shift in roster.shifts:
        mine[problem.people[shift.person].name].append(shift)
    # One line for each human being, in however many shops they work.
    people = [(one[0], problem.people[one[0]]) for one in problem.groups]
    found: dict[str, int] = {}
    if rules.waiting is not None:
        found["waiting"] = sum(
            demand.with_heads(max(0, presence.serving.get((task, slot), 0)))
            for task, by_slot in problem.demands.items()
            for slot, demand in by_slot.items()
        )
    if rules.pay is not None:
        found["pay"] = _pay(problem, mine)
    if rules.wishes is not None:
        found["wishes"] = rules.wishes.cost * sum(
            wish.weight
            for _, who in people
            for day, wish in who.wishes
            if not _is_met(wish, [one for one in mine[who.name] if one.day == day])
        )
    if rules.fair_evenings is not None:
        after = slot_of(rules.fair_evenings.ends_after)
        found["fair_evenings"] = rules.fair_evenings.cost * sum(
            max(0, sum(s.end > after for s in mine[who.name]) - problem.evening_share(at)) ** 2
            for at, who in people
        )
    if rules.fair_weekends is not None:
        found["fair_weekends"] = rules.fair_weekends.cost * sum(
            max(
                0,
                sum(problem.weekdays[day] >= 5 for day in {s.day for s in mine[who.name]})
                - problem.weekend_share(at),
            )
            ** 2
            for at, who in people
        )
    if rules.fair_hours is not None:
        found["fair_hours"] = _fair_hours(problem, mine)
    if rules.steadiness is not None:
        found["steadiness"] = _steadiness(problem, roster)
    if rules.grades is not None:
        grades, short = rules.grades, 0
        for shop in range(max(1, len(problem.shops))):
            for slot, there in enumerate(presence.on_duty):
                heads = problem.heads_needed(slot, shop)
                if heads >= grades.peak_heads:
                    here = [who for at in there if (who := problem.people[at]).shop == shop]
                    points = sum(who.grade for who in here)
                    short += max(0, heads * grades.points - points)
        found["grades"] = short * grades.cost
    return found


def _slots(problem: Problem, shift: Shift) -> int:
    return shift.end - shift.start - (0 if shift.pause is None else problem.pause)


def _pay(problem: Problem, mine: dict[str, list[Shift]]) -> int:
    rule = problem.rules.pay
    assert rule is not None
    total = 0
    for who in {one.name: one for one in problem.people}.values():
        shifts = mine[who.name]
        total += sum(who.pay * _slots(problem, shift) // SLOTS_AN_HOUR for shift in shifts)
        dearer = round(who.pay * (rule.overtime_factor - 1) / SLOTS_AN_HOUR)
        for week in problem.weeks:
            worked = sum(_slots(problem, shift) for shift in shifts if shift.day in week)
            total += dearer * max(0, worked - int(rule.overtime_after * SLOTS_AN_HOUR))
    return total


def _is_met(wish: Wanted, shifts: list[Shift]) -> bool:
    if wish.off or not shifts:
        return wish.off and not shifts
    return all(wish.start <= shift.start and shift.end <= wish.end for shift in shifts)


def _fair_hours(problem: Problem, mine: dict[str, list[Shift]]) -> int:
    rule = problem.rules.fair_hours
    assert rule is not None
    away = 0
    for who in {one.name: one for one in problem.people}.values():
        worked = sum(_slots(problem, shift) for shift in mine[who.name])
        contract = (who.least + who.most) * len(problem.days) // 14
        balance = worked - contract + who.past.over
        away += max(0, abs(balance) - int(rule.tolerance * SLOTS_AN_HOUR))
    return away * (rule.cost // SLOTS_AN_HOUR)


def _steadiness(problem: Problem, roster: Roster) -> int:
    rule = problem.rules.steadiness
    assert rule is not None
    if not problem.published:
        return 0
    now = roster.spans()
    total = 0
    for key in {*now, *problem.published}:
        new, old = now.get(key), problem.published.get(key)
        if new is not None and old is not None:
            moved = abs(new[0] - old[0]) + abs(new[1] - old[1])
        else:
            start, end = new or old or (0, 0)
            moved = end - start
        total += moved * rule.cost // SLOTS_AN_HOUR
    return total
