"""Events to test the stock flow with: by hand, as lines the way tills write them, and in bulk."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta, timezone
from random import Random
from typing import Any, NamedTuple

from schemas.instants import HOUR_US, MINUTE_US, SECOND_US, parse_instant, to_datetime
from schemas.movement import MOVEMENT_TYPE

Event = dict[str, Any]

NOON = parse_instant("2026-11-23T12:00:00+08:00")
ZONES_MINUTES = (480, 0, -300, 330)

_BLANKS = (b"", b" ", b"\t", b"\r", b"  \t ")
_SPACES = ("", "", "", " ", "  ", "\t")
_UNKNOWN: tuple[tuple[str, Any], ...] = (
    ("dataschema", "urn:till:v7"),
    ("traceparent", "00-ab-cd-01"),
    ("x_weight", 1.5),
    ("x_list", [1, {"sku": "NOT-THIS"}, None, "深圳"]),
    ("x_nothing", None),
    ("x_big", 10**25),
)


def instant_text(micros: int, zone_minutes: int = 480) -> str:
    """RFC 3339 text of an instant in a zone that many minutes ahead of UTC."""
    zone = timezone(timedelta(minutes=zone_minutes))
    return to_datetime(micros).astimezone(zone).isoformat()


def event(
    kind: str,
    quantity: int | None = None,
    at: float = 0,
    *,
    sku: str = "TEA",
    place: str = "S1",
    id: str | None = None,
    source: str = "till-1",
    zone_minutes: int = 480,
    recorded_at: float | None = None,
    **data: Any,
) -> Event:
    """One `stock.movement.v1`, `at` minutes after noon; `data` goes into the payload as it is.

    Left out, the id is made of kind, place and minute: another event needs another of them.
    """
    payload: dict[str, Any] = {"sku": sku, "place": place, "kind": kind}
    if quantity is not None:
        payload["quantity"] = quantity
    if kind == "adjusted":
        payload["reason"] = "found"
    made = {
        "specversion": "1.0",
        "id": id if id is not None else f"{kind}@{place}@{at}",
        "source": source,
        "type": MOVEMENT_TYPE,
        "time": instant_text(NOON + round(at * MINUTE_US), zone_minutes),
        "data": payload | data,
    }
    if recorded_at is not None:
        made["recordedtime"] = instant_text(NOON + round(recorded_at * MINUTE_US), zone_minutes)
    return made


def correction(of: Event, at: float = 0, *, id: str | None = None, place: str = "S1") -> Event:
    """The event that takes back `of`, `at` minutes after noon."""
    return event(
        "corrected",
        at=at,
        sku=of["data"]["sku"],
        place=place,
        id=id,
        source=of["source"],
        corrects=of["id"],
    )


def elsewhere(of: Event, zone_minutes: int) -> Event:
    """The same event, its instants written in another zone."""
    moved = dict(of)
    for name in ("time", "recordedtime"):
        if name in of:
            moved[name] = instant_text(parse_instant(of[name]), zone_minutes)
    return moved


def render(of: Event, rng: Random | None = None) -> bytes:
    """The event as one JSON line; with `rng` in one of the many ways that mean the same."""
    if rng is None:
        return json.dumps(of, separators=(",", ":"), ensure_ascii=False).encode()
    spaces = rng.choice(_SPACES)
    text = json.dumps(
        _dressed({**of, "data": _dressed(of["data"], rng)}, rng),
        separators=(spaces + "," + rng.choice(_SPACES), rng.choice(_SPACES) + ":" + spaces),
        ensure_ascii=rng.randrange(2) == 0,
    )
    return f"{rng.choice(_SPACES)}{text}{rng.choice(('', '', ' ', chr(13)))}".encode()


def render_lines(events: Iterable[Event], seed: int | None = None) -> list[bytes]:
    """The events as lines without line ends; with a seed in varying dress and with blanks."""
    if seed is None:
        return [render(each) for each in events]
    rng = Random(seed)
    lines = []
    for each in events:
        if rng.randrange(8) == 0:
            lines.append(rng.choice(_BLANKS))
        lines.append(render(each, rng))
    return lines


def _dressed(fields: dict[str, Any], rng: Random) -> dict[str, Any]:
    items = list(fields.items())
    if rng.randrange(3) == 0:
        items.append(rng.choice(_UNKNOWN))
    rng.shuffle(items)
    return dict(items)


# Weights of a busy shop; receipts are larger than sales, so that stock hovers above nothing.
_KIND_WEIGHTS = {
    "sold": 44,
    "received": 8,
    "returned": 4,
    "restocked": 2,
    "written_off": 1,
    "allocated": 12,
    "released": 2,
    "shipped": 9,
    "transfer_out": 3,
    "transfer_in": 3,
    "adjusted": 2,
    "counted": 2,
}
_LARGEST = {"received": 40, "counted": 30, "transfer_out": 12, "transfer_in": 12}


def random_history(
    seed: int, n: int, *, skus: int = 200, places: int = 8, late_hours: float = 40.0
) -> list[Event]:
    """`n` events of a chain in order of arrival, half a minute apart, so 20,000 are a week.

    One in ten is late by up to `late_hours`, every hundredth batch arrives the wrong way round.
    There are repeats (1 in 50), repeats with other content (1 in 400), and corrections (1 in 50):
    some early, of unknown events, of corrections, or the second of one event.
    With at most 40 late hours nothing is too late for a horizon of 48.
    """
    rng = Random(seed)
    place_names = [f"S{number}" for number in range(places)]
    names = [f"SKU-{number:04}" for number in range(skus)]
    # Each with its instant, so that no text is read thirty times.
    recent: dict[str, deque[tuple[int, Event]]] = {name: deque(maxlen=30) for name in names}
    clock = NOON
    events: list[Event] = []
    while len(events) < n:
        clock += rng.randrange(SECOND_US, MINUTE_US)
        sku = names[min(rng.randrange(skus), rng.randrange(skus))]  # some sell more than others
        late_by = rng.randrange(round(late_hours * HOUR_US) + 1) if rng.randrange(10) == 0 else 0
        stamp = _Stamp(f"e{len(events)}", clock - late_by, clock if late_by else None)
        oldest = clock - late_hours * HOUR_US
        known = [one for at, one in recent[sku] if at >= oldest]
        dice = rng.randrange(400)
        if known and dice < 8:
            made = elsewhere(rng.choice(known), rng.choice(ZONES_MINUTES))
        elif known and dice == 8:
            made = _conflicting(rng.choice(known), rng)
        elif known and dice < 15:
            made = _taking_back(rng.choice(known), stamp)
        elif dice < 17 and (taken := [one for one in known if "corrects" in one["data"]]):
            made = _taking_back(taken[-1], stamp)
        elif dice == 17:
            made = _taking_back(_movement(rng, sku, place_names, stamp), stamp)
        else:
            made = _movement(rng, sku, place_names, stamp)
            if dice == 18:  # taken back before it is there
                events.append(_taking_back(made, _Stamp(f"{stamp.id}-back", stamp.time)))
        recent[sku].append((parse_instant(made["time"]), made))
        events.append(made)
    for at in range(0, n - 5, 97):  # here and there, a batch arrives the wrong way round
        events[at : at + 5] = reversed(events[at : at + 5])
    return events[:n]


class _Stamp(NamedTuple):
    id: str
    time: int
    recorded: int | None = None

    @property
    def fields(self) -> dict[str, Any]:
        written: dict[str, Any] = {"id": self.id, "at": (self.time - NOON) / MINUTE_US}
        if self.recorded is not None:
            written["recorded_at"] = (self.recorded - NOON) / MINUTE_US
        return written


def _movement(rng: Random, sku: str, places: Sequence[str], stamp: _Stamp) -> Event:
    kind = rng.choices(list(_KIND_WEIGHTS), list(_KIND_WEIGHTS.values()))[0]
    place = rng.choice(places)
    quantity = rng.randint(1, _LARGEST.get(kind, 4))
    data: dict[str, Any] = {}
    if kind == "transfer_out":
        data["to_place"] = rng.choice([other for other in places if other != place])
    if kind == "adjusted" and rng.randrange(2):
        quantity = -quantity
    if kind in ("allocated", "released", "shipped"):
        data["order"] = f"O{rng.randrange(10_000)}"
    return event(
        kind,
        quantity,
        sku=sku,
        place=place,
        source=f"till-{place}",
        zone_minutes=rng.choice(ZONES_MINUTES),
        **stamp.fields,
        **data,
    )


def _taking_back(of: Event, stamp: _Stamp) -> Event:
    """A correction; of an event that never arrives if the two share their id."""
    taking = correction(of, (stamp.time - NOON) / MINUTE_US, id=stamp.id)
    if of["id"] == stamp.id:
        taking["data"]["corrects"] = f"never-{stamp.id}"
    return taking


def _conflicting(of: Event, rng: Random) -> Event:
    return {**of, "data": dict(of["data"], line=f"other-{rng.randrange(1000)}")}
