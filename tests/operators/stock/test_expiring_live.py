"""`tillflow expiring` over files and on a real broker: the same alerts, by the clock when live."""

from __future__ import annotations

import json
import time
from pathlib import Path

import msgspec
from broker import start_broker
from click.testing import CliRunner, Result
from phantom_facts import fact

from flows.replayed import replayed
from flows.watch import EXPIRING as WATCH
from flows.watch import TOPICS, AlertRow, LogWatcher
from infra.cli import main
from operators.stock.expiry.alerts import EXPIRING
from operators.stock.facts import Fact
from schemas.alert import ALERT_TYPE
from schemas.chain import Chain
from schemas.instants import DAY_US, HOUR_US, format_instant, to_datetime
from schemas.movement import MOVEMENT_TYPE, Received, Sold
from schemas.position import POSITION_TYPE
from serving.drift import WarehouseView
from sinks.kafka.events import to_record
from sinks.kafka.producer import TopicWriter
from sinks.warehouse.client import Warehouse
from sources.kafka.settings import KafkaSettings
from sources.kafka.topics import check_topics

CHAIN = Chain(timezone="UTC")


def history(end: int) -> list[Fact]:
    """Four days up to an instant: 40 that expire tomorrow and 5 that did today, 2 sold a day."""
    tomorrow, today = (to_datetime(end + days * DAY_US).date().isoformat() for days in (1, -1))
    return [
        came(end - 4 * DAY_US, 8, today, "A"),
        came(end - 4 * DAY_US + HOUR_US, 40, tomorrow, "B"),
        *(fact(end - days * DAY_US, Sold(sku="bun", place="S1", quantity=1)) for days in (3, 2, 1)),
    ]


def came(at: int, units: int, day: str, lot: str) -> Fact:
    movement = Received(sku="bun", place="S1", quantity=units, expires_on=day, lot=lot)
    return fact(at, movement, lot)


def write(file: Path, facts: list[Fact]) -> str:
    lines = []
    for one in facts:
        event = {"specversion": "1.0", "id": one.id, "source": one.source, "type": MOVEMENT_TYPE}
        data = msgspec.to_builtins(one.movement)
        lines.append(json.dumps(event | {"time": format_instant(one.time), "data": data}))
    file.write_text("\n".join(lines) + "\n")
    return str(file)


def check(*arguments: str) -> Result:
    done = CliRunner().invoke(main, ["expiring", "check", *arguments])
    assert done.exit_code == 0, done.output
    return done


def test_files(tmp_path: Path) -> None:
    """What is open at their end, as a table and as data, and in the warehouse when told so."""
    warehouse = tmp_path / "shop.duckdb"
    Warehouse(warehouse).close()
    config = tmp_path / "chain.yaml"
    config.write_text("timezone: UTC\n")
    end = HOUR_US * (time.time_ns() // 1000 // HOUR_US)
    source = write(tmp_path / "events.jsonl", history(end))
    options = ["--source", source, "--config", str(config), "--warehouse", str(warehouse)]
    found = json.loads(check(*options, "--tell", "--format", "json").stdout)
    assert [(one["lot"]["lot"], one["lot"]["units"]) for one in found] == [("A", 5), ("B", 40)]
    assert "mark down" in check(*options).stdout
    with WarehouseView(warehouse) as view:
        told = view.open_alerts(EXPIRING)
    assert sorted(one.alert for one in told) == sorted(one["alert"] for one in found)
    sold_out = fact(end, Sold(sku="bun", place="S1", quantity=45))
    write(tmp_path / "events.jsonl", [*history(end), sold_out])
    assert check(*options, "--tell").stdout == "all lots will be sold in time, as sales go\n"
    with WarehouseView(warehouse) as view:
        assert view.open_alerts(EXPIRING) == []


def test_live(tmp_path: Path) -> None:
    """Time acts when what has been is read, and a watcher that was stopped tells nothing twice."""
    end = time.time_ns() // 1000
    source = write(tmp_path / "events.jsonl", history(end))
    told: list[AlertRow] = []
    state = tmp_path / "expiring.state"
    with start_broker(tmp_path / "broker") as broker:
        kafka = KafkaSettings(broker.address)
        check_topics(kafka, (*TOPICS, ALERT_TYPE), create=True, partitions=1)
        writer = TopicWriter(kafka)
        for step in replayed(source, CHAIN):
            for one in step.facts:
                at, data = format_instant(one.time), one.movement
                record = to_record(MOVEMENT_TYPE, one.source, one.id, at, data, key="bun")
                writer.write(*record)
            for position in step.positions:
                key, now = "bun@S1", format_instant(end)
                record = to_record(POSITION_TYPE, "tillflow/stock", key, now, position, key=key)
                writer.write(*record)
        writer.flush()
        for _ in range(2):
            watcher = LogWatcher(WATCH, kafka, CHAIN, state, told.extend)
            while not watcher.ended():
                watcher.step(0.05)
            watcher.step(0.05)
            watcher.close()
    assert [(row[2], row[3], row[7]) for row in told] == [
        ("raised", "high", 5),
        ("raised", "warning", 40),
    ]
    assert len(watcher.machine.open()) == 2
