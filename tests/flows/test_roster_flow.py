"""The roster flow from windows to the warehouse, as its users run it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flow_driver import StartedFlow, last_run, query, wait_until, write_lines
from staffing_driver import SINCE, TODAY, run_cleanly, run_roster, world
from staffing_world import line, table_rows, window, windows

from schemas.footfall import FootfallWindow
from schemas.footfall_tables import FOOTFALL_15M
from sinks.warehouse.client import Warehouse
from sinks.warehouse.tuple_rows import rows_table

TABLES = ("forecast_15m", "forecast_span", "staffing_15m", "staffing_alert", "dead_letter")
Rows = list[list[Any]]
# So that a short history has many blocks.
SIZES = {"sources.abreast.reader.ABREAST_BYTES": 16 * 1024}


def everything(warehouse: Path) -> Rows:
    """All rows of the flow's tables."""
    return [query(warehouse, f"FROM {table} ORDER BY ALL") for table in TABLES]


@pytest.fixture(scope="module", name="found")
def _found() -> list[FootfallWindow]:
    return windows(TODAY)


@pytest.fixture(scope="module", name="lines")
def _lines(found: list[FootfallWindow]) -> list[bytes]:
    """Windows with what else may be among them."""
    lines = [line(one) for one in found]
    early = window("S1", found[-1].start, orders=999, entries=999, version=9, final=False)
    odd = line(found[0]).replace(b'"orders": ', b'"orders": -')
    return [*lines[:-2], b"", b"{nonsense", odd, line(early), *lines[-2:]]


@pytest.fixture(scope="module", name="wanted")
def _wanted(lines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What one run leaves in the warehouse."""
    folder = tmp_path_factory.mktemp("whole")
    options = world(folder)
    told = run_cleanly(*options, "--source", write_lines(folder / "a.jsonl", lines))
    assert "1 raised, 1 cleared" in told
    assert "dead letters 2" in told
    warehouse = folder / "w.duckdb"
    run = last_run(warehouse)
    assert (run["flow"], run["status"], run["lines"]) == ("roster", "finished", len(lines) - 1)
    assert run["applied"] == len(lines) - 4
    before = everything(warehouse)
    assert "nothing new to read" in run_cleanly(*options, "--source", folder / "a.jsonl")
    assert everything(warehouse) == before
    return before


def without_path(rows: Rows) -> Rows:
    """Dead letters name the file they came from."""
    return [*rows[:-1], [[Path(source).name, *rest] for source, *rest in rows[-1]]]


def test_what_stands_in_the_warehouse(wanted: Rows) -> None:
    """Forecasts of two measures, need beside roster, one alert with its proposals, bad lines."""
    forecasts, spans, staffing, alerts, dead = wanted
    assert {row[:2] for row in forecasts} == {
        (store, measure) for store in ("S1", "S2") for measure in ("entries", "orders")
    }
    assert len(spans) == 2 * 2 * 2 * 7
    assert {row[4] for row in staffing} == {"2026-11-19", "2026-11-20"}
    [alert] = alerts
    assert alert[:2] == (
        "short_staffed/S1/till/2026-11-19T13:00/2026-11-19T04:00:00Z",
        "short_staffed",
    )
    assert alert[2] == "cleared"
    assert json.loads(alert[17]) == []
    assert {row[2] for row in dead} == {"not_json", "invalid_event"}


def progress(warehouse: Path) -> dict[str, int]:
    """How long the journals are; they change when progress is durable."""
    sizes = {}
    folder = warehouse.with_name(warehouse.name + ".roster.recovery") / "state"
    for path in folder.glob("*.journal"):
        with suppress(FileNotFoundError):
            sizes[path.name] = path.stat().st_size
    return sizes


@pytest.mark.slow
def test_killed_and_resumed(tmp_path: Path, lines: list[bytes], wanted: Rows) -> None:
    """kill -9 in the midst of the day; the run that goes on leaves the tables of one run."""
    options = [*world(tmp_path), "--epoch-seconds", 0.02]
    source = write_lines(tmp_path / "a.jsonl", lines[:-20])
    warehouse = tmp_path / "w.duckdb"
    flow = StartedFlow(tmp_path / "log", *options, "--source", source, sizes=SIZES, flow="roster")
    moved = lambda: not flow.alive() or any(progress(warehouse).values())  # noqa: E731
    wait_until(moved, "no progress")
    flow.process.kill()
    ended = flow.wait()
    assert ended.code == -signal.SIGKILL, ended.output
    write_lines(source, lines)
    assert "finished after" in run_cleanly(*options, "--source", source)
    assert without_path(everything(warehouse)) == without_path(wanted)


def test_from_the_table_of_the_footfall_flow(
    tmp_path: Path, found: list[FootfallWindow], wanted: Rows
) -> None:
    """Without --source: footfall_15m itself, the last day of it unless told otherwise."""
    options = world(tmp_path)
    warehouse = Warehouse(tmp_path / "w.duckdb")
    warehouse.upsert(FOOTFALL_15M, rows_table(FOOTFALL_15M, table_rows(found)))
    warehouse.close()
    run_cleanly(*options[:-2])
    assert everything(tmp_path / "w.duckdb")[:-1] == wanted[:-1]
    run_cleanly(*options[:-2])
    assert everything(tmp_path / "w.duckdb")[:-1] == wanted[:-1]


def test_stopped_by_sigterm_as_a_module(tmp_path: Path, lines: list[bytes]) -> None:
    """Run as a module of the engine; SIGTERM ends what follows a file, in good order."""
    options = world(tmp_path)
    environment = {
        "TILLFLOW_SOURCE": str(write_lines(tmp_path / "a.jsonl", lines[:40])),
        "TILLFLOW_WAREHOUSE": str(tmp_path / "w.duckdb"),
        "TILLFLOW_CONFIG": str(options[3]),
        "TILLFLOW_RECOVERY": "",
        "TILLFLOW_FOLLOW": "1",
        "TILLFLOW_EPOCH_SECONDS": "0.1",
        "TILLFLOW_SINCE": SINCE,
    }
    with (tmp_path / "log").open("wb") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "bytewax.run", "flows.roster"],
            env={**os.environ, **environment},
            cwd=Path(__file__).parents[2],
            stdout=log,
            stderr=log,
        )
        wait_until(lambda: _has_read(tmp_path / "w.duckdb.wal"), "nothing was read")
        started.send_signal(signal.SIGTERM)
        assert started.wait(60) == 0, (tmp_path / "log").read_text()
    run = last_run(tmp_path / "w.duckdb")
    assert (run["status"], run["lines"]) == ("stopped", 40)


def _has_read(log: Path) -> bool:
    return log.exists() and log.stat().st_size > 1_000


class TestRefused:
    """One line says what was wrong and what to do."""

    def refused(self, *arguments: object) -> str:
        ended = run_roster(*arguments)
        assert ended.code != 0
        assert ended.output.startswith(("Error: ", "Usage: "))
        assert "Traceback" not in ended.output
        return ended.output

    def test_what_is_wrong(self, tmp_path: Path) -> None:
        options = world(tmp_path)
        assert "no.jsonl" in self.refused(*options, "--source", tmp_path / "no.jsonl")
        both = ("--source", "a", "--kafka", "b:1")
        assert "exclude each other" in self.refused(*options, *both)
        assert "since: " in self.refused(*options[:-1], "yesterday")
        shop = tmp_path / "shops" / "S1.yaml"
        shop.write_text(shop.read_text().replace("patience_s", "patienc_s"))
        assert "did you mean `patience_s`?" in self.refused(*options)
        shop.unlink()
        (tmp_path / "shops" / "S2.yaml").unlink()
        assert "staffing.shops: nothing in" in self.refused(*options)
