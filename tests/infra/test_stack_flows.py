"""Flows of the live stack that run when they are asked for."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flow_driver import wait_until
from footfall_events import order
from stack_driver import stack_in

from flows import coupons, footfall, members, roster
from flows.settings import StockSettings
from infra.cli import main
from infra.stack import flows
from infra.stack.catalogue import ALL_TOPICS, plan
from infra.stack.record import StackError, StackSettings
from schemas.instants import to_micros

PORTS = dict.fromkeys(("kafka", "controller", "redis", "warehouse", "read", "api", "links"), 1)
STOCK = StockSettings(warehouse=Path("w.duckdb"))
READS = {
    "stock": (STOCK.topics, STOCK.group),
    "footfall": (footfall.TOPICS, footfall.GROUP),
    "roster": (roster.TOPICS, roster.GROUP),
    "members": (members.TOPICS, members.GROUP),
    "coupons": (coupons.TOPICS, coupons.GROUP),
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
    # Messages are of journeys, which run with members.
    assert names(tmp_path, "channels") == [*usual[:4], "members", "channels", *usual[4:]]
    assert names(tmp_path, "coupons") == [*usual[:4], "coupons", *usual[4:]]
    # Rosters need somebody who makes the windows.
    assert names(tmp_path, "roster") == [*usual[:4], "footfall", "roster", *usual[4:]]
    refused = CliRunner().invoke(
        main, ["up", "--data", str(tmp_path), "--with", "footfall,rooster"]
    )
    assert refused.exit_code == 2
    assert "'rooster' is none of footfall, roster, members, coupons, channels" in refused.output


def test_status_asks_for_what_a_flow_reads() -> None:
    assert {
        name: (topics, flows.group_of(name)) for name, topics in flows.TOPICS_READ.items()
    } == READS
    assert {name for topics, _ in READS.values() for name in topics} <= set(ALL_TOPICS)


KEYED = """
channels:
  sms:
    type: aliyun_sms
    access_key_id: env:TEST_KEY_ID
    access_key_secret: env:TEST_KEY_SECRET
    sign_name: shop
contacts: contacts.csv
"""
THANKS = """
journey: thanks
when: {event: purchase}
reenter: always
steps:
  - send: {class: service, channels: [sms], text: thank you}
"""


def test_messages_are_sent_only_with_all_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise, and without a configuration, they go to a file, and the stack says so."""
    config = tmp_path / "channels.yaml"
    config.write_text(KEYED, encoding="utf-8")
    (tmp_path / "contacts.csv").write_text("member,phone\n", encoding="utf-8")
    also = flows.wanted_flows(["channels"])
    for given, keys, sandbox in ((None, True, True), (config, False, True), (config, True, False)):
        for name in ("TEST_KEY_ID", "TEST_KEY_SECRET"):
            if keys:
                monkeypatch.setenv(name, "secret-key")
            else:
                monkeypatch.delenv(name, raising=False)
        settings = StackSettings(
            data=tmp_path / "d", also=also, kafka="localhost:9092", channels=given
        )
        made = plan(settings, PORTS)
        (service,) = [one for one in made.services if one.name == "channels"]
        assert ("--sandbox" in service.command) is sandbox
        (note,) = [one for one in made.notes if one.startswith("channels")]
        assert ("nothing is sent" in note) is sandbox
        assert "secret-key" not in " ".join((*service.command, *made.notes))
    config.write_text("channels: {sms: {type: pigeon}}\n", encoding="utf-8")
    wrong = StackSettings(data=tmp_path / "d", also=also, kafka="localhost:9092", channels=config)
    with pytest.raises(StackError, match=r"channels\.yaml"):
        plan(wrong, PORTS)


@pytest.mark.slow
def test_doors_and_members_in_the_live_stack(tmp_path: Path) -> None:
    """An order goes to both flows that were asked for, and its member is thanked, to a file."""
    (tmp_path / "thanks.yaml").write_text(THANKS, encoding="utf-8")
    with stack_in(tmp_path / "shop") as stack:
        words = ("--all-flows", "--without", "stock,transfers,keeper,api")
        began = stack.up(*words, "--journeys", str(tmp_path / "thanks.yaml"))
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
            "coupons",
            "channels",
        ]
        assert stack.service("channels")["detail"].startswith("sandbox: no messages yet")
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
        sent = tmp_path / "shop" / "channels" / "sent.jsonl"
        wait_until(lambda: sent.exists() and bool(sent.read_bytes()), "nobody was thanked")
        (message,) = map(json.loads, sent.read_text(encoding="utf-8").splitlines())
        assert message["channel"] == "sms"
        assert "thank you" in str(message)
        wait_until(
            lambda: stack.rows("SELECT status FROM message_delivery") == [("accepted",)],
            "what became of the message is not told",
        )
        assert stack.service("channels")["detail"].startswith("sandbox: 1 accepted")
        for name in ("footfall", "members"):
            assert "1 events, newest" in stack.service(name)["detail"]
        running = stack.processes
        assert stack.run("down").exit_code == 0
        assert not any(one.alive for one in running)
