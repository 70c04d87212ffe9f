"""Figures of an experiment from a table of people: an arm and outcomes a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from operators.members.experiments.moments import Moments
from operators.members.experiments.readout import Metric, Scale


class PeopleError(ValueError):
    """The table does not hold what was said of it; the text says which column and row."""


@dataclass(frozen=True, slots=True)
class People:
    """Sums of each metric and arm, members of each arm, and who was in several."""

    metrics: dict[str, dict[str, Moments]]
    counts: dict[str, int]
    multiple: int


def people(
    arms: Sequence[str | None],
    outcomes: Mapping[Metric, Sequence[float | None]],
    *,
    members: Sequence[str] | None = None,
    before: Sequence[float | None] | None = None,
) -> People:
    """Add up a table, one row a member, or several rows of a member where `members` names them.

    An empty outcome is none (0); money is in units of currency and counted in minor ones, exactly.

    Raises:
        PeopleError: a row without an arm, or a rate that is neither 0 nor 1.
    """
    for row, arm in enumerate(arms, 1):
        if arm is None or arm == "":
            msg = f"row {row} has no arm: leave out who took no part, or name their arm"
            raise PeopleError(msg)
    ids: Sequence[str] = members if members is not None else [str(n) for n in range(len(arms))]
    arm_of: dict[str, str] = {}
    mixed: set[str] = set()
    for unit, arm in zip(ids, arms, strict=True):
        if arm_of.setdefault(unit, str(arm)) != arm:
            mixed.add(unit)
    known: dict[str, float] = {}
    for unit, value in zip(ids, before or (), strict=before is not None):
        known[unit] = float(value or 0)
    metrics = {}
    for metric, values in outcomes.items():
        sums: dict[str, float] = {}
        for row, (unit, value) in enumerate(zip(ids, values, strict=True), 1):
            sums[unit] = _joined(metric, row, sums.get(unit, 0), value)
        figures: dict[str, Moments] = {}
        for unit, total in sums.items():
            if unit not in mixed:
                figures.setdefault(arm_of[unit], Moments()).add(total, known.get(unit, 0))
        metrics[metric.name] = figures
    counts = Counter(arm for unit, arm in arm_of.items() if unit not in mixed)
    return People(metrics, dict(counts), len(mixed))


def _joined(metric: Metric, row: int, so_far: float, value: float | None) -> float:
    if metric.scale is Scale.RATE:
        if value not in (None, 0, 1):
            msg = (
                f"{metric.name} is {value:g} in row {row}, and a rate is 0 or 1: "
                f"say {metric.name}:number or {metric.name}:money"
            )
            raise PeopleError(msg)
        return max(so_far, int(value or 0))
    if metric.scale is Scale.MONEY:
        return so_far + round(100 * (value or 0))
    return so_far + (value or 0)
