"""The keeper's calls: outbox, what lapsed and expired, the desk's state."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.coupon_events import REJECTED, CouponEvent, CouponRejected
from schemas.instants import format_instant
from sinks.coupons.errors import NotPublished
from sinks.coupons.model import DeskState, OutboxEntry
from sinks.coupons.protocol import Protocol
from sinks.redis.keeper_calls import send
from sinks.redis.scripted import Steps
from sinks.redis.server import judge

COUPONS_A_CALL = 64
_items = msgspec.json.Decoder(list[str])
_item = msgspec.json.Decoder(tuple[str, str, str])


class _Told(CouponEvent, kw_only=True):
    """An event as the script tells it: times are ms."""

    valid_from: int = 0  # type: ignore[assignment]
    valid_to: int = 0  # type: ignore[assignment]
    ends: int = 0


_told = msgspec.json.Decoder(_Told)
_rejected = msgspec.json.Decoder(CouponRejected)


def sweep(desk: Protocol, limit: int) -> Steps[int]:
    """Tell of up to `limit` expired coupons and lapsed reservations; how many there were."""
    (names,) = yield from send(("HKEYS", desk.keys.rules))
    campaigns = [name.decode() for name in names]
    keys = [key for campaign in campaigns for key in desk.keys.rule(campaign)]
    payload: dict[str, Any] = {"campaigns": campaigns, "limit": limit}
    told = int((yield from desk.call("lapse", keys, payload)))
    due = _items.decode((yield from desk.call("due", [], {"limit": limit})))
    for start in range(0, len(due), COUPONS_A_CALL):
        items = [_item.decode(each) for each in due[start : start + COUPONS_A_CALL]]
        keys = []
        for coupon, campaign, member in items:
            keys += [desk.keys.coupon(coupon), *desk.keys.rule(campaign), desk.keys.member(member)]
        told += int((yield from desk.call("expire", keys, {"items": items, "kept": desk.kept})))
    return told


def outbox(desk: Protocol, after: str, count: int) -> Steps[list[OutboxEntry]]:
    """Up to `count` events after the id `after` (empty: from the first), oldest first."""
    start = f"({after}" if after else "-"
    (found,) = yield from send(("XRANGE", desk.keys.log, start, "+", "COUNT", count))
    return [_entry(entry_id, fields) for entry_id, fields in found]


def _entry(entry_id: bytes, fields: dict[bytes, bytes]) -> OutboxEntry:
    what, at = fields[b"what"].decode(), int(fields[b"at"])
    if what == REJECTED:
        return OutboxEntry(entry_id.decode(), what, at, _rejected.decode(fields[b"data"]))
    told = _told.decode(fields[b"data"])
    values = {name: getattr(told, name) for name in CouponEvent.__struct_fields__}
    values["valid_from"] = format_instant(told.valid_from * 1000)
    values["valid_to"] = format_instant(told.valid_to * 1000)
    if told.ends:
        values["until"] = format_instant(told.ends * 1000)
    event = CouponEvent(**values)
    return OutboxEntry(entry_id.decode(), what, at, event)


def trim(desk: Protocol, upto: str) -> Steps[int]:
    """Forget the events up to the id `upto`, which have been relayed; how many were."""
    milliseconds, _, number = upto.partition("-")
    first_kept = f"{milliseconds}-{int(number or 0) + 1}"
    (removed,) = yield from send(("XTRIM", desk.keys.log, "MINID", "=", first_kept))
    return int(removed)


def open_desk(desk: Protocol, epoch: str) -> Steps[None]:
    """Take calls from now on, at a desk that has never been open.

    Raises:
        NotPublished: it has been.
    """
    (new,) = yield from send(("HSETNX", desk.keys.state, "epoch", epoch))
    if not new:
        msg = "the desk is in use already: leave --first out"
        raise NotPublished(msg)
    yield from mark(desk)
    yield from send(("HSET", desk.keys.state, "state", "open"))


def mark(desk: Protocol) -> Steps[None]:
    """This run of the server has all that the desk had."""
    (info,) = yield from send(("INFO", "server"))
    yield from send(("HSET", desk.keys.state, "run_id", info["run_id"]))


def desk_state(desk: Protocol) -> Steps[DeskState]:
    """Whether the desk takes calls."""
    found, info = yield from send(
        ("HMGET", desk.keys.state, "state", "epoch", "version", "run_id", "rebuilder"),
        ("INFO", "server"),
    )
    state, epoch, version, run_id, rebuilder = (
        value.decode() if value is not None else None for value in found
    )
    return DeskState(
        state=state or "empty",
        epoch=epoch,
        version=int(version or 0),
        restarted=run_id is not None and run_id != info["run_id"],
        rebuilding=rebuilder is not None,
    )


def check_server() -> Steps[list[str]]:
    """Warnings about a server that may lose coupons; an unfit one is an error."""
    (info,) = yield from send(("INFO",))
    return [each.replace("gate", "desk").replace("hold", "coupon") for each in judge(info)]
