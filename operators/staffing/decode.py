"""Blocks of lines and of records to windows, and to refusals for what is none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, NamedTuple

import msgspec

from operators.records import Record, RecordBlock
from operators.refused import line_of, refused_line
from operators.staffing.facts import PANEL, WindowBatch, WindowFact, fact_of
from operators.stock.decode import RAW_LIMIT, Block, BlockRead
from operators.stock.refusals import Refusal
from schemas.envelope import Instant
from schemas.footfall import FOOTFALL_WINDOW_TYPE, FootfallWindow, SensorStatus
from schemas.movement import Name

# Where the forecast's arrays end.
_MOST = 2**31 - 1
_Count = Annotated[int, msgspec.Meta(ge=0, le=_MOST)]


class _Window(FootfallWindow, frozen=True, kw_only=True, gc=False):
    """The window with what is asked of it; what is of no concern here may be left out."""

    store: Name
    start: Instant
    final: bool
    entries: _Count
    orders: _Count
    door_status: SensorStatus
    till_status: SensorStatus
    version: int
    local_start: str = ""
    business_day: str = ""
    exits: int = 0
    items: int = 0
    sales: int | None = None
    currency: str | None = None
    service_mean_seconds: float | None = None
    service_p90_seconds: float | None = None
    waited_orders: int = 0
    waited_mean_seconds: float | None = None
    conversion: float | None = None
    events: int = 0


class _Line(msgspec.Struct, gc=False):
    specversion: Literal["1.0"]
    id: Name
    source: Name
    type: Literal["footfall.window.v1"]
    time: Instant
    data: _Window


_event = msgspec.json.Decoder(_Line)


class Decoded(NamedTuple):
    """What a block held; `dead` are the records that the refusals are about, in their order."""

    batch: WindowBatch | None
    refusals: list[Refusal]
    read: BlockRead
    dead: list[Record]


def decode(block: Block) -> Decoded:
    """Windows and refusals of a block of lines."""
    lines = enumerate(block.lines.split(b"\n"), block.first)
    found = ((line, position) for position, line in lines if line.strip())
    return _decoded(_judge(line, block.origin, position) for line, position in found)


def decode_records(block: RecordBlock) -> Decoded:
    """The same for records of the log, in both modes of CloudEvents."""
    dead: list[Record] = []

    def judged() -> Iterable[_Found]:
        for record in block.records:
            found = _judge_record(record, block.origin)
            if isinstance(found, Refusal):
                dead.append(record)
            yield found

    return _decoded(judged())._replace(dead=dead)


_Found = WindowFact | Refusal | Literal["early", "other"]


def _decoded(judged: Iterable[_Found]) -> Decoded:
    facts: list[WindowFact] = []
    refusals: list[Refusal] = []
    lines = others = early = 0
    for found in judged:
        lines += 1
        if isinstance(found, Refusal):
            refusals.append(found)
        elif found == "other":
            others += 1
        elif found == "early":
            early += 1
        else:
            facts.append(found)
    newest = max((fact.end for fact in facts), default=None)
    batch = WindowBatch(PANEL, facts) if facts else None
    return Decoded(batch, refusals, BlockRead(lines, len(facts) + early, others, newest), [])


def _judge(line: bytes, origin: str, position: int) -> _Found:
    try:
        return fact_of(_event.decode(line).data) or "early"
    except (ValueError, RecursionError, OverflowError) as wrong:
        return refused_line(line, wrong, (origin, position), (FOOTFALL_WINDOW_TYPE,)) or "other"


def _judge_record(record: Record, origin: str) -> _Found:
    line = record.value
    if line is None:
        return "other"
    raw = line[:RAW_LIMIT]
    whole = line_of(record, line, origin)
    if isinstance(whole, Refusal):
        return whole
    found = _judge(whole, origin, record.offset)
    return found._replace(raw=raw) if isinstance(found, Refusal) else found
