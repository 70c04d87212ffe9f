"""The stock flow between topics: what a file comes to, kills, garbage, and brokers that go away."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random

import msgspec
import pytest
from broker import Broker, start_broker
from confluent_kafka import Producer
from flow_driver import (
    StartedFlow,
    Tables,
    progress,
    query,
    results,
    run_cleanly,
    run_stock,
    split_evenly,
    tables,
    wait_until,
    write_chain,
    write_lines,
)
from log_driver import records
from stock_events import event, random_history, render, render_lines
from stock_garbage import GARBAGE_KINDS

from flows.settings import SettingsError, StockSettings
from schemas.alert import Alert
from schemas.chain import Chain
from schemas.instants import format_instant
from schemas.position import Position
from sinks.kafka import events
from sinks.kafka.producer import TopicWriter
from sources.kafka.settings import KafkaSettings

MOVES = "stock.movement.v1"
PARTITIONS = 3
GARBAGE = [line for _, line in GARBAGE_KINDS.values()]


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker with the topic that is read."""
    with start_broker(tmp_path / "broker") as broker:
        broker.create(MOVES, PARTITIONS)
        yield broker


@pytest.fixture(scope="module", name="lines")
def _lines() -> list[bytes]:
    """4,000 movements with all that is difficult in them, and garbage; no blank lines."""
    lines = [line for line in render_lines(random_history(9, 4_000, skus=40), 9) if line.strip()]
    rng = Random(9)
    for garbage in GARBAGE:
        lines.insert(rng.randrange(len(lines)), garbage)
    return lines


@pytest.fixture(scope="module", name="expected")
def _expected(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], chain: Chain) -> Tables:
    """What the same events come to as a file."""
    folder = tmp_path_factory.mktemp("file")
    config = write_chain(folder / "chain.yaml", chain)
    source = write_lines(folder / "events.jsonl", lines)
    run_cleanly("--source", source, "--config", config, "--warehouse", folder / "w.duckdb")
    return comparable(folder / "w.duckdb")


def comparable(warehouse: Path) -> Tables:
    """The results without where dead letters stood: a line is no offset."""
    found = results(warehouse)
    found["dead_letter"] = sorted(
        query(warehouse, "SELECT reason_code, event_source, event_id, raw FROM dead_letter"),
        key=repr,
    )
    return found


def options(broker: Broker, folder: Path, chain: Chain, *more: object) -> list[object]:
    """What every run of a test is started with."""
    config = write_chain(folder / "chain.yaml", chain)
    options = ["--kafka", broker.address, "--topic", MOVES, "--create-topics", "--config", config]
    return [*options, "--warehouse", folder / "w.duckdb", *more]


def produce(broker: Broker, lines: Sequence[bytes], *, binary: bool) -> None:
    """Lines as records, keyed by SKU so that its events keep their order."""
    writer = TopicWriter(KafkaSettings(broker.address))
    for line in lines:
        if line in GARBAGE:
            writer.write(MOVES, None, line)
            continue
        whole = json.loads(line)
        key = whole["data"]["sku"].encode()
        if not binary:
            writer.write(MOVES, key, line, [("content-type", b"application/cloudevents+json")])
            continue
        names = ("specversion", "id", "source", "type", "time", "recordedtime")
        headers = [(f"ce_{name}", whole[name].encode()) for name in names if name in whole]
        writer.write(MOVES, key, json.dumps(whole["data"]).encode(), headers)
    writer.flush()


def keys(broker: Broker, topic: str) -> set[bytes | None]:
    """The keys of all records of a topic."""
    return {record.key for record in records(broker, topic)}


def is_told(broker: Broker, pair: str) -> bool:
    """Whether there is an alert of a SKU and place."""
    return pair.encode() in keys(broker, "stock.alert.v1")


@pytest.mark.parametrize("binary", [True, False])
def test_comes_to_what_a_file_does(
    tmp_path: Path,
    broker: Broker,
    chain: Chain,
    lines: list[bytes],
    expected: Tables,
    binary: bool,
) -> None:
    """The warehouse of the file, in both modes; positions and alerts on the log say the same."""
    produce(broker, lines, binary=binary)
    run_cleanly(*options(broker, tmp_path, chain, "--until-end"))
    warehouse = tmp_path / "w.duckdb"
    assert comparable(warehouse) == expected
    newest = {}
    for record in records(broker, "stock.position.v1"):
        position = msgspec.json.decode(record.value or b"", type=Position)
        assert record.key == f"{position.sku}@{position.place}".encode()
        newest[position.sku, position.place] = position
    assert sorted(msgspec.structs.astuple(each) for each in newest.values()) == sorted(
        tables(warehouse, "stock_position")["stock_position"]
    )
    told = {}
    for record in records(broker, "stock.alert.v1"):
        alert = msgspec.json.decode(record.value or b"", type=Alert)
        told[alert.alert] = alert
    written = query(warehouse, "SELECT alert, status, observed, level FROM stock_alert")
    for name, status, observed, level in written:
        assert (told[name].status, told[name].observed, told[name].level) == (
            status,
            observed,
            level,
        )
    assert {alert.status for name, alert in told.items()} >= {"raised", "cleared"}
    never = told.keys() - {name for name, *_ in written}
    assert {told[name].status for name in never} <= {"cleared"}
    read = broker.committed("tillflow-stock", MOVES, range(PARTITIONS))
    assert sum(read.values()) == len(lines)


def has_moved(warehouse: Path, before: dict[str, int]) -> bool:
    """Whether more has become durable."""
    return progress(warehouse) != before


def test_killed_and_resumed(
    tmp_path: Path, broker: Broker, chain: Chain, lines: list[bytes], expected: Tables
) -> None:
    """kill -9 again and again while it reads: the warehouse of a run that nobody killed."""
    warehouse = tmp_path / "w.duckdb"
    more = ["--epoch-seconds", 0.1]
    for number, part in enumerate(split_evenly(lines, 4)):
        produce(broker, part, binary=True)
        if number == 3:
            break
        flow = StartedFlow(
            tmp_path / "log",
            *options(broker, tmp_path, chain, *more),
            sizes={"sources.kafka.reader.MOST_RECORDS": 50},
        )
        before = progress(warehouse)
        wait_until(partial(has_moved, warehouse, before), "no progress")
        flow.process.kill()
        assert flow.wait().code == -signal.SIGKILL
    run_cleanly(*options(broker, tmp_path, chain, "--until-end", "--workers", 2))
    assert comparable(warehouse) == expected


def test_garbage_is_told(tmp_path: Path, broker: Broker, chain: Chain) -> None:
    """A dead letter in the warehouse and one on the log, with where it stood and its bytes."""
    writer = TopicWriter(KafkaSettings(broker.address))
    produce(broker, [render(event("received", 5))], binary=True)
    writer.write(MOVES, b"a key", b"no event", [("trace", b"7")])
    writer.flush()
    run_cleanly(*options(broker, tmp_path, chain, "--until-end"))
    [row] = query(
        tmp_path / "w.duckdb", "SELECT source, position, reason_code, raw FROM dead_letter"
    )
    [letter] = records(broker, "tillflow.dead_letter.v1")
    headers = dict(letter.headers)
    assert (letter.key, letter.value, headers["trace"]) == (b"a key", b"no event", b"7")
    assert row == (
        (headers["tillflow_origin"] or b"").decode(),
        int(headers["tillflow_offset"] or -1),
        "not_json",
        b"no event",
    )
    assert row[0].startswith(f"{MOVES}/")
    assert b"not a JSON object" in (headers["tillflow_reason"] or b"")


def test_live_until_stopped(tmp_path: Path, broker: Broker, chain: Chain) -> None:
    """It waits for more, tells of a sale at once, and ends when it is asked to."""
    flow = StartedFlow(tmp_path / "log", *options(broker, tmp_path, chain))
    try:
        for number in range(2):
            now = time.time_ns() // 1000 - 1_000_000 * (2 - number)
            sold = event("sold", 1, at=0, id=f"now-{number}", sku=f"T{number}")
            sold["time"] = format_instant(now)
            produce(broker, [render(sold)], binary=True)

            wait_until(partial(is_told, broker, f"T{number}@S1"), "no alert for what was sold")
        flow.signal(signal.SIGTERM)
        ended = flow.wait()
    finally:
        flow.process.kill()
    assert ended.code == 0, ended.output
    assert "stopped after" in ended.output
    assert sum(broker.committed("tillflow-stock", MOVES, range(PARTITIONS)).values()) == 2


def test_after_files_comes_the_log(
    tmp_path: Path, broker: Broker, chain: Chain, lines: list[bytes], expected: Tables
) -> None:
    """History from files, then the log, in one recovery folder: one state."""
    half = len(lines) // 2
    source = write_lines(tmp_path / "events.jsonl", lines[:half])
    arguments = options(broker, tmp_path, chain, "--until-end")
    run_cleanly("--source", source, *arguments[arguments.index("--config") :][:-1])
    produce(broker, lines[half:], binary=True)
    run_cleanly(*arguments)
    run_cleanly(*arguments)
    assert comparable(tmp_path / "w.duckdb") == expected


def test_record_that_is_not_taken(
    tmp_path: Path, broker: Broker, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be written ends the flow with an error; the next run writes it."""
    large = 2_000_000
    broker.create("large.v1", 1, **{"max.message.bytes": str(2 * large)})
    producer = Producer({"bootstrap.servers": broker.address, "message.max.bytes": 2 * large})
    producer.produce("large.v1", value=bytes(large))
    assert producer.flush(10) == 0
    del producer  # or it goes on looking for the broker when that has gone, until it is collected
    arguments = options(broker, tmp_path, chain, "--until-end", "--topic", "large.v1")
    with monkeypatch.context() as patched:
        patched.setattr(events, "LONGEST_DEAD_LETTER", large)
        ended = run_stock(*arguments)
    assert ended.code == 1
    assert "did not take a record for topic tillflow.dead_letter.v1" in ended.output
    assert "too large" in ended.output
    run_cleanly(*arguments)
    [letter] = records(broker, "tillflow.dead_letter.v1")
    assert dict(letter.headers)["tillflow_cut_from_bytes"] == str(large).encode()
    assert query(tmp_path / "w.duckdb", "SELECT count(*) FROM dead_letter") == [(1,)]


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where nothing listens."""
    monkeypatch.setattr("sources.kafka.topics.ANSWER_SECONDS", 0.5)
    ended = run_stock("--kafka", "127.0.0.1:1", "--warehouse", tmp_path / "w.duckdb")
    assert ended.code == 1
    assert "kafka 127.0.0.1:1 does not answer within" in ended.output
    assert not (tmp_path / "w.duckdb").exists()


def test_missing_topics(tmp_path: Path, broker: Broker) -> None:
    """They are named, those that are written too."""
    ended = run_stock("--kafka", broker.address, "--warehouse", tmp_path / "w.duckdb")
    assert ended.code == 1
    assert "stock.alert.v1, stock.position.v1, stock.reservation.v1, tillflow" in ended.output


@pytest.mark.parametrize("given", [[], ["--source", "a", "--kafka", "b:1"]])
def test_one_of_the_two(tmp_path: Path, given: list[str]) -> None:
    """A flow reads files or the log."""
    ended = run_stock(*given, "--warehouse", tmp_path / "w.duckdb")
    assert ended.code == 2
    assert "--source or --kafka" in ended.output


class TestEnvironment:
    def test_read_back(self, tmp_path: Path) -> None:
        """What a process is started with says the same to it, secrets too."""
        kafka = KafkaSettings("a:1,b:2", {"sasl.password": "geheim"}, idempotence=False)
        settings = StockSettings(
            kafka=kafka,
            topics=("a", "b"),
            group="g",
            create_topics=True,
            until_end=True,
            warehouse=tmp_path / "w",
        )
        assert StockSettings.from_env(settings.environment()) == settings
        assert "geheim" not in repr(settings)

    @pytest.mark.parametrize(
        ("variables", "words"),
        [
            ({"KAFKA": "a:1", "SOURCE": "b"}, "exclude each other"),
            ({"KAFKA": "a:1", "KAFKA_SASL_USER": "b"}, "TILLFLOW_KAFKA_SASL_USER is no setting"),
        ],
    )
    def test_wrong(self, variables: dict[str, str], words: str) -> None:
        """The message names the variable."""
        environ = {f"TILLFLOW_{name}": value for name, value in variables.items()}
        with pytest.raises(SettingsError, match=words):
            StockSettings.from_env({**environ, "TILLFLOW_WAREHOUSE": "w"})
