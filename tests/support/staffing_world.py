"""Two shops, some weeks of windows, and a last day on which more people come than usual."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import yaml

from operators.roster.prepare import prepare
from operators.roster.published import PublishedRows, published_rows
from operators.roster.roster import Roster, Shift
from schemas.footfall import FOOTFALL_WINDOW_TYPE, FootfallWindow
from schemas.footfall_tables import FOOTFALL_15M
from schemas.instants import to_micros
from schemas.roster_file import load_roster
from sinks.footfall.records import FOOTFALL_SOURCE
from sinks.roster.published import publish
from sinks.warehouse.address import Target

ZONE = ZoneInfo("Asia/Shanghai")
STORES = ("S1", "S2")
# Orders in a quarter of an hour from 10:00 to 13:00; a third of it until 16:00.
USUAL = 6.0
OPENS, CLOSES = 10, 16
DAYS = 17


def windows(
    today: date,
    *,
    until: int = CLOSES,
    strong: float = 2.5,
    days: int = DAYS,
    stores: Sequence[str] = STORES,
) -> list[FootfallWindow]:
    """Final windows of `days` days and of `today` until that hour, in the order of time.

    In the first store `strong` times as many come today.
    """
    draws = np.random.default_rng(7)
    found = []
    for back in range(days, -1, -1):
        day = today - timedelta(days=back)
        hours = until - OPENS if back == 0 else CLOSES - OPENS
        for quarter in range(hours * 4):
            start = datetime(day.year, day.month, day.day, OPENS, tzinfo=ZONE)
            start += timedelta(minutes=15 * quarter)
            for store in stores:
                mean = USUAL if quarter < 12 else USUAL / 3
                mean *= strong if back == 0 and store == stores[0] else 1.0
                orders = int(draws.poisson(mean))
                found.append(window(store, start, orders=orders, entries=orders * 2))
    return found


def window(
    store: str, start: datetime, *, orders: int, entries: int, version: int = 1, final: bool = True
) -> FootfallWindow:
    """One window."""
    return FootfallWindow(
        store=store,
        start=start.astimezone(UTC),
        local_start=start.isoformat(timespec="minutes"),
        business_day=start.date().isoformat(),
        final=final,
        entries=entries,
        exits=entries,
        orders=orders,
        items=orders,
        sales=0,
        currency="CNY",
        service_mean_seconds=None,
        service_p90_seconds=None,
        waited_orders=0,
        waited_mean_seconds=None,
        conversion=None,
        door_status="ok",
        till_status="ok",
        events=1,
        as_of=start.astimezone(UTC),
        version=version,
    )


def line(one: FootfallWindow) -> bytes:
    """A window as an event in structured JSON."""
    data = json.loads(msgspec.json.encode(one))
    start = data["start"]
    event = {
        "specversion": "1.0",
        "id": f"{one.store}@{start}#{one.version}",
        "source": FOOTFALL_SOURCE,
        "type": FOOTFALL_WINDOW_TYPE,
        "time": start,
        "data": data,
    }
    return json.dumps(event).encode()


def table_rows(found: Sequence[FootfallWindow]) -> list[tuple[object, ...]]:
    """Windows as rows of footfall_15m."""
    values = []
    for one in found:
        row = {name: getattr(one, name) for name in FOOTFALL_15M.names}
        row |= {"start": to_micros(one.start), "as_of": to_micros(one.start)}
        row["final"] = int(one.final)
        values.append(tuple(row.values()))
    return values


def roster_file(store: str, today: date) -> dict[str, object]:
    """Three people at the till, one of them off today."""
    return {
        "shop": store,
        "first_day": (today - timedelta(days=today.weekday())).isoformat(),
        "opens": "10:00",
        "closes": "16:00",
        "shifts": {
            "earliest": "09:00",
            "latest": "18:00",
            "starts_every": 60,
            "shortest_hours": 2,
            "longest_hours": 8,
            "pause": None,
        },
        "tasks": {"till": {"service_s": 120, "patience_s": 600, "waiting_cost": 9000}},
        "employees": [
            {"name": f"{store}-{name}", "skills": {"till": 2}, "pay": pay, "most_hours": 44}
            for name, pay in (("ann", 3000), ("bo", 2500), ("chen", 2800))
        ],
        "need": [],
        "rules": {
            "availability": {},
            "qualification": {},
            "rest": {"hours": 11},
            "weekly_hours": {"most": 44},
            "waiting": {},
            "pay": {},
        },
    }


def write_shops(folder: Path, today: date, stores: Sequence[str] = STORES) -> Path:
    """The chain's file and a roster file for each store; the path of the first."""
    (folder / "shops").mkdir(parents=True, exist_ok=True)
    for store in stores:
        text = yaml.safe_dump(roster_file(store, today), sort_keys=False)
        (folder / "shops" / f"{store}.yaml").write_text(text)
    chain = {
        "timezone": "Asia/Shanghai",
        "footfall": {"hours": [{"opens": "10:00", "closes": "16:00"}]},
        "forecast": {"windows": 4, "refresh_minutes": 120, "planning": "00:00"},
        "staffing": {"shops": ["shops/*.yaml"]},
    }
    path = folder / "chain.yaml"
    path.write_text(yaml.safe_dump(chain))
    return path


def rows(folder: Path, store: str, today: date) -> PublishedRows:
    """Today ann and bo are at the till until 13:00, from then on bo alone; chen is off."""
    problem = prepare(load_roster(folder / "shops" / f"{store}.yaml"))
    day = problem.days.index(today.isoformat())
    shifts = (
        Shift(0, day, 40, 52, None, ("till",) * 12),
        Shift(1, day, 40, 64, None, ("till",) * 24),
    )
    return published_rows(problem, Roster(shifts), "Asia/Shanghai", 1_000_000)


def publish_rosters(
    folder: Path, warehouse: Target, today: date, stores: Sequence[str] = STORES
) -> None:
    """Publish the rosters of the stores."""
    first = today - timedelta(days=today.weekday())
    days = [(first + timedelta(days=at)).isoformat() for at in range(7)]
    for store in stores:
        publish(warehouse, rows(folder, store, today), store, days, 1_000_000)


def midnight(today: date) -> int:
    """When the day begins, in microseconds since 1970."""
    return to_micros(datetime(today.year, today.month, today.day, tzinfo=ZONE))
