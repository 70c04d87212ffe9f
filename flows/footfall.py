r"""Footfall: door reports and till orders -> quarters of an hour of each store.

    files or topics -> blocks -> facts by shard -> windows -> warehouse, and a topic of its own
                            \-> what is no event ---------/

Runs as `tillflow run footfall` and as `python -m bytewax.run flows.footfall` with TILLFLOW_*
settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event
from typing import TypeGuard

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from flows.parts import Report, beside_batches, journals, own_settings, table_sink
from flows.process import prepare_process
from flows.settings import SHARDS, StockSettings, load_chain
from flows.steps import FootfallStep as STEP
from operators.engine import ShardLogic, Snapshot, system_clock
from operators.footfall.decode import Decoded, FootfallDecoder
from operators.footfall.facts import FootfallBatch
from operators.footfall.rules import FootfallRules
from operators.footfall.shard import FootfallOutcome, FootfallShard, Totals
from operators.records import RecordBlock
from operators.stock.decode import Block, BlockRead, Sharder
from operators.stock.refusals import Refusal
from schemas.shop_events import ORDER_TYPE, VISIT_TYPE
from sinks.footfall.records import records_of
from sinks.footfall.table import FootfallTable
from sinks.kafka.events import DeadRecord
from sinks.kafka.partition import LogSink
from sources.abreast.partition import AbreastSource
from sources.kafka.partition import KafkaSource

TOPICS = (VISIT_TYPE, ORDER_TYPE)
GROUP = "tillflow-footfall"
Item = tuple[str, FootfallBatch | BlockRead | FootfallOutcome | list[DeadRecord]]


def build(
    settings: StockSettings,
    stop: Event,
    report: Report | None = None,
    floor: int = 0,
) -> Dataflow:
    """The dataflow; `stop` ends it cleanly, `report` is told its counts.

    `floor`: see FootfallShard; the time is one, for versions otherwise count changes.
    """
    rules = FootfallRules(load_chain(settings.config))
    decoder = FootfallDecoder(Sharder(SHARDS))
    kafka, live, keep = settings.kafka, settings.live, settings.recovery is not None
    journal = journals(settings, STEP.FLOW)

    def decode(blocks: list[Block]) -> Iterable[Item]:
        for decoded in map(decoder.decode, blocks):
            yield from _items(decoded)

    def decode_records(blocks: list[RecordBlock]) -> Iterable[Item]:
        for decoded in map(decoder.decode_records, blocks):
            yield from _items(decoded)

    def windows(resume: Snapshot | None) -> ShardLogic[FootfallBatch, FootfallOutcome]:
        shard = FootfallShard(rules, journaled=keep, floor=floor)
        return ShardLogic(shard, journal, resume, live=live, keep_state=keep)

    flow = Dataflow(STEP.FLOW)
    if kafka is None:
        blocks = op.input(STEP.READ, flow, AbreastSource(settings.source, stop, follow=live))
        items = op.flat_map_batch(STEP.DECODE, blocks, decode)
    else:
        log = KafkaSource(kafka, settings.topics, settings.group, stop, tail=live)
        records = op.input(STEP.READ_KAFKA, flow, log)
        items = op.flat_map_batch(STEP.DECODE_KAFKA, records, decode_records)
    parts = op.branch(STEP.SPLIT, items, _is_batch)
    outcomes = op.stateful_batch(STEP.WINDOWS, parts.trues, windows)
    everything = op.merge(STEP.MERGE, outcomes, parts.falses)
    if kafka is not None:
        op.output(STEP.KAFKA, everything, LogSink(kafka, records_of))
    table = table_sink(FootfallTable, settings, STEP.FLOW, stop, report)
    op.output(STEP.WAREHOUSE, everything, table)
    return flow


def _items(decoded: Decoded) -> Iterable[Item]:
    yield from ((f"{batch.shard:02d}", batch) for batch in decoded.batches)
    yield from beside_batches(decoded, _refused)


def _refused(refusals: list[Refusal]) -> FootfallOutcome:
    return FootfallOutcome([], [], refusals, Totals())


def _is_batch(item: Item) -> TypeGuard[tuple[str, FootfallBatch]]:
    return isinstance(item[1], FootfallBatch)


def __getattr__(name: str) -> Dataflow:
    """`flow`, for `python -m bytewax.run flows.footfall`: made only when asked for."""
    if name != "flow":
        raise AttributeError(name)
    # Nobody notes here how a run ends, so each might follow one that was killed.
    settings = own_settings(StockSettings.from_env(), TOPICS, GROUP)
    return build(settings, prepare_process(), floor=system_clock())
