"""The read-out of an experiment: every arm against the control, the ratio check, guardrails."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from operators.members.experiments.moments import Moments
from operators.members.experiments.ratio import Ratio, Split, ratio
from operators.members.experiments.sequence import PLANNED, Difference, cuped, difference

# A guardrail stops a roll-out at so many standard errors: sooner than the goal may be claimed, for
# a good arm that waits costs less than a harmful one that is rolled out.
HARM_ERRORS = 2.0


class Scale(StrEnum):
    """How a metric's figures are told."""

    RATE = "rate"  # a share of members, in points
    MONEY = "money"  # minor units, told in hundreds
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of each member and which way is better."""

    name: str
    scale: Scale = Scale.NUMBER
    higher_is_better: bool = True
    # Guardrails only: an average below nothing of what an arm brings stops it, clear or not.
    must_not_lose: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What was agreed before the first look."""

    alpha: float = 0.05
    planned: float = PLANNED  # members in both arms at which the interval is to be narrowest
    min_days: float = 7.0
    min_per_arm: int = 100
    remaining: int = 1_000  # slots of the control after a roll-out
    worthwhile: float | None = None  # the least difference in the goal that would matter
    once: bool = False  # looked at once, at a number of members that was fixed before
    reduce: bool = False  # decide on the figures with variance reduction


@dataclass(frozen=True, slots=True)
class Comparison:
    """One arm against another in one metric, plain and with variance reduction."""

    metric: Metric
    arm: str
    against: str
    plain: Difference
    reduced: Difference | None

    def judged(self, reduce: bool) -> Difference:
        """The one that a decision is made on."""
        return self.reduced if reduce and self.reduced is not None else self.plain


@dataclass(frozen=True, slots=True)
class Guarded:
    """A guardrail of an arm: its comparison, and why it stops a roll-out, if it does."""

    comparison: Comparison
    harm: str | None


@dataclass(frozen=True, slots=True)
class Readout:
    """Everything that a decision is made on."""

    control: str
    arms: tuple[str, ...]
    goal: Metric
    figures: dict[str, Moments]  # of the goal
    comparisons: tuple[Comparison, ...]  # of the goal, all pairs, an arm against an earlier one
    guards: dict[str, tuple[Guarded, ...]]  # of each arm but the control
    ratio: Ratio
    days: float
    rules: Rules
    multiple: int = 0
    looked_alpha: float = field(default=0.05)  # of each pair, so that all together keep alpha

    def pair(self, arm: str, against: str) -> Comparison | None:
        """The goal's comparison of two arms, as it was made."""
        return next(
            (one for one in self.comparisons if (one.arm, one.against) == (arm, against)), None
        )


def read(
    arms: Sequence[str],
    goal: Metric,
    metrics: Mapping[str, Mapping[str, Moments]],
    phases: Sequence[Split],
    days: float,
    rules: Rules | None = None,
    guardrails: Sequence[Metric] = (),
    multiple: int = 0,
) -> Readout:
    """Read an experiment; the first of `arms` is the control.

    Intervals of the goal are for all pairs of arms together (Bonferroni).
    """
    rules = rules or Rules()
    pairs = [(arm, against) for at, against in enumerate(arms) for arm in arms[at + 1 :]]
    alpha = rules.alpha / len(pairs)
    comparisons = compared(goal, metrics[goal.name], pairs, alpha, rules)
    guards: dict[str, list[Guarded]] = {arm: [] for arm in arms[1:]}
    to_control = [(arm, arms[0]) for arm in arms[1:]]
    for metric in guardrails:
        for one in compared(metric, metrics[metric.name], to_control, rules.alpha, rules):
            guards[one.arm].append(Guarded(one, _harm(one)))
    figures = {arm: metrics[goal.name].get(arm, Moments()) for arm in arms}
    return Readout(
        arms[0],
        tuple(arms),
        goal,
        figures,
        comparisons,
        {arm: tuple(found) for arm, found in guards.items()},
        ratio(phases),
        days,
        rules,
        multiple,
        alpha,
    )


def compared(
    metric: Metric,
    figures: Mapping[str, Moments],
    pairs: Sequence[tuple[str, str]],
    alpha: float,
    rules: Rules,
) -> tuple[Comparison, ...]:
    """Pairs of arms in one metric, with and without variance reduction."""
    theta = cuped(list(figures.values()))
    found = []
    for arm, against in pairs:
        one, other = figures.get(arm, Moments()), figures.get(against, Moments())
        plain = difference(one, other, alpha=alpha, planned=rules.planned, once=rules.once)
        reduced = None
        if theta:
            reduced = difference(
                one, other, alpha=alpha, planned=rules.planned, once=rules.once, theta=theta
            )
        found.append(Comparison(metric, arm, against, plain, reduced))
    return tuple(found)


def _harm(one: Comparison) -> str | None:
    """Why the arm may not be rolled out, by this guardrail."""
    better = one.plain.value if one.metric.higher_is_better else -one.plain.value
    if math.isfinite(one.plain.error) and better < -HARM_ERRORS * one.plain.error:
        return "worse than the control by more than two standard errors"
    if one.metric.must_not_lose and better < 0:
        return "it loses on average"
    return None
