"""Listens to what the stack says on the log while the drill goes on."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from infra.log_thread import LogThread
from operators.records import Record, RecordBlock
from schemas.position import POSITION_TYPE, Position
from schemas.reservation import RESERVATION_TYPE, Reservation
from sources.kafka.errors import BrokerError
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings

LOG = logging.getLogger("tillflow.drill")

TAPPED = (RESERVATION_TYPE, POSITION_TYPE)
READ_SECONDS = 0.1
IDLE_SECONDS = 2.0
_position = msgspec.json.Decoder(Position)
_reservation = msgspec.json.Decoder(Reservation)


@dataclass(frozen=True, slots=True)
class Told:
    """What the log says: events of reservations by their ids, the newest position of each pair."""

    reservations: dict[str, Reservation]
    positions: dict[tuple[str, str], Position]


class Tap:
    """Reads reservations and positions in a thread, from the first to the last."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._reservations: dict[str, Reservation] = {}
        self._positions: dict[tuple[str, str], Position] = {}
        self._lock = threading.Lock()
        self._thread = LogThread(
            kafka,
            TAPPED,
            "tillflow-drill-tap",
            wait_seconds=READ_SECONDS,
            take=self._take_all,
            failed=self._failed,
        )

    def told(self) -> Told:
        """All that was read so far."""
        with self._lock:
            return Told(dict(self._reservations), dict(self._positions))

    def close(self) -> None:
        """Stop reading."""
        self._thread.close()

    def _take_all(self, blocks: Sequence[RecordBlock]) -> None:
        for block in blocks:
            with self._lock:
                for record in block.records:
                    self._take(block.topic, record)

    def _failed(self, wrong: BrokerError) -> None:
        # What was read before is known by its id.
        LOG.warning("the drill reads the log again from its start: %s", wrong)

    def _take(self, topic: str, record: Record) -> None:
        if record.value is None:
            return
        if topic == POSITION_TYPE:
            position = _position.decode(record.value)
            pair = (position.sku, position.place)
            before = self._positions.get(pair)
            if before is None or position.version > before.version:
                self._positions[pair] = position
            return
        event_id = next(value for name, value in record.headers if name == "ce_id")
        name = (event_id or b"").decode()
        self._reservations[name] = _reservation.decode(record.value)


def read_topic(kafka: KafkaSettings, topic: str) -> dict[int, list[Record]]:
    """All records that are on a topic now, by partition; ends at those that came since."""
    now_ms = time.time_ns() // 1_000_000
    reader = RecordReader(kafka, [topic], "tillflow-drill-read")
    found: dict[int, list[Record]] = {}
    last = time.monotonic()
    caught_up = False
    try:
        while not caught_up and time.monotonic() - last < IDLE_SECONDS:
            for block in reader.read(READ_SECONDS):
                found.setdefault(block.partition, []).extend(block.records)
                last = time.monotonic()
                caught_up = caught_up or block.records[-1].timestamp_ms >= now_ms
    finally:
        reader.close()
    return found
