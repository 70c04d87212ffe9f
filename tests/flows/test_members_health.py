"""Health through the whole flow: from the model to rows, by the clock, killed and resumed."""

from __future__ import annotations

import json
import signal
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random

import duckdb
import msgspec
import pytest
from click.testing import CliRunner
from flow_driver import StartedFlow, query, wait_until, write_chain, write_lines
from health_models import quick_model
from member_driver import TICK, everything, invoke, progress, run_members
from member_events import BEGIN, arrivals, history, member_chain, order, render

from infra.cli import main
from operators.engine import system_clock
from operators.members.health.history import history as figures
from operators.members.health.model import HealthModel, chance, to_json
from operators.members.rules import MemberRules
from schemas.chain import Chain
from schemas.instants import DAY_US, SECOND_US
from schemas.member_tables import MEMBER_STATE

SIZES = {
    "sources.abreast.reader.ABREAST_BYTES": 4 * 1024,
    "sinks.journal.SMALLEST_REBASE_BYTES": 16 * 1024,
}


def write_model(folder: Path, model: HealthModel) -> Path:
    """The model's file."""
    path = folder / "health.json"
    path.write_bytes(to_json(model))
    return path


def test_rows_and_questions(tmp_path: Path) -> None:
    """Every member that bought has a health; another model judges all anew, none takes it away."""
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    lines = [render(order("m1", str(n), BEGIN + n * DAY_US, 20_000)) for n in range(5)]
    lines.append(render(order("m2", "x", BEGIN, 1_000)))
    write_lines(source, lines)
    path = write_model(tmp_path, quick_model())
    options = ["--source", source, "--warehouse", warehouse]
    run_members(*options, "--health", path)
    asked = "SELECT member, health_band, health_model FROM member_state ORDER BY member"
    # A file's time is that of its newest event: by then m2 has been silent for four days.
    assert query(warehouse, asked) == [("m1", "healthy", "q1"), ("m2", "at_risk", "q1")]
    shown = invoke("members", "health", "--warehouse", warehouse)
    assert "at_risk" in shown
    assert "m2" in shown
    weak = invoke("members", "health", "--warehouse", warehouse, "--format", "json")
    (one,) = json.loads(weak)
    assert one["member"] == "m2"
    assert any("last purchase" in each["why"] for each in one["drivers"])
    why = invoke("members", "why", "m2", "--warehouse", warehouse)
    assert "(at_risk)" in why
    write_model(tmp_path, quick_model("q2"))
    write_lines(source, [*lines, render(order("m3", "y", BEGIN + 5 * DAY_US, 1_000))])
    run_members(*options, "--health", path)
    models = "SELECT DISTINCT health_model FROM member_state"
    assert query(warehouse, models) == [("q2",)]
    write_lines(
        source, [*lines, *(render(order("m3", k, BEGIN + 5 * DAY_US, 1_000)) for k in "yz")]
    )
    run_members(*options)
    assert query(warehouse, models) == [(None,)]
    assert "tillflow members fit" in invoke("members", "health", "--warehouse", warehouse)


def test_a_warehouse_of_before_gets_the_columns(tmp_path: Path) -> None:
    """A file that an older tillflow made goes on, with what it held."""
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    lines = [render(order("m1", "1", BEGIN, 20_000))]
    write_lines(source, lines)
    run_members("--source", source, "--warehouse", warehouse)
    with closing(duckdb.connect(str(warehouse))) as connection:
        for name in [one.name for one in MEMBER_STATE.columns if one.added]:
            connection.execute(f"ALTER TABLE member_state DROP COLUMN {name}")
    write_lines(source, [*lines, render(order("m2", "2", BEGIN, 20_000))])
    run_members(
        "--source", source, "--warehouse", warehouse, "--health",
        write_model(tmp_path, quick_model()),
    )  # fmt: skip
    asked = "SELECT member, health_band FROM member_state ORDER BY member"
    assert query(warehouse, asked) == [("m1", "healthy"), ("m2", "healthy")]


def test_a_journey_that_asks_for_health_needs_a_model(tmp_path: Path) -> None:
    """It does not start, and says what to do; the same for a file that is no model."""
    write_lines(tmp_path / "a.jsonl", [render(order("m1", "1", BEGIN, 20_000))])
    (tmp_path / "j.yaml").write_text(
        "journey: weak\nwhen: {schedule: every day 10:00}\nwho: {health: <40}\n"
        "steps:\n  - give: care\n",
        encoding="utf-8",
    )
    words = ["run", "members", "--source", tmp_path / "a.jsonl", "--warehouse", tmp_path / "w"]
    words += ["--journeys", tmp_path / "j.yaml"]
    result = CliRunner().invoke(main, list(map(str, words)))
    assert result.exit_code == 1
    assert "--health health.json" in result.output
    result = CliRunner().invoke(main, [*map(str, words), "--health", str(tmp_path / "a.jsonl")])
    assert result.exit_code == 1
    assert "fit one again" in result.output


def test_health_falls_by_the_clock(tmp_path: Path) -> None:
    """Nothing comes any more, and seconds later the member is at risk."""
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    over, bought = system_clock() + 4 * SECOND_US, system_clock() - 2 * DAY_US
    day = MemberRules(Chain()).begin_of(bought) / DAY_US
    then = figures([(day, 100.0)], over / DAY_US)
    assert then is not None
    plain = quick_model()
    border = chance(plain, then)
    model = msgspec.structs.replace(plain, bands=(border, 0.99))
    write_lines(source, [render(order("m", "1", bought, 100))])
    options = ["--source", source, "--warehouse", warehouse, "--follow", "--epoch-seconds", 0.2]
    options += ["--health", write_model(tmp_path, model)]
    flow = StartedFlow(tmp_path / "log", *options, flow="members")
    wait_until(partial(has_ticked, warehouse), "the clock stands still")
    flow.signal(signal.SIGTERM)
    assert flow.wait().code == 0
    asked = "SELECT health_band, epoch_us(health_at) FROM member_state"
    ((band, at),) = query(warehouse, asked)
    assert band == "at_risk"
    assert abs(int(str(at)) - over) <= 2 * SECOND_US


def has_ticked(warehouse: Path) -> bool:
    """Whether a journal says that time alone has passed."""
    folder = warehouse.with_name(warehouse.name + ".members.recovery") / "state"
    return any(TICK in path.read_bytes() for path in folder.glob("*.journal"))


def has_moved(flow: StartedFlow, warehouse: Path) -> bool:
    """Whether anything has become durable, or the flow has ended."""
    return not flow.alive() or bool(progress(warehouse))


@pytest.mark.slow
def test_killed(tmp_path: Path) -> None:
    """Kill -9, and on to the end: the rows are those of a run that was left alone."""
    rng = Random(4)
    lines = arrivals(rng, history(rng, 40, 500, 45), 8.0)
    config = write_chain(tmp_path / "chain.yaml", member_chain())
    health = write_model(tmp_path, quick_model())
    source = write_lines(tmp_path / "a.jsonl", lines)
    options = ["--source", source, "--config", config, "--health", health]
    alone = tmp_path / "alone.duckdb"
    run_members(*options, "--warehouse", alone)
    for attempt in range(5):
        warehouse = tmp_path / f"w{attempt}.duckdb"
        mine = [*options, "--warehouse", warehouse]
        flow = StartedFlow(
            tmp_path / "log", *mine, "--epoch-seconds", 0.05, sizes=SIZES, flow="members"
        )
        wait_until(partial(has_moved, flow, warehouse), "no progress was made")
        flow.process.kill()
        ended = flow.wait()
        assert ended.code in (0, -signal.SIGKILL), ended.output
        if ended.code:
            break
    else:
        pytest.fail("it was never killed before its end")
    run_members(*mine)
    assert everything(warehouse) == everything(alone)
    assert query(warehouse, "SELECT count(*) > 20 FROM member_state WHERE health IS NOT NULL") == [
        (True,)
    ]
