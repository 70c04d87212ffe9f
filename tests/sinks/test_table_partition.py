"""Rows are written within a second also when nothing comes after them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from flow_driver import wait_until

from operators.coupons.log import CouponOutcome
from sinks.coupons.table import CouponTable
from sinks.tables.partition import TablePartition
from sinks.warehouse.runs import Run


def bought(number: int) -> CouponOutcome:
    row = ("S1", f"r{number}", "", "m", 1_770_000_000_000_000, "2026-02-02", 100, "CNY", 1)
    return CouponOutcome([], [], [row], [], [], [])


def partition(path: Path) -> tuple[TablePartition[CouponOutcome], CouponTable]:
    table = CouponTable(path, Run("r", "coupons", "test", datetime.now(UTC)))
    return TablePartition(table, lambda: "finished"), table


def written(path: Path) -> int:
    with duckdb.connect(str(path)) as reader:
        found = reader.execute("SELECT count(*) FROM purchase").fetchone()
    assert found is not None
    return int(found[0])


def test_the_last_rows_before_a_silence(tmp_path: Path) -> None:
    """The first is written at once, the next ones without the engine's help, again and again."""
    path = tmp_path / "w.duckdb"
    sink, _ = partition(path)
    sink.write_batch([bought(0)])
    assert written(path) == 1
    for number in range(1, 3):
        sink.write_batch([bought(number)])
        wait_until(lambda: written(path) == number + 1, "it waits for the epoch")  # noqa: B023
    sink.write_batch([bought(3)])
    sink.close()
    assert written(path) == 4


def test_what_goes_wrong_meanwhile_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the engine's own thread, which ends the flow as if it had written itself."""
    sink, table = partition(tmp_path / "w.duckdb")
    sink.write_batch([bought(0)])

    def fail() -> None:
        msg = "the disk is full"
        raise OSError(msg)

    sink.write_batch([bought(1)])
    monkeypatch.setattr(table, "write_soon", fail)
    sink._late.join(timeout=30)
    with pytest.raises(OSError, match="disk is full"):
        sink.snapshot()
    with pytest.raises(OSError, match="disk is full"):
        sink.write_batch([])
    with pytest.raises(OSError, match="disk is full"):
        sink.close()
