"""Alerts about lots that will not be sold in time: when they come, change and go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from phantom_facts import fact, record

from operators.stock.expiry.alerts import EXPIRING
from operators.stock.expiry.machine import ExpiryMachine
from operators.stock.facts import Fact
from schemas.chain import Chain, Place
from schemas.expiry_rules import ExpiryConfig
from schemas.instants import HOUR_US, parse_instant
from schemas.movement import Received
from schemas.position import Position
from schemas.warehouse import STOCK_ALERT

MONDAY = parse_instant("2026-11-02T09:00:00+08:00")
FRIDAY = "2026-11-06"
# Three days before the end of Friday.
DUE = parse_instant("2026-11-04T00:00:00+08:00")
OVER = parse_instant("2026-11-07T00:00:00+08:00")
DAY = timedelta(days=1) // timedelta(microseconds=1)
CHAIN = Chain(expiry=ExpiryConfig(days_before=3, least_units=2, every_minutes=60))


def came(units: int, day: str = FRIDAY, lot: str | None = None, at: int = MONDAY) -> Fact:
    movement = Received(sku="tea", place="S1", quantity=units, expires_on=day, lot=lot)
    return fact(at, movement, f"{lot}-{day}-{at}")


def position(on_hand: int, version: int, at: int, rate: float) -> Position:
    return replace(record(on_hand, version, at), demand_rate=rate)


def told(rows: Sequence[tuple[Any, ...]]) -> list[tuple[str, int, int]]:
    """Status, units that will be sold and units there, of each row."""
    named = [dict(zip(STOCK_ALERT.names, row, strict=True)) for row in rows]
    return [(row["status"], row["observed"], row["level"]) for row in named]


def named(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(STOCK_ALERT.names, row, strict=True))


def live(chain: Chain = CHAIN) -> ExpiryMachine:
    return ExpiryMachine(chain, live=True)


class TestRaised:
    def test_when_due(self) -> None:
        """10 units, 2 a day: from three days before on, 4 are too many. The stream stays idle."""
        machine = live()
        assert machine.apply([came(10)], [position(10, 1, MONDAY, 2.0)]) == []
        assert machine.pass_time(DUE - 1) == []
        (row,) = machine.pass_time(DUE)
        raised = named(row)
        assert raised["alert"] == "expiring_lot/tea@S1/2026-11-06"
        assert raised["alert_type"] == EXPIRING
        assert told([row]) == [("raised", 6, 10)]
        assert raised["shortfall"] == 4
        assert raised["opened_at"] == DUE
        assert raised["severity"] == "warning"
        assert raised["suggested_action"].startswith("mark down 4")
        assert machine.pass_time(DUE + HOUR_US) == []

    def test_sells_in_time(self) -> None:
        """3 a day leave 1, and that is less than a word is worth."""
        machine = live()
        machine.apply([came(10)], [position(10, 1, MONDAY, 3.0)])
        assert machine.pass_time(DUE) == []

    def test_second_lot_behind_the_first(self) -> None:
        """3 of the first lot are sold in two days, then 1 of the second in its last one."""
        machine = live()
        facts = [came(4, lot="A"), came(6, "2026-11-07", lot="B")]
        machine.apply(facts, [position(10, 1, MONDAY, 1.5)])
        rows = machine.pass_time(DUE + DAY)
        assert told(rows) == [("raised", 1, 6)]
        assert named(rows[0])["alert"] == "expiring_lot/tea@S1/2026-11-07/B"

    def test_time_of_events(self) -> None:
        """In a backfill time is that of the positions, of whichever pair."""
        machine = ExpiryMachine(CHAIN)
        machine.apply([came(10)], [position(10, 1, MONDAY, 0.0)])
        other = replace(record(3, 1, DUE), sku="milk")
        assert told(machine.apply([], [other])) == [("raised", 0, 10)]
        assert machine.pass_time(OVER) == []

    @pytest.mark.parametrize(
        ("zone", "starts", "over"),
        [
            ("Asia/Kathmandu", "00:00", "2026-11-07T00:00:00+05:45"),
            ("Europe/Berlin", "04:00", "2026-11-07T04:00:00+01:00"),
        ],
    )
    def test_days_of_the_place(self, zone: str, starts: str, over: str) -> None:
        """The last day is a business day of the place."""
        chain = replace(CHAIN, business_day_starts=starts, places={"S1": Place(timezone=zone)})
        machine = live(chain)
        machine.apply([came(10)], [position(10, 1, MONDAY, 0.0)])
        end = parse_instant(over)
        machine.pass_time(end - HOUR_US)
        (before,) = machine.open()
        assert named(before)["severity"] == "warning"
        machine.pass_time(end)
        (after,) = machine.open()
        assert named(after)["severity"] == "high"


class TestOpen:
    @pytest.fixture(name="machine")
    def _machine(self) -> ExpiryMachine:
        machine = live()
        machine.apply([came(10)], [position(10, 1, MONDAY, 2.0)])
        machine.pass_time(DUE)
        return machine

    def test_last_day_is_over(self, machine: ExpiryMachine) -> None:
        """Now it is graver, and something else has to be done."""
        machine.apply([], [position(8, 2, OVER - HOUR_US, 2.0)])
        (row,) = machine.pass_time(OVER)
        assert told([row]) == [("updated", 0, 8)]
        assert named(row)["severity"] == "high"
        assert named(row)["suggested_action"].startswith("take 8 off the shelf")
        assert named(row)["opened_at"] == DUE

    def test_much_worse(self, machine: ExpiryMachine) -> None:
        """4 too many were told: 5 are not worth a word, 6 are."""
        assert machine.apply([], [position(10, 2, DUE, 1.8)]) == []
        assert told(machine.apply([], [position(10, 3, DUE, 1.4)])) == [("updated", 4, 10)]

    def test_sold(self, machine: ExpiryMachine) -> None:
        """Gone before its last day: the alert is over, with what is left."""
        (row,) = machine.apply([], [position(0, 2, DUE + HOUR_US, 2.0)])
        assert told([row]) == [("cleared", 10, 10)]
        assert named(row)["cleared_at"] == DUE + HOUR_US
        assert msgspec.json.decode(named(row)["evidence"])[1] == {"kind": "left", "units": 0}
        assert machine.open() == []

    def test_on_the_edge(self, machine: ExpiryMachine) -> None:
        """Just so in time is not enough to be over; comfortably in time is."""
        assert machine.apply([], [position(6, 2, DUE, 2.0)]) == []
        assert told(machine.apply([], [position(5, 3, DUE, 2.0)])) == [("cleared", 10, 10)]

    def test_older_position(self, machine: ExpiryMachine) -> None:
        """One that comes again says nothing new."""
        machine.apply([], [position(9, 3, DUE, 2.0)])
        assert machine.apply([], [position(0, 2, DUE, 2.0)]) == []

    def test_long_ago(self, machine: ExpiryMachine) -> None:
        """A lot of last month that is still on record is forgotten, and so is its alert."""
        machine.pass_time(OVER)
        machine.pass_time(OVER + 31 * DAY)
        assert told(machine.pass_time(OVER + 32 * DAY)) == [("cleared", 10, 10)]
        assert machine.open() == []


STEPS = st.lists(
    st.tuples(
        st.integers(0, 5 * 24), st.integers(0, 12), st.sampled_from((0.0, 1.0, 2.5)), st.booleans()
    ),
    max_size=12,
)


@given(STEPS, st.integers(0, 12))
def test_dump_and_restore(steps: list[tuple[int, int, float, bool]], at: int) -> None:
    """A machine that was written down in between tells the same."""
    machine, other = live(), live()
    for number, (hours, units, rate, receipt) in enumerate(sorted(steps, key=lambda one: one[0])):
        now = MONDAY + hours * HOUR_US
        facts = [came(units + 1, lot=f"L{number}", at=now)] if receipt else []
        where = [position(units, number, now, rate)]
        if number == at:
            other = ExpiryMachine.restore(*other.dump(), CHAIN, live=True)
        assert machine.apply(facts, where) == other.apply(facts, where)
        assert machine.pass_time(now) == other.pass_time(now)
    assert machine.open() == other.open()


def test_unknown_version() -> None:
    """A state of another version is not guessed at."""
    with pytest.raises(ValueError, match="has version 9, this tillflow reads 1"):
        ExpiryMachine.restore(9, b"", CHAIN)
