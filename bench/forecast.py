"""Accuracy of the forecast beside its peers and beside the noise floor, day after day.

Rolling origin: each judged day is forecast from what was known the evening before, weather as it
was forecast. The shops are simulated with a known intensity, whose own accuracy is the floor.

    python -m bench.forecast                              # ours and the cheap peers
    python -m bench.forecast --peers all                  # MSTL, MFLES, LightGBM, LSTM too
    python -m bench.forecast --speed 1000                 # seconds for so many shops, next day
    python -m bench.forecast --series counts.csv --country NZ --zone Pacific/Auckland

`--series`: CSV, see bench/forecast_series.py. Peers need `pip install -r requirements/bench.in`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.forecast_peers import LightGbm, Task, four_weeks, last_week, raw
from bench.forecast_series import read
from operators.forecast.bands import LEVELS
from operators.forecast.days import DayKind
from operators.forecast.origin import Outlook
from operators.forecast.panel import Panel
from operators.forecast.plan import SPANS, Forecast, Settings, forecast, in_span
from operators.forecast.scores import accuracy, coverage
from sources.simulator.crowds import CrowdSettings, draw

Floats = NDArray[np.float64]
Peer = Callable[[Task], Floats]

PAST = 90
# How far below the floor a forecast may be, in points, by span.
BAR = {"quarter": 2.0, "hour": 1.0, "day": 1.0}
HELD = (0.77, 0.83)
STARTS = (date(2026, 1, 26), date(2026, 3, 10), date(2025, 9, 1))
SLOW = ("mstl", "mfles")
OURS, FLOOR = "tillflow", "noise floor"
# With what the evening before cannot know: how the weather differs from its forecast, and by how
# much the level moves overnight.
EVENING = "floor, the evening before"


class Work:
    """What is forecast: a panel with days behind and days to judge; the floor where it is known."""

    def __init__(
        self,
        panel: Panel,
        kinds: list[DayKind],
        outlook: Outlook,
        is_open: Floats,
        intensity: Floats | None = None,
        foreseen: Floats | None = None,
    ) -> None:
        self.panel, self.kinds, self.outlook = panel, kinds, outlook
        self.is_open, self.intensity, self.foreseen = is_open, intensity, foreseen

    def ours(self, day: int, jobs: int = 1) -> Forecast:
        """Our forecast of one day, from the 90 days before it."""
        first = max(0, day - PAST)
        whole = self.panel.until(day)
        past = Panel(
            whole.stores,
            whole.groups,
            date.fromordinal(whole.first.toordinal() + first),
            whole.counts[:, first:],
            whole.exposure[:, first:],
        )
        return forecast(
            past,
            self.kinds[first : day + 1],
            lambda start, end, lead: self.outlook(start + first, end + first, lead),
            self.is_open[:, day : day + 1],
            Settings(ahead=1, jobs=jobs),
        )

    def task(self, day: int) -> Task:
        """The same for a peer."""
        return Task(self.panel, self.outlook, self.is_open, day)


def simulated(stores: int, seed: int, days: int, shock: float, late: float) -> Work:
    """Shops with known intensity; each seed has its own quarter of a year."""
    start = STARTS[seed % len(STARTS)]
    drawn = draw(
        CrowdSettings(
            stores=stores, days=PAST + days, first=start, seed=seed, shock=shock, late=late
        )
    )
    return Work(
        drawn.entries,
        drawn.kinds,
        drawn.known,
        drawn.is_open,
        drawn.intensity,
        drawn.foreseen,
    )


class Judge:
    """Gathers what was said and what came, and makes the tables."""

    def __init__(self) -> None:
        self.actual: list[Floats] = []
        self.there: list[NDArray[np.bool_]] = []
        self.said: dict[str, list[Floats | None]] = {}
        self.seconds: dict[str, float] = {}
        self.inside: dict[tuple[str, float], list[float]] = {}

    def day(self, work: Work, day: int, peers: dict[str, Peer]) -> None:
        """One judged day by everybody."""
        there = work.panel.exposure[:, day] > 0
        self.actual.append(work.panel.counts[:, day])
        self.there.append(there)
        began = time.perf_counter()
        mine = work.ours(day)
        self._put(OURS, mine.mean[:, 0], began)
        if work.intensity is not None:
            self._put(FLOOR, work.intensity[:, day], time.perf_counter())
        if work.foreseen is not None:
            self._put(EVENING, work.foreseen[:, day], time.perf_counter())
        for name, peer in peers.items():
            began = time.perf_counter()
            self._put(name, peer(work.task(day)), began)
        self._bands(work, mine, day)

    def _put(self, name: str, said: Floats, began: float) -> None:
        made = self.said.setdefault(name, [])
        made += [None] * (len(self.actual) - 1 - len(made))
        made.append(said)
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began

    def _bands(self, work: Work, mine: Forecast, day: int) -> None:
        actual, there = self.actual[-1], self.there[-1]
        whole = (there == (work.is_open[:, day] > 0)).all(axis=1) & there.any(axis=1)
        for (span, level), (low, high) in mine.bands.items():
            came, mean = in_span(actual, span), in_span(mine.mean[:, 0], span)
            count = (mean > 0) & (whole if span == "day" else whole[:, None])
            held = coverage(came[count], low[:, 0][count], high[:, 0][count])
            self.inside.setdefault((span, level), []).append(held)

    def add(self, other: Judge) -> None:
        """Another one's days, too."""
        before = len(self.actual)
        self.actual += other.actual
        self.there += other.there
        for name, said in other.said.items():
            mine = self.said.setdefault(name, [])
            mine += [None] * (before - len(mine)) + said
            self.seconds[name] = self.seconds.get(name, 0.0) + other.seconds[name]
        for key, held in other.inside.items():
            self.inside.setdefault(key, []).extend(held)

    def scores(self, name: str) -> dict[str, float]:
        """Accuracy by span over the days that the peer was asked for."""
        found = {}
        for span in SPANS:
            came, told = [], []
            for actual, there, said in zip(self.actual, self.there, self.said[name], strict=False):
                if said is not None:
                    came.append(in_span(actual, span).ravel())
                    told.append(in_span(np.where(there, said, 0), span).ravel())
            found[span] = 100 * accuracy(np.concatenate(came), np.concatenate(told))
        return found

    def held(self) -> dict[str, float]:
        """The share of outcomes inside each band."""
        return {
            f"{span} {level:.0%}": float(np.mean(held))
            for (span, level), held in self.inside.items()
        }


def report(judge: Judge, title: str, *, hourly: bool = False) -> None:
    """Print the table."""
    print(
        f"\n{title}\n{'accuracy (1 - WAPE), %':26s}"
        f"{'15 min':>8s}{'hour':>8s}{'day':>8s}{'seconds':>10s}"
    )
    order = sorted(judge.said, key=lambda name: -judge.scores(name)["day"])
    for name in order:
        score = judge.scores(name)
        quarter = "" if hourly else f"{score['quarter']:.1f}"
        took = judge.seconds[name]
        print(f"{name:26s}{quarter:>8s}{score['hour']:>8.1f}{score['day']:>8.1f}{took:>10.1f}")
    held = judge.held()
    print("inside the bands: " + ", ".join(f"{name} {share:.1%}" for name, share in held.items()))


def misses(judge: Judge) -> list[str]:
    """What misses the bar."""
    missed: list[str] = []
    if FLOOR not in judge.said:
        return missed
    floor, mine, held = judge.scores(FLOOR), judge.scores(OURS), judge.held()
    for span, points in BAR.items():
        gap = floor[span] - mine[span]
        if gap > points:
            missed.append(f"{span}: {gap:.2f} points below the floor, allowed are {points:g}")
        share = held[f"{span} {LEVELS[0]:.0%}"]
        if not HELD[0] <= share <= HELD[1]:
            missed.append(f"{span}: the 80% band holds {share:.1%}")
    return missed


def peers_of(which: str) -> dict[str, Peer]:
    """The peers that are asked on every day."""
    peers: dict[str, Peer] = {
        "last week (seasonal naive)": last_week,
        "mean of 4 weeks": four_weeks,
    }
    if which == "all":
        # Only these two need what requirements/bench.in adds.
        from bench.forecast_lstm import Lstm  # noqa: PLC0415

        peers |= {"LightGBM, global": LightGbm(), "LSTM, global": Lstm()}
    return peers


def slow_table(work: Work, day: int, stores: int) -> None:
    """MSTL and MFLES on quarters take seconds a series: some shops, one day, everybody on them."""
    some = np.linspace(0, len(work.panel.stores) - 1, stores).astype(int).tolist()
    judge = Judge()
    peers: dict[str, Peer] = {name: partial(raw, name=name, stores=some) for name in SLOW}
    judge.day(work, day, peers)
    judge.there = [
        np.where(np.isin(np.arange(len(one)), some)[:, None], one, False) for one in judge.there
    ]
    judge.actual = [
        np.where(there, one, 0) for there, one in zip(judge.there, judge.actual, strict=True)
    ]
    report(judge, f"{stores} of the shops, one day, models of the 15-minute counts themselves")


def speed(stores: int) -> None:
    """Seconds from counts in memory to means and bands."""
    work = simulated(stores, 1, 1, 0.0, 0.0)
    simulated(4, 1, 1, 0.0, 0.0).ours(PAST)  # the libraries are loaded
    for jobs in (1, 2):
        began = time.perf_counter()
        mine = work.ours(PAST, jobs)
        took = time.perf_counter() - began
        print(
            f"{stores} shops, {PAST} days, next day, {jobs} processes: {took:.1f} s with a "
            f"backtest of {len(mine.backtest.origins)} days"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Forecast, judge, and end with an error where the bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--stores", type=int, default=100)
    parser.add_argument("--days", type=int, default=7, help="days that are judged, a seed")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--shock", type=float, default=0.0, help="spread of each day's own luck")
    parser.add_argument("--late", type=float, default=0.0, help="share of shops that are new")
    parser.add_argument("--peers", choices=("cheap", "all"), default="cheap")
    parser.add_argument("--slow", type=int, default=0, help="shops for MSTL and MFLES")
    parser.add_argument("--speed", type=int, default=0, metavar="STORES")
    parser.add_argument("--series", type=Path)
    parser.add_argument("--country")
    parser.add_argument("--zone", default="UTC")
    parser.add_argument("--until", type=date.fromisoformat, help="series: first day left out")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    given = parser.parse_args(arguments)
    if given.speed:
        speed(given.speed)
        return
    figures: dict[str, object] = {}
    works: list[tuple[str, Work]] = []
    if given.series:
        days = PAST + given.days
        found = read(given.series, given.country, given.zone, days, given.until)
        works.append((given.series.name, Work(*found)))
    else:
        for seed in given.seeds:
            made = simulated(given.stores, seed, given.days, given.shock, given.late)
            works.append((f"seed {seed}: {given.stores} shops from {made.panel.first}", made))
    every = Judge()
    for title, work in works:
        judge = Judge()
        peers = peers_of(given.peers)
        last = work.panel.days
        for day in range(last - given.days, last):
            judge.day(work, day, peers)
        every.add(judge)
        report(judge, f"{title}, {given.days} days", hourly=bool(given.series))
        sys.stdout.flush()
        figures[title] = {
            "accuracy": {name: judge.scores(name) for name in judge.said},
            "held": judge.held(),
        }
        if given.slow:
            slow_table(work, last - given.days, given.slow)
    if len(works) > 1:
        report(every, f"all together, {len(works) * given.days} days")
    missed = misses(every)
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1))
    if missed and not given.shock:
        sys.exit("the bar is missed:\n" + "\n".join(missed))


if __name__ == "__main__":
    main()
