"""Shards under the real engine: on any number of threads, torn out of the middle and resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, cluster_main, run_main
from stock_events import random_history, render_lines
from stock_oracle import Expected, expect

from operators.engine import ShardLogic, Snapshot
from operators.stock.decode import Block, Sharder
from operators.stock.facts import Batch
from operators.stock.rules import StockRules
from operators.stock.shard import StockOutcome, StockShard
from schemas.chain import Chain, StockConfig
from sinks.journal import FileJournal

RULES = StockRules(Chain(stock=StockConfig(future_hours=1e6)))
SHARDS = 4
Engine = Callable[..., None]


@pytest.fixture(scope="module", name="lines")
def _lines() -> list[bytes]:
    return render_lines(random_history(9, 4_000, skus=30), 9)


@pytest.fixture(scope="module", name="expected")
def _expected(lines: list[bytes]) -> Expected:
    return expect(lines, RULES.chain)


def blocks_of(lines: list[bytes], size: int = 100) -> list[Block]:
    return [
        Block("a.jsonl", start + 1, len(part), b"\n".join(part))
        for start in range(0, len(lines), size)
        for part in [lines[start : start + size]]
    ]


def flow_of(
    steps: Iterable[Any], out: list[tuple[str, StockOutcome]], journals: Path | None = None
) -> Dataflow:
    """Blocks to shards to a list, through the real engine."""
    sharder = Sharder(SHARDS)

    def decode(blocks: list[Block]) -> Iterable[tuple[str, Batch]]:
        for block in blocks:
            for batch in sharder.decode(block).batches:
                yield (str(batch.shard), batch)

    def shard(resume: Snapshot | None) -> ShardLogic[Batch, StockOutcome]:
        keep = journals is not None
        machine = StockShard(RULES, journaled=keep)
        return ShardLogic(machine, journal if keep else None, resume, keep_state=keep)

    def journal(number: int) -> FileJournal:
        assert journals is not None
        return FileJournal(journals, f"stock-{number}")

    flow = Dataflow("engine")
    batches = op.flat_map_batch("decode", op.input("in", flow, TestingSource(steps)), decode)
    op.output("out", op.stateful_batch("shard", batches, shard), TestingSink(out))
    return flow


def positions(out: list[tuple[str, StockOutcome]]) -> dict[tuple[str, str], tuple[int, ...]]:
    """On hand, version and time by key, as a sink that knows versions keeps them."""
    kept: dict[tuple[str, str], tuple[int, ...]] = {}
    for _, outcome in out:
        for row in zip(*outcome.positions, strict=True):
            if row[12] >= kept.get(row[:2], (0, 0))[1]:
                kept[row[:2]] = (row[3], row[12], row[13])
    return kept


def rows_of(expected: Expected) -> dict[tuple[str, str], tuple[int, ...]]:
    rows = expected.positions
    return {key: (row.on_hand, row.version, row.as_of) for key, row in rows.items()}


def _one_thread(flow: Dataflow, **more: Any) -> None:
    cluster_main(flow, [], 0, **more)


def _two_threads(flow: Dataflow, **more: Any) -> None:
    cluster_main(flow, [], 0, worker_count_per_proc=2, **more)


class TestUnderBytewax:
    @pytest.mark.parametrize("engine", [run_main, _one_thread, _two_threads])
    def test_same_rows(self, engine: Engine, lines: list[bytes], expected: Expected) -> None:
        """However the engine runs, the rows are those of the oracle, each shard in its key."""
        out: list[tuple[str, StockOutcome]] = []
        engine(flow_of(blocks_of(lines), out))
        assert positions(out) == rows_of(expected)
        assert sum(outcome.totals.duplicates for _, outcome in out) == expected.duplicates
        sharder = Sharder(SHARDS)
        for key, outcome in out:
            skus = outcome.positions[0] if outcome.positions else []
            assert {str(sharder.of(sku)) for sku in skus} <= {key}

    @pytest.mark.parametrize("seed", range(6))
    def test_aborted_and_resumed(
        self, tmp_path: Path, lines: list[bytes], expected: Expected, seed: int
    ) -> None:
        """Torn out of the middle again and again, with an epoch a block: the same rows."""
        rng = Random(seed)
        blocks = blocks_of(lines)
        init_db_dir(tmp_path, 1)
        recovery = RecoveryConfig(str(tmp_path))
        epoch = timedelta(milliseconds=rng.choice((0, 0, 20)))
        out: list[tuple[str, StockOutcome]] = []
        for at in [*sorted(rng.randrange(1, len(blocks)) for _ in range(4)), None]:
            steps: list[Any] = list(blocks)
            if at is not None:
                steps.insert(at, TestingSource.ABORT())
            flow = flow_of(steps, out, tmp_path / "state")
            run_main(flow, epoch_interval=epoch, recovery_config=recovery)
            assert (positions(out) == rows_of(expected)) == (at is None)
