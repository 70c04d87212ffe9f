"""Flows of the live stack that run when they are asked for."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flow_driver import wait_until
from footfall_events import order
from stack_driver import stack_in

from flows import footfall, members, roster
from flows.settings import StockSettings
from infra.cli import main
from infra.stack import flows
from infra.stack.catalogue import ALL_TOPICS, plan
from infra.stack.record import StackSettings
from schemas.instants import to_micros

PORTS = dict.fromkeys(("kafka", "controller", "redis", "warehouse", "read", "api", "links"), 1)
STOCK = StockSettings(warehouse=Path("w.duckdb"))
READS = {
    "stock": (STOCK.topics, STOCK.group),
    "footfall": (footfall.TOPICS, footfall.GROUP),
    "roster": (roster.TOPICS, roster.GROUP),
    "members": (members.TOPICS, members.GROUP),
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TILLFLOW_")]:
        monkeypatch.delenv(name)


def names(data: Path, *also: str) -> list[str]:
    settings = StackSettings(data=data, also=flows.wanted_flows(also), kafka="localhost:9092")
    return [one.name for one in plan(settings, PORTS).services]


def test_only_those_that_were_asked_for(tmp_path: Path) -> None:
    usual = ["redis", "warehouse", "stock", "transfers", "keeper", "api"]
    assert names(tmp_path) == usual
    assert names(tmp_path, "members") == [*usual[:4], "members", *usual[4:]]
    # Rosters need somebody who makes the windows.
    assert names(tmp_path, "roster") == [*usual[:4], "footfall", "roster", *usual[4:]]
    refused = CliRunner().invoke(
        main, ["up", "--data", str(tmp_path), "--with", "footfall,rooster"]
    )
    assert refused.exit_code == 2
    assert "'rooster' is none of footfall, roster, members" in refused.output


def test_status_asks_for_what_a_flow_reads() -> None:
    assert {
        name: (topics, flows.group_of(name)) for name, topics in flows.TOPICS_READ.items()
    } == READS
    assert {name for topics, _ in READS.values() for name in topics} <= set(ALL_TOPICS)


@pytest.mark.slow
def test_doors_and_members_in_the_live_stack(tmp_path: Path) -> None:
    """An order goes to both flows that were asked for; the one for rosters stands ready."""
    with stack_in(tmp_path / "shop") as stack:
        began = stack.up("--all-flows", "--without", "stock,transfers,keeper,api")
        assert began.code == 0, began.output
        now = stack.status()
        assert now["well"], now
        assert [one["name"] for one in now["services"]] == [
            "broker",
            "redis",
            "warehouse",
            "footfall",
            "roster",
            "members",
        ]
        at = to_micros(datetime.now(UTC))
        stack.tell(order("S1", at, id="o-1", member="m-1"), b"S1")
        wait_until(
            lambda: stack.rows("SELECT store, orders FROM footfall_15m") == [("S1", 1)],
            "the order never reached the windows",
        )
        wait_until(
            lambda: stack.rows("SELECT count(*) FROM member_state") == [(1,)],
            "the order never reached its member",
        )
        for name in ("footfall", "members"):
            assert "1 events, newest" in stack.service(name)["detail"]
        running = stack.processes
        assert stack.run("down").exit_code == 0
        assert not any(one.alive for one in running)
