"""Runs members in a plain loop without an engine, and the way their users do."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from member_oracle import COMPARED, Expected

from infra.cli import main
from operators.members.decode import MemberDecoder
from operators.members.facts import UNITED, MemberBatch
from operators.members.people import TICKED, People
from operators.members.persons import PersonShard
from operators.members.rules import MemberRules
from operators.members.shard import MemberShard
from operators.stock.decode import Block, Sharder
from schemas.chain import Chain
from schemas.instants import DAY_US, parse_instant, to_datetime
from schemas.member_rules import MembersConfig
from schemas.member_tables import MEMBER_STATE, MEMBER_TRANSITION
from sinks.warehouse.client import open_reader

Row = tuple[Any, ...]
SHARDS = 3
# After everything that is made up here.
LATER = 4_000_000_000 * 10**6
NAMES = MEMBER_STATE.names
_INSTANTS = {one.name for one in MEMBER_STATE.columns if one.type == "instant"}
# How a journal entry on time begins: one list of three.
TICK = TICKED + b"\x91\x93"


class PlainMembers:
    """All shards of members in a plain loop; keeps rows by key as a warehouse would."""

    def __init__(self, chain: Chain) -> None:
        self.rules = MemberRules(chain)
        self.states: dict[str, Row] = {}
        self.transitions: dict[Row, dict[str, Any]] = {}
        self.refusals: list[str] = []
        self.applied = self.duplicates = self.erased = 0
        self.line = 1
        self._decoder = MemberDecoder(Sharder(SHARDS))
        self.shards: dict[int, People] = {}
        self._saved: dict[int, tuple[tuple[int, bytes], list[bytes]]] = {}
        for shard in (*range(SHARDS), UNITED):
            self.shards[shard] = self._new(shard)
            self._saved[shard] = (self.shards[shard].dump(), [])

    def _new(self, shard: int) -> People:
        kind = PersonShard if shard == UNITED else MemberShard
        return kind(self.rules, journaled=True)

    def feed(self, lines: Sequence[bytes | dict[str, Any]], now: int = LATER) -> None:
        """Feed consecutive lines as one block."""
        texts = [json.dumps(one).encode() if isinstance(one, dict) else one for one in lines]
        block = Block("events.jsonl", self.line, len(texts), b"\n".join(texts))
        self.line += len(texts)
        decoded = self._decoder.decode(block, now + self.rules.future)
        self.refusals += [one.code for one in decoded.refusals]
        for batch in decoded.batches:
            self._apply(batch, now)

    def _apply(self, batch: MemberBatch, now: int) -> None:
        shard = self.shards[batch.shard]
        out = shard.apply([batch], now)
        self._saved[batch.shard][1].append(shard.journal_entry())
        self._keep(out, now)

    def _keep(self, outcomes: Any, now: int) -> None:
        for out in outcomes:
            self.applied += out.totals.applied
            self.duplicates += out.totals.duplicates
            self.erased += out.totals.erased
            self.refusals += [one.code for one in out.refusals]
            for name in out.erased:
                for key in [key for key in self.transitions if key[0] == name]:
                    del self.transitions[key]
            for row in out.transitions:
                told = dict(zip(MEMBER_TRANSITION.names, row, strict=True))
                self.transitions[row[:2]] = told
            for row in out.states:
                there = self.states.get(row[0])
                if there is None or there[-1] <= row[-1]:
                    self.states[row[0]] = row
            if out.parts:
                positions = array("Q", [0] * len(out.parts))
                about = (out.newest, out.newest_origin)
                self._apply(MemberBatch(UNITED, "", positions, list(out.parts), *about), now)

    def tick(self, now: int) -> None:
        """Let time pass on a quiet stream, where it is due."""
        for number, shard in self.shards.items():
            due = shard.due(now)
            if due is not None and due <= now:
                self._keep(shard.tick(now), now)
                self._saved[number][1].append(shard.tick_entry(now))

    def due(self) -> int | None:
        """When somebody has to be looked at next."""
        times = (shard.due(0) for shard in self.shards.values())
        return min((one for one in times if one is not None), default=None)

    def take(self) -> None:
        """Take the rows that have changed."""
        for number, shard in self.shards.items():
            found = shard.flush()
            if found:
                self._saved[number][1].append(shard.flush_entry())
            self._keep(found, LATER)

    def reopen(self) -> None:
        """Dump all states and go on from the dumps, as after a restart."""
        for number, shard in self.shards.items():
            self._saved[number] = (shard.dump(), [])
        self.resume()

    def resume(self, rules: MemberRules | None = None) -> None:
        """Go on from the last dumps and the journals since, as after a crash."""
        self.rules = rules or self.rules
        for number, (base, entries) in self._saved.items():
            shard = self.shards[number] = self._new(number)
            shard.restore(*base)
            for entry in entries:
                shard.replay(entry)

    def state(self, member: str) -> dict[str, Any]:
        """The row of a member by its columns' names, rows taken first."""
        self.take()
        return dict(zip(NAMES, self.states[member], strict=True))

    def told(self, member: str) -> list[dict[str, Any]]:
        """The changes of segment of a member, in order."""
        return [one for _, one in sorted(self.transitions.items()) if one["member"] == member]


def comparable(row: dict[str, Any], names: Sequence[str]) -> Row:
    """A row as the oracle has it: instants as such, consents without their evidence."""
    values = []
    for name in names:
        value = row[name]
        if name in _INSTANTS and isinstance(value, int):
            value = to_datetime(value)
        if name == "consents":
            said = {what: one["status"] for what, one in json.loads(value).items()}
            value = said or None
        values.append(value)
    return tuple(values)


D0 = parse_instant("2026-01-05T10:00:00+08:00")


def at(day: float) -> int:
    """So many days after the begin."""
    return D0 + round(day * DAY_US)


def members(**changes: Any) -> PlainMembers:
    """The default configuration: 30 days, 3 visits in 90, 500 yuan in 365."""
    config = MembersConfig(**{"future_hours": 8760.0, **changes})
    return PlainMembers(Chain(members=config))


def figures(plain: PlainMembers, member: str = "m") -> tuple[Any, ...]:
    """Visits, spent, last purchase and segment."""
    row = plain.state(member)
    return row["frequency"], row["monetary"], row["last_at"], row["segment"]


def run_members(*arguments: object) -> str:
    """`tillflow run members` in this process, which must succeed; what it printed."""
    return invoke("run", "members", *arguments)


def invoke(*arguments: object) -> str:
    """A command of tillflow in this process, which must succeed; what it printed."""
    result = CliRunner().invoke(main, list(map(str, arguments)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def everything(warehouse: Path) -> list[list[Row]]:
    """All rows of states, changes and dead letters."""
    with closing(open_reader(warehouse)) as reader:
        return [
            reader.execute(f"FROM {table} ORDER BY ALL").fetchall()
            for table in ("member_state", "member_transition", "dead_letter")
        ]


def progress(warehouse: Path) -> dict[str, int]:
    """How long the journals are; they change when progress is durable."""
    found = {}
    folder = warehouse.with_name(warehouse.name + ".members.recovery") / "state"
    for path in folder.glob("*.journal"):
        with suppress(FileNotFoundError):
            found[path.name] = path.stat().st_size
    return found


def assert_warehouse(warehouse: Path, wanted: Expected) -> None:
    """Every row of member_state is the oracle's, and every last change leads to it."""
    with closing(open_reader(warehouse)) as reader:
        reader.execute("SET TimeZone = 'UTC'")
        found = reader.execute(f"SELECT {', '.join(NAMES)} FROM member_state ORDER BY member")
        rows = [
            comparable(dict(zip(NAMES, row, strict=True)), COMPARED) for row in found.fetchall()
        ]
        last = reader.execute(
            "SELECT member, arg_max(coalesce(to_segment, ''), number) FROM member_transition "
            "GROUP BY member"
        ).fetchall()
    assert_rows(rows, wanted)
    told = dict(last)
    assert all((told.get(row[0]) or None) == row[3] for row in rows)


def assert_rows(rows: list[Row], wanted: Expected, *, days: bool = False) -> None:
    """The rows are the oracle's; a wake-up only to forget is not its business.

    `days`: whether days with a purchase are compared for those of several ids, too; beyond the
    windows these are only the sum of what the ids had.
    """
    assert len(rows) == len(wanted.rows)
    several = {row[COMPARED.index("survivor")] for row in wanted.rows}
    change, counted = COMPARED.index("next_change_at"), COMPARED.index("purchase_days")
    for row, right in zip(rows, wanted.rows, strict=True):
        mine = list(row)
        if right[change] is None:
            mine[change] = None
        if right[0] in several and not days:
            mine[counted] = right[counted]
        assert tuple(mine) == right
