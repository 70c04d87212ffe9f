"""Lots on a shelf: what is left of each, against a shelf that is kept unit by unit."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from phantom_facts import START, fact

from operators.stock.expiry.lots import PairLots, sold_in_time
from operators.stock.facts import Fact
from schemas.instants import HOUR_US
from schemas.movement import Adjusted, Corrected, Received, Shipped, Sold, TransferOut

DAYS = ("2026-11-05", "2026-11-06", "2026-11-09")


def received(at: int, units: int, day: str | None, lot: str | None = None, id: str = "") -> Fact:
    movement = Received(sku="tea", place="S1", quantity=units, expires_on=day, lot=lot)
    return fact(at, movement, id)


def left(lots: PairLots) -> list[tuple[str | None, str, int]]:
    return [(one.name, one.expires_on, one.units) for one in lots.left()]


# A step is goods that come (with a day, or without one), or units that leave.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from((*DAYS, None)), st.integers(1, 9)),
        st.tuples(st.just("out"), st.integers(1, 9)),
    ),
    max_size=25,
)


@given(STEPS, st.randoms(use_true_random=False))
def test_shelf(steps: list[tuple[str | None, int]], rng: Random) -> None:
    """Unit by unit, first without a date and then first to expire; and events come twice.

    The record is told now and then, as it was at some moment before.
    """
    shelf: list[str] = []
    lots = PairLots()
    past: list[Fact] = []
    records: list[tuple[int, int]] = []
    for number, (what, units) in enumerate(steps):
        at = START + number * HOUR_US
        if what == "out":
            kind = rng.choice((Sold, Shipped))
            event = fact(at, kind(sku="tea", place="S1", quantity=units), f"e{number}")
            shelf = sorted(shelf)[units:]  # goods without a date sort first
        else:
            event = received(at, units, what, id=f"e{number}")
            shelf += [what or ""] * units
        past.append(event)
        records.append((len(shelf), at))
        lots.take(event)
        lots.take(rng.choice(past))
        if rng.random() < 0.5:
            lots.reconcile(*records[-1])
        assert {one.expires_on: one.units for one in lots.left()} == Counter(filter(None, shelf))
        assert [one.expires_on for one in lots.left()] == sorted(set(filter(None, shelf)))


@given(STEPS, st.integers(0, 24))
def test_taken_back(steps: list[tuple[str | None, int]], wrong: int) -> None:
    """An event that never was, taken back before anything else came, leaves no trace."""
    lots, without = PairLots(), PairLots()
    for number, (what, units) in enumerate(steps):
        at = START + number * HOUR_US
        if what == "out":
            event = fact(at, Sold(sku="tea", place="S1", quantity=units), f"e{number}")
        else:
            event = received(at, units, what, id=f"e{number}")
        lots.take(event)
        if number == wrong:
            lots.take(correction(at, event.id))
            lots.take(event)
        else:
            without.take(event)
        assert lots.left() == without.left()


def correction(at: int, id: str) -> Fact:
    return fact(at, Corrected(sku="tea", place="S1", corrects=id), f"not-{id}")


def test_correction_comes_first() -> None:
    """What it takes back changes nothing when it comes."""
    lots = PairLots()
    lots.take(correction(START, "e1"))
    lots.take(received(START, 5, DAYS[0], id="e1"))
    assert lots.left() == []


def test_named_lots() -> None:
    """A movement that names its lot counts against that one, whatever expires first."""
    lots = PairLots()
    lots.take(received(START, 10, DAYS[0], "A"))
    lots.take(received(START + 1, 10, DAYS[2], "B"))
    lots.take(fact(START + 2, Sold(sku="tea", place="S1", quantity=4, lot="B")))
    out = TransferOut(sku="tea", place="S1", quantity=3, lot="A", to_place="S2")
    lots.take(fact(START + 3, out))
    bad = Adjusted(sku="tea", place="S1", quantity=-2, lot="B", reason="broken")
    lots.take(fact(START + 4, bad))
    assert left(lots) == [("A", DAYS[0], 7), ("B", DAYS[2], 4)]


def test_lot_with_two_dates() -> None:
    """The earlier one counts."""
    lots = PairLots()
    lots.take(received(START, 10, DAYS[2], "A"))
    lots.take(received(START + 1, 10, DAYS[0], "A"))
    assert left(lots) == [("A", DAYS[0], 20)]


def test_no_date() -> None:
    """The thirtieth of February, and what stands for never."""
    lots = PairLots()
    lots.take(received(START, 10, "2026-02-30"))
    lots.take(received(START + 1, 10, "9999-12-31"))
    assert left(lots) == []


def test_counted_away() -> None:
    """Less on record than in the lots: what expires first is gone, unless it came since."""
    lots = PairLots()
    lots.take(received(START, 5, DAYS[1], "B"))
    lots.take(received(START + 1, 5, DAYS[0], "A"))
    lots.reconcile(5, START)
    assert left(lots) == [("A", DAYS[0], 5), ("B", DAYS[1], 5)]
    lots.reconcile(7, START + 1)
    assert left(lots) == [("A", DAYS[0], 2), ("B", DAYS[1], 5)]


def test_forgotten() -> None:
    """Lots of long ago are forgotten, those of which events are remembered are not."""
    lots = PairLots()
    lots.take(received(START, 5, DAYS[0]))
    lots.forget(DAYS[1], START)
    assert left(lots) == [(None, DAYS[0], 5)]
    lots.forget(DAYS[1], START + 1)
    assert left(lots) == []
    assert lots.empty


class TestSoldInTime:
    def test_first_to_expire_first(self) -> None:
        """4 a day: 8 in two days, of which 6 are of the first lot; the rest is thrown away."""
        assert sold_in_time([(6, 2), (10, 3)], 4) == [6, 6]
        assert sold_in_time([(10, 2), (10, 3)], 4) == [8, 4]

    def test_nothing_sells(self) -> None:
        """Neither at no rate, nor after the last day."""
        assert sold_in_time([(5, 10)], 0) == [0]
        assert sold_in_time([(5, 0), (5, 1)], 3) == [0, 3]

    @given(
        st.lists(st.tuples(st.integers(1, 30), st.integers(0, 9)), max_size=5),
        st.integers(0, 12),
    )
    def test_day_by_day(self, lots: list[tuple[int, int]], rate: int) -> None:
        """Against a shelf that sells its units day by day, and is cleared every evening."""
        lots.sort(key=lambda one: one[1])
        there = [units for units, _ in lots]
        sold = [0] * len(lots)
        for today in range(10):
            wanted = rate
            for number, (_, days) in enumerate(lots):
                if days > today:
                    taken = min(wanted, there[number])
                    there[number] -= taken
                    sold[number] += taken
                    wanted -= taken
        assert sold_in_time([(units, float(days)) for units, days in lots], rate) == sold
