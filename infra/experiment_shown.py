"""A read-out on standard output: a table and sentences for people, JSON for programs."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
import msgspec

from infra.answers import console, field, table
from operators.members.experiments.decide import Decision
from operators.members.experiments.moments import Moments
from operators.members.experiments.readout import Comparison, Metric, Readout, Scale
from operators.members.experiments.results import Told
from operators.members.experiments.sequence import Difference
from operators.members.experiments.words import amount, interval


def print_readout(found: Readout, decision: Decision, told: Sequence[Told], notes: str) -> None:
    """Rates and differences of every metric, the ratio check, the verdict."""
    for metric, figures, comparisons in told:
        rows = [_row(metric, arm, figures, comparisons, found) for arm in found.arms]
        columns = [(head, field(head)) for head in rows[0]]
        console().print(table(metric.name, columns, rows))
        for one in comparisons:
            if one.against != found.control:
                shown = interval(metric, one.judged(found.rules.reduce))
                click.echo(f"  {one.arm} against {one.against}: {shown}")
        click.echo()
    p, always = found.ratio.p, found.ratio.p_always
    click.echo(
        f"split: p = {p:.3g} at one look, {always:.3g} at any look: "
        + ("NOT the planned one" if found.ratio.alarm else "as planned")
    )
    if found.multiple:
        click.echo(f"left out: {found.multiple:,} members who were in several arms")
    if notes:
        click.echo(notes)
    click.echo(f"\nverdict: {decision.verdict.value.replace('_', ' ')}")
    for sentence in decision.words:
        click.echo(f"  {sentence}")


def print_json(found: Readout, decision: Decision, told: Sequence[Told]) -> None:
    """The same for programs; money in minor units, rates as shares."""
    plain: dict[str, Any] = {
        "control": found.control,
        "verdict": decision.verdict.value,
        "arm": decision.arm,
        "words": decision.words,
        "split": {
            "p": found.ratio.p,
            "p_always": found.ratio.p_always,
            "alarm": found.ratio.alarm,
            "observed": found.ratio.observed,
            "expected": found.ratio.expected,
        },
        "multiple": found.multiple,
        "metrics": {
            metric.name: {
                "scale": metric.scale.value,
                "arms": {arm: {"members": one.n, "mean": one.mean} for arm, one in figures.items()},
                "differences": [
                    {
                        "arm": one.arm,
                        "against": one.against,
                        "plain": _plain(one.plain),
                        "reduced": _plain(one.reduced) if one.reduced else None,
                    }
                    for one in comparisons
                ],
            }
            for metric, figures, comparisons in told
        },
    }
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n")


def _row(
    metric: Metric,
    arm: str,
    figures: Mapping[str, Moments],
    comparisons: Sequence[Comparison],
    found: Readout,
) -> dict[str, object]:
    one = figures.get(arm, Moments())
    row: dict[str, object] = {"arm": arm, ">members": one.n, ">mean": amount(metric, one.mean)}
    pair = next((c for c in comparisons if (c.arm, c.against) == (arm, found.control)), None)
    heading = f">against {found.control}"
    row[heading] = interval(metric, pair.plain) if pair else ""
    if any(c.reduced for c in comparisons):
        shown = ""
        if pair and pair.reduced:
            shown = interval(metric, pair.reduced)
            took = max(pair.reduced.reduced, 0.0)
            shown += f"; took {took:.0%} of the variance"
        row[">with variance reduction"] = shown
    if metric.scale is Scale.MONEY:
        per = amount(metric, 1_000 * pair.plain.value, sign=True) if pair else ""
        row[">per 1,000 members"] = per
    return row


def _plain(one: Difference) -> dict[str, float | bool | None]:
    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "value": one.value,
        "low": finite(one.low),
        "high": finite(one.high),
        "error": finite(one.error),
        "clear": one.clear,
        "reduced": one.reduced,
    }
