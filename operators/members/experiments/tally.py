"""What members did after they were exposed, added up by arm, from facts in any order.

Only what comes after a member's first exposure counts. A refund counts where its purchase counted,
whenever it comes, also after the end: the same facts, with it, give the revised figures. Merged
members are one; if they were in different arms, they are left out and counted. Phases that are not
read (those after a roll-out) end what counts of a member that comes into them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from operators.members.experiments.exposure import Exposure
from operators.members.experiments.moments import Moments


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something that a member did: worth `value` of a metric, in whole numbers or minor units.

    `takes_back` names the `key` of an earlier outcome, of which this one is the refund.
    """

    key: str
    unit: str
    metric: str
    value: float
    at: int
    order: int = 0
    takes_back: str | None = None


@dataclass(slots=True)
class Tally:
    """Figures of each metric and arm, and who was counted where."""

    metrics: dict[str, dict[str, Moments]]
    counts: dict[int, dict[str, int]] = field(default_factory=dict)  # phase -> arm -> members
    multiple: int = 0  # in several arms, left out
    first_at: int | None = None
    last_at: int | None = None


def tally(
    exposures: Iterable[Exposure],
    outcomes: Iterable[Outcome],
    metrics: Iterable[str],
    *,
    before: Mapping[str, Mapping[str, float]] | None = None,
    within: int | None = None,
    merged: Mapping[str, str] | None = None,
    phases: Container[int] | None = None,
) -> Tally:
    """Add up the outcomes by arm.

    `before` gives a covariate for each metric and unit, from before the exposure; `within` is the
    time after it that counts, in microseconds; `merged` says who goes by which other name now;
    `phases` are those to read, all of them where they are not given.
    """
    name = _survivors(merged or {})
    first, arms, ends = _first_exposures(exposures, name, phases)
    sums = _sums(first, ends, outcomes, name, within)
    wanted = list(metrics)
    found = Tally({metric: {} for metric in wanted})
    for unit, one in first.items():
        found.first_at = one.at if found.first_at is None else min(found.first_at, one.at)
        found.last_at = one.at if found.last_at is None else max(found.last_at, one.at)
        if len(arms[unit]) > 1:
            found.multiple += 1
            continue
        counts = found.counts.setdefault(one.phase, {})
        counts[one.arm] = counts.get(one.arm, 0) + 1
        for metric in wanted:
            known = (before or {}).get(metric, {}).get(unit, 0)
            figures = found.metrics[metric].setdefault(one.arm, Moments())
            figures.add(sums.get((unit, metric), 0), known)
    return found


def _survivors(merged: Mapping[str, str]) -> Mapping[str, str]:
    """Where each chain of mergers ends."""
    found = {}
    for unit in merged:
        end, seen = unit, {unit}
        while (after := merged.get(end)) is not None and after not in seen:
            seen.add(after)
            end = after
        found[unit] = end
    return found


def _first_exposures(
    exposures: Iterable[Exposure], name: Mapping[str, str], phases: Container[int] | None
) -> tuple[dict[str, Exposure], dict[str, set[str]], dict[str, int]]:
    first: dict[str, Exposure] = {}
    arms: dict[str, set[str]] = {}
    ends: dict[str, int] = {}
    for one in exposures:
        unit = name.get(one.unit, one.unit)
        if phases is not None and one.phase not in phases:
            ends[unit] = min(one.at, ends.get(unit, one.at))
            continue
        arms.setdefault(unit, set()).add(one.arm)
        kept = first.get(unit)
        if kept is None or (one.at, one.order, one.phase) < (kept.at, kept.order, kept.phase):
            first[unit] = one
    return first, arms, {unit: at for unit, at in ends.items() if unit in first}


def _sums(
    first: Mapping[str, Exposure],
    ends: Mapping[str, int],
    outcomes: Iterable[Outcome],
    name: Mapping[str, str],
    within: int | None,
) -> dict[tuple[str, str], float]:
    # One entry a key: a fact that is told twice counts once.
    facts = {one.key: one for one in outcomes}
    sums: dict[tuple[str, str], float] = {}
    for one in facts.values():
        judged = one if one.takes_back is None else facts.get(one.takes_back)
        if judged is None:
            continue  # the refund of a purchase that nobody has told, or that came before all this
        unit = name.get(judged.unit, judged.unit)
        exposure = first.get(unit)
        if exposure is None or (judged.at, judged.order) <= (exposure.at, exposure.order):
            continue
        if within is not None and judged.at >= exposure.at + within:
            continue
        # A phase that came before those that are read ends nothing.
        if judged.at >= ends.get(unit, judged.at + 1) > exposure.at:
            continue
        key = (unit, one.metric)
        sums[key] = sums.get(key, 0) + one.value
    return sums
