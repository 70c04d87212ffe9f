"""An experiment look by look: how its intervals narrowed as members came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from operators.members.experiments.moments import Moments
from operators.members.experiments.readout import Rules
from operators.members.experiments.sequence import Difference, difference

MANY = 60


@dataclass(frozen=True, slots=True)
class Look:
    """The difference from the control after the members exposed until `at` (microseconds)."""

    at: int
    members: int
    always: Difference
    once: Difference


def looks(
    people: Sequence[tuple[int, str, float]], arms: Sequence[str], rules: Rules, many: int = MANY
) -> dict[str, list[Look]]:
    """Looks at each arm but the control (the first), at equal numbers of members.

    `people` are (instant of exposure, arm, outcome); what is known of a member now counts from its
    exposure on.
    """
    pairs = len(arms) * (len(arms) - 1) // 2
    alpha = rules.alpha / pairs
    figures = {arm: Moments() for arm in arms}
    found: dict[str, list[Look]] = {arm: [] for arm in arms[1:]}
    ordered = sorted(people, key=lambda one: one[0])
    marks = {round(len(ordered) * (k + 1) / many) - 1 for k in range(many)}
    for number, (at, arm, value) in enumerate(ordered):
        figures[arm].add(value)
        if number not in marks:
            continue
        control = figures[arms[0]]
        for one, seen in found.items():
            if min(figures[one].n, control.n) < 2:
                continue
            always, once = (
                difference(figures[one], control, alpha=alpha, planned=rules.planned, once=is_once)
                for is_once in (False, True)
            )
            seen.append(Look(at, figures[one].n + control.n, always, once))
    return found
