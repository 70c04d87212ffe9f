"""A served warehouse holds what a file would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC
from pathlib import Path
from typing import Any

import duckdb
import pytest
from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from small_warehouse import alert, dead_letter, position
from warehouse_server import ServedWarehouse, content, rows_of

from schemas.tables import Table
from schemas.warehouse import DEAD_LETTER, STOCK_ALERT, STOCK_POSITION
from sinks.warehouse.client import Warehouse, WarehouseError


@pytest.fixture(name="warehouse")
def _warehouse(server: ServedWarehouse) -> Iterator[Warehouse]:
    with closing(Warehouse(server.address)) as warehouse:
        for table in ("stock_position", "stock_alert", "dead_letter", "flow_run", "flow_run_part"):
            warehouse.execute(f"DELETE FROM {table}")
        yield warehouse


@pytest.fixture(scope="module", name="pair")
def _pair(
    server: ServedWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Warehouse, Warehouse]]:
    path = tmp_path_factory.mktemp("file") / "w.duckdb"
    with closing(Warehouse(path)) as file, closing(Warehouse(server.address)) as served:
        yield file, served


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
POSITIONS = st.builds(
    position,
    st.sampled_from(["TEA", "O'CLOCK", 'SAY "NO"', "茶 ;--", "a\\b\x00\n"]),
    st.sampled_from(["S1", "$1", "?"]),
    st.integers(-(2**40), 2**40),
    st.sampled_from([0.0, 0.1, 1 / 3, 5e15, float("inf")]),
    pool=TEXTS,
    version=st.integers(0, 4),
)
LETTERS = st.builds(
    dead_letter,
    st.just("not_json"),
    st.integers(1, 5),
    reason=TEXTS,
    raw=st.binary(max_size=20),
    event_time=st.none() | st.datetimes(timezones=st.just(UTC)),
)
Step = tuple[Table | None, list[dict[str, Any]]]
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.tuples(st.just(STOCK_POSITION), st.lists(POSITIONS, max_size=4))
    | st.tuples(st.just(DEAD_LETTER), st.lists(LETTERS, max_size=3))
    | st.tuples(st.just(None), st.just([])),
    max_size=5,
)


class TestSameAsFile:
    @settings(max_examples=cases(6, 30), deadline=None)
    @given(STEPS)
    def test_any_writes(
        self,
        pair: tuple[Warehouse, Warehouse],
        steps: list[Step],
    ) -> None:
        """Whatever is written, in transactions that fail or not, both hold the same rows."""
        found = []
        for one in pair:
            for emptied in (STOCK_POSITION, DEAD_LETTER):
                one.execute(f"DELETE FROM {emptied.name}")
            with suppress(ZeroDivisionError), one.transaction():
                for table, rows in steps:
                    if table is None:
                        raise ZeroDivisionError
                    one.upsert(table, rows_of(table, *rows), several=True)
            first = content(one, STOCK_POSITION)
            for table, rows in steps:
                if table is not None:
                    one.upsert(table, rows_of(table, *rows), several=True)
            found.append((first, content(one, STOCK_POSITION), content(one, DEAD_LETTER)))
        assert found[0] == found[1]

    def test_delete(self, warehouse: Warehouse) -> None:
        names = ["a", "b'", "c"]
        alerts = [alert("oversell", "high", "TEA", "S1", 1) | {"alert": name} for name in names]
        warehouse.upsert(STOCK_ALERT, rows_of(STOCK_ALERT, *alerts))
        with warehouse.transaction():
            warehouse.delete(STOCK_ALERT, ["a", "b'", "never"])
        warehouse.delete(STOCK_ALERT, [])
        assert warehouse.execute("SELECT alert FROM stock_alert") == [("c",)]

    def test_what_the_database_refuses(self, warehouse: Warehouse) -> None:
        """Nothing of the transaction is there, and the next one works."""
        wrong = alert("oversell", "high", "TEA", "S1", 1) | {"claims": "no json"}

        def fail() -> None:
            with warehouse.transaction():
                warehouse.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, position("TEA", "S1", 1)))
                warehouse.upsert(STOCK_ALERT, rows_of(STOCK_ALERT, wrong))

        with pytest.raises(duckdb.Error, match=r"(?i)json"):
            fail()
        assert content(warehouse, STOCK_POSITION) == []
        warehouse.upsert(STOCK_POSITION, rows_of(STOCK_POSITION, position("TEA", "S1", 1)))
        assert len(content(warehouse, STOCK_POSITION)) == 1

    def test_no_answers_inside_a_transaction(self, warehouse: Warehouse) -> None:
        """It is sent as a whole when it ends; asking before that is an error."""
        with warehouse.transaction(), pytest.raises(WarehouseError, match="before it ends"):
            warehouse.execute("SELECT 1")

    def test_identity_is_that_of_the_file(self, tmp_path: Path) -> None:
        with closing(Warehouse(tmp_path / "served.duckdb")) as file:
            identity = file.identity
        with ServedWarehouse(tmp_path) as server:
            with closing(Warehouse(server.address)) as served:
                assert served.identity == identity
            assert server.stop() == 0
        assert not server.file.with_name("served.duckdb.wal").exists()
