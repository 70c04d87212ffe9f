"""Silences against an independent account of them, and what begins and ends a suspicion."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import pytest
from gate_support import position
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from operators.stock.facts import Fact
from operators.stock.phantom.alerts import AlertRow
from operators.stock.phantom.machine import PhantomMachine
from operators.stock.phantom.silence import silence_probability, threshold
from operators.stock.phantom.trade import TradeClock
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, parse_instant, to_datetime
from schemas.movement import (
    Adjusted,
    Allocated,
    Corrected,
    Counted,
    LedgerMovement,
    Received,
    Returned,
    Sold,
)
from schemas.phantom_rules import PhantomConfig
from schemas.position import Position

START = parse_instant("2026-11-02T09:00:00+08:00")
CONFIG = PhantomConfig()
BLIND = PhantomConfig(probability=1e-300)


def fact(at: int, movement: LedgerMovement, id: str = "") -> Fact:
    return Fact(at, "till/1", id or f"{movement.kind}-{movement.sku}-{at}", movement, 0)


def sold(at: int, sku: str = "tea", place: str = "S1", id: str = "") -> Fact:
    return fact(at, Sold(sku=sku, place=place, quantity=1), id)


def record(on_hand: int, version: int, at: int, sku: str = "tea", place: str = "S1") -> Position:
    return replace(position(sku, place, on_hand, version), as_of=to_datetime(at))


# ------------------------------------------------------------------------------ the probability


@pytest.mark.parametrize("sales", [1.0, 3.0, 12.5, 40.0])
@pytest.mark.parametrize("meanwhile", [0.0, 3.0, 70.0, 900.0])
def test_the_probability_is_the_posterior_predictive_of_no_sale(
    sales: float, meanwhile: float
) -> None:
    """Against the integral over the gamma posterior itself."""
    trade = 200.0
    top, steps = (sales + 12 * math.sqrt(sales) + 12) / trade, 40_000
    integral = 0.0
    for step in range(steps):
        rate = (step + 0.5) * top / steps
        density = sales * math.log(trade) + (sales - 1) * math.log(rate) - trade * rate
        integral += math.exp(density - math.lgamma(sales) - rate * meanwhile) * top / steps
    assert silence_probability(sales, trade, meanwhile, 1e9) == pytest.approx(integral, rel=2e-3)


def test_silences_of_steady_demand_cross_a_threshold_as_often_as_it_says() -> None:
    rng = Random(20261123)
    found = []
    for _ in range(20_000):
        gaps = [rng.expovariate(0.02) for _ in range(9)]
        found.append(silence_probability(8, sum(gaps[:8]), gaps[8], 1e9))
    for least in (0.5, 0.1, 0.01):
        share = sum(one < least for one in found) / len(found)
        assert share == pytest.approx(least, abs=4 * math.sqrt(least / len(found)))


@given(st.floats(1, 500), st.floats(1, 1e5), st.floats(0, 1e5), st.floats(1, 100))
def test_less_even_demand_is_never_more_suspicious(
    sales: float, trade: float, meanwhile: float, dispersion: float
) -> None:
    capped = silence_probability(sales, trade, meanwhile, dispersion)
    assert 0 <= silence_probability(sales, trade, meanwhile, 1e9) <= capped * (1 + 1e-9) <= 1 + 1e-9


@given(st.lists(st.floats(0.01, 50), min_size=1, max_size=50), st.floats(0.1, 20))
def test_false_alarms_of_all_pairs_stay_within_what_is_allowed(
    rates: list[float], allowed: float
) -> None:
    """Sales a day times threshold is what a pair has to expect of them."""
    expected = sum(rate * threshold(1.0, allowed, len(rates), rate) for rate in rates)
    assert expected <= allowed * (1 + 1e-9)


# ------------------------------------------------------------------------------ the clock


@given(st.lists(st.integers(0, 120 * 60), min_size=1, max_size=80), st.randoms())
def test_the_clock_counts_lines_by_their_own_time_in_any_order(
    minutes: list[int], rng: Random
) -> None:
    times = [START + minute * MINUTE_US + 1 for minute in minutes]
    clock = TradeClock()
    first = min(times)
    clock.add(first)
    rest = list(times)
    rest.remove(first)
    rng.shuffle(rest)
    for time in rest:
        clock.add(time)
    tip = max(times)
    assert clock.at(tip) == len(times)
    for at in range(first // HOUR_US * HOUR_US, tip, HOUR_US):
        assert clock.at(at) == sum(time <= at for time in times)
    for at in range(max(first, tip - 48 * HOUR_US), tip, 13 * MINUTE_US):
        assert clock.at(at) == sum(time <= at for time in times)
    seen = [clock.at(first + step * 7 * MINUTE_US) for step in range(1_100)]
    assert seen == sorted(seen)


def test_the_clock_forgets_but_its_sum_stays() -> None:
    clock = TradeClock()
    for day in range(0, 400, 2):
        clock.add(START + day * DAY_US)
    assert len(clock.lines) <= 122 * 24
    assert clock.at(clock.tip) == 200
    assert clock.at(clock.tip) - clock.at(clock.tip - 20 * DAY_US) == pytest.approx(10, abs=1)
    assert clock.at(START) == clock.before[0]
    clock.add(START + 4_000 * DAY_US)
    assert clock.at(clock.tip) == 201
    assert clock.at(clock.tip - DAY_US) == 200
    assert len(clock.lines) <= 122 * 24


# ------------------------------------------------------------------------------ the account


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


# ------------------------------------------------------------------------------ suspicions


def day_of_trade(day: int, *, tea: bool = True) -> list[Fact]:
    """A shop's day: another product every ten minutes, tea every second hour."""
    opens = START + day * DAY_US
    facts = [sold(opens + minute * MINUTE_US, "other") for minute in range(0, 720, 10)]
    if tea:
        facts += [sold(opens + minute * MINUTE_US) for minute in range(5, 720, 120)]
    return sorted(facts, key=lambda one: one.time)


def learned(days: int = 14, config: PhantomConfig = CONFIG) -> PhantomMachine:
    """A shop with tea on record that has sold well so far."""
    machine = PhantomMachine(config)
    machine.apply([], [record(40, 1, START - HOUR_US), record(999, 1, START - HOUR_US, "other")])
    for day in range(days):
        assert machine.apply(day_of_trade(day), []) == []
    return machine


def silent(machine: PhantomMachine, days: Iterable[int]) -> list[AlertRow]:
    return [row for day in days for row in machine.apply(day_of_trade(day, tea=False), [])]


def evidence(row: AlertRow) -> list[dict[str, Any]]:
    found = json.loads(row[11])
    assert isinstance(found, list)
    return found


def suspected() -> tuple[PhantomMachine, AlertRow]:
    machine = learned()
    [row] = silent(machine, range(14, 20))
    return machine, row


def test_an_improbable_silence_is_told_with_its_reasons() -> None:
    machine, row = suspected()
    assert row[1:6] == ("phantom_suspected", "raised", "warning", "tea", "S1")
    last = START + 13 * DAY_US + 605 * MINUTE_US
    assert row[0] == f"phantom_suspected/tea@S1/{to_datetime(last).isoformat()[:19]}Z"
    [why] = evidence(row)
    assert why["on_hand"] == 40
    assert why["probability"] < why["threshold"] <= 0.001
    assert why["expected_sales"] > 6
    assert why["last_seen"]["kind"] == "sold"
    # The stock flow takes back alerts whose first evidence has an `id` that it does not know.
    assert "id" not in why
    assert (row[6], row[7], row[8], row[12]) == (
        0,
        round(why["expected_sales"]),
        1,
        "count the shelf",
    )
    assert silent(machine, range(20, 25)) == []
    assert machine.open() == [row]


def test_a_sale_a_count_or_an_empty_record_ends_it() -> None:
    at = START + 20 * DAY_US
    counted = fact(at, Counted(sku="tea", place="S1", quantity=0))
    for facts, positions, last, observed in (
        ([sold(at)], [], "sold", 1),
        ([counted], [record(0, 90, at)], "counted", 0),
        ([], [record(0, 90, at)], "none_on_record", 0),
    ):
        machine, raised = suspected()
        [row] = machine.apply(facts, positions)
        assert (row[0], row[2], row[6]) == (raised[0], "cleared", observed)
        assert [one["kind"] for one in evidence(row)] == ["silence", last]
        assert row[-1] == at
        assert machine.open() == []


def test_goods_that_come_or_are_promised_end_nothing_but_begin_a_new_silence() -> None:
    at = START + 20 * DAY_US
    came = fact(at, Received(sku="tea", place="S1", quantity=9))
    machine, _ = suspected()
    promised = fact(at, Allocated(sku="tea", place="S1", quantity=1))
    back = fact(at, Returned(sku="tea", place="S1", quantity=1))
    assert machine.apply([came, promised, back], [record(49, 9, at)]) == []
    assert len(machine.open()) == 1
    calm = learned()
    for day in range(14, 40):
        came = fact(START + day * DAY_US, Received(sku="tea", place="S1", quantity=1))
        assert calm.apply([came, *day_of_trade(day, tea=False)], []) == []


def test_closed_days_and_empty_shelves_are_no_silence() -> None:
    machine = learned()
    # Thirty days without any trade, then one with it.
    machine.apply(day_of_trade(44), [])
    assert machine.review() == []
    assert machine.judged()["tea", "S1"][0] > 0.01
    out = learned()
    out.apply([], [record(0, 2, START + 14 * DAY_US)])
    assert silent(out, range(14, 30)) == []
    out.apply([], [record(5, 3, START + 30 * DAY_US)])
    assert silent(out, range(30, 31)) == []
    before = out.judged()["tea", "S1"]
    # The days without stock taught nothing: the rate is what it was.
    assert before[1] == pytest.approx(72 * 6 / 78, rel=0.05)
    assert len(silent(out, range(31, 34))) == 1


def test_slow_or_unknown_sellers_are_never_suspected() -> None:
    machine = PhantomMachine(CONFIG)
    machine.apply([sold(START + HOUR_US)], [record(9, 1, START)])
    assert silent(machine, range(60)) == []
    assert machine.judged() == {}


def test_a_late_sale_of_long_ago_ends_no_silence_and_a_copy_is_none() -> None:
    machine = learned()
    rows = silent(machine, range(14, 16))
    last = sold(START + 13 * DAY_US + 605 * MINUTE_US)
    late = sold(START + 12 * DAY_US + 7 * MINUTE_US)
    rows += machine.apply([last, late], [])
    rows += silent(machine, range(16, 20))
    assert len(rows) == 1
    assert rows[0][2] == "raised"


def test_a_wrong_scan_that_is_taken_back_ends_no_silence() -> None:
    def corrected(at: int, of: Fact) -> Fact:
        return fact(at, Corrected(sku="tea", place="S1", corrects=of.id, reason="wrong_scan"))

    machine, plain = learned(), learned()
    silent(machine, range(14, 15))
    silent(plain, range(14, 15))
    wrong = sold(START + 15 * DAY_US - HOUR_US)
    assert machine.apply([wrong, corrected(wrong.time + 1, wrong)], []) == []
    (chance, expected), (same, _) = (one.judged()["tea", "S1"] for one in (machine, plain))
    assert chance == pytest.approx(same, rel=0.1)
    assert expected > 5
    assert silent(machine, range(15, 19))[0][0] == silent(plain, range(15, 19))[0][0]


def test_time_under_suspicion_is_not_learned_from_when_the_shelf_was_empty() -> None:
    machine, _ = suspected()
    before = machine._places["S1"].pairs["tea"].trade
    counted = fact(START + 20 * DAY_US, Counted(sku="tea", place="S1", quantity=0))
    machine.apply([counted], [record(0, 90, counted.time)])
    assert machine._places["S1"].pairs["tea"].trade < before


def histories() -> Sequence[list[Fact]]:
    return [day_of_trade(day, tea=day < 14) for day in range(20)]


@given(st.integers(0, 19), st.integers(1, 100))
@settings(max_examples=10, deadline=None)
def test_a_machine_goes_on_from_its_dump_as_if_nothing_had_been(cut: int, size: int) -> None:
    facts = [one for day in histories() for one in day]
    first = [record(40, 1, START - HOUR_US), record(999, 1, START - HOUR_US, "other")]

    def run(*, interrupted: bool) -> list[AlertRow]:
        machine = PhantomMachine(CONFIG)
        rows = machine.apply([], first)
        for at in range(0, len(facts), size):
            if interrupted and at // size == cut:
                machine = PhantomMachine.restore(*machine.dump(), CONFIG)
            rows += machine.apply(facts[at : at + size], [])
        return rows + machine.review()

    whole = run(interrupted=False)
    assert run(interrupted=True) == whole
    # However the facts come in parts, the silence has the same name.
    assert [row[0] for row in whole] == [suspected()[1][0]]


def test_a_dump_of_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match="version 9"):
        PhantomMachine.restore(9, b"", CONFIG)
