"""Killed at any moment and resumed, footfall leaves the warehouse that the oracle asks for."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path
from random import Random

import pytest
from flow_driver import StartedFlow, query, split_evenly, wait_until, write_chain, write_lines
from footfall_driver import assert_warehouse, everything, progress, run_cleanly
from footfall_events import arrivals, footfall_chain, render
from footfall_oracle import Expected, expected

from schemas.chain import Chain

# So often the file grows; each time the flow is killed while it reads.
PARTS = 3
# So that a short history has many blocks, and a journal many generations.
SIZES = {
    "sources.abreast.reader.ABREAST_BYTES": 4 * 1024,
    "sinks.journal.SMALLEST_REBASE_BYTES": 16 * 1024,
}


@pytest.fixture(scope="module", name="lines")
def _lines() -> list[bytes]:
    return [render(each) for each in arrivals(6)]


@pytest.fixture(scope="module", name="chain")
def _chain() -> Chain:
    return footfall_chain()


@pytest.fixture(scope="module", name="wanted")
def _wanted(lines: list[bytes], chain: Chain) -> Expected:
    return expected(lines, chain)


def has_moved(flow: StartedFlow, warehouse: Path, before: dict[str, int]) -> bool:
    """Whether more has become durable, or the flow has ended."""
    return not flow.alive() or progress(warehouse) != before


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed(
    tmp_path: Path, lines: list[bytes], chain: Chain, wanted: Expected, workers: int
) -> None:
    """Kill -9 while it starts, reads, writes or resumes; then run to the end, and once more."""
    rng = Random(workers)
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    config = write_chain(tmp_path / "chain.yaml", chain)
    options = ["--source", source, "--warehouse", warehouse, "--config", config]
    options += ["--workers", workers, "--epoch-seconds", 0.05]
    there: list[bytes] = []
    hits = 0
    for part in split_evenly(lines, PARTS):
        there += part
        write_lines(source, there)
        before = progress(warehouse)
        flow = StartedFlow(tmp_path / "log", *options, sizes=SIZES, flow="footfall")
        wait_until(partial(has_moved, flow, warehouse, before), "no progress was made")
        time.sleep(rng.choice((0, 0.05, 0.3)) * rng.random())
        flow.process.kill()
        ended = flow.wait()
        assert ended.code in (0, -signal.SIGKILL), ended.output
        hits += ended.code != 0
        if rng.randrange(2):
            # Once more, at any moment of the way back.
            flow = StartedFlow(tmp_path / "log", *options, sizes=SIZES, flow="footfall")
            time.sleep(0.5 * rng.random())
            flow.process.kill()
            hits += flow.wait().code != 0
    assert hits
    run_cleanly(*options)
    assert_warehouse(warehouse, wanted)
    statuses = {status for (status,) in query(warehouse, "SELECT status FROM flow_run")}
    assert statuses <= {"interrupted", "finished"}
    assert not (tmp_path / "w.duckdb.footfall.recovery" / "running").exists()
    rows = everything(warehouse)
    run_cleanly(*options)
    assert everything(warehouse) == rows
