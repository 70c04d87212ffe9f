"""What flows have in common: their settings, their shards' journals, and what they write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Event
from typing import Protocol, TypeVar

import msgspec

from flows.settings import STOCK_GROUP, STOCK_TOPICS, StockSettings
from operators.records import Record
from operators.stock.decode import BlockRead
from operators.stock.refusals import Refusal
from sinks.journal import FileJournal
from sinks.kafka.events import DeadRecord
from sinks.tables.collector import Collector, Outcome
from sinks.tables.partition import TableSink
from sinks.warehouse.address import Target
from sinks.warehouse.runs import Counts, Run

O = TypeVar("O")  # noqa: E741 (outcome, as in the engine's own signatures)
Report = Callable[[Counts], None]
# The key of what is for no shard.
READ = "read"


class Decoded(Protocol):
    """What a block held beside its batches; `dead` are the records of the refusals, in order."""

    @property
    def refusals(self) -> list[Refusal]:
        """What could not be read, and why."""

    @property
    def dead(self) -> list[Record]:
        """The records that it stood in; none in files."""

    @property
    def read(self) -> BlockRead:
        """How many lines were what."""


def own_settings(given: StockSettings, topics: tuple[str, ...], group: str) -> StockSettings:
    """The settings of a flow, for this one: its own topics and group where none were named."""
    if given.topics == STOCK_TOPICS:
        given = msgspec.structs.replace(given, topics=topics)
    if given.group == STOCK_GROUP:
        given = msgspec.structs.replace(given, group=group)
    return given


def journals(
    settings: StockSettings, flow: str, named: dict[int, str] | None = None
) -> Callable[[int], FileJournal] | None:
    """Opens the journal of a shard; None where no state is kept.

    `named`: the journals of shards that are not called by flow and number.
    """
    if settings.recovery is None:
        return None
    folder, names = settings.recovery / "state", named or {}
    return lambda shard: FileJournal(folder, names.get(shard, f"{flow}-{shard:02d}"))


def beside_batches(
    decoded: Decoded, refused: Callable[[list[Refusal]], O]
) -> Iterator[tuple[str, list[DeadRecord] | O | BlockRead]]:
    """What a block gave beside its batches; `refused` makes an outcome of lines of no records."""
    if decoded.dead:
        yield (READ, list(map(DeadRecord, decoded.dead, decoded.refusals)))
    elif decoded.refusals:
        yield (READ, refused(decoded.refusals))
    yield (READ, decoded.read)


def ending(stop: Event) -> Callable[[], str]:
    """How a run came to its end, as flow_run names it."""
    return lambda: "stopped" if stop.is_set() else "finished"


def table_sink(
    table: Callable[[Target, Run, Report | None], Collector[Outcome]],
    settings: StockSettings,
    flow: str,
    stop: Event,
    report: Report | None = None,
) -> TableSink[Outcome]:
    """The tables of a flow; `report` is told the counts of the run."""
    target = settings.target
    return TableSink(
        lambda run: table(target, run, report),
        flow=flow,
        run=settings.run,
        source=settings.origin,
        ended=ending(stop),
    )
