"""Holds: the ways in which others lose or double units, by the number of the study's list."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from gate_support import MakeGate, SettableClock, audit, position

from schemas.instants import to_micros
from sinks.redis.client import HoldGate
from sinks.redis.errors import (
    AlreadyConfirmed,
    CapReached,
    Mismatch,
    Short,
    Shortage,
    UnknownReservation,
    UnknownSku,
)
from sinks.redis.model import HeldLine, HoldLine, Placing


def free(gate: HoldGate, sku: str) -> dict[str, int]:
    return {row.place: row.available for row in gate.available([sku])[sku]}


def stock(gate: HoldGate, sku: str, **places: int) -> None:
    gate.project([position(sku, place, on_hand) for place, on_hand in places.items()])


def test_pitfall_1_check_then_act(gate: HoldGate) -> None:
    stock(gate, "tea", P1=1)

    def buy(number: int) -> bool:
        try:
            gate.hold(f"r{number}", [HoldLine("tea", 1)], ttl_seconds=60)
        except Short:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(buy, range(40))) == 1
    assert free(gate, "tea") == {"P1": 0}


def test_pitfall_2_two_lines_of_the_same_item(gate: HoldGate) -> None:
    stock(gate, "tea", P1=5)
    with pytest.raises(Short) as short:
        gate.hold("r", [HoldLine("tea", 4), HoldLine("tea", 4)], ttl_seconds=60)
    assert short.value.shortages == [Shortage("tea", 8, 5)]
    assert "'tea': 8 wanted, 5 there" in str(short.value)


def test_pitfall_5_a_split_takes_only_what_is_missing(gate: HoldGate) -> None:
    stock(gate, "tea", L1=10, L2=15)
    near_first = Placing(order=("L1", "L2"))
    lines = gate.hold("r", [HoldLine("tea", 18)], ttl_seconds=60, policy=near_first).lines
    assert sorted(lines, key=lambda line: line.place) == [
        HeldLine("tea", "L1", 10),
        HeldLine("tea", "L2", 8),
    ]


def test_pitfall_8_a_negative_place_does_not_poison_the_pool(gate: HoldGate) -> None:
    gate.project([position("tea", "W1", 0, allocated=4), position("tea", "W2", 3)])
    assert gate.hold("r", [HoldLine("tea", 2)], ttl_seconds=60).lines == [HeldLine("tea", "W2", 2)]


def test_pitfall_9_lines_in_any_order_do_not_block_each_other(gate: HoldGate) -> None:
    stock(gate, "a", P1=50)
    stock(gate, "b", P1=50)

    def buy(number: int) -> str:
        skus = ("a", "b") if number % 2 else ("b", "a")
        return gate.hold(f"r{number}", [HoldLine(s, 1) for s in skus], ttl_seconds=60).state

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(buy, range(50))) == {"held"}


def test_pitfall_10_not_only_the_first_place(gate: HoldGate) -> None:
    stock(gate, "tea", P1=2, P2=10)
    policy = Placing(order=("P1", "P2"))
    done = gate.hold("r", [HoldLine("tea", 5)], ttl_seconds=60, policy=policy)
    assert done.lines == [HeldLine("tea", "P2", 5)], "one parcel where one place has all"
    with pytest.raises(Short) as short:
        gate.hold("s", [HoldLine("tea", 6)], ttl_seconds=60, policy=Placing(split=False))
    assert short.value.shortages == [Shortage("tea", 6, 5)]


def test_one_place_for_the_whole_order(gate: HoldGate) -> None:
    stock(gate, "a", P1=9, P2=2)
    stock(gate, "b", P1=1, P2=2)
    wanted = [HoldLine("a", 2), HoldLine("b", 2)]
    assert {line.place for line in gate.hold("r", wanted, ttl_seconds=60).lines} == {"P2"}
    alone = Placing(single_place=True)
    with pytest.raises(Short) as short:
        gate.hold("s", wanted, ttl_seconds=60, policy=alone)
    assert short.value.shortages == [Shortage("b", 2, 1)]


def test_pitfall_12_a_retry_is_not_blocked_by_its_own_hold(gate: HoldGate) -> None:
    stock(gate, "tea", P1=1)
    gate.hold("r1", [HoldLine("tea", 1)], ttl_seconds=60)
    assert gate.hold("r1", [HoldLine("tea", 1)], ttl_seconds=60).replayed
    new = gate.hold("r2", [HoldLine("tea", 1)], ttl_seconds=60, replaces="r1")
    assert (new.state, gate.read("r1").state) == ("held", "released")
    audit(gate)


def test_pitfall_14_and_15_a_lapsed_hold_takes_nothing_back(
    make_gate: MakeGate, clock: SettableClock
) -> None:
    gate = make_gate(library=clock.library)
    stock(gate, "tea", P1=1)
    gate.hold("a", [HoldLine("tea", 1)], ttl_seconds=600)
    clock.advance(600_000)
    assert gate.read("a").state == "expired"
    assert gate.hold("b", [HoldLine("tea", 1)], ttl_seconds=600).state == "held"
    assert gate.extend("a", 600).state == "expired"
    assert gate.confirm("a").state == "expired_short"
    assert gate.confirm("a").replayed
    assert gate.confirm("b").state == "confirmed"
    told = [(entry.event.reservation, entry.event.state) for entry in gate.outbox()]
    assert told == [
        ("a", "held"),
        ("a", "expired"),
        ("b", "held"),
        ("a", "expired_short"),
        ("b", "confirmed"),
    ]


@pytest.mark.parametrize("swept", [False, True])
def test_pitfall_14_paid_late_and_still_there(
    make_gate: MakeGate, clock: SettableClock, swept: bool
) -> None:
    gate = make_gate(library=clock.library)
    stock(gate, "a", P1=3)
    stock(gate, "b", P1=3)
    gate.hold("r", [HoldLine("a", 2), HoldLine("b", 1)], ttl_seconds=1)
    clock.advance(5_000)
    assert gate.sweep(10) == 1 if swept else True
    assert free(gate, "a") == {"P1": 3}
    assert gate.confirm("r").state == "confirmed"
    assert (free(gate, "a"), free(gate, "b")) == ({"P1": 1}, {"P1": 2})
    audit(gate)


def test_a_late_confirm_takes_all_lines_or_none(make_gate: MakeGate, clock: SettableClock) -> None:
    gate = make_gate(library=clock.library)
    stock(gate, "a", P1=1)
    stock(gate, "b", P1=1)
    gate.hold("r", [HoldLine("a", 1), HoldLine("b", 1)], ttl_seconds=1)
    clock.advance(1_000)
    gate.hold("s", [HoldLine("b", 1)], ttl_seconds=60)
    assert gate.confirm("r").state == "expired_short"
    assert free(gate, "a") == {"P1": 1}
    audit(gate)


def test_pitfall_16_a_changed_cart_gives_its_old_place_back(gate: HoldGate) -> None:
    stock(gate, "tea", P1=4, P2=4)
    gate.hold("cart-1", [HoldLine("tea", 4, "P1")], ttl_seconds=60)
    gate.hold("cart-2", [HoldLine("tea", 4, "P2")], ttl_seconds=60, replaces="cart-1")
    assert free(gate, "tea") == {"P1": 4, "P2": 0}
    with pytest.raises(Short):
        gate.hold("cart-3", [HoldLine("tea", 9)], ttl_seconds=60, replaces="cart-2")
    assert gate.read("cart-2").state == "held", "refused: the old hold stays"
    gate.confirm("cart-2")
    with pytest.raises(AlreadyConfirmed):
        gate.hold("cart-4", [HoldLine("tea", 1)], ttl_seconds=60, replaces="cart-2")


def test_pitfall_17_released_twice_expired_twice(make_gate: MakeGate, clock: SettableClock) -> None:
    gate = make_gate(library=clock.library)
    stock(gate, "tea", P1=5)
    gate.hold("r", [HoldLine("tea", 2)], ttl_seconds=60)
    assert not gate.release("r").replayed
    assert gate.release("r").replayed
    gate.hold("s", [HoldLine("tea", 2)], ttl_seconds=60)
    clock.advance(60_000)
    assert gate.release("s").state == "expired"
    assert gate.sweep(10) == 0
    assert free(gate, "tea") == {"P1": 5}
    audit(gate)


def test_pitfall_19_what_is_paid_is_not_released(gate: HoldGate) -> None:
    stock(gate, "tea", P1=5)
    gate.hold("r", [HoldLine("tea", 2)], ttl_seconds=60)
    gate.confirm("r")
    assert gate.release("r").state == "confirmed"
    gate.hold("s", [HoldLine("tea", 2)], ttl_seconds=60)
    gate.release("s")
    assert gate.confirm("s").state == "released"
    assert free(gate, "tea") == {"P1": 3}


def test_pitfall_20_one_bad_line_leaves_nothing(gate: HoldGate) -> None:
    stock(gate, "a", P1=5)
    stock(gate, "b", P1=0)
    with pytest.raises(Short):
        gate.hold("r", [HoldLine("a", 1), HoldLine("b", 1)], ttl_seconds=60)
    with pytest.raises(UnknownSku, match="'c'"):
        gate.hold("r", [HoldLine("a", 1), HoldLine("c", 1)], ttl_seconds=60)
    with pytest.raises(UnknownSku, match="'a' at 'P9'"):
        gate.hold("r", [HoldLine("a", 1, "P9")], ttl_seconds=60)
    assert free(gate, "a") == {"P1": 5}
    assert gate.outbox() == []
    with pytest.raises(UnknownReservation, match="no such hold"):
        gate.read("r")


def test_pitfall_21_time_is_the_servers(
    make_gate: MakeGate, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = make_gate(library=clock.library)
    stock(gate, "tea", P1=5)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    done = gate.hold("r", [HoldLine("tea", 1)], ttl_seconds=90)
    assert to_micros(done.expires_at) == (clock.now + 90_000) * 1000


def test_pitfall_24_one_customer_does_not_take_all(
    make_gate: MakeGate, clock: SettableClock
) -> None:
    gate = make_gate(library=clock.library, max_holds=2, max_units=5, customer_salt="pepper")
    stock(gate, "tea", P1=99)

    def hold(name: str, units: int, replaces: str | None = None) -> None:
        gate.hold(name, [HoldLine("tea", units)], ttl_seconds=60, customer="ann", replaces=replaces)

    hold("a", 2)
    with pytest.raises(CapReached, match="2 unpaid holds of 6 units"):
        hold("b", 4)
    hold("b", 3)
    with pytest.raises(CapReached):
        hold("c", 1)
    hold("c", 2, replaces="b")
    gate.confirm("a")
    hold("d", 1)
    clock.advance(60_000)
    hold("e", 5)
    assert not [key for key in gate.client.scan_iter() if b"ann" in key], "a customer by name"


def test_pitfall_31_the_event_is_written_with_the_hold(gate: HoldGate) -> None:
    stock(gate, "tea", P1=9)
    done = gate.hold("r", [HoldLine("tea", 2)], ttl_seconds=60, order="O-1", channel="web")
    gate.extend("r", 90)
    gate.confirm("r")
    held, longer, confirmed = (entry.event for entry in gate.outbox())
    assert (held.reservation, held.sku, held.place, held.quantity) == ("r", "tea", "P1", 2)
    assert (held.order, held.channel, held.hold_seq) == ("O-1", "web", 0)
    assert held.expires_at == done.expires_at.isoformat().replace("+00:00", "Z")
    assert longer.state == "held"
    assert (longer.expires_at or "") > held.expires_at
    assert (confirmed.state, confirmed.hold_seq, confirmed.expires_at) == ("confirmed", 1, None)


def test_pitfall_33_same_id_other_content(gate: HoldGate) -> None:
    stock(gate, "tea", P1=9)
    gate.hold("r", [HoldLine("tea", 1), HoldLine("tea", 1, "P1")], ttl_seconds=60, order="O")
    same = [HoldLine("tea", 1, "P1"), HoldLine("tea", 1)]
    assert gate.hold("r", same, ttl_seconds=5, order="O").replayed
    for lines, order in ((same, "P"), (same[:1], "O"), ([HoldLine("tea", 2)], "O")):
        with pytest.raises(Mismatch, match="use a new id"):
            gate.hold("r", lines, ttl_seconds=60, order=order)
