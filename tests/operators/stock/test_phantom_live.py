"""`tillflow phantom` over files and on a real broker: the same suspicion, also after a stop."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from broker import start_broker
from click.testing import CliRunner, Result

from flows.replayed import replayed
from flows.watch import PHANTOM as WATCH
from flows.watch import TOPICS, LogWatcher
from infra.cli import main
from operators.stock.phantom.alerts import PHANTOM, AlertRow
from schemas.alert import ALERT_TYPE
from schemas.chain import Chain
from schemas.instants import DAY_US, MINUTE_US, format_instant, parse_instant, to_datetime
from schemas.movement import MOVEMENT_TYPE, Counted, LedgerMovement, Received, Sold
from schemas.position import POSITION_TYPE
from serving.drift import WarehouseView
from sinks.kafka.events import OutRecord, to_record
from sinks.kafka.producer import TopicWriter
from sinks.warehouse.client import Warehouse
from sources.kafka.settings import KafkaSettings
from sources.kafka.topics import check_topics

START = parse_instant("2026-11-02T09:00:00+08:00")
SILENT_FROM = 12


def history(days: int) -> list[tuple[int, LedgerMovement]]:
    """Tea sells every second hour until it does so no more; another product always sells."""
    found: list[tuple[int, LedgerMovement]] = [
        (START - DAY_US, Received(sku=sku, place="S1", quantity=5000)) for sku in ("tea", "other")
    ]
    for day in range(days):
        for minute in range(0, 720, 20):
            at = START + day * DAY_US + minute * MINUTE_US
            found.append((at, Sold(sku="other", place="S1", quantity=1)))
            if minute % 120 == 0 and day < SILENT_FROM:
                found.append((at + MINUTE_US, Sold(sku="tea", place="S1", quantity=1)))
    return found


def write(file: Path, facts: list[tuple[int, LedgerMovement]]) -> Path:
    lines = []
    for number, (at, movement) in enumerate(facts):
        event = {"specversion": "1.0", "id": str(number), "source": "till/1", "type": MOVEMENT_TYPE}
        data = msgspec.to_builtins(movement)
        lines.append(json.dumps(event | {"time": format_instant(at), "data": data}))
    file.write_text("\n".join(lines) + "\n")
    return file


def check(*arguments: str) -> Result:
    done = CliRunner().invoke(main, ["phantom", "check", *arguments])
    assert done.exit_code == 0, done.output
    return done


def test_files_tell_what_is_suspected_and_a_count_ends_it(tmp_path: Path) -> None:
    file, warehouse = tmp_path / "events.jsonl", tmp_path / "shop.duckdb"
    Warehouse(warehouse).close()
    source = str(write(file, history(18)))
    options = ["--source", source, "--warehouse", str(warehouse)]
    [found] = json.loads(check(*options, "--tell", "--format", "json").stdout)
    assert (found["sku"], found["place"], found["silence"]["on_hand"]) == ("tea", "S1", 4928)
    assert found["silent_since"] == "2026-11-13T11:01:00Z"
    assert "tea" in check(*options).stdout
    with WarehouseView(warehouse) as view:
        [alert] = view.open_alerts(PHANTOM)
    assert alert.alert == found["alert"]
    counted = START + 18 * DAY_US
    write(file, [*history(18), (counted, Counted(sku="tea", place="S1", quantity=0))])
    assert check(*options, "--tell").stdout == "nothing is silent for improbably long\n"
    with WarehouseView(warehouse) as view:
        assert view.open_alerts(PHANTOM) == []
    # Other events altogether: an alert that they do not bear out goes, too.
    write(file, history(18))
    check(*options, "--tell")
    write(file, history(11))
    check(*options, "--tell")
    with WarehouseView(warehouse) as view:
        assert view.open_alerts(PHANTOM) == []


def test_a_worker_that_was_stopped_goes_on_and_tells_nothing_twice(tmp_path: Path) -> None:
    source = write(tmp_path / "events.jsonl", history(18))
    records: list[OutRecord] = []
    for step in replayed(str(source), Chain()):
        for fact in step.facts:
            sku, at = fact.movement.sku, format_instant(fact.time)
            data = fact.movement
            records.append(to_record(MOVEMENT_TYPE, fact.source, fact.id, at, data, key=sku))
        for one in step.positions:
            key, now = f"{one.sku}@{one.place}", format_instant(0)
            records.append(to_record(POSITION_TYPE, "tillflow/stock", key, now, one, key=key))
    told: list[AlertRow] = []
    with start_broker(tmp_path / "broker") as broker:
        kafka = KafkaSettings(broker.address)
        check_topics(kafka, (*TOPICS, ALERT_TYPE), create=True, partitions=1)
        writer = TopicWriter(kafka)
        state = tmp_path / "phantom.state"
        half = len(records) // 2
        for part in (records[:half], records[half:], []):
            for record in part:
                writer.write(*record)
            writer.flush()
            worker = LogWatcher(WATCH, kafka, Chain(), state, told.extend)
            while not worker.ended():
                worker.step(0.05)
            last = worker.machine.dump()
            worker.close()
        whole: list[AlertRow] = []
        fresh = LogWatcher(WATCH, kafka, Chain(), None, whole.extend)
        while not fresh.ended():
            fresh.step(0.05)
        fresh.close()
    assert [row[2] for row in told] == ["raised"]
    assert [row[0] for row in whole] == [row[0] for row in told]
    assert told[0][0] == "phantom_suspected/tea@S1/2026-11-13T11:01:00Z"
    assert worker.machine.dump() == last
    assert to_datetime(told[0][-2]) < datetime(2027, 1, 1, tzinfo=UTC)
