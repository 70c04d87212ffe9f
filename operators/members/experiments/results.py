"""A read-out as rows of the table experiment_result: a row for each metric, arm and other arm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from operators.members.experiments.decide import Decision
from operators.members.experiments.moments import Moments
from operators.members.experiments.readout import Comparison, Metric, Readout
from operators.members.experiments.sequence import Difference
from schemas.experiment_tables import EXPERIMENT_RESULT
from schemas.instants import to_micros

# A metric, its figures by arm, and its comparisons.
Told = tuple[Metric, Mapping[str, Moments], Sequence[Comparison]]
Row = tuple[Any, ...]


class Look(NamedTuple):
    """Which experiment was read, and how far its facts went.

    `as_of` is of the facts, not of the clock: the same facts make the same rows. `within`: for how
    long after an exposure something counts, None where a table of people says so itself.
    """

    journey: str
    journey_version: str
    experiment: str
    as_of: datetime
    within: timedelta | None = None


def result_rows(look: Look, found: Readout, decision: Decision, told: Sequence[Told]) -> list[Row]:
    """The rows in the table's order of columns, one a key; money in minor units."""
    rows: dict[tuple[str, str, str], Row] = {}
    harms = {
        (one.comparison.metric.name, arm): one.harm or ""
        for arm, guards in found.guards.items()
        for one in guards
    }
    reduced = found.rules.reduce and any(one.reduced for one in found.comparisons)
    of_look = {
        **look._asdict(),
        "within": None if look.within is None else look.within / timedelta(days=1),
        "control": found.control,
        "goal": found.goal.name,
        "alpha": found.looked_alpha,
        "once": int(found.rules.once),
        "decided_on": "reduced" if reduced else "plain",
        "verdict": decision.verdict.value,
        "verdict_arm": decision.arm or "",
        "words": msgspec.json.encode(decision.words).decode(),
        "split_p": found.ratio.p,
        "split_p_always": found.ratio.p_always,
        "split_alarm": int(found.ratio.alarm),
        "multiple": found.multiple,
        "days": found.days,
        "version": to_micros(look.as_of),
    }
    for metric, figures, comparisons in told:
        of_metric = of_look | {
            "metric": metric.name,
            "scale": metric.scale.value,
            "guardrail": int(any(name == metric.name for name, _ in harms)),
        }
        pairs: list[Comparison | None] = [None, *comparisons]
        for pair in pairs:
            arm, against = (pair.arm, pair.against) if pair else (found.control, "")
            figure = figures.get(arm, Moments())
            to_control = against == found.control
            row = of_metric | {
                "arm": arm,
                "against": against,
                "members": figure.n,
                "mean": figure.mean,
                "harm": harms.get((metric.name, arm), "") if to_control else "",
                "reduced": pair.reduced.reduced if pair and pair.reduced else None,
                **_interval("", pair.plain if pair else None),
                **_interval("reduced_", pair.reduced if pair else None),
            }
            rows[metric.name, arm, against] = tuple(row[name] for name in EXPERIMENT_RESULT.names)
    return list(rows.values())


def _interval(prefix: str, one: Difference | None) -> dict[str, float | int | None]:
    plain: dict[str, float | int | None] = dict.fromkeys(
        [f"{prefix}{name}" for name in ("value", "low", "high", "error", "clear")]
    )
    if one is not None:
        plain |= {
            f"{prefix}{name}": value if math.isfinite(value) else None
            for name, value in (
                ("value", one.value),
                ("low", one.low),
                ("high", one.high),
                ("error", one.error),
            )
        }
        plain[f"{prefix}clear"] = int(one.clear)
    return plain
