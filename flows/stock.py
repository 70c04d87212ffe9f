r"""Stock truth: movements -> one exact, live position for each SKU and place, and alerts.

    files or topics -> blocks -> facts by shard -> ledger -> warehouse, and topics of its own
                            \-> what is no event, holds -/

Runs as `tillflow run stock` and as `python -m bytewax.run flows.stock` with TILLFLOW_* settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from threading import Event
from typing import TypeGuard

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from flows.parts import Report, ending, journals
from flows.process import prepare_process
from flows.settings import SHARDS, StockSettings, load_chain
from flows.steps import StockStep as STEP
from flows.told import read_told
from operators.engine import FLUSH_AFTER, FLUSH_BACKFILL, ShardLogic, Snapshot, system_clock
from operators.records import RecordBlock
from operators.stock.decode import Block, BlockRead, Sharder
from operators.stock.decode_records import RecordDecoder
from operators.stock.facts import Batch
from operators.stock.rules import StockRules
from operators.stock.shard import StockOutcome, StockShard, empty_outcome
from sinks.kafka.events import DeadRecord, OutRecord, records_of
from sinks.kafka.partition import LogSink
from sinks.warehouse.partition import WarehouseSink
from sources.kafka.partition import KafkaSource
from sources.partition import BlockSource

Item = tuple[str, Batch | BlockRead | StockOutcome | list[DeadRecord]]
# What happens now is told at once; rows of a hot place are then written 40 times a second.
FLUSH_LIVE = timedelta(milliseconds=25)


def build(settings: StockSettings, stop: Event, report: Report | None = None) -> Dataflow:
    """The dataflow; `stop` ends it cleanly, `report` is told its counts."""
    rules = StockRules(load_chain(settings.config))
    sharder = Sharder(SHARDS)
    records = RecordDecoder(sharder)
    kafka, live, keep = settings.kafka, settings.live, settings.recovery is not None
    journal = journals(settings, STEP.FLOW)
    told = None if settings.recovery is None else read_told(settings.recovery)
    wait = FLUSH_BACKFILL
    if live:
        wait = FLUSH_AFTER if kafka is None else FLUSH_LIVE

    def decode(blocks: list[Block]) -> Iterable[Item]:
        decoded = sharder.decode(*blocks)
        yield from ((f"{batch.shard:02d}", batch) for batch in decoded.batches)
        if decoded.refusals or decoded.reservations:
            yield ("read", empty_outcome(decoded.refusals, decoded.reservations))
        yield ("read", decoded.read)

    def decode_records(blocks: list[RecordBlock]) -> Iterable[Item]:
        for decoded in map(records.decode, blocks):
            yield from ((f"{batch.shard:02d}", batch) for batch in decoded.batches)
            if decoded.refusals:
                yield ("read", list(map(DeadRecord, decoded.dead, decoded.refusals)))
            if decoded.reservations:
                yield ("read", empty_outcome([], decoded.reservations))
            yield ("read", decoded.read)

    def ledger(resume: Snapshot | None) -> ShardLogic[Batch, StockOutcome]:
        return ShardLogic(
            StockShard(rules, journaled=keep, told=told),
            journal,
            resume,
            live=live,
            keep_state=keep,
            flush_after=wait,
        )

    flow = Dataflow(STEP.FLOW)
    if kafka is None:
        blocks = op.input(STEP.READ, flow, BlockSource(settings.source, stop, follow=live))
        items = op.flat_map_batch(STEP.DECODE, blocks, decode)
    else:
        log = KafkaSource(kafka, settings.topics, settings.group, stop, tail=live)
        items = op.flat_map_batch(
            STEP.DECODE_KAFKA, op.input(STEP.READ_KAFKA, flow, log), decode_records
        )
    parts = op.branch(STEP.SPLIT, items, _is_batch)
    outcomes = op.stateful_batch(STEP.LEDGER, parts.trues, ledger)
    everything = op.merge(STEP.MERGE, outcomes, parts.falses)
    if kafka is not None:
        op.output(STEP.KAFKA, everything, LogSink(kafka, _said))
        everything = op.map_value(STEP.TABLES, everything, _for_tables)
    warehouse = WarehouseSink(
        settings.target,
        flow=STEP.FLOW,
        run=settings.run,
        source=settings.origin,
        ended=ending(stop),
        report=report,
        carry=live and keep,
    )
    op.output(STEP.WAREHOUSE, everything, warehouse)
    return flow


def _said(outcome: StockOutcome) -> Iterable[OutRecord]:
    return records_of(outcome, system_clock())


def _for_tables(value: StockOutcome | BlockRead | list[DeadRecord]) -> StockOutcome | BlockRead:
    if isinstance(value, list):
        return empty_outcome([dead.refusal for dead in value])
    return value


def _is_batch(item: Item) -> TypeGuard[tuple[str, Batch]]:
    return isinstance(item[1], Batch)


def __getattr__(name: str) -> Dataflow:
    """`flow`, for `python -m bytewax.run flows.stock`: made only when asked for."""
    if name != "flow":
        raise AttributeError(name)
    return build(StockSettings.from_env(), prepare_process())
