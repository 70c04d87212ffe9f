"""The diary of runs: what one writer counted, and the sum over the writers of a run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

import pyarrow as pa

from schemas.instants import to_datetime
from schemas.tables import literal, quoted
from schemas.warehouse import FLOW_RUN, FLOW_RUN_PART


@dataclass(slots=True)
class Counts:
    """What a run has come to so far: the figures of flow_run."""

    lines: int = 0
    events: int = 0
    others: int = 0
    applied: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    positions: int = 0
    alerts_raised: int = 0
    alerts_cleared: int = 0
    newest_event: int | None = None

    def read(self, lines: int, events: int, others: int, newest: int | None) -> None:
        """Count a block that was read; `newest` in microseconds since 1970."""
        self.lines += lines
        self.events += events
        self.others += others
        if newest is not None:
            self.newest_event = max(newest, self.newest_event or newest)

    def __add__(self, other: Counts) -> Counts:
        """The counts of both together."""
        newest = [one for one in (self.newest_event, other.newest_event) if one is not None]
        sums = {
            name: getattr(self, name) + getattr(other, name)
            for name in (one.name for one in fields(self))
            if name != "newest_event"
        }
        return Counts(**sums, newest_event=max(newest, default=None))


@dataclass(frozen=True, slots=True)
class Run:
    """One start of a flow, as one of its writers knows it."""

    name: str
    flow: str
    source: str
    started_at: datetime
    part: int | None = None


def run_rows(run: Run, counts: Counts, status: str, now: datetime) -> pa.Table:
    """The row of flow_run, or of flow_run_part for a writer with a number."""
    newest = counts.newest_event
    row = {one.name: getattr(counts, one.name) for one in fields(counts)}
    row |= {
        "run": run.name,
        "part": run.part,
        "flow": run.flow,
        "status": status,
        "source": run.source,
        "started_at": run.started_at,
        "updated_at": now,
        "newest_event": None if newest is None else to_datetime(newest),
    }
    table = FLOW_RUN if run.part is None else FLOW_RUN_PART
    return pa.Table.from_pylist([row], schema=table.arrow())


def totals(run: str) -> str:
    """The statement that writes the row of flow_run anew from its parts.

    It writes absolute sums, so twice is once. Two writers at the same moment get in each other's
    way and one of them repeats it, so the last one has seen all parts.
    """
    gravest = "['running', 'interrupted', 'stopped', 'finished']"
    how = {
        "run": "run",
        "flow": "any_value(flow)",
        "source": "any_value(source)",
        "started_at": "min(started_at)",
        "updated_at": "max(updated_at)",
        "newest_event": "max(newest_event)",
        "status": f"{gravest}[min(list_position({gravest}, status))]",
    }
    chosen = ", ".join(how.get(name, f"sum({quoted(name)})::BIGINT") for name in FLOW_RUN.names)
    others = [name for name in FLOW_RUN.names if name != "run"]
    sets = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in others)
    return (
        f"INSERT INTO {FLOW_RUN.name} ({', '.join(map(quoted, FLOW_RUN.names))}) SELECT {chosen} "
        f"FROM {FLOW_RUN_PART.name} WHERE run = {literal(run)} GROUP BY run "
        "HAVING sum(lines) > 0 "
        f"ON CONFLICT (run) DO UPDATE SET {sets}"
    )
