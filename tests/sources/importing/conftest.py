"""A small shop's export and its mapping, changed piece by piece by the tests."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from schemas.envelope import MovementEvent
from sources.importing import mapping as declared
from sources.importing.report import Report
from sources.importing.run import import_files

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SHOP: dict[str, Any] = {
    "source": "shop",
    "timezone": "Europe/London",
    "event": {
        "id": {"key": ["bill", "line"]},
        "kind": "sold",
        "sku": "article",
        "place": "shop",
        "time": {"column": "at", "formats": ["%Y-%m-%d %H:%M:%S"]},
        "quantity": "pieces",
    },
}
ROW = {
    "bill": "B1",
    "line": "1",
    "article": "TEA",
    "shop": "S1",
    "at": "2024-05-01 10:00:00",
    "pieces": "2",
    "note": "",
}


def over(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` laid over `base`, key by key; None takes a key away."""
    result = deepcopy(dict(base))
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = over(result[key], value)
        else:
            result[key] = value
    return result


def csv_text(rows: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO()
    names = list(rows[0])
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@dataclass
class Imported:
    """What an import left behind, read back by other means than it was written."""

    lines: list[bytes]
    events: list[MovementEvent]
    quarantine: list[dict[str, str]]
    report: Report

    @property
    def times(self) -> dict[str, str]:
        """The times of the events by their ids, as they are written."""
        said = [json.loads(line) for line in self.lines]
        return {event["id"]: event["time"] for event in said}

    @property
    def refusals(self) -> dict[str, str]:
        """Reason code -> words, of the quarantine file."""
        return {row["tillflow_code"]: row["tillflow_reason"] for row in self.quarantine}


@pytest.fixture
def shop_mapping() -> Callable[..., declared.Mapping]:
    """The shop's mapping with changes laid over it."""

    def make(changes: Mapping[str, Any] | None = None, path: Path | None = None) -> Any:
        text = yaml.safe_dump(over(SHOP, changes or {}), sort_keys=False)
        return declared.read_mapping(text, path or Path("shop.yaml"))

    return make


@pytest.fixture
def rows_of() -> Callable[..., str]:
    """CSV text of the shop's row, once for each set of changes."""

    def make(*changes: Mapping[str, str]) -> str:
        return csv_text([{**ROW, **change} for change in changes])

    return make


@pytest.fixture
def run(tmp_path: Path, shop_mapping: Callable[..., declared.Mapping]) -> Callable[..., Imported]:
    """Imports texts, bytes or paths by the shop's mapping, or by one given whole."""
    runs = 0

    def go(
        *contents: str | bytes | Path,
        changes: Mapping[str, Any] | None = None,
        mapping: declared.Mapping | None = None,
        now: datetime = NOW,
    ) -> Imported:
        nonlocal runs
        runs += 1
        folder = tmp_path / f"run{runs}"
        folder.mkdir()
        files = []
        for number, content in enumerate(contents, 1):
            path = content if isinstance(content, Path) else folder / f"export{number}.csv"
            if not isinstance(content, Path):
                path.write_bytes(content.encode() if isinstance(content, str) else content)
            files.append(path)
        mapping = mapping or shop_mapping(changes, folder / "shop.yaml")
        out = folder / "events.jsonl"
        report = import_files(mapping, files, out, now=now)
        return read_back(out, report)

    return go


@pytest.fixture
def read_output() -> Callable[[Path, Report], Imported]:
    """Reads an output that something else wrote."""
    return read_back


def read_back(out: Path, report: Report) -> Imported:
    lines = out.read_bytes().splitlines(keepends=True)
    decoder = msgspec.json.Decoder(MovementEvent)
    with Path(report.quarantine).open(encoding="utf-8-sig", newline="") as file:
        quarantine = list(csv.DictReader(file))
    assert report.balanced
    assert report.events_out == len(lines)
    assert report.refused + report.duplicates_dropped == len(quarantine)
    return Imported(lines, [decoder.decode(line) for line in lines], quarantine, report)
