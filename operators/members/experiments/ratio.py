"""Sample ratio: did the arms get the members that their shares promise?

A split that is off by more than chance says that something treats the arms differently before the
treatment does (a lost log, a redirect, a filter after the split): nothing else may be read then.
Two tests: Pearson's chi-square, at the 1 in 1,000 that is the custom, and one that bears being
looked at all the time, the Bayes factor of Lindon and Malek (arXiv 2011.03567) for multinomial
counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy.special import gammaincc

ALARM = 0.001
ALARM_ALWAYS = 0.01
# How sure of the planned shares the alternative is, as so many members: most sensitive to splits
# that are off by some per cent.
CONCENTRATION = 1_000.0


@dataclass(frozen=True, slots=True)
class Ratio:
    """Probabilities of a split that is this far off or further, had the shares been kept."""

    p: float
    p_always: float
    expected: dict[str, float]
    observed: dict[str, int]

    @property
    def alarm(self) -> bool:
        """Whether the experiment may not be read."""
        return self.p < ALARM or self.p_always < ALARM_ALWAYS


# Members of each arm, and the arms' slots, in one phase.
Split = tuple[Mapping[str, int], Mapping[str, int]]


def ratio(phases: Sequence[Split]) -> Ratio:
    """Judge (counts, shares) of every phase; members count in the phase of their first exposure.

    Phases are judged apart and added up: a change from 90:10 to 50:50 is no mismatch. An arm
    without a share is no degree of freedom, but anybody in it is an alarm.
    """
    squares, degrees, evidence = 0.0, 0, 0.0
    expected: dict[str, float] = {}
    observed: dict[str, int] = {}
    impossible = False
    for counts, shares in phases:
        total, slots = sum(counts.values()), sum(shares.values())
        weights: dict[str, float] = {arm: s / slots for arm, s in shares.items() if s > 0}
        impossible |= any(count and arm not in weights for arm, count in counts.items())
        for arm in {**shares, **counts}:
            count = counts.get(arm, 0)
            observed[arm] = observed.get(arm, 0) + count
            expected[arm] = expected.get(arm, 0.0) + total * weights.get(arm, 0.0)
            if total and arm in weights:
                squares += (count - total * weights[arm]) ** 2 / (total * weights[arm])
        if total:
            degrees += len(weights) - 1
            evidence += _log_bayes_factor(counts, weights)
    if impossible:
        return Ratio(0.0, 0.0, expected, observed)
    p = float(gammaincc(degrees / 2, squares / 2)) if degrees else 1.0
    return Ratio(p, math.exp(min(0.0, -evidence)), expected, observed)


def _log_bayes_factor(counts: Mapping[str, int], weights: Mapping[str, float]) -> float:
    """Logarithm of P(counts | any shares near these) / P(counts | exactly these)."""
    total = sum(counts.values())
    found = math.lgamma(CONCENTRATION) - math.lgamma(CONCENTRATION + total)
    for arm, weight in weights.items():
        prior, count = CONCENTRATION * weight, counts.get(arm, 0)
        found += math.lgamma(prior + count) - math.lgamma(prior) - count * math.log(weight)
    return found
