"""A roster as one picture: who works when, and the heads that serve beside those needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infra.figure import INK, QUIET, RULE, empty_figure
from operators.roster.evaluate import evaluate
from operators.roster.people_at_work import Presence
from operators.roster.problem import SLOTS, SLOTS_AN_HOUR, Problem
from operators.roster.roster import Roster

_TASKS = ("#2b6cb0", "#d6a921", "#3a8f6b", "#8a5fb4", "#cf5a17", "#4b8bbe", "#b4234c")
_SPARE = "#c9ced6"


def draw(problem: Problem, roster: Roster, title: str, to: list[Path]) -> bool:
    """Draw the picture into each file, by its ending; False where there is no matplotlib."""
    days, people = len(problem.days), len(problem.people)
    tall = min(28.0, 0.16 * people + 0.6)
    figure = empty_figure(max(11.5, 1.7 * days), tall + 3.4)
    if figure is None:
        return False
    grid = figure.add_gridspec(2, 1, height_ratios=(tall, 2.2))
    above = figure.add_subplot(grid[0])
    below = figure.add_subplot(grid[1], sharex=above)
    _shifts(above, problem, roster)
    _cover(below, problem, roster)
    for axes in (above, below):
        _plain(axes, problem)
    figure.suptitle(title, fontsize=12, fontweight="bold", color=INK)
    for path in to:
        figure.savefig(path, facecolor="white")
    return True


def _hours(problem: Problem) -> tuple[int, int]:
    """The slots of a day that are shown: nights are left out."""
    start = min((shape.start for shape in problem.shapes), default=0)
    return start, max((shape.end for shape in problem.shapes), default=SLOTS)


def _place(problem: Problem, slot: float) -> float:
    """Where a slot from the first day stands, in hours shown."""
    first, last = _hours(problem)
    day, within = divmod(slot, SLOTS)
    return (day * (last - first + 2) + min(max(within - first, 0), last - first)) / SLOTS_AN_HOUR


def _shifts(axes: Any, problem: Problem, roster: Roster) -> None:
    colours = dict(zip(problem.tasks, _TASKS * len(problem.tasks), strict=False))
    for shift in roster.shifts:
        base = shift.day * SLOTS
        for at, task in enumerate(shift.tasks):
            slot = shift.start + at
            resting = shift.pause is not None and shift.pause <= slot < shift.pause + problem.pause
            if not resting:
                axes.barh(
                    shift.person,
                    1 / SLOTS_AN_HOUR,
                    left=_place(problem, base + slot),
                    height=0.72,
                    color=_SPARE if task is None else colours[task],
                    linewidth=0,
                )
    axes.set_yticks(
        range(len(problem.people)),
        [problem.label(at) for at in range(len(problem.people))],
        fontsize=6,
    )
    axes.set_ylim(len(problem.people) - 0.4, -0.6)
    used = [task for task in problem.tasks if any(task in shift.tasks for shift in roster.shifts)]
    for task in used:
        axes.barh(0, 0, color=colours[task], label=task)
    axes.barh(0, 0, color=_SPARE, label="free hands")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=len(used) + 1,
        frameon=False,
        fontsize=8,
        labelcolor=QUIET,
    )


def _cover(axes: Any, problem: Problem, roster: Roster) -> None:
    presence = Presence(problem, roster)
    heads = evaluate(problem, roster).heads
    first, last = _hours(problem)
    for day in range(len(problem.days)):
        slots = range(day * SLOTS + first, day * SLOTS + last)
        places = [_place(problem, slot) for slot in slots]
        needed = [problem.heads_needed(slot) for slot in slots]
        serving = [
            sum(max(0, heads.get((task, slot), 0)) for task in problem.tasks) for slot in slots
        ]
        there = [len(presence.at_work[slot]) for slot in slots]
        axes.fill_between(places, there, step="post", color=_SPARE, linewidth=0)
        axes.fill_between(places, serving, step="post", color=_TASKS[0], alpha=0.55, linewidth=0)
        axes.step(places, needed, where="post", color=INK, linewidth=1.1)
    axes.set_ylabel("heads", fontsize=8, color=QUIET)
    axes.plot([], [], color=INK, linewidth=1.1, label="needed for the goal")
    axes.fill_between([], [], color=_TASKS[0], alpha=0.55, label="serving")
    axes.fill_between([], [], color=_SPARE, label="at work")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=3,
        frameon=False,
        fontsize=8,
        labelcolor=QUIET,
    )


def _plain(axes: Any, problem: Problem) -> None:
    first, last = _hours(problem)
    marks, labels = [], []
    for day, name in enumerate(problem.days):
        marks.append(_place(problem, day * SLOTS + first))
        labels.append(name)
        noon = _place(problem, day * SLOTS + (first + last) // 2)
        axes.axvline(noon, color=RULE, linewidth=0.8, zorder=0)
        axes.axvline(marks[-1] - 0.25, color=QUIET, linewidth=0.6, zorder=0)
    axes.set_xticks(marks, labels, fontsize=8, ha="left")
    axes.tick_params(colors=QUIET, length=0)
    for side in axes.spines.values():
        side.set_visible(False)
