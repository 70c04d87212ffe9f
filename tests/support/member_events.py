"""Made-up members: purchases, refunds, merges and what people say, in the order of arrival."""

from __future__ import annotations

import json
from random import Random
from typing import Any

from schemas.chain import Chain
from schemas.instants import DAY_US, format_instant, parse_instant
from schemas.member_rules import MembersConfig, SegmentThresholds

BEGIN = parse_instant("2026-03-01T00:00:00+08:00")
CONSENTS = ("granted", "denied", "withdrawn")


def event(type: str, id: str, time: int, source: str = "till/1", **data: Any) -> dict[str, Any]:
    """One event; `time` in microseconds since 1970."""
    head = {"specversion": "1.0", "id": id, "source": source, "type": type}
    return {**head, "time": format_instant(time), "data": data}


def order(
    member: str | None, number: str, time: int, amount: int, id: str = "", **more: Any
) -> dict[str, Any]:
    """A purchase."""
    till = {"opened_at": "x", "items": 1, "service_seconds": 9, "member": member}
    data: dict[str, Any] = {"store": "S1", "order": number, "amount": amount, **till, **more}
    return event("pos.order.v1", id or f"e-{number}", time, **data)


def refund(member: str, number: str, time: int, amount: int, name: str) -> dict[str, Any]:
    """Money given back for the receipt `number`."""
    data: dict[str, Any] = {"store": "S1", "refund": name, "order": number}
    data |= {"member": member, "amount": amount}
    return event("pos.refund.v1", f"r-{name}", time, **data)


def pair(type: str, loser: str, survivor: str, time: int, id: str = "") -> dict[str, Any]:
    """A merge, or its reversal."""
    return event(type, id or f"{type}-{loser}", time, "crm", member=loser, survivor=survivor)


def member_chain(**changes: Any) -> Chain:
    """Short windows, so that a short history goes through all of them."""
    config: dict[str, Any] = {
        "frequency_days": 5,
        "monetary_days": 10,
        "late_days": 9,
        "future_hours": 8760.0,
        "thresholds": SegmentThresholds(recency_days=3, frequency=2, monetary=30_000),
        **changes,
    }
    return Chain(members=MembersConfig(**config))


def render(one: dict[str, Any]) -> bytes:
    """An event as a line."""
    return json.dumps(one).encode()


def history(rng: Random, members: int, purchases: int, days: int) -> list[dict[str, Any]]:
    """Events in the order of time, with all that happens to members."""
    found: list[tuple[int, dict[str, Any]]] = []
    names = [f"m{number}" for number in range(members)]
    ids = iter(range(10**6))

    def put(type: str, time: int, **data: Any) -> None:
        number = next(ids)
        # Times of statements differ, for which of two at one instant counts is nobody's business.
        found.append((time + number, event(type, f"c-{number}", time + number, "crm", **data)))

    for number in range(purchases):
        member, time = rng.choice(names), BEGIN + rng.randrange(days * DAY_US)
        amount = rng.choice((0, 5_000, 9_933, 10_000, 30_000))
        found.append((time, order(member, str(number), time, amount)))
        for again in range(rng.choice((0, 0, 0, 1, 2))):
            later = time + rng.randrange(14 * DAY_US)
            part = rng.choice((amount, amount // 3, 1))
            found.append((later, refund(member, str(number), later, part, f"{number}-{again}")))
    for name in names:
        for _ in range(rng.randrange(3)):
            time = BEGIN + rng.randrange(days * DAY_US)
            said = {"purpose": "marketing", "channel": rng.choice(("sms", "wechat"))}
            put("member.consent.v1", time, member=name, status=rng.choice(CONSENTS), **said)
        if rng.random() < 0.5:
            time = BEGIN + rng.randrange(days * DAY_US)
            put("member.registered.v1", time, member=name, home_store="S1")
        if rng.random() < 0.05:
            time = BEGIN + rng.randrange(days * DAY_US)
            put("member.erased.v1", time, members=[name])
    for _ in range(members // 3):
        # Survivors come later in the list, so that nobody counts for themselves in a circle.
        low, high = sorted(rng.sample(range(members), 2))
        time = BEGIN + rng.randrange(days * DAY_US)
        pair = {"member": names[low], "survivor": names[high]}
        put("member.merged.v1", time, **pair)
        if rng.random() < 0.4:
            put("member.unmerged.v1", time + rng.randrange(-DAY_US, 5 * DAY_US), **pair)
    return [one for _, one in sorted(found, key=lambda one: one[0])]


def arrivals(rng: Random, events: list[dict[str, Any]], late_days: float) -> list[bytes]:
    """The events as they arrive: late by up to so many days, some twice, some under new ids."""
    timed = []
    for one in events:
        at = parse_instant(one["time"])
        timed.append((at + rng.random() ** 3 * late_days * DAY_US, one))
        if rng.random() < 0.15:
            again = dict(one)
            if rng.random() < 0.5 and one["type"].startswith("pos."):
                again["id"] = f"{one['id']}-again"
            timed.append((at + rng.random() * late_days * DAY_US, again))
    return [render(one) for _, one in sorted(timed, key=lambda one: one[0])]
