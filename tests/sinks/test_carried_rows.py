"""Rows on their way to the warehouse: seen soon on a quiet stream, carried over a crash."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.stock.changes import Totals
from operators.stock.refusals import Refusal
from operators.stock.shard import StockOutcome
from schemas.instants import parse_instant
from sinks.warehouse import writer as module
from sinks.warehouse.pending import Pending
from sinks.warehouse.writer import WarehouseWriter

NOON = parse_instant("2026-11-23T12:00:00+08:00")
REFUSAL = Refusal("a.jsonl", 7, "not_json", "not a JSON object", None, None, None, b"{")


def alert(name: str, status: str = "raised") -> tuple[Any, ...]:
    figures = (0, 1, 2, 1, "[]", "[]", "bring goods", NOON, NOON, None)
    return (name, "stock_out", status, "high", "TEA", "S1", *figures)


def outcome(version: int = 1, alerts: tuple[Any, ...] = (), withdrawn: tuple[str, ...] = ()) -> Any:
    row = ("TEA", "S1", "all", version, 0, 0, 0, 0, version, 0, None, 0.0, version, NOON)
    return StockOutcome(
        [[value] for value in row], list(alerts), list(withdrawn), [REFUSAL], Totals()
    )


def writer_of(path: Path, run: str = "r1") -> WarehouseWriter:
    return WarehouseWriter(path, "stock", run, "a.jsonl")


def tables(path: Path) -> list[list[Any]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return [
            connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
            for table in ("stock_position", "stock_alert", "dead_letter")
        ]


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_last_rows_of_a_quiet_stream(tmp_path: Path) -> None:
    """Nobody comes by any more, and they are written all the same."""
    writer = writer_of(tmp_path / "w.duckdb")
    written = writer._warehouse
    for version in (1, 2):
        writer.add(outcome(version))
        writer.write_soon()

    def versions() -> list[tuple[Any, ...]]:
        ask = writer._thread.submit(written.execute, "SELECT version FROM stock_position")
        return ask.result()

    wait_until(lambda: versions() == [(2,)])
    writer.close("stopped")


def test_carried_over_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that never came to an end, and what waited behind it."""
    crashed, whole = writer_of(tmp_path / "crashed.duckdb"), writer_of(tmp_path / "whole.duckdb")
    steps = [
        outcome(1, (alert("a"), alert("b"))),
        outcome(2, (alert("a", "cleared"),), ("b",)),
        outcome(3, (alert("c"),)),
    ]
    never = threading.Event()
    monkeypatch.setattr(crashed, "_store", lambda *_: never.wait(60))
    for number, step in enumerate(steps):
        crashed.add(step)
        whole.add(step)
        if number == 0:
            crashed._write("running")
    carried = pickle.loads(pickle.dumps(crashed.carry()))
    never.set()
    resumed = writer_of(tmp_path / "resumed.duckdb")
    resumed.take_up(carried)
    for writer in (resumed, whole, crashed):
        writer.close("stopped")
    assert tables(tmp_path / "resumed.duckdb") == tables(tmp_path / "whole.duckdb")
    assert [row[0] for row in tables(tmp_path / "whole.duckdb")[1]] == ["a", "c"]


def test_nothing_to_carry(tmp_path: Path) -> None:
    """What is in the warehouse is not carried; much is written rather than carried."""
    writer = writer_of(tmp_path / "w.duckdb")
    writer.add(outcome(1))
    writer.settle()
    carried = writer.carry()
    assert carried is not None
    assert not Pending.unpacked(carried)
    for version in range(2, module.MOST_CARRIED):
        writer.add(outcome(version))
    assert writer.carry() is None
    writer.close("stopped")
    assert tables(tmp_path / "w.duckdb")[0][0][12] == module.MOST_CARRIED - 1


def test_other_format() -> None:
    """A snapshot of a version to come says what to do."""
    with pytest.raises(ValueError, match="format 3, this tillflow reads 2"):
        Pending.unpacked((3, b"", [], [], []))


ALERTS = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=6)


@given(ALERTS, ALERTS)
def test_joined_is_as_one_after_the_other(
    first: list[tuple[str, bool]], then: list[tuple[str, bool]]
) -> None:
    """Alerts told and withdrawn in two lots come to what they come to in one."""

    def take(pending: Pending, steps: list[tuple[str, bool]]) -> Pending:
        for name, withdrawn in steps:
            if withdrawn:
                pending.alerts.pop(name, None)
                pending.withdrawn.add(name)
            else:
                pending.withdrawn.discard(name)
                pending.alerts[name] = alert(name, str(len(pending.alerts)))
        return pending

    both = take(take(Pending(), first), then)
    joined = Pending.joined(take(Pending(), first), take(Pending(), then))
    assert joined.withdrawn == both.withdrawn
    assert joined.alerts.keys() == both.alerts.keys()
