"""How often experiments go wrong: A/A tests looked at 20 times, the price in members, whole rules.

python -m bench.members_experiments [--runs 20000]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from operators.members.experiments.decide import Verdict, decide
from operators.members.experiments.moments import Moments
from operators.members.experiments.readout import Metric, Scale, read
from operators.members.experiments.sequence import half_widths, members_needed

LOOKS = 20
ALPHA = 0.05


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures of docs/experiments.md."""
    parser = argparse.ArgumentParser(description="experiments that go wrong")
    parser.add_argument("--runs", type=int, default=20_000)
    given = parser.parse_args(arguments)
    draws = np.random.default_rng(5)
    print(f"A/A, {LOOKS} looks, 10,000 members, {given.runs:,} runs: false winners")
    for rate in (0.1, 0.02, 0.005):
        ours, ordinary = clear(draws, given.runs, 10_000, (rate, rate), 5_000)
        print(f"  rate {rate:5.1%}: always valid {ours:.1%}, ordinary interval {ordinary:.1%}")
    print(f"5% against 6%, one look: {members_needed(0.05, 0.06):,} members an arm for 80%")
    for arm in (8_000, 12_000, 14_200, 16_000):
        found, _ = clear(draws, given.runs // 5, 2 * arm, (0.05, 0.06), 2 * arm)
        print(f"  always valid, {LOOKS} looks, {arm:,} an arm: {found:.1%}")
    runs = max(given.runs // 40, 1)
    wrong = sum(decided(draws) for _ in range(runs))
    print(f"A/A by the whole rule, three arms, uneven spend: {wrong} of {runs} decided")


def clear(
    draws: np.random.Generator, runs: int, members: int, rates: tuple[float, float], planned: int
) -> tuple[float, float]:
    """Shares of runs in which a look found a difference: always valid, ordinary."""
    part = members // 2 // LOOKS
    n = part * np.arange(1, LOOKS + 1, dtype=float)
    means: list[NDArray[np.float64]] = [
        draws.binomial(part, rate, (runs, LOOKS)).cumsum(axis=1) / n for rate in rates
    ]
    both = sum(mean * (1 - mean) / (n - 1) for mean in means)
    apart = np.abs(means[1] - means[0])
    always = apart > half_widths(2 * n, 2 * n * both, ALPHA, planned)
    return float(always.any(axis=1).mean()), float(
        (apart > 1.96 * np.sqrt(both)).any(axis=1).mean()
    )


def decided(draws: np.random.Generator) -> bool:
    """Whether three equal arms are told apart in 20 looks, by everything that has to hold."""
    part, arms = 150, ("A", "B", "C")
    spend = np.round(draws.lognormal(8, 0.8, (3, LOOKS, part)))
    spend[draws.random(spend.shape) > 0.12] = 0
    sums = {arm: Moments() for arm in arms}
    for look in range(LOOKS):
        for at, arm in enumerate(arms):
            seen = spend[at, look]
            sums[arm] += Moments(part, float(seen.sum()), float((seen**2).sum()))
        split = ({arm: one.n for arm, one in sums.items()}, dict.fromkeys(arms, 1))
        goal = Metric("spend", Scale.MONEY)
        found = decide(read(arms, goal, {"spend": sums}, [split], look + 7.0))
        if found.verdict in (Verdict.ROLL_OUT, Verdict.HARMFUL):
            return True
    return False


if __name__ == "__main__":
    main()
