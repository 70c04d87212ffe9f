"""The figures of a place along event time: quantities, orders, demand and safety stock."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.stock.facts import Fact
from operators.stock.figures import (
    FIGURES,
    TRUSTED_DAYS,
    Figures,
    SavedFigures,
    move,
    safety_stock,
    set_level,
    variance_of,
)
from operators.stock.rules import DayClock, Rule, StockRules
from schemas.chain import Chain, StockConfig, StockRule
from schemas.instants import DAY_US, HOUR_US, parse_instant
from schemas.movement import (
    Adjusted,
    Allocated,
    Counted,
    Movement,
    Received,
    Released,
    Restocked,
    Returned,
    Shipped,
    Sold,
    TransferIn,
    TransferOut,
    WrittenOff,
)

NOON = parse_instant("2026-06-01T12:00:00Z")


def rule_of(demand_days: int = 28, **rule: Any) -> Rule:
    stock = StockConfig(rules=(StockRule(**rule),), demand_days=demand_days)
    return StockRules(Chain(stock=stock)).rule("TEA", "S1")


PLAIN = rule_of()


class Place:
    """One place that facts are told to, in the order of time."""

    def __init__(self, rule: Rule = PLAIN, zone: str = "UTC", starts: str = "00:00") -> None:
        self.figures = Figures()
        self._rule = rule
        self._clock = DayClock(zone, starts)

    def hears(self, movement: Movement, time: int = NOON, name: str = "S1") -> None:
        move(
            self.figures, Fact(time, "till", str(time), movement, 0), name, self._rule, self._clock
        )

    def sells(self, quantity: int, time: int) -> None:
        self.hears(Sold(sku="TEA", place="S1", quantity=quantity), time)

    def learns(self, days: list[int], start: int = NOON) -> None:
        """Sells so much on each day; the day after the last one closes it."""
        for number, quantity in enumerate(days):
            if quantity:
                self.sells(quantity, start + number * DAY_US)
        self.hears(Received(sku="TEA", place="S1", quantity=1), start + len(days) * DAY_US)


def of(kind: Any, quantity: int = 5, **more: Any) -> Movement:
    made: Movement = kind(sku="TEA", place="S1", quantity=quantity, **more)
    return made


class TestQuantities:
    @pytest.mark.parametrize(
        ("movement", "expected"),
        [
            (of(Received), (15, 10, 10, 10)),
            (of(Sold), (5, 10, 10, 10)),
            (of(Returned), (10, 10, 15, 10)),
            (of(Restocked), (15, 10, 5, 10)),
            (of(WrittenOff), (10, 10, 5, 10)),
            (of(Allocated), (10, 15, 10, 10)),
            (of(Released), (10, 5, 10, 10)),
            (of(Shipped), (5, 5, 10, 10)),
            (of(TransferOut, to_place="S2"), (5, 10, 10, 10)),
            (of(TransferIn), (15, 10, 10, 5)),
            (of(Adjusted, -5, reason="broken"), (5, 10, 10, 10)),
            (of(Counted, 7), (7, 10, 10, 10)),
        ],
        ids=lambda value: getattr(value, "kind", ""),
    )
    def test_each_kind(self, movement: Movement, expected: tuple[int, int, int, int]) -> None:
        """On hand, allocated, quarantined and in transit, from 10 of each."""
        place = Place()
        figures = place.figures
        figures.on_hand = figures.allocated = figures.quarantined = figures.in_transit = 10
        place.hears(movement)
        found = (figures.on_hand, figures.allocated, figures.quarantined, figures.in_transit)
        assert found == expected

    def test_transfer_at_its_target(self) -> None:
        """The same movement is on its way there, and nothing else."""
        place = Place()
        place.hears(of(TransferOut, to_place="S2"), name="S2")
        assert (place.figures.on_hand, place.figures.in_transit) == (0, 5)


class TestOrders:
    def test_open_until_nothing_is_left(self) -> None:
        """What is shipped or released comes off; the order stays where it began."""
        place = Place()
        place.hears(of(Allocated, 5, order="A"), NOON)
        place.hears(of(Allocated, 2, order="B"), NOON + 1)
        place.hears(of(Shipped, 3, order="A"), NOON + 2)
        assert place.figures.orders == {"B": (2, NOON + 1), "A": (2, NOON)}
        place.hears(of(Released, 2, order="A"), NOON + 3)
        assert place.figures.orders == {"B": (2, NOON + 1)}
        place.hears(of(Shipped, 9, order="B"), NOON + 4)
        assert place.figures.orders is None

    def test_without_a_number(self) -> None:
        """Claims that name no order are one order."""
        place = Place()
        place.hears(of(Allocated, 5))
        place.hears(of(Allocated, 5))
        assert place.figures.orders == {"": (10, NOON)}

    def test_shipped_without_a_claim(self) -> None:
        """Nothing was open, and nothing is."""
        place = Place()
        place.hears(of(Shipped, 5, order="A"))
        assert place.figures.orders is None
        assert place.figures.allocated == -5


def moments(days: list[int], window: int) -> tuple[float, float]:
    """Mean and variance of daily totals, by the textbook: plain averages until the window is full,
    then each day weighs one part in `window`."""
    mean = square = 0.0
    for number, total in enumerate(days, 1):
        weight = min(number, window)
        mean += (total - mean) / weight
        square += (total**2 - square) / weight
    return mean, square - mean**2


class TestDemand:
    @given(
        days=st.lists(st.integers(0, 50) | st.just(0), min_size=1, max_size=80),
        demand_days=st.sampled_from([1, 2, 7, 28]),
        zone=st.sampled_from(["UTC", "Asia/Kathmandu", "America/New_York"]),
        starts=st.sampled_from(["00:00", "04:00"]),
    )
    def test_like_the_textbook(
        self, days: list[int], demand_days: int, zone: str, starts: str
    ) -> None:
        """Whole numbers of thousandths instead of floats, and no step for a day without sales."""
        days = [1, *days]  # demand is counted from the first event on
        place = Place(rule_of(demand_days), zone, starts)
        place.learns(days)
        window = max(1, (demand_days + 1) // 2)
        mean, variance = moments(days, window)
        # Each step cuts less than a thousandth, and the window forgets the cuts again.
        cut = (window + 1) / 1000
        assert place.figures.days == len(days)
        assert place.figures.demand_rate == pytest.approx(mean, abs=cut)
        slack = cut * (2 + 2 * mean)
        assert variance_of(place.figures) / 1000 == pytest.approx(variance, abs=slack)

    def test_by_hand(self) -> None:
        """Three days of 4, 0 and 8: mean 4, variance 32 / 3; then one of 14 parts a day."""
        place = Place()
        place.learns([4, 0, 8])
        assert (place.figures.mean, variance_of(place.figures)) == (4_000, 10_666)
        place = Place()
        place.learns([14] * 20 + [28])
        assert place.figures.mean == 15_000
        assert variance_of(place.figures) == 196_000 + 42_000 - 225_000

    def test_first_day(self) -> None:
        """So far is all there is to say; a day later it is a day's total."""
        place = Place()
        assert place.figures.demand_rate == 0
        place.sells(3, NOON)
        place.sells(4, NOON + HOUR_US)
        assert place.figures.demand_rate == 7
        place.sells(1, NOON + DAY_US)
        assert place.figures.demand_rate == 7
        place.sells(1, NOON + 2 * DAY_US)
        assert place.figures.demand_rate == 4

    def test_what_leaves_to_customers(self) -> None:
        """Sold and shipped; what is moved, lost, promised or counted is no demand."""
        place = Place()
        place.hears(of(Sold))
        place.hears(of(Shipped))
        for other in (Received, Returned, Restocked, WrittenOff, Allocated, Released, TransferIn):
            place.hears(of(other))
        place.hears(of(TransferOut, to_place="S2"))
        place.hears(of(Adjusted, -5, reason="lost"))
        place.hears(of(Counted, 0))
        assert place.figures.today == 10

    @pytest.mark.parametrize(
        ("zone", "starts", "same_day"),
        [
            ("UTC", "00:00", False),
            ("UTC", "04:00", True),
            ("Asia/Kathmandu", "00:00", True),
            ("Asia/Kathmandu", "08:30", False),
        ],
    )
    def test_day_of_the_place(self, zone: str, starts: str, same_day: bool) -> None:
        """22:00 and 03:00 UTC: one business day or two, by the place's own clock."""
        place = Place(zone=zone, starts=starts)
        place.sells(3, parse_instant("2026-06-01T22:00:00Z"))
        place.sells(4, parse_instant("2026-06-02T03:00:00Z"))
        assert (place.figures.today == 7) == same_day
        assert (place.figures.days == 0) == same_day

    def test_years_without_a_sale(self) -> None:
        """Nothing is left of the rate, and no step is made for each of the days."""
        place = Place()
        place.learns([10] * 30)
        place.sells(1, NOON + 3_680 * DAY_US)
        assert place.figures.days == 3_680
        assert place.figures.demand_rate == 0
        assert variance_of(place.figures) == 0

    def test_huge_sales_fit_the_snapshot(self) -> None:
        """Squares of the largest quantities are held at what 64 bits hold."""
        place = Place()
        for number in range(40):
            for _ in range(100):
                place.sells(100_000_000, NOON + number * DAY_US)
        packed = msgspec.msgpack.encode(place.figures.save())
        assert msgspec.msgpack.decode(packed, type=SavedFigures) == place.figures.save()
        assert variance_of(place.figures) >= 0


class TestSafetyStock:
    @pytest.mark.parametrize(
        ("mean", "variance", "lead", "lead_sd", "level", "expected"),
        [
            # 1.6449 * sqrt(4 * 4) = 6.58
            (10, 4, 4, 0, 0.95, 7),
            # 1.6449 * sqrt(4 * 4 + 100 * 1) = 17.72
            (10, 4, 4, 1, 0.95, 18),
            # 2.3263 * sqrt(9 * 25 + 400 * 4) = 99.38
            (20, 25, 9, 2, 0.99, 100),
            # a quantile of 1: sqrt(9 * 4) is 6 and not 7
            (10, 4, 9, 0, 0.841344746068543, 6),
            (10, 4, 4, 1, 0.5, 0),
            (0, 0, 4, 1, 0.99, 0),
            (0.5, 0.25, 0.5, 0, 0.9, 1),
        ],
    )
    def test_formula(
        self, mean: float, variance: float, lead: float, lead_sd: float, level: float, expected: int
    ) -> None:
        """z * sqrt(lead time * variance + (mean * spread of the lead time) squared), rounded up."""
        rule = rule_of(lead_time_days=lead, lead_time_sd_days=lead_sd, service_level=level)
        assert safety_stock(round(mean * 1000), round(variance * 1000), rule) == expected

    def test_is_believed_after_a_week(self) -> None:
        """Until there are days enough the fixed level holds; after that it is the least."""
        rule = rule_of(safety_stock=3, lead_time_days=4)
        early, late = Place(rule), Place(rule)
        early.learns(([10, 0] * TRUSTED_DAYS)[: TRUSTED_DAYS - 1])
        late.learns(([10, 0] * TRUSTED_DAYS)[:TRUSTED_DAYS])
        assert early.figures.level == 3
        assert late.figures.level == 17
        calm = Place(rule)
        calm.learns([10] * 20)
        assert (calm.figures.level, variance_of(calm.figures)) == (3, 0)

    def test_follows_the_demand(self) -> None:
        """Ten and nothing in turn: variance 25 around 5, so 1.6449 * sqrt(4 * 25) = 16.4."""
        place = Place(rule_of(lead_time_days=4))
        place.learns([10, 0] * 4)
        # Thousandths are cut at each step.
        assert place.figures.mean == pytest.approx(5_000, abs=10)
        assert variance_of(place.figures) == pytest.approx(25_000, abs=50)
        assert place.figures.level == 17

    def test_fixed_level_needs_no_demand(self) -> None:
        """In force from the first event on."""
        place = Place(rule_of(safety_stock=3))
        assert place.figures.level == 0
        place.hears(of(Received))
        assert place.figures.level == 3

    def test_new_rules(self) -> None:
        """A changed configuration sets the level at once."""
        place = Place(rule_of(safety_stock=3))
        place.hears(of(Received))
        set_level(place.figures, rule_of(safety_stock=9))
        assert place.figures.level == 9


class TestCopies:
    def test_stand_apart(self) -> None:
        """Where one goes on the other stays, orders and alerts included."""
        place, copy = Place(), Figures()
        place.hears(of(Allocated, order="A"))
        copy.take(place.figures.save())
        assert copy.save() == place.figures.save()
        place.hears(of(Allocated, order="B"))
        assert copy.orders == {"A": (5, NOON)}
        assert copy.allocated == 5

    def test_plain_values_in_a_fixed_order(self) -> None:
        """A snapshot has them by place: their order is a storage schema."""
        assert FIGURES == (
            "on_hand",
            "allocated",
            "quarantined",
            "in_transit",
            "day",
            "day_end",
            "today",
            "days",
            "mean",
            "square",
            "level",
            "stocked",
            "quiet",
            "shortage",
            "record",
            "orders",
            "recent",
        )
        figures = Figures()
        for number, name in enumerate(FIGURES):
            setattr(figures, name, number)
        other = Figures()
        other.load(figures.save())
        assert [getattr(other, name) for name in FIGURES] == list(range(len(FIGURES)))
