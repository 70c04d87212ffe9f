r"""Transfers between places: positions, alerts and answers -> suggestions worth their trip.

    topics -> blocks -> facts by shard -> planner -> topics of its own, and the warehouse
                    \-> what is no event ------/

Runs as `tillflow transfers run` and as `python -m bytewax.run flows.transfers` with TILLFLOW_*
settings (TILLFLOW_KAFKA, TILLFLOW_WAREHOUSE, TILLFLOW_CONFIG, TILLFLOW_RECOVERY).
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event
from typing import Any, TypeGuard

import bytewax.operators as op
import msgspec
from bytewax.dataflow import Dataflow
from bytewax.operators import KeyedStream

from flows.parts import journals, table_sink
from flows.process import prepare_process
from flows.settings import SHARDS, SettingsError, StockSettings, load_chain
from flows.steps import TransferStep as STEP
from operators.engine import ShardLogic, Snapshot
from operators.records import RecordBlock
from operators.stock.decode import Sharder
from operators.stock.transfers.decode import TransferDecoder
from operators.stock.transfers.facts import TransferBatch
from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.shard import TransferOutcome, TransferShard
from schemas.alert import ALERT_TYPE
from schemas.movement import MOVEMENT_TYPE
from schemas.position import POSITION_TYPE
from schemas.transfer import TRANSFER_DECISION_TYPE
from sinks.kafka.events import DeadRecord
from sinks.kafka.partition import LogSink
from sinks.transfers.collector import TransferCollector
from sinks.transfers.records import records_of
from sources.kafka.partition import KafkaSource

TOPICS = (POSITION_TYPE, ALERT_TYPE, TRANSFER_DECISION_TYPE, MOVEMENT_TYPE)
GROUP = "tillflow-transfers"
Item = tuple[str, TransferBatch | TransferOutcome | list[DeadRecord]]


def transfer_settings(given: StockSettings) -> StockSettings:
    """The settings of a flow, for this one: its own topics and group.

    Raises:
        SettingsError: no brokers are given, and this flow lives on the log alone.
    """
    if given.kafka is None:
        msg = (
            "the transfers flow reads positions from Kafka: set TILLFLOW_KAFKA; for a warehouse "
            "file alone there is tillflow transfers plan"
        )
        raise SettingsError(msg)
    return msgspec.structs.replace(given, topics=TOPICS, group=GROUP)


def build(settings: StockSettings, stop: Event) -> Dataflow:
    """The dataflow; `stop` ends it cleanly."""
    rules = TransferRules(load_chain(settings.config))
    decoder = TransferDecoder(Sharder(SHARDS))
    kafka, keep = settings.kafka, settings.recovery is not None
    journal = journals(settings, STEP.FLOW)
    assert kafka is not None

    def decode(blocks: list[RecordBlock]) -> Iterable[Item]:
        for decoded in map(decoder.decode, blocks):
            yield from ((f"{batch.shard:02d}", batch) for batch in decoded.batches)
            if decoded.refusals:
                yield ("read", list(map(DeadRecord, decoded.dead, decoded.refusals)))

    def planner(resume: Snapshot | None) -> ShardLogic[TransferBatch, TransferOutcome]:
        shard = TransferShard(rules, journaled=keep)
        return ShardLogic(shard, journal, resume, live=True, keep_state=keep)

    flow = Dataflow(STEP.FLOW)
    log = KafkaSource(kafka, settings.topics, settings.group, stop, tail=settings.live)
    items = op.flat_map_batch(STEP.DECODE_KAFKA, op.input(STEP.READ_KAFKA, flow, log), decode)
    parts = op.branch(STEP.SPLIT, items, _is_batch)
    outcomes = op.stateful_batch(STEP.PLAN, parts.trues, planner)
    everything: KeyedStream[Any] = op.merge(STEP.MERGE, outcomes, parts.falses)
    op.output(STEP.KAFKA, everything, LogSink(kafka, records_of))
    table = table_sink(TransferCollector, settings, STEP.FLOW, stop)
    op.output(STEP.WAREHOUSE, everything, table)
    return flow


def _is_batch(item: Item) -> TypeGuard[tuple[str, TransferBatch]]:
    return isinstance(item[1], TransferBatch)


def __getattr__(name: str) -> Dataflow:
    """`flow`, for `python -m bytewax.run flows.transfers`: made only when asked for."""
    if name != "flow":
        raise AttributeError(name)
    return build(transfer_settings(StockSettings.from_env()), prepare_process())
