"""The roster flow between topics: windows in, alerts out, both through a real broker."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from broker import Broker, start_broker
from flow_driver import StartedFlow, query, wait_until
from staffing_driver import TODAY, run_cleanly, run_roster, world
from staffing_world import ZONE, line, windows

from flows.roster import GROUP
from operators.notify.notice import Notice
from schemas.footfall import FOOTFALL_WINDOW_TYPE
from sinks.kafka.producer import TopicWriter
from sources.alerts import KafkaInbox
from sources.kafka.settings import KafkaSettings


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker with the topic that is read."""
    with start_broker(tmp_path / "broker") as broker:
        # One partition: over what has been, time is that of the windows, in their order.
        broker.create(FOOTFALL_WINDOW_TYPE, 1)
        yield broker


def produce(broker: Broker, lines: list[bytes]) -> None:
    """Windows as the footfall flow tells them: binary mode, keyed by store."""
    writer = TopicWriter(KafkaSettings(broker.address))
    for each in lines:
        whole = json.loads(each)
        headers = [(f"ce_{name}", whole[name].encode()) for name in whole if name != "data"]
        key = whole["data"]["store"].encode()
        writer.write(FOOTFALL_WINDOW_TYPE, key, json.dumps(whole["data"]).encode(), headers)
    writer.flush()


def alerts(broker: Broker) -> list[Notice]:
    """What the hooks worker reads of the alert topics."""
    inbox = KafkaInbox(KafkaSettings(broker.address), "check", {})
    found = []
    try:
        while not inbox.ended():
            batch = inbox.read(0.05)
            assert batch.refused == []
            found += batch.items
    finally:
        inbox.close()
    return found


def test_windows_to_alerts(tmp_path: Path, broker: Broker) -> None:
    """Read to the end: tables and alerts; what is no window is a dead letter; then nothing new."""
    options = [*world(tmp_path), "--kafka", broker.address, "--create-topics", "--until-end"]
    produce(broker, [line(one) for one in windows(TODAY)])
    writer = TopicWriter(KafkaSettings(broker.address))
    writer.write(FOOTFALL_WINDOW_TYPE, b"S1", b"{}")
    writer.flush()
    assert "1 raised, 1 cleared" in run_cleanly(*options)
    found = alerts(broker)
    assert [(one.type, one.status, one.place) for one in found] == [
        ("short_staffed", status, "S1") for status in ("raised", "updated", "cleared")
    ]
    raised = found[0]
    assert raised.more["reason"].endswith("1 head short at till 13:00-16:00")
    assert [one["move"] for one in raised.more["proposals"]] == ["stay", "call"]
    dead = query(tmp_path / "w.duckdb", "SELECT reason_code FROM dead_letter")
    assert len(dead) == 1
    assert broker.committed(GROUP, FOOTFALL_WINDOW_TYPE, range(1))
    assert "nothing new to read" in run_cleanly(*options)
    assert len(alerts(broker)) == len(found)


@pytest.mark.slow
def test_live_by_the_clock(tmp_path: Path, broker: Broker) -> None:
    """What piled up until now is read, then a forecast is made at once; SIGTERM is a clean end."""
    options = world(tmp_path)[:-2]
    now = datetime.now(UTC).astimezone(ZONE)
    produce(broker, [line(one) for one in windows(now.date(), until=10)])
    arguments = [*options, "--kafka", broker.address, "--create-topics", "--epoch-seconds", 0.2]
    sizes = {"operators.staffing.machine.QUIET_US": 200_000}
    flow = StartedFlow(tmp_path / "log", *arguments, sizes=sizes, flow="roster")
    try:
        wait_until(lambda: _has_plan(tmp_path / "w.duckdb.roster.recovery"), "no forecast was made")
        flow.signal(signal.SIGTERM)
        ended = flow.wait()
    finally:
        flow.process.kill()
    assert ended.code == 0, ended.output
    assert "stopped after" in ended.output
    [(made, measures)] = query(
        tmp_path / "w.duckdb",
        "SELECT count(*), count(DISTINCT measure) FROM forecast_15m",
    )
    assert made > 0
    assert measures == 2


def _has_plan(recovery: Path) -> bool:
    """Whether a forecast is in the journal, with why its model was chosen."""
    return any(b"backtest" in path.read_bytes() for path in recovery.glob("state/*.journal"))


def test_topics_that_are_not_there(tmp_path: Path, broker: Broker) -> None:
    """They are named, with what to do."""
    ended = run_roster(*world(tmp_path), "--kafka", broker.address)
    assert ended.code == 1
    assert "staffing.alert.v1" in ended.output
    assert "--create-topics" in ended.output
