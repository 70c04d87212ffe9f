"""The table `reservation`: what the gate told last, however the stock flow is run and run again."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from broker import start_broker
from flow_driver import (
    Row,
    StartedFlow,
    progress,
    query,
    results,
    run_cleanly,
    tables,
    wait_until,
    write_chain,
    write_lines,
)
from hold_stories import expected_reservations, hold_stories
from log_driver import produce
from stock_events import Event, event, random_history, render

from schemas.chain import Chain

SIZES = {"sources.blocks.BLOCK_BYTES": 16 * 1024, "sources.kafka.reader.MOST_RECORDS": 50}
ASK = """
SELECT reservation, sku, place, state, quantity, hold_seq, "order", channel,
  epoch_us(expires_at), epoch_us(updated_at)
FROM reservation ORDER BY ALL
"""


@pytest.fixture(name="told", scope="module")
def _told() -> list[Event]:
    return hold_stories(Random(5), 250)


@pytest.fixture(name="lines", scope="module")
def _lines(told: list[Event]) -> list[bytes]:
    """Holds out of order and some of them twice, among movements."""
    rng = Random(6)
    holds = told + rng.sample(told, 100)
    rng.shuffle(holds)
    lines = [render(one) for one in random_history(6, 2_000, skus=10)]
    for one in holds:
        lines.insert(rng.randrange(len(lines)), render(one))
    return lines


def rows(warehouse: Path) -> list[Row]:
    return query(warehouse, ASK)


def has_moved(flow: StartedFlow, warehouse: Path) -> Callable[[], bool]:
    before = progress(warehouse)
    return lambda: not flow.alive() or progress(warehouse) != before


def test_newest_state_of_each_line(
    tmp_path: Path, chain: Chain, told: list[Event], lines: list[bytes]
) -> None:
    """What an independent fold has; the same again without any memory of the first run."""
    config = write_chain(tmp_path / "chain.yaml", chain)
    source = write_lines(tmp_path / "events.jsonl", lines)
    warehouse = tmp_path / "w.duckdb"
    options = ["--source", source, "--config", config, "--warehouse", warehouse]
    run_cleanly(*options)
    assert rows(warehouse) == expected_reservations(told)
    assert query(warehouse, "FROM dead_letter WHERE event_source LIKE 'hold-gate%'") == []
    once = tables(warehouse, "reservation", "stock_position")
    run_cleanly(*options, "--workers", 2)
    assert tables(warehouse, "reservation", "stock_position") == once
    shutil.rmtree(warehouse.with_name("w.duckdb.recovery"))
    run_cleanly(*options)
    assert tables(warehouse, "reservation", "stock_position") == once


def test_an_older_event_comes_in_a_later_run(tmp_path: Path, told: list[Event]) -> None:
    """Files in any order: the newest half first changes nothing in the end."""
    folder = tmp_path / "events"
    folder.mkdir()
    warehouse = tmp_path / "w.duckdb"
    halves = (told[len(told) // 2 :], told[: len(told) // 2])
    for number, half in enumerate(halves):
        write_lines(folder / f"{number}.jsonl", map(render, half))
        run_cleanly("--source", folder, "--warehouse", warehouse)
    assert rows(warehouse) == expected_reservations(told)


def test_killed_and_resumed(
    tmp_path: Path, chain: Chain, told: list[Event], lines: list[bytes]
) -> None:
    """kill -9 while it reads: the warehouse of a run that nobody killed."""
    config = write_chain(tmp_path / "chain.yaml", chain)
    found = []
    for name in ("whole", "killed"):
        folder, warehouse = tmp_path / name, tmp_path / f"{name}.duckdb"
        folder.mkdir()
        options = ["--source", folder, "--config", config, "--warehouse", warehouse]
        for number in range(3):
            part = lines[number * len(lines) // 3 : (number + 1) * len(lines) // 3]
            write_lines(folder / f"{number}.jsonl", part)
            if name == "killed":
                flow = StartedFlow(
                    tmp_path / "log", *options, "--follow", "--epoch-seconds", 0.1, sizes=SIZES
                )
                wait_until(has_moved(flow, warehouse), "no progress")
                flow.process.kill()
                assert flow.wait().code == -signal.SIGKILL
        run_cleanly(*options)
        found.append(results(warehouse) | tables(warehouse, "reservation"))
        assert rows(warehouse) == expected_reservations(told)
    assert found[0] == found[1]


def test_from_the_log(tmp_path: Path, told: list[Event]) -> None:
    """Live and killed, then to the end of the topics, in both modes of CloudEvents."""
    warehouse = tmp_path / "w.duckdb"
    with start_broker(tmp_path / "broker") as broker:
        for topic in ("stock.movement.v1", "stock.reservation.v1"):
            broker.create(topic, 2)
        options = ["--kafka", broker.address, "--create-topics", "--warehouse", warehouse]
        received = [event("received", 5, sku=sku) for sku in ("TEA", "A", "B", "C")]
        for half in (received + told[: len(told) // 2], told[len(told) // 2 :]):
            produce(broker, map(render, half), lambda data: data["sku"])
            flow = StartedFlow(tmp_path / "log", *options, "--epoch-seconds", 0.1, sizes=SIZES)
            wait_until(has_moved(flow, warehouse), "no progress")
            flow.process.kill()
            assert flow.wait().code == -signal.SIGKILL
        run_cleanly(*options, "--until-end")
    assert rows(warehouse) == expected_reservations(told)
    confirmed = sum(one["data"]["state"] == "confirmed" for one in told)
    ask = "SELECT sum(held_confirmed_seq) FROM stock_position"
    assert query(warehouse, ask) == [(confirmed,)]
