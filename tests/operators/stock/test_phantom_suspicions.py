"""What begins and ends a suspicion, and that a restart changes nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phantom_facts import CONFIG, START, fact, record, sold

from operators.stock.facts import Fact
from operators.stock.phantom.alerts import AlertRow
from operators.stock.phantom.machine import PhantomMachine
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, to_datetime
from schemas.movement import (
    Allocated,
    Corrected,
    Counted,
    Received,
    Returned,
)
from schemas.phantom_rules import PhantomConfig


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
