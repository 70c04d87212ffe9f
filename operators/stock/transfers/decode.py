"""Records of the log to facts for the shards of transfers.

Positions, alerts and decisions are read as they are; of the movements, which are by far the most,
only those that touch a transfer. A movement that cannot be read is the stock flow's to refuse.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from operators.records import Record, RecordBlock
from operators.stock.decode import RAW_LIMIT, Sharder
from operators.stock.decode_records import is_binary
from operators.stock.refusals import Refusal
from operators.stock.transfers.facts import Decided, Fact, Moved, TransferBatch, identity, sku_of
from schemas.alert import ALERT_TYPE, Alert
from schemas.instants import parse_instant, to_micros
from schemas.movement import (
    MOVEMENT_TYPE,
    Adjusted,
    Corrected,
    Movement,
    TransferIn,
    TransferOut,
)
from schemas.position import POSITION_TYPE, Position
from schemas.transfer import TRANSFER_DECISION_TYPE, TransferDecision

# What a movement that touches a transfer has somewhere in its bytes.
MARKS = (b"transfer", b"correct")


class DecodedTransfers(NamedTuple):
    """What a block held; `dead` are the records that the refusals are about, in their order."""

    batches: list[TransferBatch]
    refusals: list[Refusal]
    dead: list[Record]


class _Event(msgspec.Struct, gc=False):
    type: str
    source: str = ""
    id: str = ""
    time: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


_event = msgspec.json.Decoder(_Event)
_position = msgspec.json.Decoder(Position)
_alert = msgspec.json.Decoder(Alert)
_decision = msgspec.json.Decoder(TransferDecision)
_movement = msgspec.json.Decoder(Movement)


class TransferDecoder:
    """Decodes blocks of records into facts by shard, in the order of the records."""

    def __init__(self, sharder: Sharder) -> None:
        self._sharder = sharder

    def decode(self, block: RecordBlock) -> DecodedTransfers:
        """Facts by shard, and refusals of what should have been one."""
        by_shard: dict[int, list[Fact]] = {}
        refusals: list[Refusal] = []
        dead: list[Record] = []
        for record in block.records:
            if record.value is None:
                continue
            try:
                fact = _fact(block.origin, record, record.value)
            except (ValueError, RecursionError, OverflowError, UnicodeDecodeError) as wrong:
                refusals.append(_refusal(block.origin, record, str(wrong)))
                dead.append(record)
                continue
            if fact is not None:
                by_shard.setdefault(self._sharder.of(sku_of(fact)), []).append(fact)
        batches = [TransferBatch(shard, facts) for shard, facts in sorted(by_shard.items())]
        return DecodedTransfers(batches, refusals, dead)


def _fact(origin: str, record: Record, value: bytes) -> Fact | None:
    """The fact of a record, None where it is of no concern here."""
    event = _binary(record, value) if is_binary(record.headers) else _event.decode(value)
    if event.type == POSITION_TYPE:
        return _position.decode(event.data)
    if event.type == ALERT_TYPE:
        return _alert.decode(event.data)
    if event.type == TRANSFER_DECISION_TYPE:
        decision = _decision.decode(event.data)
        time = to_micros(decision.decided_at)
        return Decided(decision, time, origin, record.offset, value[:RAW_LIMIT])
    if event.type == MOVEMENT_TYPE and any(mark in value for mark in MARKS):
        try:
            return _moved(event)
        except (ValueError, RecursionError):
            return None
    return None


def _binary(record: Record, value: bytes) -> _Event:
    headers = {name: (content or b"").decode() for name, content in record.headers}
    return _Event(
        headers.get("ce_type", ""),
        headers.get("ce_source", ""),
        headers.get("ce_id", ""),
        headers.get("ce_time", ""),
        msgspec.Raw(value),
    )


def _moved(event: _Event) -> Moved | None:
    """The movement, if it is one that a transfer can be followed by."""
    movement = _movement.decode(event.data)
    mine = identity(event.source, event.id)
    if isinstance(movement, Corrected):
        return Moved(
            mine,
            parse_instant(event.time),
            movement.kind,
            movement.sku,
            movement.place,
            corrects=identity(event.source, movement.corrects),
        )
    if not isinstance(movement, TransferOut | TransferIn | Adjusted) or not movement.transfer:
        return None
    return Moved(
        mine,
        parse_instant(event.time),
        movement.kind,
        movement.sku,
        movement.place,
        movement.to_place or "",
        movement.quantity,
        movement.transfer,
    )


def _refusal(origin: str, record: Record, reason: str) -> Refusal:
    raw = (record.value or b"")[:RAW_LIMIT]
    return Refusal(origin, record.offset, "invalid_event", reason, None, None, None, raw)
