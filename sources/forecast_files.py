"""Windows of footfall and weather forecasts from CSV or Parquet files."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from operators.footfall.facts import QUARTER_US
from operators.forecast.context import Weather
from schemas.tables import literal

_WEATHER = ("place", "day", "rain_mm", "high_c")


class ForecastFileError(Exception):
    """A file cannot be read as what it should be; the message says what is missing."""


def read_weather(path: Path) -> list[Weather]:
    """Forecasts of days: place, day, issued (empty: as it really was), rain_mm, high_c.

    Raises:
        ForecastFileError: it is no such file.
    """
    columns, relation = _opened(path)
    _demand(path, columns, _WEATHER)
    lead = "date_diff('day', issued::DATE, day::DATE)" if "issued" in columns else "NULL"
    rows = _ask(
        path,
        f"SELECT place::VARCHAR, day::DATE, coalesce({lead}, 0), rain_mm::DOUBLE, high_c::DOUBLE "
        f"FROM {relation} ORDER BY ALL",
    ).fetchall()
    return [Weather(place, day, lead, rain, high) for place, day, lead, rain, high in rows]


def read_window_file(path: Path) -> pa.Table:
    """Columns store, quarter, entries, orders, doors, tills, as the warehouse has them.

    Of the file's columns only `store`, `start` (an instant) and `entries` or `orders` must be
    there; `final`, `door_status` and `till_status` count where they are.

    Raises:
        ForecastFileError: it is no such file.
    """
    columns, relation = _opened(path)
    _demand(path, columns, ("store", "start"))
    measures = [name for name in ("entries", "orders") if name in columns]
    if not measures:
        msg = f"{path} has neither a column `entries` nor `orders`: what is to be forecast?"
        raise ForecastFileError(msg)

    def good(measure: str, status: str) -> str:
        if measure not in measures:
            return "false"
        return f"{measure} IS NOT NULL" + (f" AND {status} = 'ok'" if status in columns else "")

    counted = [
        f"coalesce({name}, 0)::DOUBLE" if name in measures else "0.0::DOUBLE"
        for name in ("entries", "orders")
    ]
    final = "WHERE final::INTEGER = 1" if "final" in columns else ""
    return _ask(
        path,
        f"SELECT store::VARCHAR AS store, epoch_us(start::TIMESTAMPTZ) // {QUARTER_US} AS quarter, "
        f"{counted[0]} AS entries, {counted[1]} AS orders, "
        f"{good('entries', 'door_status')} AS doors, {good('orders', 'till_status')} AS tills "
        f"FROM {relation} {final} ORDER BY store, quarter",
    ).to_arrow_table()


def _opened(path: Path) -> tuple[list[str], str]:
    if not path.exists():
        msg = f"no file {path}"
        raise ForecastFileError(msg)
    reader = "read_parquet" if path.suffix == ".parquet" else "read_csv"
    relation = f"{reader}({literal(str(path))})"
    described = _ask(path, f"DESCRIBE SELECT * FROM {relation}").fetchall()
    return [row[0] for row in described], relation


def _ask(path: Path, sql: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    try:
        return connection.execute(sql)
    except duckdb.Error as wrong:
        first = str(wrong).partition("\n")[0]
        msg = f"{path} cannot be read: {first}"
        raise ForecastFileError(msg) from wrong


def _demand(path: Path, columns: list[str], wanted: tuple[str, ...]) -> None:
    missing = [name for name in wanted if name not in columns]
    if missing:
        msg = f"{path} lacks the columns {', '.join(missing)}; it has {', '.join(columns)}"
        raise ForecastFileError(msg)
