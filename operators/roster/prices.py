"""What single shifts and counts cost by the soft rules, in minor money units."""

from __future__ import annotations

from operators.roster.problem import SLOTS_AN_HOUR, Person, Problem
from schemas.roster_rules import Pay

Span = tuple[int, int] | None


def shift_pay(who: Person, worked: int) -> int:
    """Pay of a shift with so many slots at work, overtime left out."""
    return who.pay * worked // SLOTS_AN_HOUR


def overtime_price(who: Person, rule: Pay) -> int:
    """What a slot of overtime costs on top of its pay."""
    return round(who.pay * (rule.overtime_factor - 1) / SLOTS_AN_HOUR)


def unmet_wishes(problem: Problem, person: int, day: int, span: Span) -> int:
    """What the person's wishes for the day cost with this shift (None: off)."""
    rule = problem.rules.wishes
    if rule is None:
        return 0
    unmet = 0
    for at, wish in problem.people[person].wishes:
        if at != day:
            continue
        if wish.off:
            met = span is None
        else:
            met = span is not None and wish.start <= span[0] and span[1] <= wish.end
        unmet += 0 if met else wish.weight
    return unmet * rule.cost


def shift_steadiness(problem: Problem, person: int, day: int, span: Span) -> int:
    """What this shift (None: off) costs against the one published for that day."""
    rule = problem.rules.steadiness
    if rule is None or not problem.published:
        return 0
    there = problem.published.get((person, day))
    if there is None and span is None:
        moved = 0
    elif there is None or span is None:
        start, end = span or there or (0, 0)
        moved = end - start
    else:
        moved = abs(span[0] - there[0]) + abs(span[1] - there[1])
    return moved * rule.cost // SLOTS_AN_HOUR


def steps_above(n: int) -> int:
    """What being n above one's share weighs."""
    return n * n
