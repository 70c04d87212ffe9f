"""What the gate refuses, and names and places that are not what they look like."""

from __future__ import annotations

import pytest
from gate_support import MakeGate, position

from sinks.redis.client import HoldGate
from sinks.redis.errors import GateClosed, InvalidHold, Short
from sinks.redis.model import HeldLine, HoldLine


def free(gate: HoldGate, sku: str) -> dict[str, int]:
    return {row.place: row.available for row in gate.available([sku])[sku]}


def stock(gate: HoldGate, sku: str, **places: int) -> None:
    gate.project([position(sku, place, on_hand) for place, on_hand in places.items()])


def test_pitfall_40_an_empty_gate_refuses(make_gate: MakeGate) -> None:
    gate = make_gate(opened=False)
    gate.project([position("tea", "P1", 5)])
    assert gate.gate_state().state == "empty"
    for call in (
        lambda: gate.hold("r", [HoldLine("tea", 1)], ttl_seconds=60),
        lambda: gate.confirm("r"),
        lambda: gate.read("r"),
        lambda: gate.available(["tea"]),
        lambda: gate.sweep(1),
    ):
        with pytest.raises(GateClosed, match=r"is empty: it must be rebuilt"):
            call()
    gate.open_gate("one")
    assert gate.hold("r", [HoldLine("tea", 1)], ttl_seconds=60).state == "held"
    old = make_gate(pool=gate.settings.pool, epoch="zero", opened=False)
    with pytest.raises(GateClosed, match="'one'"):
        old.read("r")
    gate.close_gate()
    with pytest.raises(GateClosed, match="is closed"):
        gate.read("r")


@pytest.mark.parametrize("units", [0, -1, 100_000_001, 1.5])
def test_pitfall_64_quantities_that_are_none(gate: HoldGate, units: int) -> None:
    stock(gate, "tea", P1=9)
    with pytest.raises(InvalidHold, match="no whole number from 1"):
        gate.hold("r", [HoldLine("tea", 1), HoldLine("tea", units)], ttl_seconds=60)
    assert free(gate, "tea") == {"P1": 9}


def test_calls_that_cannot_be_meant(gate: HoldGate) -> None:
    stock(gate, "tea", P1=200)
    one = HoldLine("tea", 1)
    with pytest.raises(InvalidHold, match="0 lines"):
        gate.hold("r", [], ttl_seconds=60)
    with pytest.raises(InvalidHold, match="101 lines"):
        gate.hold("r", [one] * 101, ttl_seconds=60)
    assert gate.hold("r", [one] * 100, ttl_seconds=60).lines == [HeldLine("tea", "P1", 100)]
    for ttl in (0, -1, 8 * 86_400):
        with pytest.raises(InvalidHold, match="a hold lasts"):
            gate.hold("s", [one], ttl_seconds=ttl)
    with pytest.raises(InvalidHold, match="reservation"):
        gate.hold("", [one], ttl_seconds=60)


def test_a_new_place_is_seen_at_once(make_gate: MakeGate) -> None:
    gate = make_gate()
    stock(gate, "tea", P1=1)
    gate.hold("r1", [HoldLine("tea", 1)], ttl_seconds=60)
    # Another process brings a place that this client has not heard of.
    stock(make_gate(pool=gate.settings.pool), "tea", P2=1)
    assert gate.hold("r2", [HoldLine("tea", 1)], ttl_seconds=60).lines == [HeldLine("tea", "P2", 1)]
    assert free(gate, "tea") == {"P1": 0, "P2": 0}


def test_the_floor_is_not_promised(gate: HoldGate) -> None:
    gate.project([position("tea", "P1", 10, allocated=2, floor=3)])
    assert free(gate, "tea") == {"P1": 5}
    with pytest.raises(Short):
        gate.hold("r", [HoldLine("tea", 6)], ttl_seconds=60)


def test_names_that_look_like_keys_stay_apart(gate: HoldGate) -> None:
    gate.project([position("a:b", "c", 1), position("a", "b:c", 2), position("a%3Ab", "c", 3)])
    assert [free(gate, sku) for sku in ("a:b", "a", "a%3Ab")] == [{"c": 1}, {"b:c": 2}, {"c": 3}]
    stock(gate, "1", P1=1)
    assert gate.hold("2", [HoldLine("1", 1)], ttl_seconds=60).lines == [HeldLine("1", "P1", 1)]
    gate.hold("茶 {x}", [HoldLine("a:b", 1)], ttl_seconds=60)
    assert gate.read("茶 {x}").lines == [HeldLine("a:b", "c", 1)]
