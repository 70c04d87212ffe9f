"""`tillflow forecast`: from windows to tables, as a person asks for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from infra.cli import main
from schemas.footfall_tables import FOOTFALL_15M
from sinks.warehouse.client import Warehouse
from sources.simulator.crowds import Crowds, CrowdSettings, draw

FIRST = date(2026, 3, 2)
DAYS = 28
CONFIG = """
timezone: UTC
forecast:
  windows: 4
  stores: [{store: "*", group: street, weather_at: town}]
"""


@pytest.fixture(scope="module")
def crowds() -> Crowds:
    return draw(CrowdSettings(stores=4, days=DAYS, first=FIRST, shock=0.08))


@pytest.fixture(scope="module")
def folder(crowds: Crowds, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Windows as a warehouse and as a file, a configuration, weather."""
    found = tmp_path_factory.mktemp("forecast")
    store, day, slot = np.nonzero(crowds.is_open)
    midnight = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)
    starts = [
        midnight + timedelta(days=int(d), minutes=15 * int(s))
        for d, s in zip(day, slot, strict=True)
    ]
    ok = crowds.entries.exposure[store, day, slot] > 0
    values: dict[str, Any] = {
        "store": [crowds.entries.stores[at] for at in store],
        "start": starts,
        "local_start": [one.isoformat(timespec="minutes") for one in starts],
        "business_day": [one.date().isoformat() for one in starts],
        "final": [1] * len(starts),
        "entries": crowds.entries.counts[store, day, slot].astype(int),
        "orders": crowds.orders.counts[store, day, slot].astype(int),
        "door_status": ["ok" if one else "silent" for one in ok],
        "till_status": ["ok" if one else "silent" for one in ok],
        "events": [1] * len(starts),
        "version": [1] * len(starts),
    }
    zeros = {"exits": 0, "items": 0, "waited_orders": 0}
    schema = FOOTFALL_15M.arrow()
    rows = pa.table(
        [
            pa.array(values.get(one.name, [zeros.get(one.name)] * len(starts)), type=one.type)
            for one in schema
        ],
        schema=schema,
    )
    warehouse = Warehouse(found / "shop.duckdb")
    warehouse.upsert(FOOTFALL_15M, rows)
    warehouse.close()
    pq.write_table(rows.select(["store", "start", "entries"]), found / "windows.parquet")
    (found / "chain.yaml").write_text(CONFIG, encoding="utf-8")
    lines = ["place,day,issued,rain_mm,high_c"]
    for number in range(DAYS + 1):
        one = FIRST + timedelta(days=number)
        lines.append(f"town,{one},{one - timedelta(days=1)},{number % 5},{15 + number % 7}")
    (found / "weather.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return found


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["forecast", *map(str, arguments)])


def test_the_next_days_are_written_and_told(folder: Path, crowds: Crowds) -> None:
    at = "2026-03-28T14:05:00Z"
    given = ("--warehouse", folder / "shop.duckdb", "--config", folder / "chain.yaml")
    answer = invoke("next", "S0002", "--at", at, *given, "--weather", folder / "weather.csv")
    assert answer.exit_code == 0, answer.output
    assert "S0002 entries 2026-03-28: regression: " in answer.output
    assert "until 14:00 " in answer.output
    connection = duckdb.connect(str(folder / "shop.duckdb"), read_only=True)
    connection.execute("SET TimeZone = 'UTC'")
    spans = connection.execute(
        "SELECT store, measure, day, mean, low_80, high_80, update FROM forecast_span "
        "WHERE span = 'day' ORDER BY ALL"
    ).fetchall()
    assert [row[:3] for row in spans] == [
        (store, measure, day)
        for store in crowds.entries.stores
        for measure in ("entries", "orders")
        for day in ("2026-03-28", "2026-03-29")
    ]
    assert all(low <= mean <= high for _, _, _, mean, low, high, _ in spans)
    assert all((row[6] is None) == (row[2] == "2026-03-29") for row in spans)
    first, known, stores = connection.execute(
        "SELECT min(start), any_value(known_until), count(DISTINCT store) FROM forecast_15m"
    ).fetchall()[0]
    connection.close()
    # Quarters that have begun are left alone; what was known ends with the last whole one.
    assert first == datetime(2026, 3, 28, 14, 15, tzinfo=UTC)
    assert known == datetime(2026, 3, 28, 14, 0, tzinfo=UTC)
    assert stores == 4


def test_it_can_be_shown_without_being_written(folder: Path, tmp_path: Path) -> None:
    answer = invoke(
        *("next", "--at", "2026-03-28T06:00:00Z", "--days", 1, "--no-write", "--format", "json"),
        *("--windows", folder / "windows.parquet", "--config", folder / "chain.yaml"),
        *("--warehouse", tmp_path / "none.duckdb"),
    )
    assert answer.exit_code == 0, answer.output
    told = msgspec.json.decode(answer.output)
    assert {one["store"] for one in told["spans"]} == {"S0001", "S0002", "S0003", "S0004"}
    assert {one["measure"] for one in told["spans"]} == {"entries"}  # all that the file has
    assert told["quarters"][0]["updated_at"] == "2026-03-28T06:00:00Z"
    assert not (tmp_path / "none.duckdb").exists()


def test_a_backtest_tells_models_floor_and_bands(folder: Path) -> None:
    answer = invoke(
        *("backtest", "--days", 5, "--warehouse", folder / "shop.duckdb", "--measure", "orders"),
        *("--config", folder / "chain.yaml", "--picture", folder / "days.png"),
    )
    assert answer.exit_code == 0, answer.output
    assert answer.output.startswith("orders: 4 stores, 5 days, accuracy (1 - WAPE) in %")
    for word in ("regression", "last_week", "Poisson noise", "chosen: ", "quarter 80% held"):
        assert word in answer.output
    assert (folder / "days.png").read_bytes().startswith(b"\x89PNG")


def test_a_watch_says_what_it_wrote_and_survives_what_it_cannot(folder: Path) -> None:
    """The windows are of another year than the clock: there is nothing to forecast from."""
    given = ("--warehouse", folder / "shop.duckdb", "--config", folder / "chain.yaml")
    answer = invoke("watch", "--rounds", 1, *given)
    assert answer.exit_code == 0, answer.output
    assert "no forecast: there are no final windows with entries or orders" in answer.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("next", "S9", "--at", "2026-03-28T06:00:00Z"), "no windows of S9; there are some of S0"),
        (("next", "--at", "yesterday"), "not an RFC 3339 instant"),
        (("next", "--at", "2020-01-01T00:00:00Z"), "no final windows with entries or orders"),
        (("backtest", "--until", "soon"), "is not a day like"),
        (("next", "--weather", "nowhere.csv"), "no file nowhere.csv"),
        (("backtest", "--windows", "nowhere.csv"), "no file nowhere.csv"),
    ],
)
def test_what_cannot_be_done_is_said(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    more = ("--warehouse", folder / "shop.duckdb", "--config", folder / "chain.yaml")
    if arguments == ("next", "--weather", "nowhere.csv"):
        arguments = (*arguments, "--at", "2026-03-28T06:00:00Z")
    answer = invoke(*arguments, *more)
    assert answer.exit_code != 0
    assert words in answer.output


def test_a_file_without_its_columns_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("shop,start\na,b\n", encoding="utf-8")
    answer = invoke("backtest", "--windows", tmp_path / "w.csv")
    assert answer.exit_code != 0
    assert "lacks the columns store" in answer.output
