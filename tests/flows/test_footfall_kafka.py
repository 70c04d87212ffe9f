"""Footfall between topics: what lines come to in a file, kills, garbage, and windows on the log."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from operator import itemgetter
from pathlib import Path
from random import Random

import msgspec
import pytest
from broker import Broker, start_broker
from flow_driver import StartedFlow, query, split_evenly, wait_until, write_chain
from footfall_driver import progress, run_cleanly, run_footfall
from footfall_events import arrivals, footfall_chain, order, render, visit
from footfall_garbage import FOOTFALL_GARBAGE
from footfall_oracle import Expected, assert_same, expected, written
from log_driver import produce, records

from flows.footfall import GROUP, TOPICS
from schemas.chain import Chain
from schemas.footfall import FOOTFALL_WINDOW_TYPE, FootfallWindow
from schemas.instants import to_micros
from sinks.kafka.producer import TopicWriter
from sinks.warehouse.client import open_reader
from sources.kafka.settings import KafkaSettings

STORE = itemgetter("store")

PARTITIONS = 3
GARBAGE = [line for _, line in FOOTFALL_GARBAGE.values()]
SIZES = {"sources.kafka.reader.MOST_RECORDS": 40}


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker with the topics that are read."""
    with start_broker(tmp_path / "broker") as broker:
        for topic in TOPICS:
            broker.create(topic, PARTITIONS)
        yield broker


@pytest.fixture(scope="module", name="chain")
def _chain() -> Chain:
    # One topic may be read to its end before the other begins.
    return footfall_chain(apart_hours=1_000.0)


@pytest.fixture(scope="module", name="lines")
def _lines() -> list[bytes]:
    return [render(each) for each in arrivals(7)[:2_500]]


@pytest.fixture(scope="module", name="wanted")
def _wanted(lines: list[bytes], chain: Chain) -> Expected:
    return expected(lines, chain)


def options(broker: Broker, folder: Path, chain: Chain, *more: object) -> list[object]:
    """What every run of a test is started with."""
    config = write_chain(folder / "chain.yaml", chain)
    found = ["--kafka", broker.address, "--create-topics", "--config", config]
    return [*found, "--warehouse", folder / "w.duckdb", *more]


def assert_as_expected(warehouse: Path, wanted: Expected, lines: list[bytes]) -> None:
    """Rows of the oracle; refusals are told by their event, for an offset is no line."""
    with closing(open_reader(warehouse)) as reader:
        windows, work = written(reader)
        dead = reader.execute("SELECT event_source, event_id, reason_code FROM dead_letter")
        found = sorted(dead.fetchall())
    assert_same(windows, wanted.windows)
    assert_same(work, wanted.work)
    refused = [(json.loads(lines[line - 1]), code) for line, code in wanted.dead_letters]
    assert found == sorted((each["source"], each["id"], code) for each, code in refused)


def told(broker: Broker) -> dict[tuple[str, int], FootfallWindow]:
    """The newest version of every window on the log."""
    found: dict[tuple[str, int], FootfallWindow] = {}
    for record in records(broker, FOOTFALL_WINDOW_TYPE):
        window = msgspec.json.decode(record.value or b"", type=FootfallWindow)
        assert record.key == window.store.encode()
        assert dict(record.headers)["ce_type"] == FOOTFALL_WINDOW_TYPE.encode()
        key = (window.store, to_micros(window.start))
        if key not in found or found[key].version <= window.version:
            found[key] = window
    return found


def assert_told(broker: Broker, warehouse: Path) -> None:
    """The newest windows on the log are the rows of the warehouse."""
    newest = told(broker)
    columns = "store, epoch_us(start), final, events, entries, sales, door_status, version"
    rows = query(warehouse, f"SELECT {columns} FROM footfall_15m")
    assert sorted(newest) == sorted((store, start) for store, start, *_ in rows)
    for store, start, *rest in rows:
        window = newest[store, start]
        figures = (window.events, window.entries, window.sales, window.door_status, window.version)
        assert (int(window.final), *figures) == tuple(rest)


def test_comes_to_what_a_file_does(
    tmp_path: Path, broker: Broker, chain: Chain, lines: list[bytes], wanted: Expected
) -> None:
    """Row by row, on the log too; run again, nothing changes."""
    produce(broker, lines, STORE)
    output = run_cleanly(*options(broker, tmp_path, chain, "--until-end", "--workers", 2))
    assert f"events       {len(lines):,}" in output
    warehouse = tmp_path / "w.duckdb"
    assert_as_expected(warehouse, wanted, lines)
    assert_told(broker, warehouse)
    letters = records(broker, "tillflow.dead_letter.v1")
    assert len(letters) == len(wanted.dead_letters)
    read = [broker.committed(GROUP, topic, range(PARTITIONS)) for topic in TOPICS]
    assert sum(sum(each.values()) for each in read) == len(lines)
    before = query(warehouse, "FROM footfall_15m ORDER BY ALL")
    assert "nothing new" in run_cleanly(*options(broker, tmp_path, chain, "--until-end"))
    assert query(warehouse, "FROM footfall_15m ORDER BY ALL") == before


def test_killed_and_resumed(
    tmp_path: Path, broker: Broker, chain: Chain, lines: list[bytes], wanted: Expected
) -> None:
    """kill -9 while it reads, again and again: rows and log as if nobody had killed it."""
    warehouse = tmp_path / "w.duckdb"
    rng = Random(1)
    parts = list(split_evenly(lines, 3))
    hits = 0
    for part in parts[:-1]:
        produce(broker, part, STORE)
        arguments = options(broker, tmp_path, chain, "--until-end", "--epoch-seconds", 0.05)
        before = progress(warehouse)
        flow = StartedFlow(tmp_path / "log", *arguments, sizes=SIZES, flow="footfall")
        moved = partial(has_moved, flow, warehouse, before)
        wait_until(moved, "no progress")
        time.sleep(0.2 * rng.random())
        flow.process.kill()
        hits += flow.wait().code == -signal.SIGKILL
    assert hits
    produce(broker, parts[-1], STORE)
    run_cleanly(*options(broker, tmp_path, chain, "--until-end"))
    assert_as_expected(warehouse, wanted, lines)
    assert_told(broker, warehouse)


def has_moved(flow: StartedFlow, warehouse: Path, before: dict[str, int]) -> bool:
    """Whether more has become durable, or the flow has ended."""
    return not flow.alive() or progress(warehouse) != before


def test_garbage(tmp_path: Path, broker: Broker, chain: Chain) -> None:
    """A dead letter in the warehouse and one on the log for each, with its bytes; others count."""
    writer = TopicWriter(KafkaSettings(broker.address))
    for line in GARBAGE:
        writer.write(TOPICS[0], b"C1", line)
    writer.flush()
    produce(broker, [render(visit("C1", 1_772_500_000_000_000, id="1", come=3))], STORE)
    run_cleanly(*options(broker, tmp_path, chain, "--until-end"))
    dead = query(tmp_path / "w.duckdb", "SELECT reason_code, source FROM dead_letter")
    assert sorted(code for code, _ in dead) == sorted(c for c, _ in FOOTFALL_GARBAGE.values())
    assert all(source.startswith(f"{TOPICS[0]}/") for _, source in dead)
    letters = records(broker, "tillflow.dead_letter.v1")
    short = [line for line in GARBAGE if len(line) < 1_000]
    assert {letter.value for letter in letters} >= set(short)
    assert query(tmp_path / "w.duckdb", "SELECT entries FROM footfall_15m") == [(3,)]


def test_live_until_stopped(tmp_path: Path, broker: Broker) -> None:
    """An order of now is on the log within a moment, open still; SIGTERM is a clean end."""
    arguments = options(broker, tmp_path, Chain())
    flow = StartedFlow(tmp_path / "log", *arguments, flow="footfall")
    try:
        for number in range(2):
            now = time.time_ns() // 1_000
            produce(broker, [render(order("S1", now, id=f"{number}"))], STORE)
            wait_until(partial(has_orders, broker, number + 1), "no window on the log")
        flow.signal(signal.SIGTERM)
        ended = flow.wait()
    finally:
        flow.process.kill()
    assert ended.code == 0, ended.output
    assert "stopped after" in ended.output
    assert_told(broker, tmp_path / "w.duckdb")


def has_orders(broker: Broker, orders: int) -> bool:
    """Whether the windows on the log have so many orders together."""
    return sum(window.orders for window in told(broker).values()) == orders


class TestRefused:
    def test_missing_topics(self, tmp_path: Path, broker: Broker) -> None:
        """They are named, those that are written too."""
        ended = run_footfall("--kafka", broker.address, "--warehouse", tmp_path / "w.duckdb")
        assert ended.code == 1
        assert "footfall.window.v1, tillflow.dead_letter.v1" in ended.output
        assert "--create-topics" in ended.output

    def test_nobody_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An address where nothing listens."""
        monkeypatch.setattr("sources.kafka.topics.ANSWER_SECONDS", 0.5)
        ended = run_footfall("--kafka", "127.0.0.1:1", "--warehouse", tmp_path / "w.duckdb")
        assert ended.code == 1
        assert "kafka 127.0.0.1:1 does not answer within" in ended.output
