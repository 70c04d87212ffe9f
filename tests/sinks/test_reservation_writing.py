"""Rows of holds on their way into a file and a served warehouse, and carried over a crash."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hold_stories import expected_reservations, hold_stories
from stock_events import Event, render
from warehouse_server import ServedWarehouse

from operators.stock.decode import Block, Sharder
from operators.stock.shard import empty_outcome
from sinks.warehouse import writer as module
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse
from sinks.warehouse.pending import BEFORE, Pending
from sinks.warehouse.writer import WarehouseWriter

ASK = """
SELECT * EXCLUDE (version) REPLACE (
  epoch_us(expires_at) AS expires_at, epoch_us(updated_at) AS updated_at)
FROM reservation ORDER BY ALL
"""


@pytest.fixture(name="target", params=["file", "served"])
def _target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    if request.param == "file":
        yield tmp_path / "w.duckdb"
        return
    server: ServedWarehouse = request.getfixturevalue("server")
    with closing(Warehouse(server.address)) as warehouse:
        warehouse.execute("DELETE FROM reservation")
    yield server.address


def writer_of(target: Target) -> WarehouseWriter:
    return WarehouseWriter(target, "stock", "r1", "a.jsonl")


def rows_of(events: list[Event]) -> Any:
    lines = b"\n".join(map(render, events))
    return Sharder(1).decode(Block("a.jsonl", 1, len(events), lines)).reservations


def written(target: Target) -> list[tuple[Any, ...]]:
    with closing(Warehouse(target)) as warehouse:
        return warehouse.execute(ASK)


def test_any_order_in_many_writes(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later states stay, whatever was written before them; more rows than one message takes."""
    monkeypatch.setattr(module, "SERVED_ROWS", 30)
    told = hold_stories(Random(3), 60)
    arriving = told * 2
    Random(4).shuffle(arriving)
    writer = writer_of(target)
    for start in range(0, len(arriving), 150):
        writer.add(empty_outcome([], rows_of(arriving[start : start + 150])))
        writer.settle()
    writer.close("finished")
    assert written(target) == expected_reservations(told)


def test_carried_over_a_crash(tmp_path: Path) -> None:
    """What was not durable when it crashed is written by whoever goes on."""
    told = hold_stories(Random(5), 20)
    half = len(told) // 2
    crashed = Pending(reservations=list(rows_of(told[:half])))
    assert len(crashed) == half
    both = Pending.joined(crashed, Pending(reservations=list(rows_of(told[half:]))))
    writer = writer_of(tmp_path / "w.duckdb")
    writer.take_up(pickle.loads(pickle.dumps(both.packed())))
    writer.close("stopped")
    assert written(tmp_path / "w.duckdb") == expected_reservations(told)


def test_carried_by_a_version_without_reservations() -> None:
    """A recovery folder of before is resumed."""
    _, *values, _ = Pending(withdrawn={"a"}).packed()
    found = Pending.unpacked((BEFORE, *values))
    assert (found.withdrawn, found.reservations) == ({"a"}, [])
