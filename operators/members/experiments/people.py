"""Figures of an experiment from a table of people: an arm and outcomes a row."""

from __future__ import annotations

import math
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
    ids: Sequence[str | int] = range(len(arms)) if members is None else members
    arm_of: dict[str | int, str] = {}
    mixed: set[str | int] = set()
    for unit, arm in zip(ids, arms, strict=True):
        if arm_of.setdefault(unit, str(arm)) != arm:
            mixed.add(unit)
    known: dict[str | int, float] = {}
    if before is not None:
        known = {unit: float(value or 0) for unit, value in zip(ids, before, strict=True)}
    metrics = {}
    for metric, values in outcomes.items():
        sums: dict[str | int, float] = dict.fromkeys(arm_of, 0)
        for row, (unit, value) in enumerate(zip(ids, values, strict=True), 1):
            if value:
                sums[unit] = _joined(metric, row, sums[unit], value)
        # Most members have the same figures as many others, such as nothing.
        alike = Counter(
            (arm_of[unit], total, known.get(unit, 0))
            for unit, total in sums.items()
            if unit not in mixed
        )
        figures: dict[str, Moments] = {}
        for (arm, total, earlier), times in alike.items():
            figures.setdefault(arm, Moments()).add(total, earlier, times)
        metrics[metric.name] = figures
    counts = Counter(arm for unit, arm in arm_of.items() if unit not in mixed)
    return People(metrics, dict(counts), len(mixed))


def _joined(metric: Metric, row: int, so_far: float, value: float) -> float:
    if math.isnan(value):
        msg = f"{metric.name} is not a number in row {row}: leave it empty where nothing came"
        raise PeopleError(msg)
    if metric.scale is Scale.RATE:
        if value != 1:
            msg = (
                f"{metric.name} is {value:g} in row {row}, and a rate is 0 or 1: "
                f"say {metric.name}:number or {metric.name}:money"
            )
            raise PeopleError(msg)
        return 1
    return so_far + (round(100 * value) if metric.scale is Scale.MONEY else value)
