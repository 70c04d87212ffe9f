"""A flow that is told to stop keeps all it has done, and a flow that follows takes what comes."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from bytewax.testing import run_main
from flow_driver import (
    StartedFlow,
    Tables,
    last_run,
    progress,
    query,
    results,
    run_cleanly,
    tables,
    wait_until,
    write_chain,
    write_lines,
)
from stock_events import event, random_history, render, render_lines

from flows.ready import default_recovery
from flows.recovery import recovery_config
from flows.runner import prepare
from flows.settings import StockSettings
from flows.stock import build
from schemas.chain import Chain
from sinks.warehouse.writer import Counts

# Blocks of a few hundred lines, so that a stop comes in the middle of a short file.
SIZES = {"sources.blocks.BLOCK_BYTES": 64 * 1024}


@pytest.fixture(scope="module", name="lines")
def _lines() -> list[bytes]:
    return render_lines(random_history(8, 15_000, skus=60), 8)


def options(folder: Path, chain: Chain, *more: object) -> list[object]:
    config = write_chain(folder / "chain.yaml", chain)
    source = folder / "a.jsonl"
    return ["--source", source, "--config", config, "--warehouse", folder / "w.duckdb", *more]


def wait_for_progress(folder: Path, flow: StartedFlow) -> None:
    """Wait until the first epoch of a flow is durable."""
    warehouse = folder / "w.duckdb"
    wait_until(lambda: any(progress(warehouse).values()) or not flow.alive(), "no progress")


class Whole(NamedTuple):
    """What a run comes to that nobody stops."""

    run: dict[str, Any]
    results: Tables


@pytest.fixture(scope="module", name="whole")
def _whole(tmp_path_factory: pytest.TempPathFactory, chain: Chain, lines: list[bytes]) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    write_lines(folder / "a.jsonl", lines)
    run_cleanly(*options(folder, chain, "--no-recovery"))
    return Whole(last_run(folder / "w.duckdb"), results(folder / "w.duckdb"))


@pytest.mark.parametrize("processes", [1, 2])
def test_told_to_stop(
    tmp_path: Path, chain: Chain, lines: list[bytes], whole: Whole, processes: int
) -> None:
    """SIGTERM: a clean end, and the next run reads the rest and nothing twice."""
    # Half of the file is there and is followed, so that only the signal can end the run.
    more = ["--processes", processes, "--epoch-seconds", 0.5, "--follow"]
    write_lines(tmp_path / "a.jsonl", lines[: len(lines) // 2])
    flow = StartedFlow(tmp_path / "log", *options(tmp_path, chain, *more), sizes=SIZES)
    wait_for_progress(tmp_path, flow)
    flow.signal(signal.SIGTERM)
    ended = flow.wait()
    assert ended.code == 0, ended.output
    first = last_run(tmp_path / "w.duckdb")
    assert first["status"] == "stopped"
    assert "stopped after" in ended.output

    write_lines(tmp_path / "a.jsonl", lines)
    run_cleanly(*options(tmp_path, chain))
    second = last_run(tmp_path / "w.duckdb")
    assert second["status"] == "finished"
    for count in ("lines", "events", "others", "applied", "duplicates", "dead_letters"):
        assert first[count] + second[count] == whole.run[count], count
    assert results(tmp_path / "w.duckdb") == whole.results


def test_stopped_in_the_middle(
    tmp_path: Path, chain: Chain, lines: list[bytes], whole: Whole
) -> None:
    """Without following, too: what was read is durable, what was not is read next time."""
    write_lines(tmp_path / "a.jsonl", lines)
    more = ["--epoch-seconds", 0.1]
    flow = StartedFlow(tmp_path / "log", *options(tmp_path, chain, *more), sizes=SIZES)
    wait_for_progress(tmp_path, flow)
    flow.signal(signal.SIGINT)
    assert flow.wait().code == 0
    first = last_run(tmp_path / "w.duckdb")
    run_cleanly(*options(tmp_path, chain))
    second = last_run(tmp_path / "w.duckdb")
    assert first["status"] == "stopped"
    assert 0 < first["lines"] < first["lines"] + second["lines"] == whole.run["lines"]
    assert results(tmp_path / "w.duckdb") == whole.results


class Following:
    """The flow follows a file in this thread; another one writes to it and then stops the flow."""

    def __init__(self, folder: Path, chain: Chain) -> None:
        self.settings = StockSettings(
            source=str(folder / "*.jsonl"),
            warehouse=folder / "w.duckdb",
            config=write_chain(folder / "chain.yaml", chain),
            recovery=default_recovery(folder / "w.duckdb"),
            follow=True,
            epoch_seconds=0.05,
        )
        self.counts = Counts()
        self._stop = threading.Event()

    def until(self, lines: int) -> None:
        """Wait until so many lines have been read and are durable."""
        wait_until(lambda: self.counts.lines >= lines, f"{lines} lines were not read")
        assert self.counts.lines == lines

    def stays(self, seconds: float = 0.3) -> None:
        """Nothing more is read for a while."""
        before = self.counts.lines
        time.sleep(seconds)
        assert self.counts.lines == before

    def run(self, script: Callable[[Following], None]) -> None:
        """Run the flow while `script` goes on beside it."""
        prepare(self.settings)
        wrong: list[BaseException] = []

        def beside() -> None:
            try:
                script(self)
            except BaseException as failed:
                wrong.append(failed)
            finally:
                self._stop.set()

        def report(counts: Counts) -> None:
            self.counts = replace(counts)

        writer = threading.Thread(target=beside)
        writer.start()
        assert self.settings.recovery is not None
        run_main(
            build(self.settings, self._stop, report),
            epoch_interval=timedelta(seconds=self.settings.epoch_seconds),
            recovery_config=recovery_config(self.settings.recovery),
        )
        writer.join()
        if wrong:
            raise wrong[0]


def test_followed_file(tmp_path: Path, chain: Chain) -> None:
    """A file grows line by line and gets company; half a line waits for its end."""
    sales = [render(event("sold", 1, minute)) for minute in range(5)]
    first = write_lines(tmp_path / "a.jsonl", [render(event("received", 9, -1)), sales[0]])

    def script(following: Following) -> None:
        following.until(2)
        with first.open("ab", buffering=0) as out:
            out.write(sales[1][:30])
            following.stays()
            out.write(sales[1][30:])
            following.stays()
            out.write(b"\n" + sales[2] + b"\n")
            following.until(4)
        write_lines(tmp_path / "b.jsonl", sales[3:4])
        following.until(5)

    following = Following(tmp_path, chain)
    following.run(script)
    assert last_run(following.settings.warehouse)["status"] == "stopped"
    on_hand = "SELECT on_hand, version FROM stock_position"
    assert query(following.settings.warehouse, on_hand) == [(5, 5)]
    assert query(following.settings.warehouse, "FROM dead_letter") == []

    write_lines(tmp_path / "b.jsonl", sales[3:])
    again = Following(tmp_path, chain)
    again.run(lambda following: following.until(1))
    assert query(following.settings.warehouse, on_hand) == [(4, 6)]


def test_nothing_new_while_following(tmp_path: Path, chain: Chain) -> None:
    """A quiet stream leaves no trace, and stops when told."""
    write_lines(tmp_path / "a.jsonl", [render(event("received", 9, -1))])
    Following(tmp_path, chain).run(lambda following: following.until(1))
    before = tables(tmp_path / "w.duckdb")
    Following(tmp_path, chain).run(lambda following: following.stays())
    assert tables(tmp_path / "w.duckdb") == before
