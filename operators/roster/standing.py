"""How a search stands: the best roster, the bound, the clock. Its threads share one of these."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from ortools.sat.python import cp_model

from operators.roster.answer import Budget
from operators.roster.evaluate import Evaluation, evaluate
from operators.roster.problem import Problem
from operators.roster.roster import Roster

# Less time than this is none.
_NO_TIME = 0.05


class Standing:
    """What is known of a problem so far; `clock` counts seconds, `told` hears of news."""

    def __init__(
        self,
        problem: Problem,
        budget: Budget,
        clock: Callable[[], float],
        told: Callable[[str], None],
    ) -> None:
        self.problem = problem
        self.budget = budget
        self.best: Roster | None = None
        self.found: Evaluation | None = None
        self.bound = -math.inf
        self.parts = 0
        self._clock = clock
        self._began = clock()
        self._told = told
        self._lock = Lock()
        self._stopped = False
        self._solvers: set[cp_model.CpSolver] = set()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._began

    def left(self, share: float = 1.0) -> float:
        """Seconds of that share of the budget that are left; none when the search is over."""
        return 0.0 if self._stopped else self.budget.seconds * share - self.elapsed

    @property
    def over(self) -> bool:
        """Whether there is nothing more to do: no time is left, or the roster is good enough."""
        return self._stopped or self.left() <= _NO_TIME or self._is_near()

    def stop(self) -> None:
        """Ends what other threads are at, soon."""
        with self._lock:
            self._stopped = True
            for solver in self._solvers:
                solver.stop_search()

    @contextmanager
    def stopping(self, solver: cp_model.CpSolver) -> Iterator[None]:
        """A solver that is stopped with the search."""
        with self._lock:
            self._solvers.add(solver)
        try:
            yield
        finally:
            with self._lock:
                self._solvers.discard(solver)

    def now(self) -> tuple[Roster, Evaluation]:
        """The best roster; there has to be one."""
        with self._lock:
            assert self.best is not None
            assert self.found is not None
            return self.best, self.found

    def take(self, roster: Roster, how: str) -> bool:
        """Keeps a roster that is legal and better than the best."""
        judged = evaluate(self.problem, roster)
        with self._lock:
            if judged.violations or (self.found is not None and judged.total >= self.found.total):
                return False
            self.best, self.found = roster, judged
            self._told(f"{self.elapsed:7.1f} s  cost {judged.total:>12,}  {how}")
        return True

    def bounded(self, bound: float) -> None:
        """No roster costs less."""
        with self._lock:
            if bound > self.bound:
                self.bound = bound
                self._told(f"{self.elapsed:7.1f} s  no roster costs less than {bound:,.0f}")

    def _is_near(self) -> bool:
        found = self.found
        if found is None:
            return False
        return found.total - self.bound <= self.budget.gap * abs(found.total)
