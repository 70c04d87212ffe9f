"""Made-up shops: doors and tills of several zones, over clock changes, in the order of arrival."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from schemas.chain import Chain, Place
from schemas.footfall_rules import FootfallConfig, OpeningHours, SilenceConfig
from schemas.instants import HOUR_US, MINUTE_US, SECOND_US, to_datetime, to_micros

ANY_DAY_HOURS = 8760.0


class Shop(NamedTuple):
    """A shop, the days it is watched, when it trades (local hours), and its dead sensors.

    `dead`: sensor, hours since the begin from which and to which it says nothing.
    """

    name: str
    zone: str
    begins: str
    days: int
    opens: int
    closes: int
    doors: int
    tills: int
    dead: tuple[tuple[str, float, float], ...] = ()


SHOPS = (
    Shop(
        "C1", "Asia/Shanghai", "2026-03-03", 6, 9, 21, 2, 2, (("door/1", 83, 87), ("till", 60, 64))
    ),
    Shop("K1", "Asia/Kathmandu", "2026-05-04", 4, 10, 24, 1, 1, (("", 34, 40),)),
    Shop("B1", "Europe/Berlin", "2026-03-28", 2, 0, 24, 1, 1, (("till", 30, 36),)),
    Shop("B2", "Europe/Berlin", "2026-10-24", 2, 0, 24, 1, 1, (("door/1", 20, 26),)),
    Shop("L1", "Australia/Lord_Howe", "2026-04-04", 2, 0, 24, 1, 2),
    Shop("N1", "America/St_Johns", "2026-07-01", 2, 8, 20, 1, 1),
)


def footfall_chain(**changes: Any) -> Chain:
    """The chain of these shops; C* and K* have opening hours, the others none."""
    config: dict[str, Any] = {
        "late_hours": 12.0,
        "apart_hours": 60.0,
        "future_hours": ANY_DAY_HOURS,
        "rate_days": 3,
        "silence": SilenceConfig(forget_days=2),
        "hours": (
            OpeningHours(store="C*", weekdays=(1, 2, 3, 4, 5, 6), opens="09:00", closes="21:10"),
            OpeningHours(store="K*", opens="10:07", closes="02:00"),
        ),
        **changes,
    }
    return Chain(
        timezone="Asia/Shanghai",
        business_day_starts="04:00",
        places={shop.name: Place(timezone=shop.zone) for shop in SHOPS},
        footfall=FootfallConfig(**config),
    )


def visit(store: str, at: int, *, id: str, door: str = "1", come: int = 1, go: int = 0) -> Any:
    """A report of a door; `at` in microseconds since 1970."""
    data = {"store": store, "door": door, "in": come, "out": go}
    return _event("store.visit.v1", f"door/{store}/{door}", id, at, data)


def order(store: str, at: int, *, id: str, till: str = "1", **data: Any) -> Any:
    """An order of a till."""
    whole = {
        "store": store,
        "order": id,
        "opened_at": to_datetime(at).isoformat(),
        "items": 1,
        "amount": 100,
        "service_seconds": 30.0,
        **data,
    }
    return _event("pos.order.v1", f"till/{store}/{till}", id, at, whole)


def _event(type: str, source: str, id: str, at: int, data: Any) -> Any:
    return {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type,
        "time": to_datetime(at).isoformat(timespec="microseconds"),
        "data": data,
    }


def render(event: Any) -> bytes:
    """An event as a line."""
    return json.dumps(event, separators=(",", ":")).encode()


def shop_events(shop: Shop, seed: int) -> Iterator[Any]:
    """All that the sensors of a shop say, in the order of time."""
    rng = Random(f"{seed}/{shop.name}")
    begin = to_micros(datetime.fromisoformat(shop.begins).replace(tzinfo=ZoneInfo(shop.zone)))
    zone = ZoneInfo(shop.zone)
    number = 0
    at = begin
    while at < begin + shop.days * 24 * HOUR_US:
        at += 15 * MINUTE_US
        hour = to_datetime(at - 1).astimezone(zone).hour
        if not shop.opens <= hour < shop.closes:
            continue
        hours = (at - begin) / HOUR_US
        dead = [what for what, since, until in shop.dead if since < hours <= until]
        for door in map(str, range(1, shop.doors + 1)):
            number += 1
            report = visit(
                shop.name,
                at,
                id=f"d{number}",
                door=door,
                come=rng.randrange(9),
                go=rng.randrange(9),
            )
            if not any(f"door/{door}".startswith(what) for what in dead):
                yield report
        for _ in range(rng.randrange(1, 5) if rng.randrange(20) else 0):
            number += 1
            till = str(rng.randint(1, shop.tills))
            paid = at - rng.randrange(15 * MINUTE_US)
            made = order(shop.name, paid, id=f"o{number}", till=till, **_basket(rng))
            if not any(f"till/{till}".startswith(what) for what in dead):
                yield made


def _basket(rng: Random) -> dict[str, Any]:
    items = rng.randrange(1, 9)
    found: dict[str, Any] = {
        "items": items,
        "amount": rng.randrange(100, 9000) * (1 if rng.randrange(40) else -1),
        "service_seconds": round(20 + items * rng.uniform(5, 25), 3),
    }
    if rng.randrange(3):
        found["waited_seconds"] = round(rng.expovariate(1 / 90), 3)
    if rng.randrange(5):
        found["employee"] = f"e{rng.randrange(3)}"
        if rng.randrange(2):
            found["task"] = rng.choice(("till", "bar"))
    if rng.randrange(60) == 0:
        found["currency"] = "EUR"
    return found


def arrivals(seed: int, shops: Sequence[Shop] = SHOPS) -> list[Any]:
    """Events in the order of arrival: late, much too late, twice, and twice with other content."""
    rng = Random(seed)
    arriving: list[tuple[int, int, Any]] = []

    def arrive(event: Any, delay: int) -> None:
        at = to_micros(datetime.fromisoformat(event["time"]))
        arriving.append((at + delay, len(arriving), event))

    for shop in shops:
        for event in shop_events(shop, seed):
            delay = rng.randrange(3 * MINUTE_US)
            dice = rng.randrange(1000)
            if dice < 80:
                delay = rng.randrange(11 * HOUR_US)
            elif dice < 90:
                delay = 13 * HOUR_US + rng.randrange(10 * HOUR_US)
            arrive(event, delay)
            if dice % 37 == 0:
                again = dict(event, time=_elsewhere(event["time"], rng))
                arrive(again, delay + rng.randrange(HOUR_US))
            elif dice % 211 == 0:
                other = dict(event, data={**event["data"], "in": 77, "amount": 77})
                arrive(other, delay + rng.randrange(SECOND_US, HOUR_US))
    arriving.sort()
    return [event for _, _, event in arriving]


def _elsewhere(time: str, rng: Random) -> str:
    """The same instant as a clock of another offset writes it."""
    offset = timezone(timedelta(minutes=rng.choice((-210, 0, 345, 480))))
    return datetime.fromisoformat(time).astimezone(offset).isoformat(timespec="microseconds")
