"""Histories of shops for hypothesis: dead sensors, clocks that change, events that come late."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from footfall_events import ANY_DAY_HOURS, order, visit
from hypothesis import strategies as st

from schemas.chain import Chain, Place
from schemas.footfall_rules import FootfallConfig, OpeningHours, SilenceConfig
from schemas.instants import HOUR_US, MINUTE_US, to_micros

QUARTER = 15 * MINUTE_US
# A zone and a day; on some of them its clock changes.
DAYS = (
    ("Asia/Shanghai", "2026-03-03"),
    ("Asia/Kathmandu", "2026-05-04"),
    ("Pacific/Chatham", "2026-04-04"),
    ("Pacific/Chatham", "2026-09-26"),
    ("Europe/Berlin", "2026-03-28"),
    ("Europe/Berlin", "2026-10-24"),
    ("America/New_York", "2026-03-07"),
    ("America/New_York", "2026-10-31"),
    ("Australia/Lord_Howe", "2026-04-04"),
    ("America/St_Johns", "2026-07-01"),
)
# Opening hours by the first letter of a store, U has none. No clock changes between 6 and 24.
HOURS = (
    OpeningHours(store="D*", opens="09:05", closes="21:00"),
    OpeningHours(store="W*", weekdays=(1, 2, 3, 6), opens="06:00", closes="23:50"),
)


class Sensor(NamedTuple):
    """A door or a till: how often it reports, and in which quarters it is dead."""

    name: str
    share: float
    dead: tuple[tuple[int, int], ...]


class Store(NamedTuple):
    """A store's history; `seed` decides what is not worth shrinking."""

    hours: str
    place: tuple[str, str]
    quarters: int
    sensors: tuple[Sensor, ...]
    disorder: float
    seed: int


class Plan(NamedTuple):
    """The rules of a chain and the histories of its stores."""

    config: FootfallConfig
    day_starts: str
    stores: tuple[Store, ...]


def _sensors() -> st.SearchStrategy[tuple[Sensor, ...]]:
    dead = st.lists(st.tuples(st.integers(0, 150), st.integers(1, 60)), max_size=2).map(tuple)
    share = st.sampled_from((1.0, 1.0, 0.95, 0.6, 0.2))
    names = ("door/1", "door/2", "till/1", "till/2")
    each = [st.none() | st.builds(Sensor, st.just(name), share, dead) for name in names]
    return (
        st.tuples(*each)
        .map(lambda found: tuple(one for one in found if one is not None))
        .filter(bool)
    )


_STORES = st.builds(
    Store,
    hours=st.sampled_from("UUDW"),
    place=st.sampled_from(DAYS),
    quarters=st.integers(1, 200),
    sensors=_sensors(),
    disorder=st.sampled_from((0.0, 0.1, 0.5)),
    seed=st.integers(0, 2**32),
)
_CONFIGS = st.builds(
    FootfallConfig,
    delay_minutes=st.sampled_from((0.0, 5.0, 17.5)),
    late_hours=st.sampled_from((0.5, 2.0, 12.0, 30.0)),
    apart_hours=st.sampled_from((1.0, 6.0, 48.0)),
    future_hours=st.just(ANY_DAY_HOURS),
    rate_days=st.integers(1, 3),
    silence=st.builds(
        SilenceConfig,
        probability=st.sampled_from((1e-4, 0.01, 0.3)),
        regular_share=st.sampled_from((0.1, 0.5, 0.9)),
        forget_days=st.sampled_from((1, 2)),
    ),
)


plans = st.builds(
    Plan,
    config=_CONFIGS,
    day_starts=st.sampled_from(("00:00", "04:00", "05:30")),
    stores=st.lists(_STORES, min_size=1, max_size=4).map(tuple),
)


def play(plan: Plan) -> tuple[Chain, list[Any]]:
    """The chain of a plan, and its events in the order of their arrival."""
    names = [f"{store.hours}{number}" for number, store in enumerate(plan.stores)]
    places = {
        name: Place(timezone=store.place[0]) for name, store in zip(names, plan.stores, strict=True)
    }
    chain = Chain(
        timezone="Asia/Shanghai",
        business_day_starts=plan.day_starts,
        places=places,
        footfall=msgspec.structs.replace(plan.config, hours=HOURS),
    )
    arriving: list[tuple[int, int, Any]] = []
    for name, store in zip(names, plan.stores, strict=True):
        for at, event in _arrivals(name, store, plan.config.late_hours):
            # Days of the year play no part in the order in which stores are read.
            arriving.append((at, len(arriving), event))
    arriving.sort()
    return chain, [event for _, _, event in arriving]


def _arrivals(name: str, store: Store, late_hours: float) -> list[tuple[int, Any]]:
    """Events with their arrival, counted from the begin of the store's day."""
    rng = Random(store.seed)
    zone, day = store.place
    begin = to_micros(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)))
    found: list[tuple[int, Any]] = []
    for number, (sensor, quarter) in enumerate(
        (sensor, quarter) for sensor in store.sensors for quarter in range(store.quarters)
    ):
        dead = any(since <= quarter < since + length for since, length in sensor.dead)
        if dead or rng.random() >= sensor.share:
            continue
        at = begin + quarter * QUARTER + rng.choice((0, 1, -1, QUARTER - 1, rng.randrange(QUARTER)))
        event = _event(name, sensor.name, at, f"{number}", rng)
        arrives = at - begin + rng.randrange(3 * MINUTE_US)
        if rng.random() < store.disorder:
            arrives += rng.randrange(round(1.5 * late_hours * HOUR_US))
        found.append((arrives, event))
        if rng.random() < store.disorder / 2:
            found.append((arrives + rng.randrange(late_hours_us(late_hours)), event))
        if rng.random() < store.disorder / 4:
            other = _event(name, sensor.name, at + rng.randrange(-2, 3) * QUARTER, f"{number}", rng)
            found.append((arrives + rng.randrange(-HOUR_US, HOUR_US), other))
    return found


def late_hours_us(hours: float) -> int:
    """How late an event may be, in microseconds."""
    return round(hours * HOUR_US)


def _event(store: str, sensor: str, at: int, id: str, rng: Random) -> Any:
    kind, _, number = sensor.partition("/")
    if kind == "door":
        come = rng.choice((0, 0, 1, 5))
        return visit(store, at, id=f"v{id}", door=number, come=come, go=rng.randrange(3))
    items = rng.randrange(4)
    data: dict[str, Any] = {
        "items": items,
        "amount": rng.randrange(-50, 5000),
        "service_seconds": rng.randrange(600_000) / 1000 if rng.randrange(4) else 30.0 * items,
    }
    if rng.randrange(2):
        data["waited_seconds"] = rng.randrange(900_000) / 1000
    if rng.randrange(2):
        data["employee"] = f"e{rng.randrange(2)}"
    if rng.randrange(3) == 0:
        data["task"] = "bar"
    if rng.randrange(20) == 0:
        data["currency"] = "EUR"
    return order(store, at, id=f"o{id}", till=number, **data)
