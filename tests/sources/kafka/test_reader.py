"""Reading from a real broker: everything once, from where it was left, or an error in words."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from broker import Broker, start_broker
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions
from flow_driver import wait_until

from operators.records import Record
from sinks.kafka.producer import TopicWriter
from sources.kafka import reader as reading
from sources.kafka.errors import LostOffsetError
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.shares import Offsets, Share

Found = dict[tuple[str, int], list[Record]]


def fill(settings: KafkaSettings, topic: str, numbers: Sequence[int]) -> None:
    """Records with their number as the value, keyed by some of its digits."""
    writer = TopicWriter(settings)
    for number in numbers:
        writer.write(topic, b"%d" % (number % 17), b"%d" % number, [("n", b"1"), ("none", None)])
    writer.flush()


def read_all(reader: RecordReader, found: Found | None = None) -> Found:
    """What there is until the end of what was there."""
    found = {} if found is None else found
    while True:
        blocks = reader.read(0.01)
        for block in blocks:
            found.setdefault((block.topic, block.partition), []).extend(block.records)
        if not blocks and reader.ended():
            return found


def numbers_of(found: Found) -> list[int]:
    """The numbers of all records, sorted."""
    return sorted(int(record.value or b"") for records in found.values() for record in records)


def test_reads_everything(broker: Broker, settings: KafkaSettings) -> None:
    """Every record once, in the order of its partition, as it was written."""
    broker.create("all", 4)
    fill(settings, "all", range(3_000))
    with closing(RecordReader(settings, ["all"], "g")) as reader:
        found = read_all(reader)
        offsets = reader.offsets()
    assert numbers_of(found) == list(range(3_000))
    assert len(found) == 4
    for (_, partition), records in found.items():
        assert [record.offset for record in records] == list(range(len(records)))
        values = [int(record.value or b"") for record in records]
        assert values == sorted(values)
        assert offsets["all"][partition] == len(records)
    first = found["all", 0][0]
    assert first.headers == (("n", b"1"), ("none", None))
    assert first.key == b"%d" % (int(first.value or b"") % 17)
    assert first.timestamp_ms > 1_700_000_000_000


def test_empty_topic_ends(broker: Broker, settings: KafkaSettings) -> None:
    """There is nothing to wait for."""
    broker.create("empty", 2)
    with closing(RecordReader(settings, ["empty"], "g")) as reader:
        assert read_all(reader) == {}


def test_shares_hold_everything_once(broker: Broker, settings: KafkaSettings) -> None:
    """Whatever the topics, every partition belongs to one share; neighbours to different ones."""
    broker.create("shared", 5)
    fill(settings, "shared", range(1_000))
    found: Found = {}
    for number in range(3):
        share = Share(number, 3)
        with closing(RecordReader(settings, ["shared"], "g", share=share)) as reader:
            mine = read_all(reader)
        assert not found.keys() & mine.keys()
        assert 1 <= len(mine) <= 2
        found |= mine
    assert numbers_of(found) == list(range(1_000))


def test_goes_on_where_it_was(broker: Broker, settings: KafkaSettings) -> None:
    """Read, stop, write more, read on: nothing twice, nothing left out; other topics come along."""
    broker.create("resumed", 3)
    broker.create("later", 1)
    offsets: Offsets = {"gone": {0: 7}}
    found: Found = {}
    for turn, topics in enumerate((["resumed"], ["resumed", "later"], ["later"])):
        fill(settings, "resumed", range(turn * 100, turn * 100 + 100))
        with closing(RecordReader(settings, topics, "g", offsets)) as reader:
            read_all(reader, found)
            offsets = reader.offsets()
    assert numbers_of(found) == list(range(200))
    assert offsets["gone"] == {0: 7}
    assert sum(offsets["resumed"].values()) == 200


def test_group_is_told(broker: Broker, settings: KafkaSettings) -> None:
    """What was committed before closing is what tools see."""
    broker.create("told", 2)
    fill(settings, "told", range(100))
    with closing(RecordReader(settings, ["told"], "told-group")) as reader:
        read_all(reader)
        reader.commit(reader.offsets())
    assert broker.committed("told-group", "told", range(2)) == reader.offsets()["told"]


def test_what_is_added_while_running(
    broker: Broker, settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic (and where the broker can, a partition) that was not there at the start is read."""
    monkeypatch.setattr(reading, "DISCOVER_SECONDS", 0.1)
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.05)
    broker.create("early", 1)
    found: Found = {}
    with closing(RecordReader(settings, ["early", "added"], "g")) as reader:

        def has_read(numbers: int) -> Callable[[], bool]:
            def read() -> bool:
                for block in reader.read(0.01):
                    found.setdefault((block.topic, block.partition), []).extend(block.records)
                return len(numbers_of(found)) == numbers

            return read

        fill(settings, "early", range(50))
        wait_until(has_read(50), "not read")
        broker.create("added", 2)
        fill(settings, "added", range(50, 100))
        wait_until(has_read(100), "the new topic was not read")
        if broker.keeps_data:  # Tansu adds no partitions
            admin = AdminClient({"bootstrap.servers": broker.address})
            for made in admin.create_partitions([NewPartitions("early", 6)]).values():
                made.result(10)
            fill(settings, "early", range(100, 300))
            wait_until(has_read(300), "the new partitions were not read")
            assert len([place for place in found if place[0] == "early"]) > 1
    assert numbers_of(found) == list(range(len(numbers_of(found))))


def test_broker_that_hangs(
    broker: Broker, settings: KafkaSettings, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is read meanwhile and nothing is lost; afterwards it goes on."""
    broker.create("hangs", 2)
    fill(settings, "hangs", range(10))
    found: Found = {}
    with closing(RecordReader(settings, ["hangs"], "g")) as reader:
        read_all(reader, found)
        broker.pause()
        for _ in range(20):
            assert reader.read(0.01) == []
        broker.resume()
        fill(settings, "hangs", range(10, 20))

        def has_read() -> bool:
            read_all(reader, found)
            return len(numbers_of(found)) == 20

        wait_until(has_read, "it did not go on")
    assert numbers_of(found) == list(range(20))


def test_silence_takes_up_reading_anew(
    broker: Broker, settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader that heard nothing lets go of its partitions, and loses and repeats nothing."""
    monkeypatch.setattr(reading, "SILENT_SECONDS", 0.05)
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.01)
    broker.create("silent", 3)
    fill(settings, "silent", range(10))
    anew: list[int] = []
    take_up = RecordReader._take_up_anew

    def counted(reader: RecordReader) -> None:
        anew.append(1)
        take_up(reader)

    monkeypatch.setattr(RecordReader, "_take_up_anew", counted)
    found: Found = {}
    with closing(RecordReader(settings, ["silent"], "g")) as reader:
        for last in (20, 30, 40):
            before = len(anew)

            def silent(before: int = before) -> bool:
                read_all(reader, found)
                return len(anew) > before + 1

            wait_until(silent, "it did not take up reading anew")
            fill(settings, "silent", range(last - 10, last))

            def has_read(last: int = last) -> bool:
                read_all(reader, found)
                return len(numbers_of(found)) >= last

            wait_until(has_read, "it did not go on")
    assert numbers_of(found) == list(range(40))


def test_broker_that_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One that keeps its data is read on; one that forgot it is an error in words, never a jump."""
    monkeypatch.setattr(reading, "LOST_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(reading, "LOOK_SECONDS", 0.05)
    with start_broker(tmp_path) as broker:
        settings = KafkaSettings(broker.address)
        broker.create("again", 1)
        fill(settings, "again", range(30))
        found: Found = {}
        with closing(RecordReader(settings, ["again"], "g")) as reader:
            read_all(reader, found)
            broker.kill()
            with caplog.at_level(logging.WARNING):
                wait_until(
                    lambda: reader.read(0.05) == [] and "trying on" in caplog.text,
                    "nothing was said about the broker",
                )
            broker.start()
            if broker.keeps_data:
                fill(settings, "again", range(30, 40))
                wait_until(
                    lambda: len(numbers_of(read_all(reader, found))) == 40, "it did not go on"
                )
                return
            broker.create("again", 1)
            fill(settings, "again", range(5))
            with pytest.raises(LostOffsetError, match="again partition 0: offset 30, where readi"):
                wait_until(lambda: reader.read(0.05) != [], "no error")


@pytest.fixture
def forgetful() -> Iterator[KafkaSettings]:
    """A broker that answers for offsets that are not there, as Apache Kafka does and Tansu not."""
    mock = Producer({"test.mock.num.brokers": 1})
    brokers = mock.list_topics(timeout=10).brokers.values()
    yield KafkaSettings(",".join(f"{broker.host}:{broker.port}" for broker in brokers))
    del mock


def test_offset_that_is_gone(forgetful: KafkaSettings) -> None:
    """Topic, partition, offset and what to do; never a silent jump to what is there."""
    fill(forgetful, "short", range(200))
    with closing(RecordReader(forgetful, ["short"], "g")) as reader:
        partition = next(iter(read_all(reader)))[1]
    offsets = {"short": {partition: 10_000}}
    with (
        closing(RecordReader(forgetful, ["short"], "g", offsets)) as reader,
        pytest.raises(LostOffsetError) as lost,
    ):
        wait_until(lambda: bool(reader.read(0.1)), "no error")
    words = str(lost.value)
    assert f"topic short partition {partition}: offset 10000" in words
    assert "--recovery" in words


def test_partition_that_is_gone(broker: Broker, settings: KafkaSettings) -> None:
    """A topic that was made anew with fewer partitions is another topic."""
    broker.create("fewer", 2)
    with pytest.raises(LostOffsetError, match="fewer has no partition 6 any more"):
        RecordReader(settings, ["fewer"], "g", {"fewer": {6: 1}}, share=Share(0, 1))
