"""Read-outs in `experiment_result`: what the JSON tells, once, look by look."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flow_driver import write_lines
from journey_shop import DAY, EVERY, START, made, run
from member_driver import invoke
from member_events import order, refund, render
from warehouse_server import READ_TOKEN, WRITE_TOKEN, ServedWarehouse

from infra.cli import main
from schemas.experiment_tables import EXPERIMENT_RESULT
from schemas.instants import to_datetime
from sinks.warehouse.address import Target
from sinks.warehouse.client import Warehouse

Rows = dict[tuple[str, str, str], dict[str, Any]]
FIGURES = ("value", "low", "high", "error", "clear")
JSON = ("--margin", "0.3", "--format", "json")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a journey that ran: back.yaml, w.duckdb and e.jsonl."""
    folder = tmp_path_factory.mktemp("stored")
    made(folder, EVERY)
    return folder


@pytest.fixture
def shop(ran: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The journey's file and a warehouse of one's own."""
    return ran / "back.yaml", Path(shutil.copy(ran / "w.duckdb", tmp_path / "served.duckdb"))


def content(target: Target) -> list[dict[str, Any]]:
    warehouse = Warehouse(target)
    try:
        found = warehouse.execute("SELECT * FROM experiment_result ORDER BY ALL")
    finally:
        warehouse.close()
    return [dict(zip(EXPERIMENT_RESULT.names, row, strict=True)) for row in found]


def by_key(rows: list[dict[str, Any]]) -> Rows:
    return {(row["metric"], row["arm"], row["against"]): row for row in rows}


def told_of(output: str) -> dict[str, Any]:
    """The read-out, without the line on what was stored."""
    told: dict[str, Any] = json.loads(output[output.index("{") : output.rindex("}") + 1])
    return told


def assert_same(rows: Rows, told: dict[str, Any]) -> None:
    """All rows are what the read-out says, and all that it says is in them."""
    keys = set()
    for name, metric in told["metrics"].items():
        pairs = [{"arm": told["control"], "against": "", "plain": None, "reduced": None}]
        for one in [*pairs, *metric["differences"]]:
            key = (name, one["arm"], one["against"])
            keys.add(key)
            row, arm = rows[key], metric["arms"][one["arm"]]
            assert (row["members"], row["mean"]) == (arm["members"], arm["mean"])
            assert row["scale"] == metric["scale"]
            for prefix, difference in (("", one["plain"]), ("reduced_", one["reduced"])):
                for figure in FIGURES:
                    said = None if difference is None else difference[figure]
                    assert row[prefix + figure] == said, (key, prefix, figure)
            assert row["reduced"] == (one["reduced"] and one["reduced"]["reduced"])
    assert set(rows) == keys
    split = told["split"]
    for row in rows.values():
        assert row["control"] == told["control"]
        assert (row["verdict"], row["verdict_arm"]) == (told["verdict"], told["arm"] or "")
        assert json.loads(row["words"]) == told["words"]
        assert row["multiple"] == told["multiple"]
        assert (row["split_p"], row["split_p_always"]) == (split["p"], split["p_always"])
        assert row["split_alarm"] == split["alarm"]


def test_the_rows_are_the_read_out_and_twice_is_once(shop: tuple[Path, Path]) -> None:
    file, warehouse = shop
    code, output = run(file, "--warehouse", warehouse, *JSON, "--store")
    assert code == 0, output
    assert "stored: 12 rows of experiment_result in" in output
    rows = content(warehouse)
    assert_same(by_key(rows), told_of(output))
    for row in rows:
        assert (row["journey"], row["experiment"], row["within"]) == ("back", "words", 10)
        assert row["journey_version"].startswith("v1-")
        assert (row["goal"], row["alpha"]) == ("margin", pytest.approx(0.05 / 3))
        assert row["guardrail"] == (row["metric"] == "opted_out")
    # The newest purchase: who came on the last of twenty days bought once more eleven days later.
    assert {row["as_of"] for row in rows} == {to_datetime(START + 30 * DAY)}
    assert run(file, "--warehouse", warehouse, *JSON, "--store") == (code, output)
    assert content(warehouse) == rows


def test_other_rules_of_the_same_facts_take_its_place(shop: tuple[Path, Path]) -> None:
    file, warehouse = shop
    for about in (JSON, ("--min-per-arm", "100000", "--format", "json")):
        code, output = run(file, "--warehouse", warehouse, *about, "--store")
        assert code == 0, output
    rows = content(warehouse)
    assert_same(by_key(rows), told_of(output))
    assert {(row["goal"], row["verdict"]) for row in rows} == {("spent", "wait")}


def test_into_a_served_warehouse_the_same(
    shop: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, warehouse = shop
    mine = shutil.copy(warehouse, tmp_path / "mine.duckdb")
    assert run(file, "--warehouse", mine, *JSON, "--store")[0] == 0
    with ServedWarehouse(tmp_path) as server:
        monkeypatch.setenv("TILLFLOW_WAREHOUSE_TOKEN", READ_TOKEN)
        code, output = run(file, "--warehouse", str(server.reader), *JSON, "--store")
        assert code == 1, output
        assert "may only read" in output
        assert content(server.address) == []
        monkeypatch.setenv("TILLFLOW_WAREHOUSE_TOKEN", WRITE_TOKEN)
        for _ in range(2):
            code, output = run(file, "--warehouse", str(server.address), *JSON, "--store")
            assert code == 0, output
        assert content(server.address) == content(mine)


def test_late_facts_revise_their_look_and_a_later_look_leaves_it(
    shop: tuple[Path, Path], tmp_path: Path
) -> None:
    file, warehouse = shop

    def look(*more: bytes) -> Rows:
        if more:
            source = write_lines(tmp_path / f"{len(more)}.jsonl", list(more))
            invoke("run", "coupons", "--source", source, "--warehouse", warehouse)
        code, output = run(file, "--warehouse", warehouse, *JSON, "--store")
        assert code == 0, output
        rows = content(warehouse)
        newest = max(row["as_of"] for row in rows)
        found = by_key([row for row in rows if row["as_of"] == newest])
        assert_same(found, told_of(output))
        return found

    before = look()
    late = render(refund("m2", "m2-in", START + 7 * DAY, 1_000, "m2-late"))
    revised = look(late)
    assert len(content(warehouse)) == len(before) == 12
    loud, was = (rows["margin", "loud", "held out"] for rows in (revised, before))
    assert loud["mean"] == pytest.approx(was["mean"] - 0.3 * 1_000 / was["members"])
    later = look(late, render(order("later", "later", START + 60 * DAY, 100)))
    rows = content(warehouse)
    assert Counter(row["as_of"] for row in rows) == {
        to_datetime(START + 30 * DAY): 12,
        to_datetime(START + 60 * DAY): 12,
    }
    assert by_key([row for row in rows if row["as_of"] == to_datetime(START + 30 * DAY)]) == revised
    # Whose days were not over at the first look.
    young = later["bought", "calm", "held out"]["members"]
    assert young == revised["bought", "calm", "held out"]["members"] + 1


def test_a_table_of_people_is_kept_by_a_name(tmp_path: Path) -> None:
    people, warehouse = tmp_path / "people.csv", tmp_path / "w.duckdb"
    lines = [
        f"{'ab'[n % 2]},{int(n % (7 - n % 2) == 0)},{n % 11},2026-09-{1 + n % 20:02}T08:00:00Z"
        for n in range(1_000)
    ]
    people.write_text("arm,bought,before,sent_at\n" + "\n".join(lines) + "\n")
    about = ["experiment", "read", str(people), "--arm", "arm", "--control", "a", "--metric"]
    about += ["bought:rate", "--guardrail", "before:number:lower", "--before", "before"]
    about += ["--reduce", "--format", "json", "--warehouse", str(warehouse), "--store"]
    wrong = CliRunner().invoke(main, [*about, "--experiment", "mail"])
    assert wrong.exit_code == 2
    assert "--store needs --experiment, its name, and --exposed-at" in wrong.output
    assert not warehouse.exists()
    for _ in range(2):
        found = CliRunner().invoke(
            main, [*about, "--experiment", "mail", "--exposed-at", "sent_at"]
        )
        assert found.exit_code == 0, found.output
    rows = content(warehouse)
    assert_same(by_key(rows), told_of(found.stdout))
    assert len(rows) == 4
    assert {(row["journey"], row["experiment"], row["as_of"]) for row in rows} == {
        ("", "mail", datetime(2026, 9, 20, 8, tzinfo=UTC))
    }
    assert {row["decided_on"] for row in rows} == {"reduced"}
    assert all(row["reduced_value"] is not None for row in rows if row["against"])
    assert by_key(rows)["before", "b", "a"]["guardrail"] == 1
