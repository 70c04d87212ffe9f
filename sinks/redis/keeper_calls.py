"""The calls of the keeper: truth in, outbox out, lapsed holds, over-claimed pairs, the gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

import msgspec

from schemas.instants import format_instant, to_datetime
from schemas.position import Position
from schemas.reservation import Reservation, ReservationState
from sinks.redis import hold_calls
from sinks.redis.model import (
    GateState,
    Lost,
    Moved,
    OutboxEntry,
    OverClaimed,
    Projected,
    Replaced,
)
from sinks.redis.protocol import TRIES, Claim, Line, Protocol, Retry, Steps
from sinks.redis.server import judge

# One call blocks the server: so many positions, lapsed holds or lines a call.
POSITIONS_A_CALL = 64
HOLDS_A_CALL = 32
YOUNGEST_A_CALL = 200

_projected = msgspec.json.Decoder(tuple[int, list[tuple[str, str, int]]])
_ids = msgspec.json.Decoder(list[str])
_lines = msgspec.json.Decoder(list[Line])
_over = msgspec.json.Decoder(tuple[str, str])
_replaced = msgspec.json.Decoder(
    tuple[list[tuple[str, str, str, int]], list[tuple[str, str, int]], int]
)


class _Replace(msgspec.Struct):
    places: list[str]
    reservations: list[str]


_replace = msgspec.json.Decoder(_Replace)


def truth_of(position: Position) -> list[Any]:
    """A position as the scripts take it; the floor is what the flow keeps back from promising."""
    floor = position.on_hand - position.allocated - position.available
    return [
        position.sku,
        position.place,
        position.version,
        position.on_hand,
        position.allocated,
        floor,
        position.held_confirmed_seq,
    ]


def project(gate: Protocol, positions: Sequence[Position]) -> Steps[Projected]:
    """Set the truth of each pair where it is newer, and drop the confirmed holds it contains."""
    applied, over = 0, dict[tuple[str, str], OverClaimed]()
    for start in range(0, len(positions), POSITIONS_A_CALL):
        rows = [truth_of(position) for position in positions[start : start + POSITIONS_A_CALL]]
        keys = []
        for sku, place, *_ in rows:
            keys += [*gate.keys.pair(sku, place), gate.keys.places(sku)]
            over.pop((sku, place), None)
        body = yield from gate.call("project", keys, {"rows": rows})
        newer, pairs = _projected.decode(body)
        applied += newer
        over |= {(sku, place): OverClaimed(sku, place, by) for sku, place, by in pairs}
    return Projected(applied, tuple(over.values()))


def overclaimed(gate: Protocol) -> Steps[list[OverClaimed]]:
    """The pairs found over-claimed and not yet put right, most units first."""
    (found,) = yield from send(("ZREVRANGE", gate.keys.over, 0, -1, "WITHSCORES"))
    rows = found if found and isinstance(found[0], list | tuple) else zip(*[iter(found)] * 2)  # noqa: B905
    return [OverClaimed(*_over.decode(name), int(float(units))) for name, units in rows]


def replace(gate: Protocol, sku: str, place: str) -> Steps[Replaced]:
    """Move the youngest unpaid holds that no longer fit to other places; see `HoldGate.replace`."""
    reservations: list[str] = []
    for _ in range(TRIES):
        places = list(dict.fromkeys([place, *gate.places.get(sku, ())]))
        keys = [gate.keys.places(sku)]
        keys += [key for at in places for key in gate.keys.pair(sku, at)]
        keys += [gate.keys.reservation(name) for name in reservations]
        payload: dict[str, Any] = {
            "sku": sku,
            "place": place,
            "places": places,
            "reservations": reservations,
            "limit": YOUNGEST_A_CALL,
        }
        try:
            body = yield from gate.call("replace", keys, payload)
        except Retry as retry:
            needed = _replace.decode(retry.body)
            gate.places.keep(sku, tuple(needed.places))
            reservations = needed.reservations
            continue
        moved, lost, shortfall = _replaced.decode(body)
        return Replaced(
            [Moved(name, order or None, to, units) for name, order, to, units in moved],
            [Lost(name, order or None, units) for name, order, units in lost],
            shortfall,
        )
    what = f"the holds of {sku!r} at {place!r}"
    raise gate.busy(what)


def sweep(gate: Protocol, limit: int) -> Steps[int]:
    """Tidy up to `limit` lapsed holds; how many were."""
    body = yield from gate.call("due", [], {"limit": limit})
    names = _ids.decode(body)
    tidied = 0
    for start in range(0, len(names), HOLDS_A_CALL):
        some = names[start : start + HOLDS_A_CALL]
        found = yield from send(
            *(("HMGET", gate.keys.reservation(name), "lines", "customer") for name in some)
        )
        keys: list[str] = []
        claims = []
        for name, (lines, customer) in zip(some, found, strict=True):
            claim = Claim(
                lines=_lines.decode(lines) if lines else [],
                customer=customer.decode() if customer else "",
            )
            keys += hold_calls.claim_keys(gate, name, claim)
            claims.append({"reservation": name} | hold_calls.claim_payload(claim))
        payload = {"claims": claims, "tombstone": gate.tombstone}
        tidied += int((yield from gate.call("expire", keys, payload)))
    return tidied


def outbox(gate: Protocol, after: str, count: int) -> Steps[list[OutboxEntry]]:
    """Up to `count` events after the id `after` (empty: from the first), oldest first."""
    start = f"({after}" if after else "-"
    (found,) = yield from send(("XRANGE", gate.keys.log, start, "+", "COUNT", count))
    return [_entry(entry_id, fields) for entry_id, fields in found]


def _entry(entry_id: bytes, fields: dict[bytes, bytes]) -> OutboxEntry:
    text = {name.decode(): value.decode() for name, value in fields.items()}
    expires_at = text["expires_at"]
    event = Reservation(
        reservation=text["reservation"],
        sku=text["sku"],
        place=text["place"],
        quantity=int(text["quantity"]),
        state=cast(ReservationState, text["state"]),
        hold_seq=int(text["hold_seq"]),
        order=text["order"] or None,
        expires_at=format_instant(int(expires_at) * 1000) if expires_at else None,
        channel=text["channel"] or None,
    )
    return OutboxEntry(entry_id.decode(), event, to_datetime(int(text["at"]) * 1000))


def trim(gate: Protocol, upto: str) -> Steps[int]:
    """Forget the events up to the id `upto`, which have been relayed; how many were."""
    milliseconds, _, number = upto.partition("-")
    first_kept = f"{milliseconds}-{int(number or 0) + 1}"
    (removed,) = yield from send(("XTRIM", gate.keys.log, "MINID", "=", first_kept))
    return int(removed)


def open_gate(gate: Protocol, epoch: str) -> Steps[None]:
    """Take holds from now on, under the name of an epoch."""
    (info,) = yield from send(("INFO", "server"))
    yield from send(
        ("HSET", gate.keys.gate, "state", "open", "epoch", epoch, "run_id", info["run_id"])
    )


def close_gate(gate: Protocol) -> Steps[None]:
    """Refuse every hold from now on; the epoch stays known."""
    yield from send(("HSET", gate.keys.gate, "state", "closed"))


def gate_state(gate: Protocol) -> Steps[GateState]:
    """Whether the gate takes holds, and whether the server restarted since it was opened."""
    found, info = yield from send(
        ("HMGET", gate.keys.gate, "state", "epoch", "run_id"), ("INFO", "server")
    )
    state, epoch, run_id = (value.decode() if value is not None else None for value in found)
    return GateState(
        state=cast(Literal["open", "closed", "empty"], state or "empty"),
        epoch=epoch,
        restarted=run_id is not None and run_id != info["run_id"],
    )


def check_server() -> Steps[list[str]]:
    """Warnings about the server; an unfit one is an error."""
    (info,) = yield from send(("INFO",))
    warnings = judge(info)
    try:
        (found,) = yield from send(("CONFIG", "GET", "appendfsync"))
    except Exception as refused:
        return [*warnings, f"appendfsync could not be read ({refused}): see that it is not `no`"]
    if (found.get("appendfsync") or found.get(b"appendfsync")) in {"no", b"no"}:
        warnings.append(
            "appendfsync is no: a crash of the host may lose half a minute of holds. "
            "Set `appendfsync everysec` or `always`"
        )
    return warnings


def send(*commands: tuple[Any, ...]) -> Steps[list[Any]]:
    """Plain commands; the first error among the replies is raised."""
    replies = yield list(commands)
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies
