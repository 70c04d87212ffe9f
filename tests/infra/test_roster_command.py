"""`tillflow roster`, on a shop of a day: files, pictures, errors, clashes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infra.cli import main
from schemas.roster_file import load_roster

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "roster.yaml"
SHOP = """
shop: corner
first_day: 2026-12-04
days: 1
opens: 10:00
closes: 14:00
shifts: {earliest: 10:00, latest: 14:00, shortest_hours: 2, longest_hours: 4, pause: null}
tasks:
  till: {service_s: 90, patience_s: 600, goal: {mean_wait_s: 60}}
employees:
  - {name: anna, skills: {till: 2}, pay: 3000}
  - {name: bo, skills: {till: 1}, pay: 2500}
need:
  - {task: till, date: 2026-12-04, start: 10:00,
     arrivals: [4, 5, 6, 8, 14, 15, 12, 8, 5, 4, 4, 3, 3, 3, 2, 2]}
rules: {availability: on, waiting: on, pay: on, least_heads: {heads: {till: 1}}}
"""


def tillflow(*words: str | float | Path) -> Result:
    return CliRunner().invoke(main, ["roster", *map(str, words)])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(SHOP)
    return path


def test_a_roster_is_made_proven_written_drawn_and_taken_as_a_start(
    shop: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    told = tillflow("solve", shop, "--seconds", 20, "--out", tmp_path)
    assert told.exit_code == 0, told.output
    assert "within 0.00% of the bound" in told.output
    made = json.loads((tmp_path / "roster.json").read_text())
    assert made["cost"] == made["bound"] == sum(made["costs"].values())
    assert {one["date"] for one in made["shifts"]} == {"2026-12-04"}
    waiting = (tmp_path / "waiting.csv").read_text().splitlines()
    assert waiting[0] == "task,date,time,needed,heads,wait_s,left,cost"
    assert len(waiting) == 1 + 16
    assert (tmp_path / "roster.svg").read_text().rstrip().endswith("</svg>")
    assert (tmp_path / "roster.png").read_bytes().startswith(b"\x89PNG")
    again = tillflow("solve", shop, "--seconds", 0, "--given", tmp_path / "roster.json")
    assert again.exit_code == 0, again.output
    assert f"cost {made['cost']:,}" in again.output


def test_a_roster_is_explained(shop: Path, tmp_path: Path) -> None:
    assert tillflow("solve", shop, "--seconds", 20, "--out", tmp_path).exit_code == 0
    told = tillflow("explain", shop, "--seconds", 20, "--roster", tmp_path / "roster.json")
    assert told.exit_code == 0, told.output
    assert "What holds it back" in told.output
    assert "availability: nothing" in told.output
    assert told.output.count("till  2026-12-04") == 16


def test_people_of_two_shops_are_told_with_their_shop(shop: Path, tmp_path: Path) -> None:
    text = SHOP.replace("days: 1", "days: 1\nshops: [{name: east, opens: 10:00, closes: 12:00},")
    text = text.replace(
        "closes: 12:00},", "closes: 12:00}, {name: west, opens: 12:00, closes: 14:00}]"
    )
    text = text.replace(
        "\nopens: 10:00\ncloses: 14:00", "\ntravel: [{between: [east, west], minutes: 0}]"
    )
    text = text.replace("name: anna,", "name: anna, shops: [east, west],")
    text = text.replace("name: bo,", "name: bo, shops: [west],")
    text = text.replace("{task: till, date", "{shop: west, task: till, date")
    shop.write_text(text)
    told = tillflow("solve", shop, "--seconds", 20, "--out", tmp_path)
    assert told.exit_code == 0, told.output
    made = json.loads((tmp_path / "roster.json").read_text())
    shifts = {(one["employee"], one["shop"], one["start"], one["end"]) for one in made["shifts"]}
    assert ("anna", "east", "10:00", "12:00") in shifts
    waiting = (tmp_path / "waiting.csv").read_text().splitlines()
    assert all(line.startswith("west/till,") for line in waiting[1:])
    told = tillflow("explain", shop, "--seconds", 20, "--roster", tmp_path / "roster.json")
    assert told.exit_code == 0, told.output
    assert "broken" not in told.output
    assert told.output.count("west/till") == 16


def test_rules_that_clash_are_told(shop: Path) -> None:
    shop.write_text(SHOP.replace("{till: 1}}}", "{till: 3}}}"))
    told = tillflow("solve", shop, "--seconds", 20)
    assert told.exit_code == 1
    assert "3 at till as long as the shop is open on Friday 2026-12-04" in told.output
    assert "without the rules named here there is a legal roster" in told.output


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("pay: 3000", "pai: 3000", "line 11: employees[1] (anna): Object contains unknown field"),
        ("pay: 3000", "pai: 3000", "did you mean `pay`?"),
        ("pay: 3000", "pay: -1", "line 11: employees[1] (anna).pay: Expected `int` >= 0"),
        ("{till: 1}, pay", "{tll: 1}, pay", "there is no task tll; did you mean till?"),
        ("days: 1", "days: [", "this is no YAML"),
        ("longest_hours: 4", "longest_hours: 1", "no shift of the lengths allowed fits"),
    ],
)
def test_what_is_wrong_in_a_file_is_told(shop: Path, before: str, after: str, words: str) -> None:
    assert before in SHOP
    shop.write_text(SHOP.replace(before, after))
    told = tillflow("solve", shop)
    assert told.exit_code == 1
    assert words in told.output


def test_a_roster_of_another_week_is_refused(shop: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    shift = {"employee": "zoe", "date": "2026-12-04"}
    other.write_text(json.dumps({"shifts": [shift], "duties": []}))
    told = tillflow("solve", shop, "--given", other)
    assert told.exit_code == 1
    assert "'zoe'" in told.output


def test_the_example_of_the_docs_can_be_read() -> None:
    file = load_roster(EXAMPLE)
    assert file.rules.availability is not None
    assert file.rules.fair_hours is None
    assert file.employees[4].wishes[0].off
