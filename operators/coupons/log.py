"""Blocks of lines and of records to rows of what was told of coupons, bought and opened."""

from __future__ import annotations

from datetime import tzinfo
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import msgspec

from operators.judging import bad_event, no_event
from operators.members.lines import Line, Order
from operators.records import Record, RecordBlock
from operators.stock.decode import EARLIEST, LATEST, RAW_LIMIT, Block, BlockRead
from operators.stock.decode_records import BadHeaderError, is_binary, structured_line
from operators.stock.refusals import Refusal
from schemas.coupon_events import REJECTED_TYPE, CouponEvent, CouponRejected
from schemas.coupon_events import TYPES as COUPON_TYPES
from schemas.envelope import CouponEnvelope, Header, OpenedEvent, RejectedEvent
from schemas.instants import parse_instant, to_datetime, to_micros
from schemas.member_events import ERASED_TYPE, REFUND_TYPE, Erased, Refund
from schemas.message_events import MESSAGE_OPENED_TYPE
from schemas.shop_events import ORDER_TYPE

TYPES = (
    *COUPON_TYPES,
    REJECTED_TYPE,
    ORDER_TYPE,
    REFUND_TYPE,
    ERASED_TYPE,
    MESSAGE_OPENED_TYPE,
)
# An event's place: the millisecond in which its desk told it, and its number in that.
WITHIN = 1 << 20
# Of every row: what was told does not change.
VERSION = 1

_header = msgspec.json.Decoder(Header)
_coupon = msgspec.json.Decoder(CouponEnvelope)
_rejected = msgspec.json.Decoder(RejectedEvent)
_opened = msgspec.json.Decoder(OpenedEvent)
_member = msgspec.json.Decoder(Line)
Row = tuple[Any, ...]


class CouponOutcome(NamedTuple):
    """Rows of tables by their names, ids of erased members, and what could not be read."""

    events: list[Row]
    rejected: list[Row]
    purchases: list[Row]
    opened: list[Row]
    erased: list[str]
    refusals: list[Refusal]


class Decoded(NamedTuple):
    """What a block held; `dead` are the records that the refusals are about, in their order."""

    outcome: CouponOutcome
    refusals: list[Refusal]
    read: BlockRead
    dead: list[Record]


class CouponDecoder:
    """Decodes blocks; days are those of a zone."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)

    def decode(self, block: Block) -> Decoded:
        """Rows, refusals, and how many lines were what."""
        sorting = _Sorting(self._zone)
        for number, line in enumerate(block.lines.split(b"\n"), block.first):
            sorting.put(line, block.origin, number)
        return sorting.ended(block.total - sorting.blank)

    def decode_records(self, block: RecordBlock) -> Decoded:
        """The same for records of the log, in both modes of CloudEvents."""
        sorting = _Sorting(self._zone)
        for record in block.records:
            sorting.put_record(record, block.origin)
        return sorting.ended(len(block.records))


class _Sorting:
    """What one block holds."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._out = CouponOutcome([], [], [], [], [], [])
        self._refusals: list[Refusal] = []
        self._dead: list[Record] = []
        self._events = self._others = self.blank = 0
        self._newest: int | None = None

    def put_record(self, record: Record, origin: str) -> None:
        """Take a record; a deletion is another flow's."""
        line = record.value
        if line is None:
            self._others += 1
            return
        before = len(self._refusals)
        if is_binary(record.headers):
            try:
                line = structured_line(record.headers, line)
            except BadHeaderError as wrong:
                raw = line[:RAW_LIMIT]
                about = (origin, record.offset, "invalid_event", str(wrong), None, None, None, raw)
                self._refusals.append(Refusal(*about))
                line = None
        if line is not None:
            self.put(line, origin, record.offset)
        if len(self._refusals) > before:
            self._dead.append(record)

    def put(self, line: bytes, origin: str, position: int) -> None:
        """Take a line: an event of ours, another flow's, blank, or none."""
        if not line.strip():
            self.blank += 1
            return
        header = Header()
        try:
            header = _header.decode(line)
        except (ValueError, RecursionError) as wrong:
            self._refuse(line, origin, position, header, *no_event(line, wrong))
            return
        if not header.type:
            reason = "no `type`: every event needs specversion, id, source, type, time and data"
            self._refuse(line, origin, position, header, "invalid_event", reason)
            return
        if header.type not in TYPES:
            self._others += 1
            return
        try:
            taken = self._take(line, header.type)
        except (ValueError, RecursionError, OverflowError) as wrong:
            self._refuse(line, origin, position, header, *bad_event(wrong))
            return
        if taken:
            self._events += 1
        else:
            self._others += 1

    def _take(self, line: bytes, kind: str) -> bool:
        if kind in COUPON_TYPES:
            told = _coupon.decode(line)
            at = self._time(to_micros(told.time))
            what = kind.split(".")[1]
            row = coupon_row(told.source, told.id, what, at, self._day(at), told.data)
            self._out.events.append(row)
            return True
        if kind == REJECTED_TYPE:
            no = _rejected.decode(line)
            at = self._time(to_micros(no.time))
            self._out.rejected.append(rejection_row(no.source, no.id, at, self._day(at), no.data))
            return True
        if kind == MESSAGE_OPENED_TYPE:
            seen = _opened.decode(line)
            at = self._time(to_micros(seen.time))
            # Of several times the earliest has the largest version.
            self._out.opened.append((seen.data.message, seen.data.member, at, -at))
            return True
        event = _member.decode(line)
        at, data = self._time(to_micros(event.time)), event.data
        if isinstance(data, Order):
            if not data.member:
                return False
            about = (data.store, data.order, "", data.member, at, self._day(at))
            self._out.purchases.append((*about, data.amount, data.currency, VERSION))
        elif isinstance(data, Refund):
            store = data.order_store or data.store
            # Numbers of refunds are unique in the store that made them out.
            part = f"{data.store}/{data.refund}"
            about = (store, data.order, part, data.member, at, self._day(at))
            self._out.purchases.append((*about, -data.amount, data.currency, VERSION))
        elif isinstance(data, Erased):
            self._out.erased.extend(data.members)
        return True

    def _time(self, at: int) -> int:
        if not EARLIEST <= at < LATEST:
            msg = "time: before the year 1900 or after 2999"
            raise OverflowError(msg)
        self._newest = at if self._newest is None else max(self._newest, at)
        return at

    def _day(self, at: int) -> str:
        return f"{to_datetime(at).astimezone(self._zone):%Y-%m-%d}"

    def _refuse(
        self, line: bytes, origin: str, position: int, header: Header, code: str, reason: str
    ) -> None:
        source, name = header.source or None, header.id or None
        about = (origin, position, code, reason, source, name, None, line[:RAW_LIMIT])
        self._refusals.append(Refusal(*about))

    def ended(self, total: int) -> Decoded:
        """What it came to."""
        read = BlockRead(total, self._events, self._others, self._newest)
        return Decoded(self._out, self._refusals, read, self._dead)


def coupon_row(source: str, name: str, what: str, at: int, day: str, told: CouponEvent) -> Row:
    """A row of coupon_event.

    Raises:
        ValueError: id or source are none of a coupon desk's.
    """
    desk, number = _told_by(source, name)
    return (
        source,
        name,
        desk,
        number,
        told.coupon,
        told.campaign,
        told.member,
        what,
        at,
        day,
        parse_instant(told.valid_from),
        parse_instant(told.valid_to),
        told.order,
        told.store,
        told.amount_off,
        told.basket,
        int(told.partial),
        told.message,
        told.experiment,
        told.arm,
        VERSION,
    )


def rejection_row(source: str, name: str, at: int, day: str, told: CouponRejected) -> Row:
    """A row of coupon_rejection.

    Raises:
        ValueError: id or source are none of a coupon desk's.
    """
    desk, number = _told_by(source, name)
    return (
        desk,
        told.coupon,
        told.order,
        told.rejection_code,
        told.verb,
        told.campaign or "",
        told.member or "",
        told.store or "",
        at,
        day,
        told.left_out,
        number,
    )


def _told_by(source: str, name: str) -> tuple[str, int]:
    """The desk that told an event, and the event's place among all that it told."""
    kind, _, rest = source.partition("/")
    place = name.partition("#")[0].partition("-")
    if kind != "coupon-desk" or not (place[0].isdigit() and (place[2] or "0").isdigit()):
        msg = f"source {source}, id {name}: coupons are told by a coupon desk's keeper"
        raise ValueError(msg)
    number = int(place[0]) * WITHIN + int(place[2] or 0)
    if number >= 1 << 63:
        msg = f"id {name}: its number is too large for a coupon desk's"
        raise OverflowError(msg)
    return unquote(rest.partition("/")[0]), number


def nameless(coupon: str) -> str:
    """What is left of the id of an erased member's coupon, which may have named the member."""
    return f"erased-{sha256(coupon.encode()).hexdigest()[:20]}"
