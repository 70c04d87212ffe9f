"""`tillflow import` as an operator calls it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from infra.cli import main


@pytest.fixture
def shop(tmp_path: Path, rows_of: Callable[..., str], shop_mapping: Callable[..., Any]) -> Path:
    """A folder with a mapping and an export: one good row, one dirty, one twice."""
    (tmp_path / "sales.csv").write_text(rows_of({}, {"line": "2", "pieces": "0"}, {}))
    event = {
        "id": {"key": ["bill", "line"]},
        "kind": "sold",
        "sku": "article",
        "place": "shop",
        "time": {"column": "at", "formats": ["%Y-%m-%d %H:%M:%S"]},
        "quantity": "pieces",
    }
    mapping = {"source": "shop", "timezone": "Europe/London", "event": event}
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(mapping))
    return tmp_path


def tillflow(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["import", *(str(argument) for argument in arguments)])


def test_an_import_with_dirty_rows_ends_well(shop: Path) -> None:
    out, report = shop / "events.jsonl", shop / "report.json"
    done = tillflow(shop / "shop.yaml", shop / "sales.csv", "--out", out, "--report", report)
    assert done.exit_code == 0, done.output
    balance = "3 rows in = 1 events + 1 refused + 1 duplicates dropped + 0 skipped by rule"
    assert done.stdout.startswith(balance)
    assert "reading" in done.stderr
    (event,) = [json.loads(line) for line in out.read_text().splitlines()]
    assert event == {
        "specversion": "1.0",
        "id": "B1:1",
        "source": "shop",
        "type": "stock.movement.v1",
        "time": "2024-05-01T09:00:00Z",
        "data": {"kind": "sold", "sku": "TEA", "place": "S1", "quantity": 2},
    }
    assert (shop / "events.quarantine.csv").read_text("utf-8-sig").count("\n") == 3
    said = json.loads(report.read_text())
    assert (said["rows_in"], said["events_out"], said["refused"]) == (3, 1, 1)
    assert {path.name for path in shop.iterdir()} == {
        "events.jsonl",
        "events.quarantine.csv",
        "report.json",
        "sales.csv",
        "shop.yaml",
    }, "no temporary file is left"


def test_quarantine_goes_where_it_is_told(shop: Path) -> None:
    arguments = ["--out", shop / "e.jsonl", "--quarantine", shop / "dirty.csv"]
    assert tillflow(shop / "shop.yaml", shop / "sales.csv", *arguments).exit_code == 0
    assert (shop / "dirty.csv").exists()
    assert not (shop / "e.quarantine.csv").exists()


def test_an_old_output_stays_when_the_import_fails(shop: Path) -> None:
    out = shop / "events.jsonl"
    out.write_text("old\n")
    text = (shop / "shop.yaml").read_text()
    (shop / "shop.yaml").write_text(text.replace("sku: article", "skuu: article"))
    done = tillflow(shop / "shop.yaml", shop / "sales.csv", "--out", out)
    assert done.exit_code == 1
    assert 'shop.yaml, line 9: "skuu" is not a key of event; did you mean "sku"?' in done.output
    assert out.read_text() == "old\n"


def test_outputs_are_as_readable_as_other_files(shop: Path) -> None:
    assert (
        tillflow(shop / "shop.yaml", shop / "sales.csv", "--out", shop / "e.jsonl").exit_code == 0
    )
    assert (shop / "e.jsonl").stat().st_mode == (shop / "sales.csv").stat().st_mode


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gone.yaml", "sales.csv", "--out", "e.jsonl"], "no such file, and no shipped mapping"),
        (["shop.yaml", "gone.csv", "--out", "e.jsonl"], "gone.csv: cannot be opened: No such file"),
        (["shop.yaml", "sales.csv", "--out", "sales.csv"], "is used twice in this import"),
        (["shop.yaml", "sales.csv", "--out", "no/e.jsonl"], "there is no folder"),
        (["shop.yaml", "sales.csv", "--out", "."], "it is a folder"),
        (["shop.yaml", "sales.csv", "--out", "e", "--quarantine", "e"], "is used twice"),
        (["shop.yaml", "sales.csv", "--out", "e", "--report", "no/r.json"], "there is no folder"),
        (["shop.yaml", "sales.csv", "--out", "e", "--report", "e"], "is used twice"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], words: str, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)
    before = {path.name: path.read_bytes() for path in shop.iterdir()}
    done = tillflow(*arguments)
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert words in done.stderr
    assert {path.name: path.read_bytes() for path in shop.iterdir()} == before


def test_usage() -> None:
    listed = tillflow("--list")
    assert listed.exit_code == 0
    assert [line.split()[0] for line in listed.output.splitlines()] == [
        "completejourney",
        "online_retail",
    ]
    assert tillflow("completejourney").exit_code == 2
    assert tillflow("completejourney", "x.parquet").exit_code == 2
