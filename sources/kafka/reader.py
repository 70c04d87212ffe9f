"""Reads a share of the partitions of some topics, from where it left off, and loses nothing.

Which topic partition belongs to which share follows from its name and number alone, so that topics
and partitions may come and go without a share ever losing its place.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)

from operators.records import Record, RecordBlock
from sources.kafka.errors import BrokerError, LostOffsetError
from sources.kafka.settings import KafkaSettings
from sources.kafka.shares import Offsets, Reading, Share

LOG = logging.getLogger("tillflow.kafka")

# Some milliseconds of work: what a shard costs for each batch does not show, and epochs stay short.
MOST_RECORDS = 4_000
# A long poll is this long at most: Tansu answers one only at its end, even when records come.
FETCH_WAIT_MS = 20
# What a share may have fetched ahead. librdkafka's default is 64 MB, and a pause of a second when
# it is full.
AHEAD_KB = 16 * 1024
FULL_PAUSE_MS = 20
# How soon partitions that were added are found.
DISCOVER_SECONDS = 30.0
ANSWER_SECONDS = 10.0
# A client may miss that a broker is back; after so long without a record it takes up reading anew.
SILENT_SECONDS = 20.0
# librdkafka's default is 5 minutes; a topic that a starting broker did not know yet waits for it.
REFRESH_MS = 10_000
# A client that leaves waits so long for what it has still to commit.
LEAVE_MS = 6_000
LOOK_SECONDS = 1.0
# A log that ends before the place where reading goes on has lost records or is another one. Just
# after a broker has taken over a partition this may look so for a moment.
LOST_AFTER_SECONDS = 10.0

# librdkafka's own codes, which its Python client spells as if they were private.
END_OF_PARTITION = KafkaError._PARTITION_EOF  # noqa: SLF001
NO_OFFSET = KafkaError._AUTO_OFFSET_RESET  # noqa: SLF001


class RecordReader:
    """Reads what there is, again and again; `ended` once all is read that was there at the start.

    `offsets` are those of an earlier run; what is not among them is read from its beginning.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        topics: Sequence[str],
        group: str,
        offsets: Offsets | None = None,
        *,
        share: Share = Share(0, 1),  # noqa: B008 (immutable)
    ) -> None:
        self._settings = settings
        self._topics = tuple(topics)
        self._group = group
        self._share = share
        self._kept: Offsets = {topic: dict(each) for topic, each in (offsets or {}).items()}
        self._reading: dict[tuple[str, int], Reading] = {}
        self._consumer = Consumer(
            settings.client(
                group_id=group,
                enable_auto_commit=False,
                enable_auto_offset_store=False,
                auto_offset_reset="error",
                enable_partition_eof=True,
                allow_auto_create_topics=False,
                session_timeout_ms=LEAVE_MS,
                fetch_wait_max_ms=FETCH_WAIT_MS,
                fetch_queue_backoff_ms=FULL_PAUSE_MS,
                queued_max_messages_kbytes=AHEAD_KB,
                topic_metadata_refresh_interval_ms=REFRESH_MS,
            )
        )
        self._background = ThreadPoolExecutor(1, thread_name_prefix="kafka-topics")
        self._asked: Future[dict[str, set[int]]] | None = None
        self._look_at = 0.0
        try:
            self._take_up(self._partitions())
        except LostOffsetError:
            self.close()
            raise
        except KafkaException as wrong:
            self.close()
            msg = f"kafka {settings.brokers} does not say what partitions there are: {wrong}"
            raise BrokerError(msg) from wrong
        self._discover_at = time.monotonic() + DISCOVER_SECONDS
        self._heard_at = time.monotonic()

    def read(self, timeout: float = 0.0) -> list[RecordBlock]:
        """The records that are there, up to some thousands; waits for some at most so long.

        Raises:
            LostOffsetError: records are gone before they were read.
        """
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._look(now)
        messages = self._consumer.consume(MOST_RECORDS, timeout)
        blocks: dict[tuple[str, int], list[Record]] = {}
        for message in messages:
            error = message.error()
            if error is not None:
                self._judge(message, error)
                continue
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            assert topic is not None
            assert partition is not None
            assert offset is not None
            records = blocks.get((topic, partition))
            if records is None:
                records = blocks[topic, partition] = []
            headers = message.headers()
            records.append(
                Record(
                    message.key(),
                    message.value(),
                    () if headers is None else tuple(headers),  # type: ignore[arg-type]
                    offset,
                    message.timestamp()[1],
                )
            )
        if blocks:
            self._heard_at = now
        for place, records in blocks.items():
            self._reading[place].position = records[-1].offset + 1
        return [RecordBlock(*place, records) for place, records in blocks.items()]

    def busy(self) -> bool:
        """Whether there is any partition to read."""
        return bool(self._reading)

    def ended(self) -> bool:
        """Whether all has been read that was there when reading began."""
        for place, reading in self._reading.items():
            if reading.done:
                continue
            if reading.end is None:
                end = self._end(*place)
                if end < 0:
                    return False
                reading.end = end
            if (reading.position or 0) < reading.end:
                return False
            reading.done = True
        return True

    def offsets(self) -> Offsets:
        """Where to go on, also for topics that this run does not read."""
        for (topic, partition), reading in self._reading.items():
            if reading.position is not None:
                self._kept.setdefault(topic, {})[partition] = reading.position
        return {topic: dict(each) for topic, each in self._kept.items()}

    def commit(self, offsets: Offsets) -> None:
        """Tell the group how far this has got; only tools that show lag look at it.

        It is sent in the background; `close` waits for it, unless no broker answers.
        """
        places = [
            TopicPartition(topic, partition, offset)
            for topic in self._topics
            for partition, offset in offsets.get(topic, {}).items()
        ]
        if not places:
            return
        try:
            self._consumer.commit(offsets=places, asynchronous=True)
        except KafkaException as wrong:
            # The offsets that count are those of the snapshot.
            LOG.warning("group %s: offsets were not committed: %s", self._group, wrong)

    def close(self) -> None:
        """Let go of the brokers."""
        self._background.shutdown(wait=True, cancel_futures=True)
        self._consumer.close()

    def _partitions(self) -> dict[str, set[int]]:
        known = self._consumer.list_topics(timeout=ANSWER_SECONDS).topics
        return {
            topic: set(known[topic].partitions)
            for topic in self._topics
            if topic in known and known[topic].error is None
        }

    def _take_up(self, partitions: dict[str, set[int]]) -> None:
        """Begin with the partitions of this share that are not read yet."""
        fresh = []
        for topic, numbers in partitions.items():
            for number in sorted(numbers):
                if (topic, number) in self._reading or not self._share.holds(topic, number):
                    continue
                position = self._kept.get(topic, {}).get(number)
                self._reading[topic, number] = Reading(position)
                start = OFFSET_BEGINNING if position is None else position
                fresh.append(TopicPartition(topic, number, start))
            gone = sorted(self._kept.get(topic, {}).keys() - numbers)
            if gone:
                msg = (
                    f"topic {topic} has no partition {gone[0]} any more, of which an earlier run "
                    "has read: it was deleted and made anew. Give --recovery another folder (and "
                    "a new warehouse) to begin with what is there now"
                )
                raise LostOffsetError(msg)
        if fresh:
            self._consumer.incremental_assign(fresh)
            LOG.info("reads %s", ", ".join(f"{each.topic}/{each.partition}" for each in fresh))

    def _take_up_anew(self) -> None:
        """Let go of all partitions and go on where reading was."""
        places = [
            TopicPartition(
                *place, OFFSET_BEGINNING if reading.position is None else reading.position
            )
            for place, reading in self._reading.items()
        ]
        if places:
            self._consumer.incremental_unassign(places)
            self._consumer.incremental_assign(places)

    def _look(self, now: float) -> None:
        """Find partitions that were added, and logs that end before the place to go on."""
        if self._asked is not None and self._asked.done():
            asked, self._asked = self._asked, None
            wrong = asked.exception()
            if wrong is None:
                self._take_up(asked.result())
            else:
                LOG.info("partitions could not be looked up: %s", wrong)
        if now >= self._discover_at:
            self._discover_at = now + DISCOVER_SECONDS
            # On a thread of its own: an answer may take long, and all else waits for this one.
            self._asked = self._background.submit(self._partitions)
        if now - self._heard_at >= SILENT_SECONDS:
            self._heard_at = now
            self._take_up_anew()
        for (topic, partition), reading in self._reading.items():
            if reading.position is None or self._end(topic, partition) >= reading.position:
                reading.behind_since = None
            elif self._end(topic, partition) >= 0:
                reading.behind_since = reading.behind_since or now
                if now - reading.behind_since >= LOST_AFTER_SECONDS:
                    raise LostOffsetError(self._lost(topic, partition, reading.position))

    def _end(self, topic: str, partition: int) -> int:
        """The end of a partition as of the last fetch; negative before the first."""
        # What the fetch said, not a query: Tansu answers those with the last batch's beginning.
        place = TopicPartition(topic, partition)
        found = self._consumer.get_watermark_offsets(place, cached=True)
        return -1 if found is None else found[1]

    def _judge(self, message: Message, error: KafkaError) -> None:
        topic, partition = message.topic() or "", message.partition()
        assert partition is not None
        reading = self._reading.get((topic, partition))
        code = error.code()
        if code == END_OF_PARTITION:
            # A log may end in offsets without records: marks of transactions, what was compacted.
            if reading is not None and (
                reading.end is None or (message.offset() or 0) >= reading.end
            ):
                reading.done = True
        elif code in (NO_OFFSET, KafkaError.OFFSET_OUT_OF_RANGE):
            position = None if reading is None else reading.position
            raise LostOffsetError(self._lost(topic, partition, position))
        else:
            LOG.warning("%s/%s: %s; trying on", topic, partition, error.str())

    def _lost(self, topic: str, partition: int, position: int | None) -> str:
        place = TopicPartition(topic, partition)
        try:
            found = self._consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
        except KafkaException:
            found = None
        there = "" if found is None else f"; the log now holds {found[0]} to {found[1]}"
        return (
            f"topic {topic} partition {partition}: offset {position}, where reading goes on, is "
            f"not on the log{there}. Records were deleted before they were read (retention too "
            "short?), or the topic was made anew. Give --recovery another folder (and a new "
            "warehouse) to begin with what is there, and send again what is missing"
        )
