"""Members live: between topics of the log, and on a stream that has gone quiet."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import msgspec
import pytest
from broker import Broker, start_broker
from flow_driver import StartedFlow, query, wait_until, write_chain, write_lines
from log_driver import produce, records
from member_driver import TICK, assert_warehouse, run_members
from member_events import arrivals, history, member_chain, order, render
from member_oracle import expected

from flows.members import TOPICS
from operators.engine import system_clock
from schemas.instants import DAY_US, SECOND_US
from schemas.member_events import SEGMENT_CHANGED_TYPE, SegmentChanged


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Broker]:
    with start_broker(tmp_path / "broker") as broker:
        for topic in TOPICS:
            broker.create(topic, 2)
        yield broker


def told(broker: Broker) -> dict[str, SegmentChanged]:
    """The last change of each member on the log."""
    found: dict[str, SegmentChanged] = {}
    for record in records(broker, SEGMENT_CHANGED_TYPE):
        change = msgspec.json.decode(record.value or b"", type=SegmentChanged)
        assert record.key == change.member.encode()
        assert dict(record.headers)["ce_id"] == f"{change.member}#{change.number}".encode()
        found[change.member] = change
    return found


def test_topics_come_to_what_files_do(tmp_path: Path, broker: Broker) -> None:
    """Rows are the oracle's whatever order partitions are read in; changes are on the log."""
    # One topic may be read to its end before the other begins.
    chain = member_chain(late_days=365)
    rng = Random(9)
    lines = [one for one in arrivals(rng, history(rng, 15, 150, 45), 8.0) if b"erased" not in one]
    produce(broker, lines, lambda data: data.get("store") or data.get("member") or "")
    config = write_chain(tmp_path / "chain.yaml", chain)
    options = ["--kafka", broker.address, "--create-topics", "--until-end", "--config", config]
    warehouse = tmp_path / "w.duckdb"
    run_members(*options, "--warehouse", warehouse)
    assert_warehouse(warehouse, expected(lines, chain))
    rows = query(warehouse, "SELECT member, segment FROM member_state")
    states = {str(row[0]): row[1] for row in rows}
    changes = told(broker)
    assert changes
    for member, change in changes.items():
        assert change.to_segment == states[member]


def causes(warehouse: Path) -> list[tuple[object, ...]]:
    """The changes of segment, once the flow lets go of the file."""
    return query(warehouse, "SELECT cause, origin FROM member_transition ORDER BY number")


def test_an_idle_stream_flips_segments_by_the_clock(tmp_path: Path) -> None:
    """Nothing comes any more, and seconds later the last purchase is 30 days ago."""
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    over = system_clock() + 4 * SECOND_US
    write_lines(source, [render(order("m", "1", over - 30 * DAY_US, 100))])
    options = ["--source", source, "--warehouse", warehouse, "--follow", "--epoch-seconds", 0.2]
    flow = StartedFlow(tmp_path / "log", *options, flow="members")
    wait_until(partial(has_ticked, warehouse), "the clock stands still")
    flow.signal(signal.SIGTERM)
    assert flow.wait().code == 0
    assert causes(warehouse) == [("purchase", "live"), ("time", "live")]
    asked = "SELECT epoch_us(changed_at) FROM member_transition WHERE cause = 'time'"
    assert query(warehouse, asked) == [(over,)]
    assert query(warehouse, "SELECT segment FROM member_state") == [("lost",)]


def has_ticked(warehouse: Path) -> bool:
    """Whether a journal says that time alone has passed."""
    folder = warehouse.with_name(warehouse.name + ".members.recovery") / "state"
    return any(TICK in path.read_bytes() for path in folder.glob("*.journal"))
