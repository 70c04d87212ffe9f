"""Phantom stock: movements and positions -> silences -> alerts. From files, or live from the log.

One process is enough for a chain: a silence costs a sum a sale. Its state and how far it has read
are one file, so what was read counts once; alerts are told before that file is written, and one
that is told twice has the same id.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from flows.replayed import replayed
from flows.settings import SHARDS, SettingsError
from operators.stock.decode import Sharder
from operators.stock.decode_records import RecordDecoder
from operators.stock.facts import Fact
from operators.stock.phantom.alerts import AlertRow
from operators.stock.phantom.machine import PhantomMachine
from schemas.chain import Chain
from schemas.movement import MOVEMENT_TYPE
from schemas.position import POSITION_TYPE, Position
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.shares import Offsets
from sources.positions import position_of

TOPICS = (MOVEMENT_TYPE, POSITION_TYPE)
GROUP = "tillflow-phantom"
SAVE_SECONDS = 30.0
POLL_SECONDS = 0.2

Tell = Callable[[list[AlertRow]], None]


class _State(msgspec.Struct, array_like=True):
    """What the file of a worker holds."""

    version: int
    machine: bytes
    offsets: Offsets


def from_files(source: str, chain: Chain, machine: PhantomMachine) -> Iterator[list[AlertRow]]:
    """Alerts of files of events, in order; at the end every place is looked at.

    Raises:
        SourceError: there is nothing to read.
    """
    for step in replayed(source, chain):
        yield machine.apply(step.facts, step.positions)
    yield machine.review()


class PhantomWorker:
    """Reads movements and positions from the log and tells suspicions.

    `state`: the file to go on from; without one everything on the log is read anew.

    Raises:
        SettingsError: the file of the state cannot be read.
    """

    def __init__(
        self, settings: KafkaSettings, chain: Chain, state: Path | None, tell: Tell
    ) -> None:
        self._path = state
        self._tell = tell
        self._decoder = RecordDecoder(Sharder(SHARDS))
        self.machine = PhantomMachine(chain.phantom)
        offsets: Offsets = {}
        if state is not None and state.exists():
            try:
                saved = msgspec.msgpack.decode(state.read_bytes(), type=_State)
                self.machine = PhantomMachine.restore(saved.version, saved.machine, chain.phantom)
            except ValueError as wrong:
                msg = (
                    f"{state} holds no state of phantom stock ({wrong}): give --state another file"
                )
                raise SettingsError(msg) from wrong
            offsets = saved.offsets
        self._reader = RecordReader(settings, TOPICS, GROUP, offsets)
        self._save_at = time.monotonic() + SAVE_SECONDS

    def step(self, timeout: float = POLL_SECONDS) -> int:
        """Take in what is there and tell what follows; how many records that were."""
        facts: list[Fact] = []
        positions: list[Position] = []
        count = 0
        for block in self._reader.read(timeout):
            count += len(block.records)
            if block.topic == POSITION_TYPE:
                positions += filter(None, map(position_of, block.records))
            else:
                for batch in self._decoder.decode(block).batches:
                    facts += batch.facts
        if count:
            rows = self.machine.apply(facts, positions)
            if rows:
                self._tell(rows)
        if time.monotonic() >= self._save_at:
            self.save()
        return count

    def ended(self) -> bool:
        """Whether all was read that was there at the start."""
        return self._reader.ended()

    def save(self) -> None:
        """Write down state and offsets, both or neither."""
        self._save_at = time.monotonic() + SAVE_SECONDS
        if self._path is None:
            return
        packed = msgspec.msgpack.encode(_State(*self.machine.dump(), self._reader.offsets()))
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("wb") as file:
            file.write(packed)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)

    def close(self) -> None:
        """Write down what there is and let go of the log."""
        try:
            self.save()
        finally:
            self._reader.close()
