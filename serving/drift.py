"""Reads what Redis and the warehouse say of pairs, and puts single pairs right.

What is right is decided elsewhere (`operators.stock.drift`): here are only the two views.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import duckdb
import msgspec
import pyarrow as pa

from schemas.alert import Alert
from schemas.gate_pair import GatePair
from schemas.position import Position
from schemas.warehouse import STOCK_ALERT, STOCK_POSITION
from serving.values import plain
from sinks.redis.audit import GateAudit
from sinks.redis.client import HoldGate
from sinks.redis.settings import GateSettings
from sinks.warehouse.address import Address, Target
from sinks.warehouse.client import Reader, Warehouse, WarehouseError, open_reader
from sinks.warehouse.rows import alert_rows
from sinks.warehouse.statements import bound

Pair = tuple[str, str]

# One question asks for so many pairs: a message to a served warehouse is text.
PAIRS_A_QUESTION = 2_000
_COLUMNS = ", ".join(f"p.{name}" for name in STOCK_POSITION.names)


class GateViews:
    """What the gates of all pools on one Redis server say."""

    def __init__(self, url: str, **settings: Any) -> None:
        """Get ready to ask; nothing is sent yet. `settings` are more of GateSettings."""
        self._url = url
        self._settings = settings
        self._open = ExitStack()
        self._audits: dict[str, GateAudit] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def audit(self, pool: str) -> GateAudit:
        """The gate of a pool, to be looked over."""
        audit = self._audits.get(pool)
        if audit is None:
            settings = GateSettings(url=self._url, pool=pool, **self._settings)
            audit = GateAudit(self._open.enter_context(HoldGate(settings)))
            self._audits[pool] = audit
        return audit

    def state(self, pool: str) -> str:
        """Open, closed or empty: only an open gate promises anything."""
        return self.audit(pool).gate.gate_state().state

    def read(self, pool: str, pairs: Sequence[Pair]) -> dict[Pair, GatePair]:
        """Pairs of one pool as its gate has them."""
        return dict(zip(pairs, self.audit(pool).look(pairs), strict=True))


class WarehouseView:
    """What the warehouse says of pairs; `writing` to put it right and to keep alerts there."""

    def __init__(self, target: Target, *, writing: bool = False) -> None:
        """Open it.

        Raises:
            WarehouseError: it is not there, or a process has the file; the message says which.
        """
        if writing and not isinstance(target, Address):
            # To write is to make it where it is not there; there is nothing to check then.
            open_reader(target).close()
        self._warehouse = Warehouse(target) if writing else None
        self._reader: Reader | None = None if writing else open_reader(target)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in (self._warehouse, self._reader):
            if one is not None:
                one.close()

    def _ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            if self._warehouse is not None:
                return self._warehouse.execute(sql, values)
            assert self._reader is not None
            return list(self._reader.execute(sql, list(values)).fetchall())
        except duckdb.CatalogException as wrong:
            msg = f"no warehouse of this tillflow: {str(wrong).partition(chr(10))[0]}"
            raise WarehouseError(msg) from wrong

    def read(self, pairs: Sequence[Pair]) -> dict[Pair, Position]:
        """The rows of pairs; one that is not there is left out."""
        found: dict[Pair, Position] = {}
        for start in range(0, len(pairs), PAIRS_A_QUESTION):
            some = pairs[start : start + PAIRS_A_QUESTION]
            rows = self._ask(
                f"SELECT {_COLUMNS} FROM stock_position p "
                "JOIN (SELECT unnest(?) AS sku, unnest(?) AS place) k USING (sku, place)",
                [[sku for sku, _ in some], [place for _, place in some]],
            )
            for row in rows:
                position = Position(**dict(zip(STOCK_POSITION.names, map(_utc, row), strict=True)))
                found[position.sku, position.place] = position
        return found

    def walk(self, after: Pair = ("", ""), limit: int = PAIRS_A_QUESTION) -> list[Pair]:
        """Pairs that have a row, in order, from the one after `after`."""
        rows = self._ask(
            "SELECT sku, place FROM stock_position WHERE (sku, place) > (?, ?) "
            f"ORDER BY sku, place LIMIT {limit:d}",
            list(after),
        )
        return [(sku, place) for sku, place in rows]

    def open_alerts(self, alert_type: str) -> list[Alert]:
        """The alerts of one type that are open."""
        names = STOCK_ALERT.names
        rows = self._ask(
            f"SELECT {', '.join(names)} FROM stock_alert "
            "WHERE alert_type = ? AND status <> 'cleared'",
            [alert_type],
        )
        found = []
        for row in rows:
            values = dict(zip(names, map(_utc, row), strict=True))
            for name in ("claims", "evidence"):
                values[name] = msgspec.json.decode(values[name])
            found.append(msgspec.convert(values, Alert))
        return found

    def tell(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Keep alerts: rows of stock_alert, instants in us; the last row of an alert counts."""
        assert self._warehouse is not None, "opened to read only"
        last = {row[0]: row for row in rows}
        if last:
            self._warehouse.upsert(STOCK_ALERT, alert_rows(last.values()))

    def repair(self, position: Position, seen: Position | None) -> None:
        """Write a pair's row from its newest position; what a flow wrote since then stays.

        `seen` is what was found wrong. A row is never written over by a smaller version, so one
        that is ahead of the log is first taken down, if it is still the one that was seen.
        """
        assert self._warehouse is not None, "opened to read only"
        warehouse = self._warehouse
        row = pa.Table.from_pylist(
            [msgspec.structs.asdict(position)], schema=STOCK_POSITION.arrow()
        )
        with warehouse.transaction():
            if seen is not None and seen.version > position.version:
                warehouse.write(
                    bound(
                        "UPDATE stock_position SET version = -1 "
                        "WHERE sku = ? AND place = ? AND version = ?",
                        [position.sku, position.place, seen.version],
                    )
                )
            warehouse.upsert(STOCK_POSITION, row)


def _utc(value: Any) -> Any:
    return plain(value, "")


__all__ = ["GateViews", "WarehouseError", "WarehouseView"]
