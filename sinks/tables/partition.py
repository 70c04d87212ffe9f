"""Tables as Bytewax writes to them: what a committed epoch has come to is in the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from typing import Generic

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition

from operators.stock.decode import BlockRead
from sinks.kafka.events import DeadRecord
from sinks.tables.collector import Collector, Outcome
from sinks.warehouse.runs import Run
from sinks.warehouse.writer import WRITE_EVERY_SECONDS

PARTITION = "warehouse"


class TablePartition(
    StatefulSinkPartition[Outcome | BlockRead | list[DeadRecord], None], Generic[Outcome]
):
    """Collects rows and writes them every second; an epoch is over when they are durable.

    The engine wakes a sink for items and for the end of an epoch only. So that the last rows before
    a silence need not wait for that, a thread of its own writes what no more items come for.
    """

    def __init__(self, table: Collector[Outcome], ended: Callable[[], str]) -> None:
        self._table = table
        self._ended = ended
        self._lock = Lock()
        self._left = Event()
        self._over = Event()
        self._failure: Exception | None = None
        self._late = Thread(target=self._write_late, name="late-rows", daemon=True)
        self._late.start()

    def write_batch(self, values: list[Outcome | BlockRead | list[DeadRecord]]) -> None:
        """Take items, and write them if it is time."""
        with self._lock:
            self._check()
            for value in values:
                self._table.add(value)
            self._table.write_soon()
            if self._table.unwritten():
                self._left.set()

    def snapshot(self) -> None:
        """Write all that was taken."""
        with self._lock:
            self._check()
            self._table.settle()

    def close(self) -> None:
        """The input has ended or was stopped."""
        self._over.set()
        self._left.set()
        self._late.join()
        self._check()
        self._table.close(self._ended())

    def _write_late(self) -> None:
        while self._left.wait():
            self._left.clear()
            if self._over.wait(WRITE_EVERY_SECONDS):
                return
            with self._lock:
                try:
                    self._table.write_soon()
                except Exception as wrong:  # whatever it is, the engine has to raise it
                    self._failure = wrong
                    return

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure


class TableSink(
    FixedPartitionedSink[Outcome | BlockRead | list[DeadRecord], None], Generic[Outcome]
):
    """Outcomes of a flow into the warehouse, a file or a served one.

    `open_table` is called in the process that writes; `ended` says how the run came to its end.
    """

    def __init__(
        self,
        open_table: Callable[[Run], Collector[Outcome]],
        *,
        flow: str,
        run: str,
        source: str,
        ended: Callable[[], str],
    ) -> None:
        self._open_table = open_table
        self._named = (run, flow, source)
        self._ended = ended

    def list_parts(self) -> list[str]:
        """The one partition: it keeps the order of a key, and rows are some hundred a second."""
        return [PARTITION]

    def part_fn(self, item_key: str) -> int:
        """Everything goes to the one partition."""
        return 0

    def build_part(
        self, step_id: str, for_part: str, resume_state: None
    ) -> TablePartition[Outcome]:
        """Open the warehouse in the process that writes it."""
        run = Run(*self._named, started_at=datetime.now(UTC))
        return TablePartition(self._open_table(run), self._ended)
