"""A running journey read from the warehouse: its holdout and arms against sums made by hand."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flow_driver import write_lines
from member_driver import invoke
from member_events import event, order, pair, refund, render
from warehouse_server import WRITE_TOKEN, ServedWarehouse

from infra.cli import main
from schemas.chain import Chain
from schemas.instants import DAY_US
from schemas.journey_tables import MESSAGE
from sinks.warehouse.client import Warehouse
from sinks.warehouse.tuple_rows import newest_rows
from sources.journeys import load_journeys

START = 1_788_000_000_000_000
DAY = DAY_US
FILE = """\
journey: back
version: 1
when: {no_purchase_for: 30d}
holdout: 20%
goal: {purchase_within: 10d}
steps:
  - split: {experiment: words, arms: {calm: 50%, loud: 50%}}
  - {give: pack, valid: 7d}
  - send: {class: marketing, channels: [sms], text: hi}
"""
ARMS = ("held out", "calm", "loud", "calm", "loud")
# Of each so many these take their consent back: two are loud, one is calm, two are held out.
EVERY, LEAVERS = 300, (7, 22, 41, 10, 45)
TOO_LATE = 49  # to count
BUYERS = {"held out": 10, "calm": 10, "loud": 3}  # one of so many buys in the window


def run(*words: str | Path) -> tuple[int, str]:
    told = CliRunner().invoke(main, ["experiment", "journey", *(str(word) for word in words)])
    return told.exit_code, told.output


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, list[int]]]:
    """A journey, a warehouse, and what each member of an arm paid in its ten days."""
    return made(tmp_path_factory.mktemp("back"), EVERY)


def made(folder: Path, every: int) -> tuple[Path, Path, dict[str, list[int]]]:
    """The same, where of `every` members some take their consent back."""
    file = folder / "back.yaml"
    file.write_text(FILE)
    (program,) = load_journeys(file, Chain())
    base: dict[str, Any] = {one.name: {"text": "", "json": "[]", "integer": 0}.get(one.type, START)
                            for one in MESSAGE.columns}  # fmt: skip
    base |= {"journey": "back", "journey_version": program.version, "next_at": None}
    lines, rows = [], []
    paid: dict[str, list[int]] = defaultdict(list)
    for number in range(1_500):
        name, arm = f"m{number}", ARMS[number % 5]
        at = START + number % 20 * DAY
        about = {"member": name, "entry": "e", "decided_at": at, "experiment": "words"}
        held = arm == "held out"
        about |= {"arm": "calm"} if held else {"arm": arm}
        about |= {"decision": "suppress", "reason": "holdout", "held_out": 1} if held else {
            "decision": "go"
        }  # fmt: skip
        for action in ("give", "send"):
            rows.append(base | about | {"message": f"{action}-{name}", "action": action})
        bought = 0
        lines.append(order(name, f"{name}-before", at - DAY, 9_000))
        lines.append(order(name, f"{name}-late", at + 11 * DAY, 9_000))
        if number // 5 % BUYERS[arm] == 0:
            lines.append(order(name, f"{name}-in", at + 3 * DAY, 10_000))
            bought = 10_000
            if number % 2:
                lines.append(refund(name, f"{name}-in", at + 4 * DAY, 4_000, f"{name}-r"))
                bought = 6_000
        paid[arm].append(bought)
        if number % every in (*LEAVERS, TOO_LATE):
            said = {"purpose": "marketing", "channel": "sms", "status": "withdrawn"}
            held = every != EVERY and arm == "held out"
            when = at + (12 if held or number % every == TOO_LATE else 5) * DAY
            lines.append(event("member.consent.v1", f"{name}-c", when, member=name, **said))
    # A person of two ids that were held out and not, and one whose days are not over.
    lines.append(pair("member.merged.v1", "m1", "m0", START))
    paid["held out"].remove(10_000)
    paid["calm"].remove(6_000)
    young = {"message": "young", "member": "young", "action": "send", "decision": "go"}
    rows.append(base | young | {"decided_at": START + 31 * DAY, "experiment": "words",
                                "arm": "calm", "entry": "e"})  # fmt: skip
    warehouse = folder / "w.duckdb"
    target = Warehouse(warehouse)
    target.upsert(
        MESSAGE, newest_rows(MESSAGE, [tuple(row[n] for n in MESSAGE.names) for row in rows])
    )
    target.close()
    source = write_lines(folder / "e.jsonl", [render(one) for one in lines])
    for flow in ("members", "coupons"):
        invoke("run", flow, "--source", source, "--warehouse", warehouse)
    return file, warehouse, paid


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
