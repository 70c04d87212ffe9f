"""Somebody saves a journey while the flow runs: it is in force for who comes in from then on."""

from __future__ import annotations

import signal
from functools import partial
from pathlib import Path

from flow_driver import StartedFlow, query, wait_until, write_chain, write_lines
from journey_driver import chain_of, journey
from member_driver import TICK
from member_events import order, render

from operators.engine import system_clock

TEXT = journey(
    "j", "{event: purchase}", "give: old", "wait: {event: refund, timeout: 1h}", reenter="always"
)


def taken(warehouse: Path, event: str) -> bool:
    """Whether a shard has journaled an event, and that time has passed since."""
    folder = warehouse.with_name(warehouse.name + ".members.recovery") / "state"
    journals = [path.read_bytes() for path in folder.glob("*.journal")]
    return any(0 <= one.find(event.encode()) < one.rfind(TICK) for one in journals)


def test_an_edited_file_is_in_force_without_a_restart(tmp_path: Path) -> None:
    """Also after a kill: who came in before is in the version of then."""
    journeys = tmp_path / "journeys"
    journeys.mkdir()
    file = journeys / "j.yaml"
    file.write_text("version: 1\n" + TEXT)
    source, warehouse, log = tmp_path / "a.jsonl", tmp_path / "w.duckdb", tmp_path / "log"
    config = write_chain(tmp_path / "chain.yaml", chain_of(quiet_hours=None))
    options = ["--source", source, "--follow", "--warehouse", warehouse, "--config", config]
    options += ["--journeys", journeys, "--epoch-seconds", 0.1]

    def said(word: str) -> bool:
        assert flow.alive(), log.read_text()
        return word in log.read_text()

    def buy(member: str) -> None:
        lines.append(render(order(member, f"of-{member}", system_clock(), 5_000)))
        write_lines(source, lines)
        wait_until(partial(taken, warehouse, f"of-{member}"), "a purchase was not taken")

    lines: list[bytes] = []
    write_lines(source, lines)
    flow = StartedFlow(log, *options, flow="members")
    buy("a")
    file.write_text("version: 2\n" + TEXT.replace("purchase", "purchas"))
    wait_until(partial(said, "purchas is none of"), "the mistake was not told")
    file.write_text("version: 2\n" + TEXT.replace("old", "new"))
    wait_until(partial(said, "journey j: v2-"), "the new file was not taken")
    buy("b")
    flow.process.kill()
    flow.wait()
    flow = StartedFlow(log, *options, flow="members")
    buy("c")
    flow.signal(signal.SIGTERM)
    assert flow.wait().code == 0
    gifts = "SELECT member, gift, journey_version[:2] FROM message WHERE gift <> '' ORDER BY member"
    wanted = [("a", "old", "v1"), ("b", "new", "v2"), ("c", "new", "v2")]
    assert query(warehouse, gifts) == wanted
    runs = "SELECT member, journey_version[:2], status FROM journey_run ORDER BY member"
    assert query(warehouse, runs) == [(member, of, "waiting") for member, _, of in wanted]
