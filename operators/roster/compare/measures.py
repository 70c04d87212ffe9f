"""What a roster was worth in a simulated week: waiting, customers lost, labour, fairness, wishes.

`satisfaction` is the mean of fairness and wishes met: as near as a simulation comes to how content
people are with their rosters. It is not a survey.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from operators.roster.compare.simulate import Customer, Served, serve
from operators.roster.evaluate import evaluate
from operators.roster.problem import SLOTS, Problem, slot_of
from operators.roster.roster import Roster

Crowd = Mapping[tuple[str, int], Sequence[Customer]]
MEASURES = (
    "wait_min",
    "p95_min",
    "lost_pct",
    "labour_pct",
    "hours",
    "fairness_pct",
    "wishes_pct",
    "satisfaction",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A roster's week: figures by the names of `MEASURES`, and the hard rules it broke."""

    figures: dict[str, float]
    violations: tuple[str, ...]


def outcome(problem: Problem, roster: Roster, crowd: Crowd, sales: Mapping[str, int]) -> Outcome:
    """What the roster's week was like with these customers; `sales` is what one served pays."""
    judged = evaluate(problem, roster)
    waits: list[float] = []
    lost = taken = 0
    first, last = problem.open_slots
    for (task, day), come in crowd.items():
        heads = [
            max(0, judged.heads.get((task, day * SLOTS + slot), 0)) for slot in range(first, last)
        ]
        found = Served()
        serve(come, heads, found)
        waits += found.waits
        lost += found.lost
        taken += sales[task] * (found.came - found.lost)
    waits.sort()
    fair = fairness(problem, roster)
    met = wishes_met(problem, judged.costs.get("wishes", 0))
    worked = sum(
        one.end - one.start - (0 if one.pause is None else problem.pause) for one in roster.shifts
    )
    return Outcome(
        {
            "wait_min": sum(waits) / len(waits) / 60 if waits else 0.0,
            "p95_min": waits[int(0.95 * len(waits))] / 60 if waits else 0.0,
            "lost_pct": 100 * lost / len(waits) if waits else 0.0,
            "labour_pct": 100 * judged.costs["pay"] / taken if taken else 0.0,
            "hours": worked / 4,
            "fairness_pct": fair,
            "wishes_pct": met,
            "satisfaction": (fair + met) / 2,
        },
        judged.violations,
    )


def wishes_met(problem: Problem, unmet_cost: int) -> float:
    """Wishes met, by weight, in per cent; all of them where there are none."""
    weight = sum(wish.weight for who in problem.people for _, wish in who.wishes)
    rule = problem.rules.wishes
    if not weight or rule is None or not rule.cost:
        return 100.0
    return 100 * (1 - unmet_cost / rule.cost / weight)


def fairness(problem: Problem, roster: Roster) -> float:
    """How near evenings and weekend days are to people's shares, in per cent; the mean of both.

    With the last weeks, shares by contract hours. What would have to change hands for all to have
    their share is taken off 100: 0 is where all of it is somebody's who has no share in it.
    """
    rule = problem.rules.fair_evenings
    after = slot_of(rule.ends_after) if rule is not None else SLOTS
    evenings = Counter(one.person for one in roster.shifts if one.end > after)
    weekends = Counter(one.person for one in roster.shifts if problem.weekdays[one.day] >= 5)
    people = list(enumerate(problem.people))
    late = [who.past.evenings + evenings[at] for at, who in people]
    ends = [who.past.weekend_days + weekends[at] for at, who in people]
    return (_even(problem, late) + _even(problem, ends)) / 2


def _even(problem: Problem, counts: Sequence[int]) -> float:
    total, hours = sum(counts), sum(who.most for who in problem.people)
    if not total or not hours:
        return 100.0
    away = sum(
        abs(count - total * who.most / hours)
        for count, who in zip(counts, problem.people, strict=True)
    )
    return 100 * (1 - away / 2 / total)
