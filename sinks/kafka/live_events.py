"""Events of shops on the log as a till's own system would write them, sent again until they are on.

`LiveWriter` remembers what the brokers have not acknowledged, so that a broker may go and come.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

from schemas.envelope import MovementEvent, OrderEvent, VisitEvent
from schemas.instants import format_instant, to_micros
from sinks.kafka.events import OutRecord, to_record
from sinks.kafka.producer import Brokers, DeliveryError, TopicWriter

# How often the brokers are asked whether all has arrived, and how long they may take to say so.
FLUSH_SECONDS = 5.0
DELIVERY_SECONDS = 60.0
TRIES = 10


def event_record(event: MovementEvent | VisitEvent | OrderEvent) -> OutRecord:
    """One event in binary mode; movements are keyed by SKU, the others by their shop."""
    key = event.data.sku if isinstance(event, MovementEvent) else event.data.store
    extensions = {}
    if event.recordedtime is not None:
        extensions["recordedtime"] = _text(event.recordedtime)
    return to_record(
        event.type, event.source, event.id, _text(event.time), event.data, key=key, **extensions
    )


def _text(instant: datetime) -> str:
    return format_instant(to_micros(instant))


class LiveWriter:
    """Writes records; what is not acknowledged is written again, so some may be there twice.

    For threads. `told` hears of every record once, when it is handed over.
    """

    def __init__(
        self, brokers: Brokers, told: Callable[[OutRecord], None] = lambda _record: None
    ) -> None:
        self._writer = TopicWriter(brokers, delivery_seconds=DELIVERY_SECONDS, linger_ms=1)
        self._told = told
        self._lock = threading.Lock()
        self._open: list[OutRecord] = []
        self._flush_at = time.monotonic() + FLUSH_SECONDS
        self.written = 0
        self.again = 0

    def write(self, record: OutRecord) -> None:
        """Hand a record over.

        Raises:
            DeliveryError: the brokers have been away for many minutes.
        """
        with self._lock:
            self._told(record)
            self._open.append(record)
            self.written += 1
            try:
                self._writer.write(*record)
            except DeliveryError:
                self._flush(again=True)
                return
            if time.monotonic() >= self._flush_at:
                self._flush(again=False)
            else:
                self._writer.poll()

    def flush(self) -> None:
        """Wait until all is on the log.

        Raises:
            DeliveryError: the brokers have been away for many minutes.
        """
        with self._lock:
            self._flush(again=False)

    def _flush(self, *, again: bool) -> None:
        for number in range(TRIES):
            try:
                if number or again:
                    self.again += len(self._open)
                    for record in self._open:
                        self._writer.write(*record)
                self._writer.flush()
                break
            except DeliveryError:
                if number == TRIES - 1:
                    raise
        self._open.clear()
        self._flush_at = time.monotonic() + FLUSH_SECONDS
