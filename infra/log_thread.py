"""Reads topics of a live log in a thread, through outages of the brokers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from operators.records import RecordBlock
from sources.kafka.errors import BrokerError
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings

AGAIN_SECONDS = 0.5


class LogThread:
    """Hands on what is on the topics, from the first record on, until it is closed.

    `take` is called with the blocks of every look, also of one that found none; `failed` with what
    went wrong, after which all is read anew. Both are called in the thread.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        topics: Sequence[str],
        group: str,
        *,
        wait_seconds: float,
        take: Callable[[Sequence[RecordBlock]], None],
        failed: Callable[[BrokerError], None],
    ) -> None:
        self._kafka = kafka
        self._topics = topics
        self._group = group
        self._wait = wait_seconds
        self._take = take
        self._failed = failed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=group, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        reader: RecordReader | None = None
        while not self._stop.is_set():
            try:
                if reader is None:
                    reader = RecordReader(self._kafka, self._topics, self._group)
                self._take(reader.read(self._wait))
            except BrokerError as wrong:
                self._failed(wrong)
                if reader is not None:
                    reader.close()
                    reader = None
                self._stop.wait(AGAIN_SECONDS)
        if reader is not None:
            reader.close()
