"""A legal roster in seconds, also of a hundred people: everybody's weeks, then day by day.

The shifts of everybody's weeks stay where a day's breaks, duties and tasks go together with them;
otherwise that day's shifts are made anew, the other days as they are, and if need be those of a day
beside it with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ortools.sat.python import cp_model

from operators.roster.extract import extract
from operators.roster.model.build import build_model
from operators.roster.model.builder import Builder, Part
from operators.roster.problem import Problem
from operators.roster.roster import Roster, Shift
from operators.roster.solver import SOLVED, solver_of
from operators.roster.weeks import Shapes, weeks

# CP-SAT's deterministic seconds for the days made together.
DAY_WORK = 20.0


def construct(problem: Problem, left: Callable[[], float], seed: int = 1) -> Roster | None:
    """A legal roster, or None where this way found none in the time left."""
    shapes = weeks(problem, left, seed)
    return None if shapes is None else completed(problem, shapes, left, seed)


def refilled(
    problem: Problem, best: Roster, shapes: Shapes, left: Callable[[], float], seed: int = 1
) -> Roster | None:
    """The roster with other shapes on some days, their breaks, tasks and duties made anew.

    None where they do not go together on a day.
    """
    bare = _bare(problem, shapes)
    spans = best.spans()
    wanted = {(one.person, one.day): (one.start, one.end) for one in bare.shifts}
    changed = {key[1] for key in {*spans, *wanted} if spans.get(key) != wanted.get(key)}
    stay = [shift for shift in best.shifts if shift.day not in changed]
    new = [shift for shift in bare.shifts if shift.day in changed]
    shifts = sorted((*stay, *new), key=lambda one: (one.day, one.person))
    made: Roster | None = Roster(tuple(shifts), best.duties)
    for day in sorted(changed):
        if made is None or left() <= 0:
            return None
        made = _days(problem, made, (day,), left(), seed, fixed=True)
    return made


def completed(
    problem: Problem, shapes: Shapes, left: Callable[[], float], seed: int = 1
) -> Roster | None:
    """Breaks, tasks and duties for these shifts, some of them made anew where that has to be."""
    made = _bare(problem, shapes)
    for day in range(len(problem.days)):
        for days, fixed in _tries(problem, day):
            if left() <= 0:
                return None
            found = _days(problem, made, days, left(), seed, fixed=fixed)
            if found is not None:
                made = found
                break
        else:
            return None
    return made


def _tries(problem: Problem, day: int) -> Iterator[tuple[tuple[int, ...], bool]]:
    """What may change so that a day gets legal: breaks and tasks, its shifts, others' too."""
    yield (day,), True
    yield (day,), False
    for other in (day + 1, day - 1, day + 2, day - 2):
        if 0 <= other < len(problem.days):
            yield tuple(sorted((day, other))), False


def _days(
    problem: Problem,
    made: Roster,
    days: Iterable[int],
    seconds: float,
    seed: int,
    *,
    fixed: bool,
) -> Roster | None:
    """The roster with these days made legal; `fixed`: their shifts stay as they are."""
    kept = {key: problem.shape(*span) for key, span in made.spans().items()}
    free = frozenset((person, day) for person in range(len(problem.people)) for day in days)
    build = build_model(problem, part=Part(free, kept))
    for key in free:
        for shape, chosen in build.choices[key]:
            if fixed:
                build.model.add(chosen == (kept.get(key) == shape))
            else:
                build.model.add_hint(chosen, kept.get(key) == shape)
    return _legal(build, made, seconds, seed, priced=fixed)


def _legal(
    build: Builder, made: Roster, seconds: float, seed: int, *, priced: bool
) -> Roster | None:
    model: cp_model.CpModel = build.model
    if not priced:
        model.clear_objective()  # type: ignore[no-untyped-call]
    solver = solver_of(seconds, seed, priced=priced)
    solver.parameters.max_deterministic_time = DAY_WORK
    return extract(build, solver, made) if solver.solve(model) in SOLVED else None


def _bare(problem: Problem, shapes: Shapes) -> Roster:
    """Shifts without breaks and tasks, duties at their first moment: what the days begin with."""
    shifts = tuple(
        Shift(person, day, shape.start, shape.end, None, (None,) * (shape.end - shape.start))
        for (person, day), shape in sorted(shapes.items(), key=lambda one: (one[0][1], one[0][0]))
    )
    duties: tuple[int, ...] = ()
    if problem.rules.opening_duties is not None:
        duties = tuple(duty.earliest for duty in problem.duties)
    return Roster(shifts, duties)
