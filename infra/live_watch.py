"""What comes out of a live stack, as anybody could see it: positions, alerts, suggestions."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from statistics import median

from infra.log_thread import LogThread
from operators.records import RecordBlock
from schemas.alert import ALERT_TYPE
from schemas.position import POSITION_TYPE
from sources.kafka.errors import BrokerError
from sources.kafka.settings import KafkaSettings

SUGGESTION_TYPE = "stock.transfer_suggestion.v1"
WATCHED = (POSITION_TYPE, ALERT_TYPE, SUGGESTION_TYPE)
READ_SECONDS = 0.05
# A sale is waited for this long; then it counts as lost from sight.
PATIENCE_SECONDS = 60.0
SAMPLES = 50


class LiveWatch:
    """Reads the topics that the flows write, in a thread, and times samples.

    `sample(pair)`: a movement of this pair (`SKU@PLACE`) leaves now; the next position of it that
    was written from now on ends the time.
    """

    def __init__(self, kafka: KafkaSettings) -> None:
        self._since_ms = time.time_ns() // 1_000_000
        self._waiting: dict[bytes, tuple[float, int]] = {}
        self._took: deque[float] = deque(maxlen=SAMPLES)
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.pairs: set[bytes] = set()
        self.trouble = ""
        self._thread = LogThread(
            kafka,
            WATCHED,
            "tillflow-live-watch",
            wait_seconds=READ_SECONDS,
            take=self._take,
            failed=self._failed,
        )

    def sample(self, pair: str) -> None:
        """Time how long until the position of this pair is told."""
        with self._lock:
            if len(self._waiting) < SAMPLES:
                now = (time.monotonic(), time.time_ns() // 1_000_000)
                self._waiting.setdefault(pair.encode(), now)

    def lag_ms(self) -> float | None:
        """The median of the last samples; None before there is any."""
        with self._lock:
            return median(self._took) * 1_000 if self._took else None

    def close(self) -> None:
        """Stop reading."""
        self._thread.close()

    def _failed(self, wrong: BrokerError) -> None:
        self.trouble = str(wrong)

    def _take(self, blocks: Sequence[RecordBlock]) -> None:
        now = time.monotonic()
        with self._lock:
            for block in blocks:
                fresh = [one for one in block.records if one.timestamp_ms >= self._since_ms]
                self.counts[block.topic] += len(fresh)
                if block.topic != POSITION_TYPE:
                    continue
                self.pairs.update(one.key for one in block.records if one.key is not None)
                for record in fresh:
                    began = self._waiting.get(record.key or b"")
                    if began is not None and record.timestamp_ms >= began[1]:
                        del self._waiting[record.key or b""]
                        self._took.append(now - began[0])
            late = [key for key, (at, _) in self._waiting.items() if now - at > PATIENCE_SECONDS]
            for key in late:
                del self._waiting[key]
                self.counts["lost from sight"] += 1
        self.trouble = ""
