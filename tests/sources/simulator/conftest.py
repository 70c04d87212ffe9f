"""Small chains for the simulator's tests, and a slow, plain reader of their events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from schemas.envelope import MovementEvent
from sources.simulator import Settings, Simulation, settings_from
from sources.simulator.courier import Delivery

SMALL: dict[str, Any] = {
    "days": 2,
    "stores": 3,
    "skus": 25,
    "forward_warehouses": 1,
    "trade": {"visitors_per_day": 120.0, "stores_per_city": 2},
    "members": {"per_store": 30},
    "online": {"flash_carts": 30, "carts_per_store_day": 30.0},
}
# Position: on hand, allocated, quarantined, in transit
Positions = dict[tuple[str, str], tuple[int, int, int, int]]
Json = dict[str, Any]
CLAIMS = {"allocated": 1, "released": -1, "shipped": -1}
QUARANTINE = {"returned": 1, "restocked": -1, "written_off": -1}
SHELF = {
    **dict.fromkeys(("received", "restocked", "transfer_in", "adjusted"), 1),
    **dict.fromkeys(("sold", "shipped", "transfer_out"), -1),
}


@pytest.fixture(scope="session")
def small() -> Callable[..., Settings]:
    """Settings of a small chain; keywords lie over them."""

    def make(**changes: Any) -> Settings:
        merged = {**SMALL, **changes}
        for group in ("trade", "members", "online"):
            merged[group] = {**SMALL[group], **changes.get(group, {})}
        return settings_from(**merged)

    return make


@pytest.fixture(scope="session")
def bumpy(small: Callable[..., Settings]) -> Settings:
    """A small chain where much goes wrong."""
    return small(
        imperfections={
            "lost_scan_rate": 0.05,
            "wrong_scan_rate": 0.08,
            "duplicate_rate": 0.1,
            "late_rate": 0.1,
            "late_count_rate": 0.5,
            "out_of_order_rate": 0.1,
            "offline_rate": 0.5,
            "correction_first_share": 0.5,
            "door_outage_rate": 0.5,
        },
        supply={
            "shrinkage_rate": 0.1,
            "transfer_short_rate": 0.2,
            "return_rate": 0.1,
            "count_share_per_day": 0.5,
            "damage_rate": 0.05,
        },
        days=3,
    )


@pytest.fixture(scope="session")
def bumpy_run(bumpy: Settings) -> tuple[Simulation, list[Delivery]]:
    """That chain, played to the end."""
    simulation = Simulation(bumpy)
    return simulation, list(simulation)


@pytest.fixture(scope="session")
def read_all() -> Callable[[Iterable[Json]], Positions]:
    """A reader that keeps everything, sorts it, and adds up: the definition, not an operator."""
    return brute_force


def brute_force(events: Iterable[Json]) -> Positions:
    unique: dict[tuple[str, str], Json] = {}
    for event in events:
        known = unique.setdefault((event["source"], event["id"]), event)
        assert known == event, "the same id with other content"
    gone = {
        (event["source"], event["data"]["corrects"])
        for event in unique.values()
        if event["data"]["kind"] == "corrected"
    }
    assert gone <= unique.keys()
    by_pair: defaultdict[tuple[str, str], list[tuple[datetime, bool, str, int]]]
    by_pair = defaultdict(list)
    other: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for key, event in unique.items():
        data = event["data"]
        kind = data["kind"]
        if key in gone or kind == "corrected":
            continue
        pair, quantity = (data["place"], data["sku"]), data["quantity"]
        other[pair][0] += CLAIMS.get(kind, 0) * quantity
        other[pair][1] += QUARANTINE.get(kind, 0) * quantity
        if kind == "transfer_out":
            other[data["to_place"], data["sku"]][2] += quantity
        elif kind == "transfer_in":
            other[pair][2] -= quantity
        # A count contains what carries its own time, so it comes last of an instant.
        at = datetime.fromisoformat(event["time"])
        by_pair[pair].append((at, kind == "counted", kind, quantity))
    positions: Positions = {}
    for pair in by_pair.keys() | other.keys():
        on_hand = 0
        for _, counted, kind, quantity in sorted(by_pair[pair]):
            on_hand = quantity if counted else on_hand + SHELF.get(kind, 0) * quantity
        allocated, quarantined, in_transit = other[pair]
        positions[pair] = (on_hand, allocated, quarantined, in_transit)
    return positions


@pytest.fixture(scope="session")
def movements_of() -> Callable[[Iterable[Delivery]], list[Json]]:
    """The movements among deliveries as plain JSON; each also decodes by the contract."""
    encoder, decoder = msgspec.json.Encoder(), msgspec.json.Decoder(MovementEvent)

    def pick(deliveries: Iterable[Delivery]) -> list[Json]:
        lines = [
            encoder.encode(delivery.event)
            for delivery in deliveries
            if delivery.event.type == "stock.movement.v1"
        ]
        assert all(decoder.decode(line) for line in lines)
        return [msgspec.json.decode(line) for line in lines]

    return pick
