"""The calls of those who hold: hold, confirm, release, extend, read, available."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from typing import Any, cast

import msgspec

from schemas.instants import to_datetime
from schemas.reservation import ReservationState
from sinks.redis.errors import InvalidHold
from sinks.redis.model import HeldLine, Hold, HoldLine, PlaceAvailable, Placing
from sinks.redis.protocol import TRIES, Claim, Places, Protocol, Record, Retry, Steps
from sinks.redis.settings import MAX_TTL_SECONDS

MAX_NAME = 200
_record = msgspec.json.Decoder(Record)
_claim = msgspec.json.Decoder(Claim)
_places = msgspec.json.Decoder(Places)
_rows = msgspec.json.Decoder(list[tuple[str, str, int, int, int, str]])
NO_CLAIM = Claim(lines=[], customer="")


def hold(
    gate: Protocol,
    reservation: str,
    lines: Sequence[HoldLine],
    *,
    ttl_seconds: float,
    policy: Placing,
    order: str | None,
    channel: str | None,
    customer: str | None,
    replaces: str | None,
) -> Steps[Hold]:
    """Claim all lines or none for a time; see `HoldGate.hold`."""
    check_name("reservation", reservation)
    if replaces is not None:
        check_name("replaces", replaces)
    for line in lines:
        check_name("sku", line.sku)
        if line.place is not None:
            check_name("place", line.place)
    who = pseudonym(gate.settings.customer_salt, customer)
    wanted = [[line.sku, line.place or "", line.quantity] for line in lines]
    payload: dict[str, Any] = {
        "reservation": reservation,
        "lines": wanted,
        "fingerprint": fingerprint(wanted, order, channel, who),
        "ttl": milliseconds(ttl_seconds),
        "order": order or "",
        "channel": channel or "",
        "customer": who,
        "replaces": replaces or "",
        "order_of_places": policy.order,
        "single_place": policy.single_place,
        "split": policy.split,
        "tombstone": gate.tombstone,
        "max_holds": gate.settings.max_holds,
        "max_units": gate.settings.max_units,
    }
    payload = {name: value for name, value in payload.items() if value is not None}
    sets = list(dict.fromkeys(line.sku for line in lines if line.place is None))
    old = gate.claims.get(replaces, NO_CLAIM).lines if replaces else []
    for _ in range(TRIES):
        pairs = dict.fromkeys((line.sku, line.place) for line in lines if line.place is not None)
        pairs |= dict.fromkeys((sku, at) for sku in sets for at in gate.places.get(sku, ()))
        pairs |= dict.fromkeys((line.sku, line.place) for line in old)
        payload |= {"pairs": list(pairs), "sets": sets}
        keys = [
            gate.keys.reservation(reservation),
            gate.keys.customer(who),
            gate.keys.reservation(replaces or ""),
            *(key for sku, at in pairs for key in gate.keys.pair(sku, at)),
            *(gate.keys.places(sku) for sku in sets),
        ]
        try:
            return answer(gate, reservation, (yield from gate.call("hold", keys, payload)))
        except Retry as retry:
            needed = _places.decode(retry.body)
            for sku, places in needed.places.items():
                gate.places.keep(sku, tuple(sorted(places)))
            old = needed.replaced or old
    what = f"the places of {sets}"
    raise gate.busy(what)


def change(gate: Protocol, call: str, reservation: str, ttl_seconds: float | None) -> Steps[Hold]:
    """Confirm, release or extend a hold."""
    check_name("reservation", reservation)
    payload: dict[str, Any] = {"reservation": reservation, "tombstone": gate.tombstone}
    if ttl_seconds is not None:
        payload["ttl"] = milliseconds(ttl_seconds)
    for _ in range(TRIES):
        claim = gate.claims.get(reservation, NO_CLAIM)
        payload |= claim_payload(claim)
        keys = claim_keys(gate, reservation, claim)
        try:
            return answer(gate, reservation, (yield from gate.call(call, keys, payload)))
        except Retry as retry:
            gate.claims.keep(reservation, _claim.decode(retry.body))
    what = f"the lines of hold {reservation!r}"
    raise gate.busy(what)


def read(gate: Protocol, reservation: str) -> Steps[Hold]:
    """The reservation as it is now."""
    check_name("reservation", reservation)
    keys = [gate.keys.reservation(reservation)]
    return answer(
        gate, reservation, (yield from gate.call("read", keys, {"reservation": reservation}))
    )


def available(
    gate: Protocol, skus: Iterable[str], places: Sequence[str] | None
) -> Steps[dict[str, list[PlaceAvailable]]]:
    """What can be promised of each SKU, at each place of the pool or at `places`."""
    found: dict[str, list[PlaceAvailable]] = {sku: [] for sku in skus}
    sets = [] if places is not None else list(found)
    for _ in range(TRIES):
        pairs = [
            (sku, at)
            for sku in found
            for at in (gate.places.get(sku, ()) if places is None else dict.fromkeys(places))
        ]
        keys = [key for sku, at in pairs for key in gate.keys.pair(sku, at)]
        keys += [gate.keys.places(sku) for sku in sets]
        try:
            body = yield from gate.call("available", keys, {"pairs": pairs, "sets": sets})
        except Retry as retry:
            for sku, at in _places.decode(retry.body).places.items():
                gate.places.keep(sku, tuple(sorted(at)))
            continue
        for sku, place, free, held, on_hand, version in _rows.decode(body):
            found[sku].append(PlaceAvailable(place, free, held, on_hand, int(version)))
        for rows in found.values():
            rows.sort(key=lambda row: row.place)
        return found
    what = f"the places of {list(found)}"
    raise gate.busy(what)


def answer(gate: Protocol, reservation: str, body: bytes) -> Hold:
    """The hold that a script answered; its keys are remembered."""
    record = _record.decode(body)
    gate.claims.keep(reservation, Claim(lines=record.lines, customer=record.customer))
    return Hold(
        reservation=reservation,
        state=cast(ReservationState, record.state),
        expires_at=to_datetime(record.expires_at * 1000),
        lines=[HeldLine(line.sku, line.place, line.quantity) for line in record.lines],
        replayed=record.replayed,
        order=record.order or None,
    )


def claim_payload(claim: Claim) -> dict[str, Any]:
    """What a script compares with the reservation, to know that it was given the right keys."""
    pairs = [(line.sku, line.place) for line in claim.lines]
    return {"pairs": pairs, "customer": claim.customer}


def claim_keys(gate: Protocol, reservation: str, claim: Claim) -> list[str]:
    """The keys of a reservation, its customer and its lines."""
    return [
        gate.keys.reservation(reservation),
        gate.keys.customer(claim.customer),
        *(key for line in claim.lines for key in gate.keys.pair(line.sku, line.place)),
    ]


def fingerprint(
    lines: list[list[Any]], order: str | None, channel: str | None, customer: str
) -> str:
    """What makes a repeated call the same call: its content, in whatever order the lines come."""
    sums: dict[tuple[str, str], int] = {}
    for sku, place, quantity in lines:
        sums[sku, place] = sums.get((sku, place), 0) + quantity
    content = [sorted([sku, at, units] for (sku, at), units in sums.items())]
    encoded = msgspec.json.encode([content, order, channel, customer])
    return hashlib.sha256(encoded).hexdigest()[:32]


def pseudonym(salt: str, customer: str | None) -> str:
    """A customer as Redis knows it: never by name."""
    if not customer:
        return ""
    return hmac.new(salt.encode(), customer.encode(), hashlib.sha256).hexdigest()[:32]


def milliseconds(ttl_seconds: float) -> int:
    """A hold's length; the server adds it to its own clock."""
    ttl = round(ttl_seconds * 1000)
    if not 1 <= ttl <= MAX_TTL_SECONDS * 1000:
        msg = f"ttl_seconds is {ttl_seconds}: a hold lasts from 0.001 s to {MAX_TTL_SECONDS} s"
        raise InvalidHold(msg)
    return ttl


def check_name(what: str, name: str) -> None:
    """Names are 1 to 200 characters, as in every event.

    Raises:
        InvalidHold: it is not.
    """
    if not 1 <= len(name) <= MAX_NAME:
        msg = f"{what} {name[:40]!r} has {len(name)} characters, not 1 to {MAX_NAME}"
        raise InvalidHold(msg)
