"""Coupons in the live stack: given by a journey, issued at its desk, counted in the funnel."""

from __future__ import annotations

import json
import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from flow_driver import wait_until
from footfall_events import order
from member_events import event
from stack_driver import stack_in

from infra.cli import main
from infra.stack.catalogue import plan
from infra.stack.flows import wanted_flows
from infra.stack.record import StackError, StackSettings
from schemas.channels_file import load_channels
from schemas.instants import to_micros
from schemas.secrets import secrets_of

PORTS = dict.fromkeys(("kafka", "controller", "redis", "warehouse", "read", "api", "links"), 1)
BOOK = """\
version: 1
coupons:
  - {id: mug, name: {zh: 杯, en: a mug}, kind: amount_off, threshold: 10000, amount: 1000,
     valid: {days: 30}, budget: {issued: 100}}
"""
THANKS = """
journey: thanks
when: {event: purchase}
steps:
  - {give: mug, valid: 7d}
  - send: {class: service, channels: [sms], text: thank you}
"""
FUNNEL = "SELECT campaign, issued, delivered, opened, visited, still_valid FROM coupon_funnel"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TILLFLOW_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "coupons.yaml"
    path.write_text(BOOK, encoding="utf-8")
    return path


def settings_of(folder: Path, book: Path, channels: Path | None = None) -> StackSettings:
    also = wanted_flows(["coupons", "channels"])
    return StackSettings(
        data=folder, also=also, kafka="localhost:9092", coupons=book, channels=channels
    )


def test_a_wrong_file_of_coupons_is_told_before_anything_starts(tmp_path: Path, book: Path) -> None:
    book.write_text(BOOK.replace("threshold: 10000", "threshold: many"), encoding="utf-8")
    with pytest.raises(StackError, match=r"coupons\.yaml, line 3"):
        plan(settings_of(tmp_path, book), PORTS)


def test_gifts_are_issued_at_the_desk_of_the_stack(tmp_path: Path, book: Path) -> None:
    """With a configuration of one's own, too, if it says what the example says."""
    made = plan(settings_of(tmp_path / "d", book), PORTS)
    (flow,) = [one for one in made.services if one.name == "coupons"]
    assert flow.command[-2:] == ("--coupons", str(book))
    (worker,) = [one for one in made.services if one.name == "channels"]
    assert "--sandbox" not in worker.command
    assert "redis" in worker.needs
    assert worker.prepare is not None
    worker.prepare()
    own = load_channels(tmp_path / "d" / "channels" / "channels.yaml")
    assert {type(one).__name__ for one in own.channels.values()} == {"Offers", "Sandbox"}
    assert own.coupons is not None
    assert secrets_of(own.coupons, worker.environ) == ("redis://127.0.0.1:1/0",)
    assert made.environment["TILLFLOW_HOLDS_REDIS"] == "redis://127.0.0.1:1/0"

    given = tmp_path / "channels.yaml"
    given.write_text(
        "channels: {pos: {type: offers}}\ncontacts: contacts.csv\n"
        "coupons: {redis: env:TILLFLOW_HOLDS_REDIS}\n",
        encoding="utf-8",
    )
    made = plan(settings_of(tmp_path / "d", book, channels=given), PORTS)
    (worker,) = [one for one in made.services if one.name == "channels"]
    theirs = load_channels(given).coupons
    assert theirs is not None
    assert secrets_of(theirs, worker.environ) == ("redis://127.0.0.1:1/0",)


@pytest.mark.slow
def test_from_a_purchase_to_an_opened_message(
    tmp_path: Path, book: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The flow is killed on the way; nothing is counted twice, and `down` ends all of it."""
    (tmp_path / "thanks.yaml").write_text(THANKS, encoding="utf-8")
    with stack_in(tmp_path / "shop") as stack:
        words = ("--with", "coupons,channels", "--without", "stock,transfers,api")
        files = ("--coupons", book, "--journeys", tmp_path / "thanks.yaml")
        began = stack.up(*words, *files)
        assert began.code == 0, began.output
        assert "gifts are issued at the desk" in began.output
        for name, text in stack.environment.items():
            monkeypatch.setenv(name, text)
        published = CliRunner().invoke(main, ["coupon", "publish", str(book), "--first"])
        assert published.exit_code == 0, published.output
        assert stack.status()["well"], stack.status()

        at = to_micros(datetime.now(UTC))
        stack.tell(order("S1", at, id="o-1", member="m-1"), b"S1")
        sent = tmp_path / "shop" / "channels" / "sent.jsonl"
        wait_until(lambda: sent.exists() and bool(sent.read_bytes()), "nobody was thanked")
        (message,) = map(json.loads, sent.read_text(encoding="utf-8").splitlines())
        # While the flow is away nothing is lost.
        os.kill(stack.service("coupons")["pid"], signal.SIGKILL)
        seen = {"message": message["message"], "member": "m-1"}
        stack.tell(event("message.opened.v1", "o1", at + 1, "app", **seen), b"m-1")
        wait_until(
            lambda: stack.rows(FUNNEL) == [("mug", 1, 1, 1, 0, 1)], "the coupon was not counted"
        )
        wait_until(lambda: bool(stack.status()["well"]), "the flow did not come back")
        flow = stack.service("coupons")
        assert flow["restarts"] == 1
        assert "events, newest" in flow["detail"]
        # As the page says: the addresses and tokens are in the environment.
        address = stack.environment["TILLFLOW_WAREHOUSE"]
        asked = CliRunner().invoke(main, ["coupon", "funnel", "--warehouse", address])
        assert asked.exit_code == 0, asked.output
        assert "opened" in asked.output
        running = stack.processes
        assert stack.run("down").exit_code == 0
        assert not any(one.alive for one in running)
