"""`tillflow roster publish`: what was there before for these days is replaced."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from flow_driver import query

from infra.cli import main

SHOP = """
shop: corner
first_day: 2026-12-04
days: 2
opens: 10:00
closes: 14:00
shifts: {earliest: 10:00, latest: 14:00, shortest_hours: 2, longest_hours: 4, pause: null}
tasks: {till: {service_s: 90}}
employees: [{name: anna, skills: {till: 2}}, {name: bo, skills: {till: 1}}]
need: []
duties: [{name: opening, task: till, minutes: 30, start: 10:00, end: 11:00}]
rules: {qualification: on, rest: {hours: 11}}
"""


def shift(who: str, day: str, start: str, end: str) -> dict[str, object]:
    tasks = [{"task": "till", "start": start, "end": end}]
    names = {"employee": who, "date": day, "start": start, "end": end, "break": None}
    return {**names, "tasks": tasks}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(SHOP)
    (tmp_path / "chain.yaml").write_text("timezone: Asia/Shanghai\n")
    return tmp_path


def publish(folder: Path, shifts: list[dict[str, object]], *more: str) -> Result:
    plain = {
        "shifts": shifts,
        "duties": [
            {"duty": "opening", "date": day, "start": "10:00", "task": "till", "heads": 1}
            for day in ("2026-12-04", "2026-12-05")
        ],
    }
    (folder / "roster.json").write_bytes(msgspec.json.encode(plain))
    words = ["publish", folder / "shop.yaml", "--roster", folder / "roster.json"]
    words += ["--config", folder / "chain.yaml", "--warehouse", folder / "w.duckdb", *more]
    return CliRunner().invoke(main, ["roster", *map(str, words)])


def test_publishing_again_replaces_the_days(folder: Path) -> None:
    first = [
        shift("anna", "2026-12-04", "10:00", "14:00"),
        shift("bo", "2026-12-05", "10:00", "12:00"),
    ]
    told = publish(folder, first, "--at", "2026-12-01T10:00:00Z")
    assert told.exit_code == 0, told.output
    assert "2 shifts, 24 quarters of an hour, 2 duties" in told.output
    told = publish(folder, first[:1], "--at", "2026-12-02T10:00:00Z")
    assert told.exit_code == 0, told.output
    found = query(
        folder / "w.duckdb", "SELECT store, day, employee, starts, ends FROM roster_shift"
    )
    assert found == [("corner", "2026-12-04", "anna", "10:00", "14:00")]
    asked = "SELECT count(*), min(epoch(start)), max(local_start), max(task) FROM roster_task_15m"
    # 10:00 in Shanghai.
    begin = 1_796_349_600
    assert query(folder / "w.duckdb", asked) == [(16, begin, "2026-12-04T13:45+08:00", "till")]
    late = publish(folder, first, "--at", "2026-12-01T10:00:00Z")
    assert late.exit_code == 1
    assert "published at 2026-12-02" in late.output


def test_what_breaks_rules_is_refused(folder: Path) -> None:
    wrong = [shift("anna", "2026-12-04", "10:00", "13:30")]
    told = publish(folder, wrong)
    assert told.exit_code == 1
    assert "shape: anna 2026-12-04 10:00-13:30 is no shift that the shop has" in told.output
    assert publish(folder, wrong, "--anyway").exit_code == 0


def test_a_roster_of_another_week(folder: Path) -> None:
    told = publish(folder, [shift("anna", "2026-12-24", "10:00", "14:00")])
    assert told.exit_code == 1
    assert "is it of another week?" in told.output
