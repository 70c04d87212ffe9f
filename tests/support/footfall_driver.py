"""Runs footfall the way its users do, and in a plain loop without an engine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from flow_driver import Ended
from footfall_oracle import Expected, Row, assert_same, written
from stock_events import NOON

from infra.cli import main
from operators.footfall.decode import FootfallDecoder
from operators.footfall.rules import FootfallRules
from operators.footfall.shard import FootfallShard
from operators.stock.decode import Block, Sharder
from schemas.chain import Chain
from schemas.footfall_tables import EMPLOYEE_WORK_15M, FOOTFALL_15M
from schemas.instants import DAY_US
from sinks.warehouse.client import open_reader

VERSION = FOOTFALL_15M.names.index("version")
# After everything that is made up here, and before it, by less than a year.
LATER = NOON + 400 * DAY_US
EARLIER = NOON - 360 * DAY_US


def run_footfall(*arguments: object) -> Ended:
    """`tillflow run footfall` in this process."""
    result = CliRunner().invoke(main, ["run", "footfall", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.output)


def run_cleanly(*arguments: object) -> str:
    """The same, and it must succeed; what it printed."""
    ended = run_footfall(*arguments)
    assert ended.code == 0, ended.output
    return ended.output


def progress(warehouse: Path) -> dict[str, int]:
    """How long the journals are; they change when progress is durable."""
    found = {}
    folder = warehouse.with_name(warehouse.name + ".footfall.recovery") / "state"
    for path in folder.glob("*.journal"):
        with suppress(FileNotFoundError):
            found[path.name] = path.stat().st_size
    return found


def everything(warehouse: Path) -> list[list[Row]]:
    """All rows of windows, work and dead letters, versions included."""
    with closing(open_reader(warehouse)) as reader:
        return [
            reader.execute(f"FROM {table} ORDER BY ALL").fetchall()
            for table in ("footfall_15m", "employee_work_15m", "dead_letter")
        ]


def assert_warehouse(warehouse: Path, wanted: Expected) -> None:
    """Every row of windows, work and dead letters is the oracle's."""
    with closing(open_reader(warehouse)) as reader:
        windows, work = written(reader)
        dead = reader.execute("SELECT position, reason_code FROM dead_letter").fetchall()
    assert_same(windows, wanted.windows)
    assert_same(work, wanted.work)
    assert sorted(dead) == wanted.dead_letters


class PlainFootfall:
    """One shard of footfall in a plain loop; keeps rows by key as a warehouse would."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.rules = FootfallRules(chain)
        self.shard = FootfallShard(self.rules, journaled=True)
        self.windows: dict[Row, Row] = {}
        self.work: dict[Row, Row] = {}
        self.dead: dict[int, str] = {}
        self.reasons: dict[int, str] = {}
        self.duplicates = 0
        self.line = 1
        self._journal: list[bytes] = []
        self._base: tuple[int, bytes] | None = None
        self._mark: tuple[tuple[int, bytes] | None, int, int] = (None, 0, 1)
        self._decoder = FootfallDecoder(Sharder(1))

    def feed(self, lines: Sequence[bytes], now: int = LATER) -> None:
        """Feed consecutive lines as one block."""
        self._feed([Block("events.jsonl", self.line, len(lines), b"\n".join(lines))], now)
        self.line += len(lines)

    def feed_mixed(self, lines: Sequence[tuple[int, bytes]], now: int = LATER) -> None:
        """Feed lines with their numbers, in any order, as one batch."""
        self._feed([Block("events.jsonl", number, 1, line) for number, line in lines], now)

    def _feed(self, blocks: Sequence[Block], now: int) -> None:
        batches = []
        for decoded in map(self._decoder.decode, blocks):
            batches += decoded.batches
            for refusal in decoded.refusals:
                self.dead[refusal.position] = refusal.code
        self._keep(self.shard.apply(batches, now))
        self._journal.append(self.shard.journal_entry())

    def tick(self, now: int) -> None:
        """Let time pass."""
        self._keep(self.shard.tick(now))
        self._journal.append(self.shard.tick_entry(now))

    def take(self) -> None:
        """Take the rows that have changed."""
        found = self.shard.flush()
        if found:
            self._journal.append(self.shard.flush_entry())
        self._keep(found)

    def reopen(self) -> None:
        """Dump the state and go on from the dump, as after a restart."""
        self._base, self._journal = self.shard.dump(), []
        self.commit()
        self._begin()

    def resume(self) -> None:
        """Go on from the last dump and the journal since, as after a crash."""
        self._begin()
        for entry in self._journal:
            self.shard.replay(entry)

    def commit(self) -> None:
        """An epoch is over: what was read until now will not be read again."""
        self._mark = (self._base, len(self._journal), self.line)

    def crash(self, floor: int) -> int:
        """Be killed, and begin again at the last commit; the line that is to be read next."""
        self._base, length, line = self._mark
        del self._journal[length:]
        self._begin(floor)
        for entry in self._journal:
            self.shard.replay(entry)
        return line

    def _begin(self, floor: int = 0) -> None:
        self.shard = FootfallShard(self.rules, journaled=True, floor=floor)
        if self._base is not None:
            self.shard.restore(*self._base)

    def _keep(self, outcomes: Any) -> None:
        for outcome in outcomes:
            for refusal in outcome.refusals:
                assert self.dead.get(refusal.position) in (None, refusal.code)
                self.dead[refusal.position] = refusal.code
                self.reasons[refusal.position] = refusal.reason
            self.duplicates += outcome.totals.duplicates
            for row in outcome.windows:
                there = self.windows.get(row[:2])
                assert there is None or row[VERSION] > there[VERSION] or row == there
                self.windows[row[:2]] = row
            for row in outcome.work:
                if row[:4] not in self.work or self.work[row[:4]][-1] <= row[-1]:
                    self.work[row[:4]] = row

    def unversioned(self) -> tuple[list[Row], list[Row]]:
        """All rows without their versions."""
        at = EMPLOYEE_WORK_15M.names.index("version")
        return (
            sorted((row[:VERSION] for row in self.windows.values()), key=repr),
            sorted((row[:at] for row in self.work.values()), key=repr),
        )
