"""What a search for a roster is given, and what it comes back with."""

from __future__ import annotations

import math
from dataclasses import dataclass

from operators.roster.evaluate import Evaluation
from operators.roster.roster import Roster


@dataclass(frozen=True, slots=True)
class Budget:
    """How long to look, with how many threads, and how near the bound is near enough.

    `stretch`: seconds on the wall that one of the clock may take; more than 1 for a clock that
    counts CPU time on a machine that others use.
    """

    seconds: float = 60.0
    workers: int = 2
    gap: float = 0.0
    seed: int = 1
    stretch: float = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The best roster known, its evaluation, and the bound; no roster where none was found.

    `proved_infeasible`: no roster keeps the hard rules. `parts` is how many were made anew.
    """

    roster: Roster | None
    evaluation: Evaluation | None
    bound: float
    seconds: float
    proved_infeasible: bool = False
    parts: int = 0

    @property
    def gap(self) -> float | None:
        """How far above the bound, as a share of the cost; None without a roster or a bound."""
        if self.evaluation is None or math.isinf(self.bound):
            return None
        cost = self.evaluation.total
        return max(0.0, cost - self.bound) / max(1.0, abs(cost))
