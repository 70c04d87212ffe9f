r"""Rosters of running days: windows -> forecast -> heads needed -> alerts with proposals.

    files, topics or the warehouse -> windows -> one panel of all stores -> warehouse, and a topic
                                  \-> what is no event ----------------/

Runs as `tillflow run roster` and as `python -m bytewax.run flows.roster` with TILLFLOW_* settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from threading import Event
from typing import Any, TypeGuard

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.operators import KeyedStream

from flows.parts import Report, beside_batches, journals, own_settings, table_sink
from flows.process import prepare_process
from flows.roster_inputs import WarehouseWindows, given, last_midnight, past_windows
from flows.settings import SettingsError, StockSettings, load_chain
from flows.steps import RosterStep as STEP
from operators.engine import ShardLogic, Snapshot
from operators.records import RecordBlock
from operators.staffing.decode import Decoded, decode, decode_records
from operators.staffing.facts import PANEL, WindowBatch
from operators.staffing.machine import StaffingMachine
from operators.staffing.outcome import StaffingOutcome
from operators.stock.decode import Block, BlockRead
from operators.stock.refusals import Refusal
from schemas.footfall import FOOTFALL_WINDOW_TYPE
from schemas.instants import parse_instant
from sinks.kafka.events import DeadRecord
from sinks.kafka.partition import LogSink
from sinks.roster.records import records_of
from sinks.roster.table import StaffingTable
from sources.abreast.partition import AbreastSource
from sources.kafka.partition import KafkaSource

TOPICS = (FOOTFALL_WINDOW_TYPE,)
GROUP = "tillflow-roster"
# The name of a source that is no file: the table footfall_15m.
WAREHOUSE = "warehouse"
Item = tuple[str, WindowBatch | BlockRead | StaffingOutcome | list[DeadRecord]]


def build(settings: StockSettings, stop: Event, report: Report | None = None) -> Dataflow:
    """The dataflow; `stop` ends it cleanly, `report` is told its counts."""
    chain = load_chain(settings.config)
    outside = given(chain, settings.config, settings.target)
    kafka, live, keep = settings.kafka, settings.live, settings.recovery is not None
    journal = journals(settings, STEP.FLOW)
    from_table = kafka is None and settings.source == WAREHOUSE
    since = _since(settings)
    if since is None and from_table and not live:
        since = last_midnight(chain, settings.target)
    days = chain.forecast.history_days
    prime = None if from_table else partial(past_windows, settings.target, days)

    def staffing(resume: Snapshot | None) -> ShardLogic[WindowBatch, StaffingOutcome]:
        machine = StaffingMachine(
            chain, outside, live=live, since=since or 0, prime=prime, journaled=keep
        )
        return ShardLogic(machine, journal, resume, live=live, keep_state=keep)

    flow = Dataflow(STEP.FLOW)
    items: KeyedStream[WindowBatch | BlockRead | StaffingOutcome | list[DeadRecord]]
    if kafka is not None:
        log = KafkaSource(kafka, settings.topics, settings.group, stop, tail=live)
        records = op.input(STEP.READ_KAFKA, flow, log)
        items = op.flat_map_batch(STEP.DECODE_KAFKA, records, _decode_records)
    elif from_table:
        held = WarehouseWindows(settings.target, stop, follow=live)
        windows = op.input(STEP.READ_WAREHOUSE, flow, held)
        items = op.flat_map_batch(STEP.DECODE, windows, _counted)
    else:
        blocks = op.input(STEP.READ, flow, AbreastSource(settings.source, stop, follow=live))
        items = op.flat_map_batch(STEP.DECODE, blocks, _decode)
    parts = op.branch(STEP.SPLIT, items, _is_batch)
    outcomes = op.stateful_batch(STEP.STAFFING, parts.trues, staffing)
    everything: KeyedStream[Any] = op.merge(STEP.MERGE, outcomes, parts.falses)
    if kafka is not None:
        op.output(STEP.KAFKA, everything, LogSink(kafka, records_of))
    table = table_sink(StaffingTable, settings, STEP.FLOW, stop, report)
    op.output(STEP.WAREHOUSE, everything, table)
    return flow


def _since(settings: StockSettings) -> int | None:
    if settings.since is None:
        return None
    try:
        return parse_instant(settings.since)
    except ValueError as wrong:
        msg = f"since: {wrong}"
        raise SettingsError(msg) from None


def _decode(blocks: list[Block]) -> Iterable[Item]:
    for decoded in map(decode, blocks):
        yield from _items(decoded)


def _decode_records(blocks: list[RecordBlock]) -> Iterable[Item]:
    for decoded in map(decode_records, blocks):
        yield from _items(decoded)


def _counted(batches: list[WindowBatch]) -> Iterable[Item]:
    for batch in batches:
        yield (f"{PANEL:02d}", batch)
        many = len(batch.facts)
        yield ("read", BlockRead(many, many, 0, max(fact.end for fact in batch.facts)))


def _items(decoded: Decoded) -> Iterable[Item]:
    if decoded.batch is not None:
        yield (f"{PANEL:02d}", decoded.batch)
    yield from beside_batches(decoded, _refused)


def _refused(refusals: list[Refusal]) -> StaffingOutcome:
    return StaffingOutcome.empty()._replace(refusals=refusals)


def _is_batch(item: Item) -> TypeGuard[tuple[str, WindowBatch]]:
    return isinstance(item[1], WindowBatch)


def __getattr__(name: str) -> Dataflow:
    """`flow`, for `python -m bytewax.run flows.roster`: made only when asked for."""
    if name != "flow":
        raise AttributeError(name)
    return build(own_settings(StockSettings.from_env(), TOPICS, GROUP), prepare_process())
