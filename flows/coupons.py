r"""Coupons: what their desk told, what members opened and bought -> the funnel of campaigns.

    files or topics -> blocks -> rows -> warehouse

Runs as `tillflow run coupons` and as `python -m bytewax.run flows.coupons` with TILLFLOW_*
settings.
"""

from __future__ import annotations

from collections.abc import Iterable
from threading import Event

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from flows.parts import READ, Report, beside_batches, ending, own_settings
from flows.process import prepare_process
from flows.settings import StockSettings, load_chain
from flows.steps import CouponsStep as STEP
from operators.coupons.log import CouponDecoder, CouponOutcome, Decoded
from operators.records import RecordBlock
from operators.stock.decode import Block, BlockRead
from operators.stock.refusals import Refusal
from schemas.coupon_events import COUPON_TOPIC
from schemas.coupons_file import load_coupons
from schemas.member_events import ERASED_TYPE, REFUND_TYPE
from schemas.message_events import MESSAGE_OPENED_TYPE
from schemas.shop_events import ORDER_TYPE
from sinks.coupons.table import CouponTable
from sinks.kafka.events import DEAD_LETTER_TOPIC, DeadRecord, OutRecord
from sinks.kafka.partition import LogSink
from sinks.tables.partition import TableSink
from sources.abreast.partition import AbreastSource
from sources.kafka.partition import KafkaSource

TOPICS = (COUPON_TOPIC, ORDER_TYPE, REFUND_TYPE, ERASED_TYPE, MESSAGE_OPENED_TYPE)
TOPICS_WRITTEN = (DEAD_LETTER_TOPIC,)
GROUP = "tillflow-coupons"
Item = tuple[str, CouponOutcome | BlockRead | list[DeadRecord]]


def build(settings: StockSettings, stop: Event, report: Report | None = None) -> Dataflow:
    """The dataflow; `stop` ends it cleanly, `report` is told its counts."""
    decoder = CouponDecoder(load_chain(settings.config).timezone)
    book = load_coupons(settings.coupons) if settings.coupons is not None else None
    kafka, live = settings.kafka, settings.live

    def decode(blocks: list[Block]) -> Iterable[Item]:
        for decoded in map(decoder.decode, blocks):
            yield from _items(decoded)

    def decode_records(blocks: list[RecordBlock]) -> Iterable[Item]:
        for decoded in map(decoder.decode_records, blocks):
            yield from _items(decoded)

    flow = Dataflow(STEP.FLOW)
    if kafka is None:
        blocks = op.input(STEP.READ, flow, AbreastSource(settings.source, stop, follow=live))
        items = op.flat_map_batch(STEP.DECODE, blocks, decode)
    else:
        log = KafkaSource(kafka, settings.topics, settings.group, stop, tail=live)
        records = op.input(STEP.READ_KAFKA, flow, log)
        items = op.flat_map_batch(STEP.DECODE_KAFKA, records, decode_records)
        op.output(STEP.KAFKA, items, LogSink(kafka, _nothing))
    target = settings.target
    table = TableSink(
        lambda run: CouponTable(target, run, report, book=book),
        flow=STEP.FLOW,
        run=settings.run,
        source=settings.origin,
        ended=ending(stop),
    )
    op.output(STEP.WAREHOUSE, items, table)
    return flow


def _items(decoded: Decoded) -> Iterable[Item]:
    yield (READ, decoded.outcome)
    yield from beside_batches(decoded, _refused)


def _refused(refusals: list[Refusal]) -> CouponOutcome:
    return CouponOutcome([], [], [], [], [], refusals)


def _nothing(_: CouponOutcome) -> Iterable[OutRecord]:
    """Only what could not be read is said on the log."""
    return ()


def __getattr__(name: str) -> Dataflow:
    """`flow`, for `python -m bytewax.run flows.coupons`: made only when asked for."""
    if name != "flow":
        raise AttributeError(name)
    return build(own_settings(StockSettings.from_env(), TOPICS, GROUP), prepare_process())
