"""Runs the stock flow the way its users do, and reads what stands in the warehouse afterwards."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from alert_oracle import expected_alerts
from click.testing import CliRunner
from forks import start_forked
from stock_oracle import expect

from infra.cli import main
from schemas.chain import Chain
from schemas.warehouse import TABLES
from sinks.warehouse.client import open_reader

Row = tuple[Any, ...]
Tables = dict[str, list[Row]]
Sizes = dict[str, int]

# Longer than anything here takes on the slowest machine; who waits so long has found a hang.
PATIENCE_SECONDS = 120.0

POSITION = (
    "sku",
    "place",
    "on_hand",
    "allocated",
    "quarantined",
    "in_transit",
    "available",
    "version",
    "as_of",
)
ALERT = (
    "alert_type",
    "severity",
    "sku",
    "place",
    "status",
    "observed",
    "level",
    "clear_level",
    "shortfall",
    "opened_at",
    "updated_at",
    "cleared_at",
)
# What a run must leave behind, whatever happened on the way; flow_run is the diary of that way.
RESULTS = ("stock_position", "stock_alert", "dead_letter")


class Ended(NamedTuple):
    """How a run ended."""

    code: int
    output: str


def run_stock(*arguments: object) -> Ended:
    """`tillflow run stock` with these arguments, in this process."""
    result = CliRunner().invoke(main, ["run", "stock", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.output)


def run_cleanly(*arguments: object) -> str:
    """The same, and it must succeed; what it printed."""
    ended = run_stock(*arguments)
    assert ended.code == 0, ended.output
    return ended.output


class StartedFlow:
    """`tillflow run FLOW` in a process of its own; `sizes` are constants to make smaller there."""

    def __init__(
        self, log: Path, *arguments: object, sizes: Sizes | None = None, flow: str = "stock"
    ) -> None:
        self._log = log
        texts = [flow, *map(str, arguments)]
        self.process: BaseProcess = start_forked(_run_logged, log, texts, sizes or {})
        assert self.process.pid is not None
        self.pid: int = self.process.pid

    def children(self) -> list[int]:
        """The processes it has started."""
        try:
            return [
                int(pid)
                for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            ]
        except FileNotFoundError:
            return []

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.is_alive()

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> Ended:
        """Wait until it has ended."""
        self.process.join(seconds)
        code = self.process.exitcode
        if code is None:
            self.process.kill()
            msg = f"the flow still ran after {seconds} s"
            raise TimeoutError(msg)
        return Ended(code, self._log.read_text(errors="replace") if self._log.exists() else "")


def _run_logged(log: Path, arguments: Sequence[str], sizes: Sizes) -> None:
    for name, size in sizes.items():
        module, _, constant = name.rpartition(".")
        assert hasattr(import_module(module), constant)
        setattr(import_module(module), constant, size)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    main(["run", *arguments])


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until a condition holds; `what` is the complaint if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


def progress(warehouse: Path) -> dict[str, int]:
    """How long the journals of the recovery folder are; they change when progress is durable."""
    found = {}
    for path in warehouse.with_name(warehouse.name + ".recovery").glob("state/*.journal"):
        with suppress(FileNotFoundError):
            found[path.name] = path.stat().st_size
    return found


def write_lines(path: Path, lines: Iterable[bytes]) -> Path:
    """A file of these lines, each with its end."""
    with path.open("wb") as out:
        out.writelines(line + b"\n" for line in lines)
    return path


def write_chain(path: Path, chain: Chain) -> Path:
    """A chain's configuration; JSON is YAML too."""
    path.write_bytes(msgspec.json.encode(chain))
    return path


def query(warehouse: Path, sql: str) -> list[Row]:
    """What the warehouse answers; no flow may be writing."""
    with closing(open_reader(warehouse)) as reader:
        return reader.execute(sql).fetchall()


def tables(warehouse: Path, *names: str) -> Tables:
    """All rows of the tables (without names: of every one), by primary key."""
    with closing(open_reader(warehouse)) as reader:
        return {
            table.name: reader.execute(
                f"FROM {table.name} ORDER BY {', '.join(table.primary_key)}"
            ).fetchall()
            for table in TABLES
            if not names or table.name in names
        }


def results(warehouse: Path) -> Tables:
    """What the run came to, with the names of the files in place of their paths."""
    found = tables(warehouse, *RESULTS)
    found["dead_letter"] = sorted(
        (Path(source).name, *rest) for source, *rest in found["dead_letter"]
    )
    return found


def last_run(warehouse: Path) -> dict[str, Any]:
    """The row of the run that started last."""
    with closing(open_reader(warehouse)) as reader:
        found = reader.execute("FROM flow_run ORDER BY started_at DESC LIMIT 1")
        row = found.fetchone()
        assert row is not None
        return {column[0]: value for column, value in zip(found.description, row, strict=True)}


def judged_rows(warehouse: Path) -> Tables:
    """What the oracles know of the results: see `expected_rows`."""
    return {
        "stock_position": sorted(query(warehouse, _select(POSITION, "stock_position"))),
        "stock_alert": sorted(query(warehouse, _select(ALERT, "stock_alert")), key=repr),
        "dead_letter": sorted(
            (Path(source).name, *rest)
            for source, *rest in query(
                warehouse, "SELECT source, position, reason_code FROM dead_letter"
            )
        ),
    }


def _select(names: Sequence[str], table: str) -> str:
    columns = (
        f"epoch_us({name})" if name.endswith("_at") or name == "as_of" else name for name in names
    )
    return f"SELECT {', '.join(columns)} FROM {table}"


def expected_rows(files: dict[str, list[bytes]], chain: Chain) -> Tables:
    """What the oracles say must stand in the warehouse after these files, in this order."""
    places = [(name, line) for name, lines in files.items() for line in range(1, len(lines) + 1)]
    expected = expect((line for lines in files.values() for line in lines), chain)
    return {
        "stock_position": sorted(
            tuple(getattr(row, name) for name in POSITION) for row in expected.positions.values()
        ),
        "stock_alert": sorted(
            (
                tuple(getattr(alert, name) for name in ALERT)
                for alert in expected_alerts(expected, chain)
            ),
            key=repr,
        ),
        "dead_letter": sorted(
            (*places[line - 1], code) for line, code in expected.dead_letters.items()
        ),
    }


def split_evenly(lines: Sequence[bytes], parts: int) -> Iterator[Sequence[bytes]]:
    """The lines in that many runs of about the same length."""
    for part in range(parts):
        yield lines[len(lines) * part // parts : len(lines) * (part + 1) // parts]
