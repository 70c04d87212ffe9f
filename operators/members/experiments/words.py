"""Figures of an experiment as people write them."""

from __future__ import annotations

import math

from operators.members.experiments.readout import Metric, Scale
from operators.members.experiments.sequence import Difference


def amount(metric: Metric, value: float, *, sign: bool = False) -> str:
    """A metric's figure as people write it."""
    plus = "+" if sign else ""
    if metric.scale is Scale.RATE:
        return f"{100 * value:{plus}.2f}{' points' if sign else '%'}"
    if metric.scale is Scale.MONEY:
        return f"{value / 100:{plus}.2f}"
    return f"{value:{plus}.4g}"


def interval(metric: Metric, one: Difference) -> str:
    """A difference and its interval, and whether it may be chance."""
    value = amount(metric, one.value, sign=True)
    if not math.isfinite(one.low):
        return f"{value} (too few members)"
    low, high = (
        amount(metric, bound, sign=True).removesuffix(" points") for bound in (one.low, one.high)
    )
    return f"{value} ({low} to {high}{'' if one.clear else ', may be chance'})"
