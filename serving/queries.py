"""Ready answers from the warehouse: positions, alerts, cover, dead letters, runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from schemas.tables import quoted
from schemas.warehouse import DEAD_LETTER, FLOW_RUN, STOCK_ALERT, STOCK_POOL, STOCK_POSITION
from serving.values import plain
from sinks.warehouse.address import Target
from sinks.warehouse.client import Reader, WarehouseError, open_reader

# How many similar names an error offers.
NEAREST = 5
# What had no event for so long does not count as selling: its rate is that of its last event.
SELLING_DAYS = 28

ALERT_TYPES = ("oversell", "negative_on_hand", "stock_out", "below_safety_stock")
_GRAVITY = "array_position(['critical', 'high', 'warning'], severity)"
_SILENT = {STOCK_POSITION.name: ("held_confirmed_seq",), DEAD_LETTER.name: ("version",)}


class QueryError(Exception):
    """A question has no answer here; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of an answer; instants are aware datetimes in UTC, JSON is decoded."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    def objects(self) -> list[dict[str, Any]]:
        """The rows as objects by the columns' names."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Queries:
    """The questions that can be asked of an open warehouse."""

    def __init__(self, connection: Reader) -> None:
        self._connection = connection

    def places(self, sku: str) -> Answer:
        """A SKU at every place, those that need attention first.

        Raises:
            QueryError: no place ever had it; the message names similar ones.
        """
        found = self.ask(
            f"SELECT {_columns(STOCK_POSITION.name, STOCK_POSITION.names)} FROM stock_position "
            "WHERE sku = ? ORDER BY available <= 0 DESC, days_of_cover NULLS LAST, place",
            [sku],
        )
        if not found.rows:
            raise QueryError(self._unknown("sku", sku))
        return found

    def pools(self, sku: str) -> Answer:
        """A SKU as the pools have it.

        Raises:
            QueryError: no place ever had it; the message names similar ones.
        """
        names = [name for name, _ in STOCK_POOL.column_comments]
        found = self.ask(
            f"SELECT {_columns(STOCK_POOL.name, names)} FROM stock_pool "
            "WHERE sku = ? ORDER BY pool",
            [sku],
        )
        if not found.rows:
            raise QueryError(self._unknown("sku", sku))
        return found

    def alerts(
        self,
        *,
        only_open: bool = True,
        alert_type: str | None = None,
        place: str | None = None,
        sku: str | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Alerts, worst first: by severity, then by how much is missing, then the oldest.

        `broke_floor` is the claim that took the figure below its level, or else the event that
        did.

        Raises:
            QueryError: a SKU or place that never was; the message names similar ones.
        """
        conditions, values = ["true"], list[Any]()
        if only_open:
            conditions.append("status <> 'cleared'")
        for column, wanted in (("alert_type", alert_type), ("place", place), ("sku", sku)):
            if wanted is not None:
                conditions.append(f"{column} = ?")
                values.append(wanted)
        found = self.ask(
            f"SELECT {_columns(STOCK_ALERT.name, STOCK_ALERT.names)} FROM stock_alert "
            f"WHERE {' AND '.join(conditions)} "
            f"ORDER BY {_GRAVITY}, shortfall DESC, opened_at, alert {_limit(limit)}",
            values,
        )
        if not found.rows:
            for column, name in (("sku", sku), ("place", place)):
                if name is not None and not self._is_known(column, name):
                    raise QueryError(self._unknown(column, name))
        return _with_breaker(found)

    def cover(
        self, *, least_rate: float = 0.1, place: str | None = None, limit: int | None = None
    ) -> Answer:
        """Places by their days of cover, the worst first, among what sells.

        What sells has a demand rate of `least_rate` or more and had an event within SELLING_DAYS
        of the newest one.
        """
        where = "" if place is None else "AND place = ?"
        return self.ask(
            "SELECT sku, place, days_of_cover, available, demand_rate, safety_stock, in_transit, "
            "as_of FROM stock_position WHERE days_of_cover IS NOT NULL AND demand_rate >= ? "
            f"AND as_of >= (SELECT max(as_of) FROM stock_position) - INTERVAL {SELLING_DAYS} DAY "
            f"{where} ORDER BY days_of_cover, demand_rate DESC, sku, place {_limit(limit)}",
            [least_rate] if place is None else [least_rate, place],
        )

    def dead_letter_reasons(self) -> Answer:
        """Dead letters by reason, the most frequent first, with the first one as an example."""
        return self.ask(
            "SELECT reason_code, count(*) AS letters, arg_min(source, (source, position)) "
            "AS example_source, arg_min(position, (source, position)) AS example_position, "
            "arg_min(reason, (source, position)) AS example_reason "
            "FROM dead_letter GROUP BY reason_code ORDER BY letters DESC, reason_code",
            [],
        )

    def dead_letters(
        self, *, reason: str | None = None, each: int | None = None, limit: int | None = None
    ) -> Answer:
        """Dead letters in the order of their lines, at most `each` of every reason.

        Raises:
            QueryError: there is no such reason; the message names those there are.
        """
        rank = "row_number() OVER (PARTITION BY reason_code ORDER BY source, position)"
        found = self.ask(
            f"SELECT {_columns(DEAD_LETTER.name, DEAD_LETTER.names)} FROM dead_letter "
            f"{'' if reason is None else 'WHERE reason_code = ?'} "
            f"{'' if each is None else f'QUALIFY {rank} <= {each:d}'} "
            f"ORDER BY reason_code, source, position {_limit(limit)}",
            [] if reason is None else [reason],
        )
        if reason is not None and not found.rows:
            there = [row[0] for row in self.dead_letter_reasons().rows]
            msg = f"no dead letter has the reason {reason}"
            msg += f"; there are {', '.join(there)}" if there else " (there are none at all)"
            raise QueryError(msg)
        return found

    def runs(self, *, limit: int | None = None) -> Answer:
        """Runs of flows, the latest first."""
        return self.ask(
            f"SELECT {_columns(FLOW_RUN.name, FLOW_RUN.names)} FROM flow_run "
            f"ORDER BY started_at DESC, run {_limit(limit)}",
            [],
        )

    def summary(self) -> Answer:
        """What is in the warehouse, figure by figure; `of` is the type or reason it counts."""
        connection = self._connection
        one = connection.execute(
            "SELECT count(*), count(DISTINCT place), count(DISTINCT sku) FROM stock_position"
        ).fetchone()
        assert one is not None
        newest = self.ask(
            "SELECT coalesce((SELECT max(newest_event) FROM flow_run), "
            "(SELECT max(as_of) FROM stock_position)) AS newest",
            [],
        )
        rows: list[tuple[Any, ...]] = [
            ("positions", None, one[0]),
            ("places", None, one[1]),
            ("skus", None, one[2]),
        ]
        for figure, question in (
            (
                "open_alerts",
                "SELECT alert_type, count(*) FROM stock_alert WHERE status <> 'cleared' "
                f"GROUP BY alert_type ORDER BY min({_GRAVITY}), alert_type",
            ),
            (
                "dead_letters",
                "SELECT reason_code, count(*) AS n FROM dead_letter "
                "GROUP BY reason_code ORDER BY n DESC, reason_code",
            ),
        ):
            parts = connection.execute(question).fetchall()
            rows.append((figure, None, sum(count for _, count in parts)))
            rows += [(figure, name, count) for name, count in parts]
        rows.append(("newest_event", None, newest.rows[0][0]))
        return Answer(("figure", "of", "value"), rows)

    def ask(self, sql: str, values: Sequence[Any]) -> Answer:
        """The answer to a question in SQL."""
        cursor = self._connection.execute(sql, list(values))
        columns = tuple(column[0] for column in cursor.description or ())
        kinds = [str(column[1]) for column in cursor.description or ()]
        return Answer(
            columns,
            [
                tuple(plain(value, kind) for value, kind in zip(row, kinds, strict=True))
                for row in cursor.fetchall()
            ],
        )

    def _is_known(self, column: str, name: str) -> bool:
        return bool(
            self._connection.execute(
                f"SELECT 1 FROM stock_position WHERE {column} = ? LIMIT 1", [name]
            ).fetchall()
        )

    def _unknown(self, column: str, name: str) -> str:
        near = self._connection.execute(
            f"SELECT name FROM (SELECT DISTINCT {column} AS name FROM stock_position) "
            "ORDER BY NOT starts_with(lower(name), lower($1)), "
            "jaro_winkler_similarity(lower(name), lower($1)) DESC, name "
            f"LIMIT {NEAREST}",
            [name],
        ).fetchall()
        what = {"sku": "SKU", "place": "place"}[column]
        if not near:
            return f"the warehouse holds no positions yet, so none of {what} {name}"
        return f"no position of {what} {name}; near it are {', '.join(row[0] for row in near)}"


@contextmanager
def open_queries(path: Target) -> Iterator[Queries]:
    """The warehouse at `path` (a file, or the address of a served one), open for questions.

    Raises:
        QueryError: it is not there, a flow is writing it, or it is no warehouse of tillflow.
    """
    try:
        connection = open_reader(path)
    except WarehouseError as wrong:
        raise QueryError(_unusable(path, wrong)) from wrong
    try:
        yield Queries(connection)
    except WarehouseError as wrong:
        raise QueryError(str(wrong)) from wrong
    except duckdb.CatalogException as wrong:
        first = str(wrong).partition("\n")[0]
        msg = f"{path} is no warehouse of this tillflow: {first}"
        raise QueryError(msg) from wrong
    finally:
        connection.close()


def _unusable(path: Target, wrong: WarehouseError) -> str:
    cause = str(wrong.__cause__ or "")
    if "lock" not in cause.lower():
        return str(wrong)
    process = re.search(r"PID (\d+)", cause)
    by = f" (process {process[1]})" if process else ""
    return (
        f"a flow is writing {path}{by}, and DuckDB lets one process own a file: ask again when "
        "it has ended, or let it write to a served warehouse (tillflow warehouse serve)"
    )


def _with_breaker(alerts: Answer) -> Answer:
    """Put the claim (or else the event) that broke the floor beside the alert."""
    at = alerts.columns.index("claims")
    evidence = alerts.columns.index("evidence")
    rows = []
    for row in alerts.rows:
        marked = [claim for claim in row[at] if claim.get("broke_floor")]
        breaker = (marked or row[evidence] or [None])[0]
        rows.append((*row[:at], breaker, *row[at:]))
    return Answer((*alerts.columns[:at], "broke_floor", *alerts.columns[at:]), rows)


def _columns(table: str, names: Sequence[str]) -> str:
    """The columns of a table that say something to the one who asks."""
    silent = _SILENT.get(table, ())
    return ", ".join(quoted(name) for name in names if name not in silent)


def _limit(limit: int | None) -> str:
    return "" if limit is None else f"LIMIT {limit:d}"
