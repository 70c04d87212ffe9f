"""What a page about a chain shows: figures over all places, from an open warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from schemas.tables import literal
from sinks.warehouse.client import Reader

# Upper bounds of the classes of days of cover; the last class is open.
COVER_BOUNDS = (1, 3, 7, 14, 28, 56)


@dataclass(frozen=True, slots=True)
class Shelf:
    """One SKU at one place, picked because much has happened there."""

    sku: str
    place: str
    alerts: int


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert from its opening to its end; None while it is open."""

    alert_type: str
    severity: str
    opened_at: datetime
    cleared_at: datetime | None


class Overview:
    """Questions about the chain as a whole."""

    def __init__(self, connection: Reader) -> None:
        self._connection = connection

    def worst_place(self) -> str | None:
        """The place with the most and gravest open alerts, None where there are none."""
        rows = self._rows(
            "SELECT place FROM stock_alert WHERE status <> 'cleared' GROUP BY place ORDER BY sum("
            "CASE severity WHEN 'critical' THEN 3 WHEN 'high' THEN 2 ELSE 1 END) DESC, place "
            "LIMIT 1"
        )
        return str(rows[0][0]) if rows else None

    def telling_shelf(self) -> Shelf | None:
        """The shelf that tells most: an open alert, and the most alerts before it."""
        rows = self._rows(
            "SELECT sku, place, count(*) AS alerts FROM stock_alert "
            "JOIN stock_position USING (sku, place) GROUP BY sku, place "
            "ORDER BY bool_or(status <> 'cleared') DESC, alerts DESC, max(demand_rate) DESC, "
            "sku, place LIMIT 1"
        )
        return Shelf(*rows[0]) if rows else None

    def episodes(self, sku: str, place: str) -> list[Episode]:
        """The alerts of a shelf, in order of their opening."""
        return [
            Episode(*row)
            for row in self._rows(
                "SELECT alert_type, severity, opened_at, cleared_at FROM stock_alert "
                "WHERE sku = ? AND place = ? ORDER BY opened_at, alert",
                sku,
                place,
            )
        ]

    def cover(self, least_rate: float, days: int) -> list[tuple[str, int]]:
        """How many selling shelves have how many days of cover: classes and their counts."""
        classes = ["none", *_class_names()]
        cases = " ".join(
            f"WHEN days_of_cover < {bound} THEN {number}"
            for number, bound in enumerate(COVER_BOUNDS, 1)
        )
        rows = self._rows(
            f"SELECT CASE WHEN available <= 0 THEN 0 {cases} ELSE {len(classes) - 1} END AS class, "
            "count(*) FROM stock_position WHERE demand_rate >= ? AND days_of_cover IS NOT NULL "
            f"AND as_of >= (SELECT max(as_of) FROM stock_position) - INTERVAL {days:d} DAY "
            "GROUP BY class",
            least_rate,
        )
        counts = dict(rows)
        return [(name, counts.get(number, 0)) for number, name in enumerate(classes)]

    def stock_outs_by_day(self, zone: str) -> list[tuple[date, int]]:
        """How many shelves ran out on each local day that saw any."""
        return [
            (day, count)
            for day, count in self._rows(
                f"SELECT timezone({literal(zone)}, opened_at)::DATE AS day, count(*) "
                "FROM stock_alert WHERE alert_type = 'stock_out' GROUP BY day ORDER BY day"
            )
        ]

    def dead_lines(self, source: str) -> set[int]:
        """The lines of a file that went to dead_letter."""
        rows = self._rows("SELECT position FROM dead_letter WHERE source = ?", source)
        return {position for (position,) in rows}

    def run(self) -> dict[str, Any]:
        """The latest run of a flow, with `seconds` it took."""
        cursor = self._connection.execute(
            "SELECT *, epoch(updated_at - started_at) AS seconds FROM flow_run "
            "ORDER BY started_at DESC LIMIT 1"
        )
        names = [column[0] for column in cursor.description or ()]
        row = cursor.fetchone()
        return {} if row is None else dict(zip(names, row, strict=True))

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, list(values)).fetchall()


def _class_names() -> list[str]:
    bounds = (0, *COVER_BOUNDS)
    names = [f"{low}-{high}" for low, high in pairwise(bounds)]
    return [*names, f"over {COVER_BOUNDS[-1]}"]
