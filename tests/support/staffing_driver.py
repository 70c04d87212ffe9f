"""Runs the roster flow the way its users do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from click.testing import CliRunner
from flow_driver import Ended
from staffing_world import publish_rosters, write_shops

from infra.cli import main
from sinks.warehouse.address import Target

TODAY = date(2026, 11, 19)
SINCE = "2026-11-19T00:00:00+08:00"


def run_roster(*arguments: object) -> Ended:
    """`tillflow run roster` in this process."""
    result = CliRunner().invoke(main, ["run", "roster", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.output)


def run_cleanly(*arguments: object) -> str:
    ended = run_roster(*arguments)
    assert ended.code == 0, ended.output
    return ended.output


def world(folder: Path, warehouse: Target | None = None) -> list[object]:
    """Files of a chain, its published rosters in a warehouse; the options of a run without them."""
    config = write_shops(folder, TODAY)
    target = warehouse or folder / "w.duckdb"
    publish_rosters(folder, target, TODAY)
    return ["--warehouse", target, "--config", config, "--since", SINCE]
