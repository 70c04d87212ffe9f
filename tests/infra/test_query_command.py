"""`tillflow query` as people and programs call it."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from small_warehouse import NEWEST, small_warehouse

from infra.cli import main

QUESTIONS = (
    ("position", "TEA-GREEN"),
    ("position", "TEA-GREEN", "--pool"),
    ("alerts",),
    ("alerts", "--all"),
    ("cover",),
    ("dead-letters",),
    ("dead-letters", "--reason", "not_json"),
    ("runs",),
    ("summary",),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_warehouse(tmp_path_factory.mktemp("warehouse") / "shop.duckdb")


def ask(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["query", *arguments, "--warehouse", str(path)])


def answered(path: Path, *arguments: str) -> str:
    result = ask(path, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def objects(path: Path, *arguments: str) -> list[dict[str, Any]]:
    found = json.loads(answered(path, *arguments, "--format", "json"))
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_every_answer_is_a_table_json_and_csv_of_the_same(
    path: Path, question: tuple[str, ...]
) -> None:
    found = objects(path, *question)
    assert found
    lines = list(csv.DictReader(io.StringIO(answered(path, *question, "--format", "csv"))))
    assert [list(line) for line in lines] == [list(one) for one in found]
    for line, one in zip(lines, found, strict=True):
        for name, value in one.items():
            if isinstance(value, dict | list):
                assert json.loads(line[name]) == value
            else:
                assert line[name] == ("" if value is None else str(value))
    shown = answered(path, *question)
    assert "\x1b[" not in shown
    assert len(shown.splitlines()) > len(found)


def test_instants_are_iso_with_an_offset(path: Path) -> None:
    (first, *_) = objects(path, "position", "TEA-GREEN")
    assert first["as_of"] == "2026-11-23T12:30:00+00:00"
    assert datetime.fromisoformat(first["as_of"]) == NEWEST


def test_names_with_brackets_are_no_markup(path: Path) -> None:
    assert "[bold]CUP[/bold]" in answered(path, "position", "[bold]CUP[/bold]")
    assert objects(path, "position", "[bold]CUP[/bold]")[0]["sku"] == "[bold]CUP[/bold]"


def test_a_position_shows_the_places_and_the_pools(path: Path) -> None:
    shown = answered(path, "position", "TEA-GREEN")
    assert "place by place" in shown
    assert "the pools" in shown
    assert "place by place" not in answered(path, "position", "TEA-GREEN", "--pool")
    assert [one["pool"] for one in objects(path, "position", "TEA-GREEN", "--pool")] == [
        "all",
        "far",
    ]


def test_alerts_say_what_broke_the_floor_and_what_to_do(path: Path) -> None:
    lines = answered(path, "alerts", "--limit", "1").splitlines()
    assert "sale of 2, order o7, 2026-11-23 11:30:00Z" in lines[2]
    assert "count the shelf" in lines[2]
    assert "-5 / 0" in lines[2]
    assert "--limit shows more" in lines[-1]
    assert "no open alerts" in answered(path, "alerts", "--place", "W1")
    assert objects(path, "alerts", "--place", "W1") == []
    assert {one["alert_type"] for one in objects(path, "alerts", "--type", "oversell")} == {
        "oversell"
    }


def test_dead_letters_show_file_and_line(path: Path) -> None:
    shown = answered(path, "dead-letters")
    assert "events.jsonl, line 3" in shown
    assert "(unreadable)" in shown
    letters = objects(path, "dead-letters", "--reason", "not_json")
    assert [one["position"] for one in letters] == [3, 7, 9]
    assert letters[0]["raw"] == '{"half": \\xff'


def test_errors_help(path: Path, tmp_path: Path) -> None:
    wrong = ask(path, "position", "TEA-GREN")
    assert wrong.exit_code == 1
    assert wrong.stdout == ""
    assert "near it are TEA-GREEN" in wrong.stderr
    missing = ask(tmp_path / "no.duckdb", "summary")
    assert missing.exit_code == 1
    assert "run a flow first" in missing.stderr
    assert ask(path, "alerts", "--type", "nonsense").exit_code == 2


def test_the_warehouse_may_come_from_the_environment(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TILLFLOW_WAREHOUSE", str(path))
    assert CliRunner().invoke(main, ["query", "summary"]).exit_code == 0
    monkeypatch.delenv("TILLFLOW_WAREHOUSE")
    monkeypatch.chdir(tmp_path)
    assert "warehouse.duckdb" in CliRunner().invoke(main, ["query", "summary"]).stderr
