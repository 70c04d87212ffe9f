"""The table of suggestions of a warehouse: written by flows, read and answered by people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import duckdb

from operators.stock.transfers.shard import TransferOutcome
from schemas.position import Position
from schemas.tables import quoted
from schemas.transfer import TransferSuggestion
from schemas.warehouse import DEAD_LETTER, STOCK_ALERT, STOCK_POSITION, TRANSFER_SUGGESTION
from sinks.warehouse.address import Target, WarehouseError
from sinks.warehouse.client import Reader, Warehouse, open_reader
from sinks.warehouse.rows import dead_letter_rows
from sinks.warehouse.transfer_rows import suggestion_of, suggestion_rows, transfer_alert_rows

# What a manager's list begins with: promises first, then what is worth most.
BEST_FIRST = "mode = 'proactive', net_benefit DESC, suggestion"


class Asked(Protocol):
    """What answers questions: a warehouse that is open for writing, or only for reading."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement and fetch what it answers."""


class TransferList:
    """Reads the suggestions and positions of a warehouse."""

    def __init__(self, warehouse: Asked) -> None:
        self._asked = warehouse

    def states(self) -> list[TransferSuggestion]:
        """Every state there ever was, suggestion by suggestion in the order of versions."""
        return self._suggestions("transfer_suggestion", "suggestion, version")

    def current(self, *, statuses: Iterable[str] = ()) -> list[TransferSuggestion]:
        """Every suggestion as it is now, of these statuses (none given: of all), best first."""
        wanted = sorted(statuses)
        where = "status IN (SELECT unnest(?))" if wanted else "true"
        return self._suggestions("transfer_current", BEST_FIRST, where, [wanted] if wanted else [])

    def one(self, suggestion: str) -> TransferSuggestion | None:
        """A suggestion as it is now; None if there is none of that id."""
        found = self._suggestions("transfer_current", "suggestion", "suggestion = ?", [suggestion])
        return found[0] if found else None

    def near(self, suggestion: str, count: int = 5) -> list[str]:
        """Ids that look like this one."""
        rows = self._asked.execute(
            "SELECT suggestion FROM transfer_current ORDER BY "
            f"jaro_winkler_similarity(lower(suggestion), lower(?)) DESC, suggestion LIMIT {count}",
            [suggestion],
        )
        return [row[0] for row in rows]

    def positions(self) -> list[Position]:
        """All positions of the warehouse."""
        names = STOCK_POSITION.names
        columns = ", ".join(map(quoted, names))
        rows = self._asked.execute(f"SELECT {columns} FROM stock_position ORDER BY sku, place")
        found = []
        for row in rows:
            fields: dict[str, Any] = dict(zip(names, row, strict=True))
            found.append(Position(**fields))
        return found

    def newest(self) -> datetime | None:
        """The time of the newest event in any position."""
        [(newest,)] = self._asked.execute("SELECT max(as_of) FROM stock_position")
        return None if newest is None else newest.astimezone(UTC)

    def _suggestions(
        self, table: str, order: str, where: str = "true", values: Iterable[Any] = ()
    ) -> list[TransferSuggestion]:
        names = TRANSFER_SUGGESTION.names
        columns = ", ".join(map(quoted, names))
        rows = self._asked.execute(
            f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {order}", list(values)
        )
        return [suggestion_of(dict(zip(names, row, strict=True))) for row in rows]


class TransferTable(TransferList):
    """Reads and writes suggestions of a warehouse that is open for writing."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(warehouse)
        self._warehouse = warehouse

    def write(self, outcome: TransferOutcome) -> None:
        """Write states, alerts and refusals, all at once or not at all."""
        if not any(outcome):
            return
        with self._warehouse.transaction():
            self._warehouse.upsert(TRANSFER_SUGGESTION, suggestion_rows(outcome.suggestions))
            self._warehouse.upsert(STOCK_ALERT, transfer_alert_rows(outcome.alerts))
            self._warehouse.upsert(DEAD_LETTER, dead_letter_rows(outcome.refusals))

    def write_states(self, suggestions: Iterable[TransferSuggestion]) -> None:
        """Write states of suggestions."""
        self.write(TransferOutcome(list(suggestions), [], []))


class _Only:
    """A connection that only reads, asked as a warehouse is."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one question and fetch the answer."""
        return list(self._reader.execute(sql, list(parameters)).fetchall())


@contextmanager
def open_list(target: Target, *, patience: float = 5.0) -> Iterator[TransferList]:
    """The suggestions of a warehouse, open for reading.

    Raises:
        WarehouseError: it is not there, a flow is writing the file, or it has no such table.
    """
    reader = open_reader(target, patience=patience)
    try:
        yield TransferList(_Only(reader))
    except duckdb.CatalogException as wrong:
        first = str(wrong).partition("\n")[0]
        msg = f"{target} knows no transfers yet, tillflow transfers plan makes some: {first}"
        raise WarehouseError(msg) from wrong
    finally:
        reader.close()
