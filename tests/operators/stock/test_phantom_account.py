"""What is learned of a pair, beside an account of its whole history."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantom_facts import BLIND, START, fact, record

from operators.stock.facts import Fact
from operators.stock.phantom.machine import PhantomMachine
from schemas.instants import DAY_US, HOUR_US, MINUTE_US
from schemas.movement import (
    Adjusted,
    Counted,
    LedgerMovement,
    Received,
    Sold,
)
from schemas.phantom_rules import PhantomConfig


class Account:
    """What a machine should know, put together from the whole history at the end."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, str, str]] = []
        self.seen: dict[tuple[str, str], list[tuple[int, bool, bool, int]]] = {}

    def add(self, one: Fact, on_hand_before: int, on_hand_after: int) -> None:
        movement = one.movement
        pair = (movement.sku, movement.place)
        demand = isinstance(movement, Sold)
        rows = self.seen.setdefault(pair, [])
        if demand:
            self.lines.append((one.time, *pair))
        counts = on_hand_before > 0 and not (
            isinstance(movement, Counted) and movement.quantity == 0
        )
        gap = 0
        if rows and counts:
            since = rows[-1][0]
            gap = sum(since < time for time, _, place in self.lines if place == pair[1])
        rows.append((one.time, demand and on_hand_before > 0, on_hand_after > 0, gap))

    def judged(self, config: PhantomConfig) -> dict[tuple[str, str], tuple[float, float]]:
        memory = config.memory_days * DAY_US
        found = {}
        for pair, rows in self.seen.items():
            end, there = rows[-1][0], rows[-1][2]
            sales = sum(math.exp((at - end) / memory) for at, demand, _, _ in rows if demand)
            trade = sum(math.exp((at - end) / memory) * gap for at, _, _, gap in rows)
            if not there or sales < config.least_sales or trade <= 0:
                continue
            meanwhile = sum(end < time for time, _, place in self.lines if place == pair[1])
            expected = sales / trade * meanwhile
            shape = min(sales, config.dispersion)
            found[pair] = ((1 + expected / shape) ** -shape, expected)
        return found


KINDS = st.sampled_from(["sold"] * 12 + ["received", "counted", "counted_0", "adjusted"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(KINDS, st.sampled_from("abc"), st.sampled_from(["S1", "S2"]), st.integers(1, 15)),
        min_size=20,
        max_size=150,
    )
)
def test_what_is_learned_is_what_the_whole_history_says(
    history: list[tuple[str, str, str, int]],
) -> None:
    machine, account = PhantomMachine(BLIND), Account()
    on_hand: dict[tuple[str, str], int] = {}
    versions: dict[tuple[str, str], int] = {}
    at = START // HOUR_US * HOUR_US
    for kind, sku, place, minutes in history:
        at += minutes * MINUTE_US
        pair = (sku, place)
        before = on_hand.get(pair, 0)
        movement: LedgerMovement
        if kind == "sold":
            movement, after = Sold(sku=sku, place=place, quantity=1), before - 1
        elif kind == "received":
            movement, after = Received(sku=sku, place=place, quantity=9), before + 9
        elif kind == "adjusted":
            movement = Adjusted(sku=sku, place=place, quantity=-1, reason="broken")
            after = before - 1
        else:
            after = 0 if kind == "counted_0" else 12
            movement = Counted(sku=sku, place=place, quantity=after)
        one = fact(at, movement)
        on_hand[pair], versions[pair] = after, versions.get(pair, 0) + 1
        account.add(one, before, after)
        assert machine.apply([one], [record(after, versions[pair], at, *pair)]) == []
    expected = account.judged(BLIND)
    found = machine.judged()
    assert found.keys() == expected.keys()
    for pair, (chance, sales) in expected.items():
        assert found[pair][0] == pytest.approx(chance, rel=1e-9)
        assert found[pair][1] == pytest.approx(sales, rel=1e-9, abs=1e-12)
