"""A running journey read from the warehouse: its holdout and arms against sums made by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from journey_shop import EVERY, FILE, made, run
from member_driver import invoke
from warehouse_server import WRITE_TOKEN, ServedWarehouse

from schemas.chain import Chain
from sources.journeys import load_journeys


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, list[int]]]:
    """A journey, a warehouse, and what each member of an arm paid in its ten days."""
    return made(tmp_path_factory.mktemp("back"), EVERY)


def test_arms_and_holdout_have_the_sums_of_their_members(
    shop: tuple[Path, Path, dict[str, list[int]]],
) -> None:
    file, warehouse, paid = shop
    code, output = run(file, "--warehouse", warehouse, "--format", "json")
    assert code == 0, output
    found = json.loads(output)
    assert found["control"] == "held out"
    assert found["multiple"] == 1
    gone = {
        arm: found["metrics"]["opted_out"]["arms"][arm]["mean"] * len(paid[arm]) for arm in paid
    }
    assert gone == pytest.approx({"held out": 10, "calm": 5, "loud": 10})
    for name, of in (("spent", lambda one: one), ("bought", lambda one: one > 0)):
        for arm in paid:
            said = found["metrics"][name]["arms"][arm]
            assert said["members"] == len(paid[arm])
            assert said["mean"] == pytest.approx(sum(map(of, paid[arm])) / len(paid[arm]))


def test_of_a_served_warehouse_the_same(
    shop: tuple[Path, Path, dict[str, list[int]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, warehouse, _ = shop
    shutil.copy(warehouse, tmp_path / "served.duckdb")
    about = ("--margin", "0.3", "--format", "json")
    monkeypatch.setenv("TILLFLOW_WAREHOUSE_TOKEN", WRITE_TOKEN)
    with ServedWarehouse(tmp_path) as server:
        served = run(file, "--warehouse", str(server.address), *about)
    assert served[0] == 0, served
    assert served == run(file, "--warehouse", warehouse, *about)


def test_the_verdict_says_what_to_write_into_the_file(
    shop: tuple[Path, Path, dict[str, list[int]]],
) -> None:
    file, warehouse, _ = shop
    code, output = run(file, "--warehouse", warehouse, "--margin", "0.3")
    assert code == 0, output
    assert "members, each for 10 days after it; 1 more whose days are not over" in output
    assert "as planned" in output
    assert "verdict: roll out" in output
    assert "`rolled_out: loud`, `remaining: 10%` beside the arms and a higher version" in output
    assert file.read_text() == FILE


def test_the_better_arm_is_written_into_the_file(
    shop: tuple[Path, Path, dict[str, list[int]]], tmp_path: Path
) -> None:
    """Once: the file is then another version, of which nothing is known yet."""
    file = tmp_path / "back.yaml"
    file.write_text(FILE)
    code, output = run(file, "--warehouse", shop[1], "--margin", "0.3", "--roll-out")
    assert code == 0, output
    assert "rolled out in" in output
    assert file.read_text() == FILE.replace("version: 1", "version: 2").replace(
        "arms:", "rolled_out: loud, remaining: 10%, arms:"
    )
    (program,) = load_journeys(file, Chain())
    assert program.version.startswith("v2-")
    assert list(tmp_path.iterdir()) == [file]
    code, output = run(file, "--warehouse", shop[1], "--margin", "0.3", "--roll-out")
    assert code == 1
    assert "no decisions of back v2-" in output


def test_a_guardrail_stops_a_roll_out(tmp_path: Path) -> None:
    """What sells more, and drives away: 2 of 50 in the arms, and none who was held out."""
    file, warehouse, _ = made(tmp_path, 50)
    code, output = run(file, "--warehouse", warehouse, "--margin", "0.3", "--roll-out")
    assert code == 0, output
    assert "verdict: guarded" in output
    assert "opted_out" in output
    assert file.read_text() == FILE


def test_what_is_not_clear_is_not_rolled_out(
    shop: tuple[Path, Path, dict[str, list[int]]], tmp_path: Path
) -> None:
    file = tmp_path / "back.yaml"
    file.write_text(FILE)
    more = ("--min-per-arm", "100000", "--roll-out")
    code, output = run(file, "--warehouse", shop[1], "--margin", "0.3", *more)
    assert code == 0, output
    assert "verdict: wait" in output
    assert file.read_text() == FILE


def test_what_cannot_be_read_is_told(
    shop: tuple[Path, Path, dict[str, list[int]]], tmp_path: Path
) -> None:
    _, warehouse, _ = shop
    other = tmp_path / "other.yaml"
    other.write_text(FILE.replace("7d", "8d"))
    code, output = run(other, "--warehouse", warehouse)
    assert code == 1
    assert "no decisions of back v1-" in output
    assert "there are back v1-" in output
    plain = "journey: x\nversion: 1\nwhen: {no_purchase_for: 30d}\nsteps: [{give: pack}]\n"
    other.write_text(plain)
    assert "neither a holdout nor a split" in run(other, "--warehouse", warehouse)[1]
    code, output = run(tmp_path / "other.yaml", "--warehouse", tmp_path / "none.duckdb")
    assert code == 1
    other.write_text(FILE)
    assert "no warehouse at" in run(other, "--warehouse", tmp_path / "none.duckdb")[1]
    assert "no experiment nope" in run(other, "--warehouse", warehouse, "--experiment", "nope")[1]


def test_why_has_what_journeys_decided(
    shop: tuple[Path, Path, dict[str, list[int]]],
) -> None:
    _, warehouse, _ = shop
    (one,) = json.loads(
        invoke("members", "why", "m5", "--warehouse", warehouse, "--format", "json")
    )
    told = [(each["action"], each["decision"], each["reason"]) for each in one["decisions"]]
    assert told == [("give", "suppress", "holdout"), ("send", "suppress", "holdout")]
    shown = invoke("members", "why", "m5", "--warehouse", warehouse)
    assert "What journeys decided" in shown
    assert "held out" in shown
