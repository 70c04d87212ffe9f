"""The members flow from files to the warehouse, killed and resumed, against the oracle."""

from __future__ import annotations

import json
import signal
import time
from functools import partial
from pathlib import Path
from random import Random

import pytest
from click.testing import CliRunner
from flow_driver import StartedFlow, query, split_evenly, wait_until, write_chain, write_lines
from member_driver import assert_warehouse, everything, invoke, progress, run_members
from member_events import BEGIN, arrivals, history, member_chain, order, render
from member_oracle import Expected, expected

from infra.cli import main
from schemas.chain import Chain
from schemas.member_rules import MembersConfig, SegmentThresholds
from sources.abreast import reader

# So that a short history has many blocks, and a journal many generations.
SIZES = {
    "sources.abreast.reader.ABREAST_BYTES": 4 * 1024,
    "sinks.journal.SMALLEST_REBASE_BYTES": 16 * 1024,
}
PARTS = 2


@pytest.fixture(scope="module", name="lines")
def _lines() -> list[bytes]:
    rng = Random(4)
    return arrivals(rng, history(rng, 40, 500, 45), 8.0)


@pytest.fixture(scope="module", name="chain")
def _chain() -> Chain:
    return member_chain()


@pytest.fixture(scope="module", name="wanted")
def _wanted(lines: list[bytes], chain: Chain) -> Expected:
    return expected(lines, chain)


def test_against_the_oracle(
    tmp_path: Path,
    lines: list[bytes],
    chain: Chain,
    wanted: Expected,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every row; what is no event goes to dead_letter; a second run changes nothing."""
    monkeypatch.setattr(reader, "ABREAST_BYTES", 16 * 1024)
    garbage = [b'{"specversion": "1.0", "type": "pos.refund.v1"}', b"no json"]
    nobodys = render(order(None, "n1", BEGIN, 100))
    source = write_lines(tmp_path / "a.jsonl", [*lines[:50], *garbage, nobodys, *lines[50:]])
    warehouse = tmp_path / "w.duckdb"
    config = write_chain(tmp_path / "chain.yaml", chain)
    options = ["--source", source, "--warehouse", warehouse, "--config", config]
    output = run_members(*options, "--workers", 2)
    assert "dead letters 2" in output
    assert_warehouse(warehouse, wanted)
    codes = "SELECT reason_code FROM dead_letter ORDER BY position"
    assert query(warehouse, codes) == [("invalid_event",), ("not_json",)]
    assert query(warehouse, "SELECT others >= 1 FROM flow_run") == [(True,)]
    rows = everything(warehouse)
    assert "nothing new to read" in run_members(*options)
    assert everything(warehouse) == rows
    alone = tmp_path / "alone.duckdb"
    run_members(*options[:2], "--warehouse", alone, *options[4:], "--no-recovery")
    assert_warehouse(alone, wanted)


def has_moved(flow: StartedFlow, warehouse: Path, before: dict[str, int]) -> bool:
    """Whether more has become durable, or the flow has ended."""
    return not flow.alive() or progress(warehouse) != before


@pytest.mark.slow
def test_killed(tmp_path: Path, lines: list[bytes], chain: Chain, wanted: Expected) -> None:
    """Kill -9 while it reads or writes; then run to the end: every row is the oracle's."""
    rng = Random(2)
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    config = write_chain(tmp_path / "chain.yaml", chain)
    options = ["--source", source, "--warehouse", warehouse, "--config", config]
    options += ["--epoch-seconds", 0.05]
    there: list[bytes] = []
    hits = 0
    for part in split_evenly(lines, PARTS):
        there += part
        write_lines(source, there)
        before = progress(warehouse)
        flow = StartedFlow(tmp_path / "log", *options, sizes=SIZES, flow="members")
        wait_until(partial(has_moved, flow, warehouse, before), "no progress was made")
        time.sleep(0.1 * rng.random())
        flow.process.kill()
        ended = flow.wait()
        assert ended.code in (0, -signal.SIGKILL), ended.output
        hits += ended.code != 0
    assert hits
    run_members(*options)
    assert_warehouse(warehouse, wanted)


def test_questions(tmp_path: Path) -> None:
    """Segments, one member with its changes, thresholds that put themselves in force."""
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    lines = [render(order("m1", str(n), BEGIN + n, 20_000)) for n in range(3)]
    lines.append(render(order("m2", "x", BEGIN, 1_000)))
    write_lines(source, lines)
    assert "members      2 in" in run_members("--source", source, "--warehouse", warehouse)
    about = ("--warehouse", warehouse, "--format", "json")
    found = json.loads(invoke("members", "segments", *about))
    assert [(one["segment"], one["members"]) for one in found] == [
        ("high_value", 1),
        ("promising_new", 1),
    ]
    (one,) = json.loads(invoke("members", "why", "m1", *about))
    assert [told["cause"] for told in one["transitions"]] == ["purchase"] * 2
    shown = invoke("members", "why", "m1", "--warehouse", warehouse)
    assert "High value 重要价值" in shown
    assert "600.00 CNY on 3 receipts" in shown
    made = invoke("members", "thresholds", "--by", "mean", "--warehouse", warehouse)
    assert json.loads(made)["data"]["monetary"] == 30_500
    write_lines(source, [*lines, made.strip().encode()])
    run_members("--source", source, "--warehouse", warehouse)
    asked = "SELECT thresholds, frequency_high FROM member_state ORDER BY member"
    assert query(warehouse, asked) == [(2, 1), (2, 0)]


def test_thresholds_without_a_new_version(tmp_path: Path) -> None:
    """Other figures under the old version: it does not start, and says what to do."""
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    lines = [render(order("m1", "1", BEGIN, 20_000))]
    write_lines(source, lines)
    run_members("--source", source, "--warehouse", warehouse)
    lines.append(render(order("m1", "2", BEGIN, 20_000)))
    write_lines(source, lines)
    limits = SegmentThresholds(monetary=1)
    config = write_chain(tmp_path / "chain.yaml", Chain(members=MembersConfig(thresholds=limits)))
    words = ["run", "members", "--source", source, "--warehouse", warehouse, "--config", config]
    result = CliRunner().invoke(main, list(map(str, words)))
    assert result.exit_code == 1
    assert "raise its version" in result.output
