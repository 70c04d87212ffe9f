"""The running day: how much nearer the rest of it gets when its beginning is known.

Shops whose days have luck of their own (8% by default), which no forecast of the evening before can
know. Every judged day is looked at again at several hours; what is left of it is compared with what
came, with and without the update.

    python -m bench.forecast_day
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from bench.forecast import PAST, simulated
from operators.forecast.bands import LEVELS
from operators.forecast.panel import SLOTS
from operators.forecast.plan import DAY
from operators.forecast.scores import accuracy
from operators.forecast.today import running

LOOKS = (11, 13, 15, 17, 19)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table by hour of the look."""
    parser = argparse.ArgumentParser(description="the running day")
    parser.add_argument("--stores", type=int, default=60)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--shock", type=float, default=0.08)
    given = parser.parse_args(arguments)
    work = simulated(given.stores, 1, given.days, given.shock, 0.0)
    assert work.intensity is not None
    sums: dict[int, list[tuple[float, float, float, float]]] = {look: [] for look in LOOKS}
    inside: dict[int, list[bool]] = {look: [] for look in LOOKS}
    for day in range(PAST, PAST + given.days):
        made = work.ours(day)
        counts, seen = work.panel.counts[:, day], work.panel.exposure[:, day]
        for look in LOOKS:
            rest = np.arange(SLOTS) >= 4 * look
            for store in range(given.stores):
                now = running(made, store, counts[store], seen[store], 4 * look)
                whole = (seen[store] > 0) == (work.is_open[store, day] > 0)
                left = float(counts[store][rest].sum())
                if not whole.all() or left == 0:
                    continue
                before = float(made.mean[store, 0][rest].sum())
                after = float(now.mean[rest].sum())
                true = float(work.intensity[store, day][rest].sum())
                sums[look].append((left, before, after, true))
                low, high = now.bands[DAY, LEVELS[0]]
                inside[look].append(bool(low <= counts[store].sum() <= high))
    print("accuracy of what is left of the day, %")
    print(f"{'at':>6s}{'evening before':>16s}{'updated':>10s}{'floor':>8s}{'80% of days in':>20s}")
    for look, rows in sums.items():
        left, before, after, true = np.array(rows).T
        figures = [100 * accuracy(left, one) for one in (before, after, true)]
        held = 100 * float(np.mean(inside[look]))
        print(
            f"{look:>4d} h{figures[0]:>16.1f}{figures[1]:>10.1f}{figures[2]:>8.1f}{held:>20.1f} %"
        )


if __name__ == "__main__":
    main()
