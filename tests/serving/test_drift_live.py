"""`tillflow drift` on a real broker, Redis and warehouse, as processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from broker import start_broker
from click.testing import CliRunner
from flow_driver import wait_until
from gate_support import position
from redis_server import redis_binaries, start_redis

from infra.cli import main
from schemas.alert import ALERT_TYPE, Alert
from schemas.instants import format_instant, to_micros
from schemas.position import POSITION_TYPE, Position
from serving.drift import WarehouseView
from sinks.kafka.events import STOCK_SOURCE, to_record
from sinks.kafka.producer import TopicWriter
from sinks.redis.client import HoldGate
from sinks.redis.settings import GateSettings
from sinks.warehouse.client import Warehouse
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.topics import check_topics

CLI = "import sys; from infra.cli import main; main(sys.argv[1:])"
PAIRS = [("tea", "P1"), ("cup", "P2")]


class Stack:
    """The three views, and what is told of them on the log."""

    def __init__(self, folder: Path, broker: str, redis: str) -> None:
        self.file = folder / "shop.duckdb"
        self.options = ["--kafka", broker, "--redis", redis, "--warehouse", str(self.file)]
        self.options += ["--lag-seconds", "0.5"]
        self.kafka = KafkaSettings(broker)
        check_topics(self.kafka, (POSITION_TYPE, ALERT_TYPE), create=True, partitions=2)
        self.gate = HoldGate(GateSettings(url=redis, pool="any", timeout_seconds=20))
        self.gate.open_gate("one")
        self.writer = TopicWriter(self.kafka)
        self.reader = RecordReader(self.kafka, (ALERT_TYPE,), "watcher")
        self.alerts: list[Alert] = []
        Warehouse(self.file).close()

    def everywhere(self, *positions: Position) -> None:
        for one in positions:
            key = f"{one.sku}@{one.place}"
            at = format_instant(to_micros(one.as_of))
            self.writer.write(
                *to_record(POSITION_TYPE, STOCK_SOURCE, f"{key}#{one.version}", at, one, key=key)
            )
        self.writer.flush()
        self.gate.project(positions)
        with WarehouseView(self.file, writing=True) as rows:
            for one in positions:
                rows.repair(one, None)

    def statuses(self) -> list[str]:
        for block in self.reader.read(0.05):
            for record in block.records:
                assert record.value is not None
                self.alerts.append(msgspec.json.decode(record.value, type=Alert))
        return [one.status for one in self.alerts]

    def watch(self, *more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", CLI, "drift", "watch", "--within", "1", *more]
        return subprocess.Popen([*command, *self.options], stdout=subprocess.PIPE)

    def close(self) -> None:
        self.gate.close()
        self.reader.close()


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    # The oldest server there is; the views are tested on the newest.
    oldest = redis_binaries()[-1]
    with (
        start_broker(tmp_path / "broker") as broker,
        start_redis(tmp_path / "redis", binary=oldest) as redis,
    ):
        made = Stack(tmp_path, broker.address, redis.url)
        made.everywhere(*(position(*pair, 10, 3) for pair in PAIRS))
        yield made
        made.close()


def ended(process: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


def test_drift_is_told_while_it_lasts_and_put_right(stack: Stack) -> None:
    stack.gate.client.hincrby(stack.gate.protocol.keys.pair(*PAIRS[0])[0], "held", 4)
    watching = stack.watch()
    wait_until(lambda: stack.statuses() == ["raised"], "no alert was raised")
    said = ended(watching)
    assert {(one["sku"], one["kind"], one["units"]) for one in said} == {("tea", "held", 4)}
    # Another process goes on with the same alert, and puts the pair right.
    check = ["drift", "check", "--format", "json", *stack.options]
    done = CliRunner().invoke(main, [*check, "--tell", "--repair"])
    assert done.exit_code == 0, done.output
    assert [one["kind"] for one in json.loads(done.stdout)["drift"]] == ["held"]
    wait_until(lambda: stack.statuses() == ["raised", "cleared"], "the alert was not cleared")
    raised, cleared = stack.alerts
    assert raised.alert == cleared.alert
    assert (raised.alert_type, raised.severity, raised.observed) == ("drift", "high", -4)
    assert [one.available for one in stack.gate.available(["tea"])["tea"]] == [10]
    done = CliRunner().invoke(main, check)
    assert json.loads(done.stdout) == {"pairs": 2, "drift": [], "gates_not_compared": {}}
