"""Positions as the log tells them, with the time at which each came onto it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from operators.records import Record
from schemas.position import POSITION_TYPE, Position
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings

GROUP = "tillflow-drift"
POLL_SECONDS = 0.05

_position = msgspec.json.Decoder(Position)


class _Event(msgspec.Struct):
    type: str
    data: msgspec.Raw


_event = msgspec.json.Decoder(_Event)


class TimedPosition(NamedTuple):
    """A position, and when it came onto the log (microseconds since 1970)."""

    position: Position
    at: int


class PositionLog:
    """The position topic from its beginning; what is compacted away was not the newest."""

    def __init__(self, settings: KafkaSettings, group: str = GROUP) -> None:
        self._reader = RecordReader(settings, (POSITION_TYPE,), group)

    def read(self, timeout: float = 0.0) -> list[TimedPosition]:
        """What is there; waits for something at most so many seconds."""
        return [
            one
            for block in self._reader.read(timeout)
            for one in timed_positions(block.records, time.time_ns() // 1000)
        ]

    def to_end(self) -> Iterator[TimedPosition]:
        """All that was there when reading began."""
        while not self._reader.ended():
            yield from self.read(POLL_SECONDS)

    def close(self) -> None:
        """Let go of the brokers."""
        self._reader.close()


def timed_positions(records: Iterable[Record], now: int) -> Iterator[TimedPosition]:
    """The positions of records; what is none is the flow's own to find.

    A record of a clock that is ahead, or without a time, is taken to have come just now.
    """
    for record in records:
        position = position_of(record)
        if position is not None:
            at = record.timestamp_ms * 1000
            yield TimedPosition(position, at if 0 < at < now else now)


def position_of(record: Record) -> Position | None:
    """The position of a record in either mode of CloudEvents; None for anything else."""
    if record.value is None:
        return None
    kind = dict(record.headers).get("ce_type")
    try:
        if kind is not None:
            return _position.decode(record.value) if kind == POSITION_TYPE.encode() else None
        event = _event.decode(record.value)
        return _position.decode(event.data) if event.type == POSITION_TYPE else None
    except (ValueError, RecursionError):
        return None
