"""Watches beside the stock flow: movements and positions -> a machine -> alerts. Files, or live.

One process is enough for a chain. Its state and how far it has read are one file, so what was read
counts once; alerts are told before that file is written, and one that is told twice has the same
id.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from flows.replayed import replayed
from flows.settings import SHARDS, SettingsError
from operators.engine import system_clock
from operators.stock.decode import Sharder
from operators.stock.decode_records import RecordDecoder
from operators.stock.expiry.machine import ExpiryMachine
from operators.stock.facts import Fact
from operators.stock.phantom.machine import PhantomMachine
from schemas.chain import Chain
from schemas.movement import MOVEMENT_TYPE
from schemas.position import POSITION_TYPE, Position
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.shares import Offsets
from sources.positions import position_of

TOPICS = (MOVEMENT_TYPE, POSITION_TYPE)
SAVE_SECONDS = 30.0
POLL_SECONDS = 0.2

# Of stock_alert, instants in us.
AlertRow = tuple[Any, ...]
Tell = Callable[[list[AlertRow]], None]


class Machine(Protocol):
    """What is watched with: a pure state machine over a chain."""

    def apply(self, facts: Iterable[Fact], positions: Iterable[Position]) -> list[AlertRow]:
        """Take in facts, then the positions that came of them."""
        ...

    def pass_time(self, now: int) -> list[AlertRow]:
        """Tell it the time (us), which acts on a live one."""
        ...

    def review(self) -> list[AlertRow]:
        """Look at everything now."""
        ...

    def open(self) -> list[AlertRow]:
        """The alerts that are open."""
        ...

    def dump(self) -> tuple[int, bytes]:
        """Version and whole state."""
        ...


class Watch(NamedTuple):
    """A kind of watch: its name in words, its consumer group, and how its machine is made."""

    name: str
    group: str
    fresh: Callable[[Chain, bool], Machine]
    restore: Callable[[int, bytes, Chain], Machine]


PHANTOM = Watch(
    "phantom stock",
    "tillflow-phantom",
    lambda chain, live: PhantomMachine(chain.phantom),  # noqa: ARG005 (its time is trade)
    lambda version, packed, chain: PhantomMachine.restore(version, packed, chain.phantom),
)
EXPIRING = Watch(
    "expiring lots",
    "tillflow-expiring",
    lambda chain, live: ExpiryMachine(chain, live=live),
    lambda version, packed, chain: ExpiryMachine.restore(version, packed, chain, live=True),
)


class _State(msgspec.Struct, array_like=True):
    """What the file of a worker holds."""

    version: int
    machine: bytes
    offsets: Offsets


def from_files(source: str, chain: Chain, machine: Machine) -> Iterator[list[AlertRow]]:
    """Alerts of files of events, in order; at the end everything is looked at.

    Raises:
        SourceError: there is nothing to read.
    """
    for step in replayed(source, chain):
        yield machine.apply(step.facts, step.positions)
    yield machine.review()


class LogWatcher:
    """Reads movements and positions from the log and tells alerts.

    `state`: the file to go on from; without one everything on the log is read anew.

    Raises:
        SettingsError: the file of the state cannot be read.
    """

    def __init__(
        self, watch: Watch, settings: KafkaSettings, chain: Chain, state: Path | None, tell: Tell
    ) -> None:
        self._path = state
        self._tell = tell
        self._decoder = RecordDecoder(Sharder(SHARDS))
        self.machine = watch.fresh(chain, True)
        offsets: Offsets = {}
        if state is not None and state.exists():
            try:
                saved = msgspec.msgpack.decode(state.read_bytes(), type=_State)
                self.machine = watch.restore(saved.version, saved.machine, chain)
            except ValueError as wrong:
                msg = f"{state} holds no state of {watch.name} ({wrong}): give --state another file"
                raise SettingsError(msg) from wrong
            offsets = saved.offsets
        self._reader = RecordReader(settings, TOPICS, watch.group, offsets)
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
        rows = self.machine.apply(facts, positions) if count else []
        if self.ended():
            # While it reads what has been, everything would look as if it had stood still since.
            rows += self.machine.pass_time(system_clock())
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
