"""The engine's dress: when it flushes, ticks, keeps and takes up state; then the real thing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import bytewax.operators as op
import pytest
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, TestingSource, cluster_main, run_main
from stock_events import random_history, render_lines
from stock_oracle import expect

from operators.engine import FLUSH_AFTER, ShardLogic, Snapshot, system_clock
from operators.stock.decode import Block, Sharder
from operators.stock.facts import Batch
from operators.stock.rules import StockRules
from operators.stock.shard import StockOutcome, StockShard
from schemas.chain import Chain, StockConfig
from schemas.instants import to_datetime
from sinks.journal import FileJournal

WAIT = FLUSH_AFTER // timedelta(microseconds=1)
START = 1_000_000_000


class Item(NamedTuple):
    """A word for a shard."""

    shard: int
    word: str


class Words:
    """A machine that keeps every word; shouted ones must be known at once, the others wait."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.waits: list[str] = []
        self.fresh: list[str] = []
        self.most_waiting = 100
        self.next_tick: int | None = None

    def apply(self, items: Sequence[Item], now: int) -> list[str]:
        for item in items:
            self._keep(item.word)
            self.fresh.append(item.word)
        return [item.word for item in items if item.word.isupper()]

    def _keep(self, word: str) -> None:
        self.kept.append(word)
        if not word.isupper():
            self.waits.append(word)

    def waiting(self) -> bool:
        return bool(self.waits)

    def full(self) -> bool:
        return len(self.waits) >= self.most_waiting

    def flush(self) -> list[str]:
        waited, self.waits = self.waits, []
        return waited

    def due(self, now: int) -> int | None:
        return self.next_tick

    def tick(self, now: int) -> list[str]:
        self.kept.append(f"tick {now}")
        self.next_tick = None
        return [f"tick {now}"]

    def dump(self) -> tuple[int, bytes]:
        return (7, json.dumps([self.kept, self.waits]).encode())

    def restore(self, version: int, packed: bytes) -> None:
        assert version == 7
        self.kept, self.waits = json.loads(packed)

    def journal_entry(self) -> bytes:
        fresh, self.fresh = self.fresh, []
        return json.dumps(fresh).encode()

    def flush_entry(self) -> bytes:
        return b'"flush"'

    def tick_entry(self, now: int) -> bytes:
        return json.dumps(now).encode()

    def replay(self, entry: bytes) -> None:
        found = json.loads(entry)
        if found == "flush":
            self.flush()
        elif isinstance(found, int):
            self.tick(found)
        else:
            for word in found:
                self._keep(word)


class Pages:
    """A journal in memory, and what is durable of it."""

    def __init__(self) -> None:
        self.generations: list[list[bytes]] = []
        self.durable: list[list[bytes]] = []
        self.most_entries = 100

    def read(self, generation: int, length: int) -> list[bytes]:
        self.generations = [list(pages) for pages in self.durable[: generation + 1]]
        self.generations[generation] = self.generations[generation][:length]
        return list(self.generations[generation])

    def append(self, entry: bytes) -> None:
        self.generations[-1].append(entry)

    def wants_base(self) -> bool:
        return len(self.generations[-1]) > self.most_entries

    def rebase(self, base: bytes) -> None:
        self.generations.append([base])

    def mark(self) -> tuple[int, int]:
        self.durable = [list(pages) for pages in self.generations]
        return (len(self.generations) - 1, len(self.generations[-1]))


class Desk:
    """A logic with its machine, its journals by shard, and hands on the clock."""

    def __init__(self, resume: Snapshot | None = None, **more: Any) -> None:
        self.machine = Words()
        self.now = START
        self.journals: dict[int, Pages] = more.pop("journals", {})
        journaled = more.pop("journaled", True)
        self.logic = ShardLogic[Item, str](
            self.machine,
            (lambda shard: self.journals.setdefault(shard, Pages())) if journaled else None,
            resume,
            clock=lambda: self.now,
            **more,
        )

    def hears(self, *words: str) -> list[str]:
        out, gone = self.logic.on_batch([Item(3, word) for word in words])
        assert gone is False
        return list(out)

    def rings(self) -> list[str]:
        out, gone = self.logic.on_notify()
        assert gone is False
        return list(out)


class TestFlush:
    def test_after_a_quiet_moment_at_once(self) -> None:
        """The first rows do not wait, nor those after a pause."""
        desk = Desk()
        assert desk.hears("a") == ["a"]
        assert desk.logic.notify_at() is None
        desk.now += WAIT
        assert desk.hears("b") == ["b"]

    def test_in_a_busy_moment_after_a_while(self) -> None:
        """More of the same waits together, and the engine knows until when."""
        desk = Desk()
        desk.hears("a")
        desk.now += 1
        assert desk.hears("b") == []
        assert desk.hears("c") == []
        assert desk.logic.notify_at() == to_datetime(START + WAIT)
        desk.now = START + WAIT - 1
        assert desk.rings() == []
        desk.now += 1
        assert desk.rings() == ["b", "c"]
        assert desk.rings() == []
        assert desk.logic.notify_at() is None
        assert desk.hears("d") == []  # the next while has begun

    def test_too_many_do_not_wait(self) -> None:
        """Full is full, whatever the clock says."""
        desk = Desk()
        desk.hears("a")
        desk.machine.most_waiting = 2
        assert desk.hears("b") == []
        assert desk.hears("c") == ["b", "c"]

    def test_what_must_be_known_at_once(self) -> None:
        """Comes out with its batch, before what waits."""
        desk = Desk()
        assert desk.hears("a", "B", "C") == ["B", "C", "a"]
        assert desk.hears("d", "E") == ["E"]

    def test_end_of_input(self) -> None:
        """What waits is handed out, and the state stays for the next run."""
        desk = Desk()
        desk.hears("a")
        desk.hears("b")
        assert desk.logic.on_eof() == (["b"], False)
        assert desk.logic.on_eof() == ([], False)
        assert desk.machine.kept == ["a", "b"]


class TestTime:
    def test_is_told_when_due(self) -> None:
        """In live running the clock acts on the state, once, and the journal knows."""
        desk = Desk(live=True)
        desk.hears("a")
        desk.machine.next_tick = START + 5
        assert desk.logic.notify_at() == to_datetime(START + 5)
        desk.now = START + 4
        assert desk.rings() == []
        desk.now = START + 6
        assert desk.rings() == [f"tick {START + 6}"]
        assert desk.rings() == []
        assert desk.logic.notify_at() is None
        again = Desk(desk.logic.snapshot(), journals=desk.journals)
        assert again.machine.kept == ["a", f"tick {START + 6}"]

    def test_whichever_is_first(self) -> None:
        """Rows that wait and time that passes share the engine's one timer."""
        desk = Desk(live=True)
        desk.hears("a")
        desk.machine.next_tick = START + 2 * WAIT
        desk.hears("b")
        assert desk.logic.notify_at() == to_datetime(START + WAIT)
        desk.now = START + WAIT
        assert desk.rings() == ["b"]
        assert desk.logic.notify_at() == to_datetime(START + 2 * WAIT)
        desk.hears("c")
        desk.now = START + 2 * WAIT
        assert desk.rings() == [f"tick {desk.now}", "c"]

    def test_of_a_backfill_is_that_of_its_events(self) -> None:
        """Without `live` nothing is due."""
        desk = Desk()
        desk.hears("a")
        desk.machine.next_tick = START
        assert desk.logic.notify_at() is None
        assert desk.rings() == []

    def test_system_clock(self) -> None:
        """Microseconds, and not before this was written."""
        assert system_clock() > 1_700_000_000_000_000


class TestState:
    def test_none_is_kept(self) -> None:
        """Bytewax asks for snapshots also in a run without recovery."""
        desk = Desk(keep_state=False, journaled=False)
        desk.hears("a")
        assert desk.logic.snapshot() is None
        assert Desk(None, journaled=False).machine.kept == []

    def test_as_a_whole(self) -> None:
        """Without a journal the snapshot holds the state, rows that wait included."""
        desk = Desk(journaled=False)
        desk.hears("a")
        desk.hears("b")
        snapshot = desk.logic.snapshot()
        assert snapshot == ("dump", 7, b'[["a", "b"], ["b"]]')
        again = Desk(snapshot, journaled=False)
        assert again.logic.notify_at() is not None
        assert again.rings() == ["b"]

    def test_in_the_journal(self) -> None:
        """A mark is all that the engine keeps; what came after it is forgotten."""
        desk = Desk()
        desk.hears("a")
        desk.hears("b")
        desk.hears("c")
        snapshot = desk.logic.snapshot()
        assert snapshot == ("journal", 1, (3, 0, 4))  # base, flush of "a", "b", "c"
        desk.hears("d")
        desk.logic.snapshot()
        again = Desk(snapshot, journals=desk.journals)
        assert again.machine.kept == ["a", "b", "c"]
        assert again.machine.waits == ["b", "c"]
        assert again.hears("e") == ["b", "c", "e"]
        third = Desk(again.logic.snapshot(), journals=desk.journals)
        assert third.machine.kept == ["a", "b", "c", "e"]
        assert third.machine.waits == []

    def test_new_base(self) -> None:
        """Where the entries outgrow the base, the snapshot starts over from one."""
        desk = Desk()
        desk.hears("a")
        desk.journals[3].most_entries = 2
        desk.hears("b")
        assert desk.logic.snapshot() == ("journal", 1, (3, 1, 1))
        desk.hears("c")
        snapshot = desk.logic.snapshot()
        assert snapshot == ("journal", 1, (3, 1, 2))
        assert Desk(snapshot, journals=desk.journals).machine.kept == ["a", "b", "c"]

    def test_from_snapshot_to_journal(self) -> None:
        """A state that was kept whole goes on in a journal."""
        before = Desk(journaled=False)
        before.hears("a")
        desk = Desk(before.logic.snapshot())
        assert desk.logic.snapshot() == before.logic.snapshot()
        desk.hears("b")
        snapshot = desk.logic.snapshot()
        assert snapshot is not None
        assert snapshot[0] == "journal"
        assert Desk(snapshot, journals=desk.journals).machine.kept == ["a", "b"]

    def test_journal_without_a_folder(self) -> None:
        """The message says which setting is missing."""
        desk = Desk()
        desk.hears("a")
        with pytest.raises(ValueError, match="TILLFLOW_RECOVERY"):
            Desk(desk.logic.snapshot(), journaled=False)

    def test_plain_values(self) -> None:
        """Classes in the store would tie it to the paths of modules."""
        desk = Desk()
        desk.hears("a")
        assert json.loads(json.dumps(desk.logic.snapshot())) == ["journal", 1, [3, 0, 2]]


RULES = StockRules(Chain(stock=StockConfig(future_hours=1e6)))
SHARDS = 4
Engine = Callable[..., None]


@pytest.fixture(scope="module", name="lines")
def _lines() -> list[bytes]:
    return render_lines(random_history(9, 4_000, skus=30), 9)


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


def expected(lines: list[bytes]) -> dict[tuple[str, str], tuple[int, ...]]:
    rows = expect(lines, RULES.chain).positions
    return {key: (row.on_hand, row.version, row.as_of) for key, row in rows.items()}


def _one_thread(flow: Dataflow, **more: Any) -> None:
    cluster_main(flow, [], 0, **more)


def _two_threads(flow: Dataflow, **more: Any) -> None:
    cluster_main(flow, [], 0, worker_count_per_proc=2, **more)


class TestUnderBytewax:
    @pytest.mark.parametrize("engine", [run_main, _one_thread, _two_threads])
    def test_same_rows(self, engine: Engine, lines: list[bytes]) -> None:
        """However the engine runs, the rows are those of the oracle, each shard in its key."""
        out: list[tuple[str, StockOutcome]] = []
        engine(flow_of(blocks_of(lines), out))
        assert positions(out) == expected(lines)
        assert sum(outcome.totals.duplicates for _, outcome in out) == expect(lines).duplicates
        sharder = Sharder(SHARDS)
        for key, outcome in out:
            skus = outcome.positions[0] if outcome.positions else []
            assert {str(sharder.of(sku)) for sku in skus} <= {key}

    @pytest.mark.parametrize("seed", range(6))
    def test_aborted_and_resumed(self, tmp_path: Path, lines: list[bytes], seed: int) -> None:
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
            assert (positions(out) == expected(lines)) == (at is None)
