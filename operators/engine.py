"""Dresses a state machine for Bytewax: the one module of the rules that knows the engine.

Measured on Bytewax 0.21.1: a key costs 2-4 us whenever it is woken and is never forgotten by the
recovery store, whose resume is quadratic in keys. So the engine's keys are a small fixed number
of shards, its items micro-batches, and a shard's snapshot a mark in the shard's own journal: what
is written each epoch is what has changed, not what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from bytewax.operators import StatefulBatchLogic

from operators.machine import Journal, Machine, Sharded
from schemas.instants import to_datetime, to_micros

I = TypeVar("I", bound=Sharded)  # noqa: E741 (item, as in the engine's own signatures)
O = TypeVar("O")  # noqa: E741 (output)

# A snapshot is (format, state version, payload): plain values only, for pickled classes would tie
# the store to module paths.
IN_JOURNAL = "journal"
IN_SNAPSHOT = "dump"
Snapshot = tuple[str, int, Any]

# How long rows wait for more facts of their place: long enough to write a hot place once instead
# of hundreds of times, short enough to look live. After a quiet moment they do not wait at all.
FLUSH_AFTER = timedelta(milliseconds=500)
# Nobody acts on a position that a backfill will have passed in a moment; alerts never wait.
FLUSH_BACKFILL = timedelta(seconds=5)


def system_clock() -> int:
    """Microseconds since 1970 UTC."""
    return to_micros(datetime.now(UTC))


class ShardLogic(StatefulBatchLogic[I, O, Snapshot | None], Generic[I, O]):
    """One shard under Bytewax.

    `live` lets wall-clock time act on the state; in a backfill time is that of the events alone.
    `keep_state` False is for a run without recovery: Bytewax asks for snapshots even then.
    `flush_after`: how long rows wait for more facts of their place.
    """

    def __init__(
        self,
        machine: Machine[I, O],
        open_journal: Callable[[int], Journal] | None,
        resume: Snapshot | None,
        *,
        clock: Callable[[], int] = system_clock,
        live: bool = False,
        keep_state: bool = True,
        flush_after: timedelta = FLUSH_AFTER,
    ) -> None:
        self._machine = machine
        self._open_journal = open_journal
        self._journal: Journal | None = None
        self._shard = -1
        self._clock = clock
        self._live = live
        self._keep_state = keep_state
        self._flush_at = 0
        self._wait = flush_after // timedelta(microseconds=1)
        self._tick_at: int | None = None
        if resume is not None:
            self._resume(resume)

    def _resume(self, snapshot: Snapshot) -> None:
        kind, version, payload = snapshot
        if kind == IN_SNAPSHOT:
            self._machine.restore(version, payload)
            return
        if self._open_journal is None:
            msg = (
                "the recovery folder keeps state in journals, but no journal folder is set: "
                "give TILLFLOW_RECOVERY the folder that the earlier run had"
            )
            raise ValueError(msg)
        self._shard, generation, length = payload
        self._journal = self._open_journal(self._shard)
        base, *entries = self._journal.read(generation, length)
        self._machine.restore(base[0], base[1:])
        for entry in entries:
            self._machine.replay(entry)

    def _record(self, values: list[I]) -> None:
        """Journal what was applied; the first items of a shard tell which one it is."""
        if self._open_journal is None:
            return
        entry = self._machine.journal_entry()
        if self._journal is None:
            self._shard = values[0].shard
            self._journal = self._open_journal(self._shard)
            self._journal.rebase(_with_version(self._machine.dump()))
        else:
            self._journal.append(entry)

    def on_batch(self, values: list[I]) -> tuple[Sequence[O], bool]:
        """Apply what arrived; flush when rows have waited long enough."""
        now = self._clock()
        out = list(self._machine.apply(values, now))
        self._record(values)
        if now >= self._flush_at or self._machine.full():
            out.extend(self._flush(now))
        return out, False

    def _flush(self, now: int) -> Sequence[O]:
        self._flush_at = now + self._wait
        flushed = self._machine.flush()
        if flushed and self._journal is not None:
            # Once the epoch is committed these rows are durable: a resume need not repeat them.
            self._journal.append(self._machine.flush_entry())
        return flushed

    def on_notify(self) -> tuple[Sequence[O], bool]:
        """Flush rows and let time pass, each when due: an armed timer cannot be taken back."""
        now = self._clock()
        out: list[O] = []
        if self._live and self._tick_at is not None and now >= self._tick_at:
            self._tick_at = None
            out.extend(self._machine.tick(now))
            if self._journal is not None:
                self._journal.append(self._machine.tick_entry(now))
        if self._machine.waiting() and now >= self._flush_at:
            out.extend(self._flush(now))
        return out, False

    def on_eof(self) -> tuple[Sequence[O], bool]:
        """Input has ended or was stopped: hand out what waits and keep the state."""
        return self._flush(self._clock()), False

    def notify_at(self) -> datetime | None:
        """When rows have waited long enough, or when time has to pass."""
        times = []
        if self._machine.waiting():
            times.append(self._flush_at)
        if self._live:
            due = self._machine.due(self._clock())
            # What came in since may have made it earlier, and never makes it later.
            if due is not None and (self._tick_at is None or due < self._tick_at):
                self._tick_at = due
            if self._tick_at is not None:
                times.append(self._tick_at)
        return to_datetime(min(times)) if times else None

    def snapshot(self) -> Snapshot | None:
        """A mark in the journal; the whole state where there is none."""
        if not self._keep_state:
            return None
        if self._journal is None:
            version, packed = self._machine.dump()
            return (IN_SNAPSHOT, version, packed)
        if self._journal.wants_base():
            self._journal.rebase(_with_version(self._machine.dump()))
        return (IN_JOURNAL, 1, (self._shard, *self._journal.mark()))


def _with_version(dumped: tuple[int, bytes]) -> bytes:
    version, packed = dumped
    return bytes([version]) + packed
