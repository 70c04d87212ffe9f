"""The stock flow against the oracles, row by row, however it is run and run again."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from depth import cases
from flow_driver import (
    expected_rows,
    judged_rows,
    last_run,
    query,
    results,
    run_cleanly,
    run_stock,
    tables,
    write_chain,
    write_lines,
)
from stock_events import Event, event, random_history, render, render_lines
from stock_garbage import GARBAGE_KINDS
from stock_oracle import Expected, expect

from flows.plain import run_plain
from flows.settings import StockSettings
from schemas.chain import Chain, StockConfig
from schemas.movement import Movement
from sources import blocks


@pytest.fixture(name="small_blocks")
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks so small that a week has dozens of them, some with garbage and some without."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 32 * 1024)


@pytest.fixture(scope="module", name="judged_week")
def _judged_week(garbled_week: list[bytes], chain: Chain) -> dict[str, list[tuple[Any, ...]]]:
    """What the oracles make of the week."""
    return expected_rows({"week.jsonl": garbled_week}, chain)


@pytest.fixture(scope="module", name="counted_week")
def _counted_week(garbled_week: list[bytes], chain: Chain) -> Expected:
    """How many lines the oracle makes into what."""
    return expect(garbled_week, chain)


class TestParquet:
    def test_like_lines(self, tmp_path: Path, chain: Chain) -> None:
        """Attributes and data in typed columns: what the oracle says of the same as lines."""
        events = random_history(9, 3_000, skus=20)
        as_read = [msgspec.convert(each["data"], Movement) for each in events]
        table = pa.Table.from_pylist(
            [
                {
                    **dict.fromkeys({name for event in events for name in event}),
                    **each,
                    "time": datetime.fromisoformat(each["time"]).astimezone(UTC),
                    "data": msgspec.to_builtins(data, builtin_types=(date,)),
                }
                for each, data in zip(events, as_read, strict=True)
            ]
        )
        pq.write_table(table, tmp_path / "week.parquet", row_group_size=700)
        warehouse = tmp_path / "w.duckdb"
        config = write_chain(tmp_path / "chain.yaml", chain)
        run_cleanly(
            "--source", tmp_path / "week.parquet", "--warehouse", warehouse, "--config", config
        )
        assert judged_rows(warehouse) == expected_rows(
            {"week.parquet": render_lines(events)}, chain
        )


@pytest.mark.deep
@pytest.mark.usefixtures("small_blocks")
class TestAgainstOracle:
    """Every row of stock_position, stock_alert and dead_letter."""

    @pytest.mark.parametrize("workers", [1, 2])
    def test_worker_threads(
        self,
        tmp_path: Path,
        garbled_week: list[bytes],
        chain: Chain,
        judged_week: dict[str, Any],
        counted_week: Expected,
        workers: int,
    ) -> None:
        """In one process, and the diary of the run adds up to the lines of the file."""
        source = write_lines(tmp_path / "week.jsonl", garbled_week)
        warehouse = tmp_path / "w.duckdb"
        config = write_chain(tmp_path / "chain.yaml", chain)
        run_cleanly(
            "--source", source, "--warehouse", warehouse, "--config", config, "--workers", workers
        )
        assert judged_rows(warehouse) == judged_week
        assert_diary(warehouse, counted_week)
        assert_explained(warehouse)

    def test_processes(
        self,
        tmp_path: Path,
        garbled_week: list[bytes],
        chain: Chain,
        judged_week: dict[str, Any],
        counted_week: Expected,
    ) -> None:
        """As two processes, started by the command as a user starts it."""
        source = write_lines(tmp_path / "week.jsonl", garbled_week)
        warehouse = tmp_path / "w.duckdb"
        config = write_chain(tmp_path / "chain.yaml", chain)
        command = [sys.executable, "-c", "from infra.cli import main; main()", "run", "stock"]
        options = ["--source", source, "--warehouse", warehouse, "--config", config]
        subprocess.run([*command, *map(str, options), "--processes", "2"], check=True)
        assert judged_rows(warehouse) == judged_week
        assert_diary(warehouse, counted_week)


@pytest.mark.deep
class TestOrderOfArrival:
    """What two orders of arrival agree on, and that each is what the oracles say."""

    def test_shuffled(self, tmp_path: Path, chain: Chain, garbled_week: list[bytes]) -> None:
        """A horizon as wide as the history and no contradictions: every order gives the same rows.

        One order is run by the command, the other as a module of the engine with two threads.
        """
        chain = msgspec.structs.replace(
            chain, stock=msgspec.structs.replace(chain.stock, horizon_hours=10_000.0)
        )
        config = write_chain(tmp_path / "chain.yaml", chain)
        lines = render_lines(consistent(random_history(6, cases(3_000, 8_000), skus=24)), 6)
        lines += [line for _, line in GARBAGE_KINDS.values()]
        found = []
        for name in ("one", "two"):
            source = write_lines(tmp_path / "week.jsonl", lines)
            warehouse = tmp_path / name / "w.duckdb"
            warehouse.parent.mkdir()
            if name == "one":
                run_cleanly("--source", source, "--warehouse", warehouse, "--config", config)
            else:
                run_as_module(source, warehouse, config)
            assert judged_rows(warehouse) == expected_rows({"week.jsonl": lines}, chain)
            found.append(tables(warehouse, "stock_position", "stock_alert"))
            Random(1).shuffle(lines)
        assert found[0]["stock_position"] == found[1]["stock_position"]
        assert found[0]["stock_alert"] == found[1]["stock_alert"]


def consistent(history: list[Event]) -> list[Event]:
    """The history without contradictions: of each identity only the first content."""
    known: dict[tuple[str, str, str], Any] = {}
    return [
        one
        for one in history
        if known.setdefault((one["data"]["sku"], one["source"], one["id"]), one["data"])
        == one["data"]
    ]


def run_as_module(source: Path, warehouse: Path, config: Path) -> None:
    """`python -m bytewax.run flows.stock` with settings of the environment."""
    settings = {"SOURCE": source, "WAREHOUSE": warehouse, "CONFIG": config}
    environment = {f"TILLFLOW_{name}": str(value) for name, value in settings.items()}
    subprocess.run(
        [sys.executable, "-m", "bytewax.run", "flows.stock", "-w", "2"],
        env={**os.environ, **environment},
        check=True,
        cwd=Path(__file__).parents[2],
    )


def assert_diary(warehouse: Path, expected: Expected) -> None:
    """The counts of the run are those of the oracle."""
    run = last_run(warehouse)
    assert run["status"] == "finished"
    assert run["lines"] == expected.lines
    assert run["others"] == expected.others == 1
    assert run["duplicates"] == expected.duplicates > expected.lines // 70
    assert run["dead_letters"] == len(expected.dead_letters) > expected.lines // 250
    # Corrections still waiting for their event count as applied: they are in the state.
    assert run["applied"] >= expected.applied + len(expected.pending) > expected.lines * 9 // 10


def assert_explained(warehouse: Path) -> None:
    """Every dead letter says why in words; what was unreadable comes with its bytes."""
    found = query(warehouse, "SELECT reason_code, reason, raw, event_time IS NULL FROM dead_letter")
    for code, reason, raw, unread in found:
        assert len(reason) > 10, code
        assert bool(raw) == unread, code
        assert len(raw) <= 64 * 1024


class TestPlainDriver:
    def test_same_rows_without_the_engine(
        self, tmp_path: Path, chain: Chain, garbled_week: list[bytes], judged_week: dict[str, Any]
    ) -> None:
        """A plain loop over the same operators leaves the same warehouse."""
        source = write_lines(tmp_path / "week.jsonl", garbled_week)
        settings = StockSettings(
            source=str(source),
            warehouse=tmp_path / "w.duckdb",
            config=write_chain(tmp_path / "chain.yaml", chain),
        )
        counts = run_plain(settings)
        assert judged_rows(settings.warehouse) == judged_week
        assert counts.lines == last_run(settings.warehouse)["lines"]


@pytest.fixture(name="short")
def _short(tmp_path: Path, chain: Chain) -> list[object]:
    """A short history in `a.jsonl`, and the options of a run over it."""
    write_lines(tmp_path / "a.jsonl", short_history(1))
    config = write_chain(tmp_path / "chain.yaml", chain)
    return ["--warehouse", tmp_path / "w.duckdb", "--config", config, "--source"]


GARBAGE = [b"{", b"garbage"]


@cache
def short_history(seed: int) -> list[bytes]:
    """500 movements, with garbage."""
    lines = render_lines(random_history(seed, 500, skus=5), seed)
    return [*lines, GARBAGE[0], *lines[:50], GARBAGE[1]]


class TestAgain:
    """Run again at any time, over whatever is there now."""

    def test_same_file_again(self, tmp_path: Path, short: list[object]) -> None:
        """Nothing changes in any table, not even the diary."""
        run_cleanly(*short, tmp_path / "a.jsonl")
        before = tables(tmp_path / "w.duckdb")
        assert "nothing new to read" in run_cleanly(*short, tmp_path / "a.jsonl")
        assert tables(tmp_path / "w.duckdb") == before

    def test_same_file_again_without_recovery(self, tmp_path: Path, short: list[object]) -> None:
        """Everything is read again, and only the diary says so."""
        found = []
        for _ in range(2):
            run_cleanly(*short, tmp_path / "a.jsonl", "--no-recovery")
            found.append(tables(tmp_path / "w.duckdb"))
        assert not (tmp_path / "w.duckdb.recovery").exists()
        diaries = [one.pop("flow_run") for one in found]
        assert found[0] == found[1]
        assert [len(diary) for diary in diaries] == [1, 2]

    def test_second_file_goes_on(self, tmp_path: Path, short: list[object], chain: Chain) -> None:
        """The state of the first file is there: as if both had been one stream."""
        files = {"a.jsonl": short_history(1), "b.jsonl": short_history(1)[100:] + short_history(2)}
        run_cleanly(*short, tmp_path / "a.jsonl")
        run_cleanly(*short, write_lines(tmp_path / "b.jsonl", files["b.jsonl"]))
        assert judged_rows(tmp_path / "w.duckdb") == expected_rows(files, chain)
        assert last_run(tmp_path / "w.duckdb")["duplicates"] > 400

    def test_file_that_has_grown(self, tmp_path: Path, short: list[object], chain: Chain) -> None:
        """Only what is new is read, with the numbers of its lines in the whole file."""
        run_cleanly(*short, tmp_path / "a.jsonl")
        lines = short_history(1) + short_history(2)
        write_lines(tmp_path / "a.jsonl", lines)
        run_cleanly(*short, tmp_path / "a.jsonl")
        assert judged_rows(tmp_path / "w.duckdb") == expected_rows({"a.jsonl": lines}, chain)
        assert last_run(tmp_path / "w.duckdb")["lines"] == expect(short_history(2)).lines

    def test_replaced_file(self, tmp_path: Path, short: list[object], chain: Chain) -> None:
        """Another file under the same name is read from its start, on top of what is known."""
        run_cleanly(*short, tmp_path / "a.jsonl")
        second = short_history(2)
        write_lines(tmp_path / "a.jsonl", second)
        run_cleanly(*short, tmp_path / "a.jsonl")
        expected = expected_rows({"a.jsonl": short_history(1), "b.jsonl": second}, chain)
        found = judged_rows(tmp_path / "w.duckdb")
        assert found["stock_position"] == expected["stock_position"]
        assert found["stock_alert"] == expected["stock_alert"]
        assert last_run(tmp_path / "w.duckdb")["lines"] == expect(second).lines

    def test_deleted_warehouse_begins_anew(self, tmp_path: Path, short: list[object]) -> None:
        """With the recovery folder beside it by default: who deletes the file starts over."""
        run_cleanly(*short, tmp_path / "a.jsonl")
        before = results(tmp_path / "w.duckdb")
        (tmp_path / "w.duckdb").unlink()
        run_cleanly(*short, tmp_path / "a.jsonl")
        assert results(tmp_path / "w.duckdb") == before

    def test_deleted_warehouse_is_missed(self, tmp_path: Path, short: list[object]) -> None:
        """With a recovery folder that was named, which may serve others: a refusal says why."""
        options = [*short, tmp_path / "a.jsonl", "--recovery", tmp_path / "elsewhere"]
        run_cleanly(*options)
        (tmp_path / "w.duckdb").unlink()
        ended = run_stock(*options)
        assert_refused(ended.code, ended.output, "keeps the state of another run")

    def test_ahead_of_the_clock(self, tmp_path: Path) -> None:
        """What lies years ahead is a dead letter; by default a day is the limit."""
        far = {**event("sold", 1), "time": "2999-12-31T12:00:00+08:00"}
        past = {**event("received", 3), "time": "2020-12-31T12:00:00+08:00"}
        source = write_lines(tmp_path / "a.jsonl", [render(far), render(past)])
        run_cleanly("--source", source, "--warehouse", tmp_path / "w.duckdb")
        assert query(tmp_path / "w.duckdb", "SELECT position, reason_code FROM dead_letter") == [
            (1, "in_the_future")
        ]
        assert query(tmp_path / "w.duckdb", "SELECT on_hand, pool FROM stock_position") == [
            (3, "all")
        ]

    def test_changed_rules(self, tmp_path: Path, short: list[object], chain: Chain) -> None:
        """Pools and floors of today count for what changes from now on; the state goes on."""
        run_cleanly(*short, tmp_path / "a.jsonl")
        before = set(judged_rows(tmp_path / "w.duckdb")["stock_position"])
        plain = Chain(default_pool="one", stock=StockConfig(future_hours=1e6))
        write_chain(tmp_path / "chain.yaml", plain)
        lines = short_history(1) + short_history(2)
        write_lines(tmp_path / "a.jsonl", lines)
        run_cleanly(*short, tmp_path / "a.jsonl")
        changed = set(judged_rows(tmp_path / "w.duckdb")["stock_position"]) - before
        assert len(changed) > 20
        assert changed <= set(expected_rows({"a.jsonl": lines}, plain)["stock_position"])
        pools = "SELECT DISTINCT pool FROM stock_position WHERE (sku, place) IN "
        keys = ", ".join(f"('{sku}', '{place}')" for sku, place, *_ in changed)
        assert query(tmp_path / "w.duckdb", f"{pools} ({keys})") == [("one",)]


def assert_refused(code: int, output: str, *words: str) -> None:
    """One line says what was wrong, and no traceback around it."""
    assert code != 0
    assert output.startswith("Error: ")
    assert output.count("\n") == 1
    for word in words:
        assert word in output
