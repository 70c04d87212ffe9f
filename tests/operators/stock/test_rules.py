"""The configuration made ready: which rule applies, which pool, which business day."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from operators.stock import rules as module
from operators.stock.rules import DayClock, StockRules
from schemas.chain import AlertRule, AlertRules, Chain, Place, StockConfig, StockRule
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, parse_instant

# Whole hours, three quarters, clock changes by an hour and by half of one, in both hemispheres.
ZONES = (
    "UTC",
    "Asia/Shanghai",
    "Asia/Kathmandu",
    "America/New_York",
    "Europe/London",
    "Australia/Lord_Howe",
)
# When the clocks of those zones change in 2026.
CHANGES = tuple(
    map(
        parse_instant,
        (
            "2026-03-08T07:00:00Z",
            "2026-03-29T01:00:00Z",
            "2026-04-04T15:00:00Z",
            "2026-10-03T15:30:00Z",
            "2026-10-25T01:00:00Z",
            "2026-11-01T06:00:00Z",
        ),
    )
)
STARTS = ("00:00", "01:00", "01:30", "01:45", "02:00", "02:15", "02:30", "03:00", "04:00", "23:30")


def day_of(clock: DayClock, text: str) -> tuple[str, float]:
    """The business day of an instant, and how many hours it still lasts."""
    time = parse_instant(text)
    day, end = clock.day_of(time)
    return date.fromordinal(day).isoformat(), (end - time) / HOUR_US


class TestBusinessDays:
    @pytest.mark.parametrize(
        ("zone", "starts", "instant", "day", "hours_left"),
        [
            ("Asia/Shanghai", "00:00", "2026-11-23T00:00:00+08:00", "2026-11-23", 24),
            ("Asia/Shanghai", "00:00", "2026-11-22T15:59:59Z", "2026-11-22", 1 / 3600),
            # What sells at 01:00 belongs to the day before.
            ("Asia/Shanghai", "04:00", "2026-11-23T01:00:00+08:00", "2026-11-22", 3),
            ("Asia/Shanghai", "04:00", "2026-11-23T04:00:00+08:00", "2026-11-23", 24),
            ("Asia/Kathmandu", "00:00", "2026-11-22T18:15:00Z", "2026-11-23", 24),
            ("Asia/Kathmandu", "00:00", "2026-11-22T18:14:00Z", "2026-11-22", 1 / 60),
            ("Asia/Kathmandu", "04:45", "2026-11-22T23:00:00Z", "2026-11-23", 24),
            # Days of 23, 25, 23.5 and 24.5 hours.
            ("America/New_York", "00:00", "2026-03-08T00:00:00-05:00", "2026-03-08", 23),
            ("America/New_York", "00:00", "2026-11-01T00:00:00-04:00", "2026-11-01", 25),
            ("America/New_York", "04:00", "2026-03-07T04:00:00-05:00", "2026-03-07", 23),
            ("America/New_York", "04:00", "2026-10-31T04:00:00-04:00", "2026-10-31", 25),
            ("Europe/London", "04:00", "2026-10-24T04:00:00+01:00", "2026-10-24", 25),
            ("Australia/Lord_Howe", "00:00", "2026-10-04T00:00:00+10:30", "2026-10-04", 23.5),
            ("Australia/Lord_Howe", "00:00", "2026-04-05T00:00:00+11:00", "2026-04-05", 24.5),
        ],
    )
    def test_by_hand(
        self, zone: str, starts: str, instant: str, day: str, hours_left: float
    ) -> None:
        """The day, and when it ends."""
        found, left = day_of(DayClock(zone, starts), instant)
        assert (found, round(left, 6)) == (day, round(hours_left, 6))

    @given(
        zone=st.sampled_from(ZONES),
        starts=st.sampled_from(STARTS),
        change=st.sampled_from(CHANGES),
        around=st.lists(st.integers(-3 * 24 * 60, 3 * 24 * 60), min_size=2, max_size=8),
    )
    @example("America/New_York", "02:30", CHANGES[0], [-60, 10])  # a start that does not exist
    @example("America/New_York", "01:30", CHANGES[5], [-20, 10, 20, 40])  # one that comes twice
    def test_days_follow_one_another(
        self, zone: str, starts: str, change: int, around: list[int]
    ) -> None:
        """Each instant is in one day, which ends after it, whatever was asked before."""
        asked_before = DayClock(zone, starts)
        found = []
        for minutes in around:
            time = change + minutes * MINUTE_US
            day, end = asked_before.day_of(time)
            assert (day, end) == DayClock(zone, starts).day_of(time)
            assert time < end <= time + 25 * HOUR_US
            found.append((time, day, end))
        found.sort()
        for (_, day, end), (later, its_day, _) in pairwise(found):
            assert (its_day > day) == (later >= end)
            assert its_day >= day

    @pytest.mark.parametrize("starts", STARTS)
    @pytest.mark.parametrize("zone", ZONES)
    def test_no_day_is_left_out(self, zone: str, starts: str) -> None:
        """From end to end through a year: every day once, in order."""
        clock = DayClock(zone, starts)
        day, end = clock.day_of(parse_instant("2026-01-01T12:00:00Z"))
        for _ in range(366):
            following, its_end = clock.day_of(end)
            assert following == day + 1
            assert 22 * HOUR_US < its_end - end < 26 * HOUR_US
            assert clock.day_of(its_end - 1) == (following, its_end)
            day, end = following, its_end

    def test_more_days_than_it_remembers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Old answers make room for new ones, and are the same when asked again."""
        monkeypatch.setattr(module, "DAYS_REMEMBERED", 5)
        clock = DayClock("Asia/Shanghai", "04:00")
        noon = parse_instant("2026-11-23T12:00:00+08:00")
        first = [clock.day_of(noon + number * DAY_US) for number in range(40)]
        assert first == [clock.day_of(noon + number * DAY_US) for number in range(40)]
        assert [day for day, _ in first] == list(range(first[0][0], first[0][0] + 40))

    def test_shared_by_threads(self, quick_switches: None) -> None:
        """Worker threads ask the same clock about different days at the same time."""
        clock = DayClock("Europe/London", "04:00")
        noon = parse_instant("2026-11-23T12:00:00Z")
        times = [noon + number * DAY_US for number in range(60)]
        wanted = {time: DayClock("Europe/London", "04:00").day_of(time) for time in times}
        wrong: list[int] = []

        def ask(seed: int) -> None:
            rng = Random(seed)
            for _ in range(4_000):
                time = rng.choice(times)
                if clock.day_of(time) != wanted[time]:
                    wrong.append(time)

        threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


@pytest.fixture(name="quick_switches")
def _quick_switches() -> Iterator[None]:
    """Threads take turns at every chance, so that a race shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def rules_of(*rules: StockRule, **more: object) -> StockRules:
    return StockRules(Chain(stock=StockConfig(rules=rules), **more))  # type: ignore[arg-type]


class TestWhichRule:
    @pytest.mark.parametrize(
        ("sku", "place", "safety_stock"),
        [
            ("TEA-1", "S1", 1),  # the first that matches, although the second does too
            ("TEA-1", "W1", 2),
            ("TEA-12", "S1", 4),
            ("CUP", "S1", 3),
            ("CUP", "S10", 3),
            ("CUP", "W1", 0),
            ("tea-1", "W1", 0),  # names are what they are
        ],
    )
    def test_first_match_counts(self, sku: str, place: str, safety_stock: int) -> None:
        """Shell patterns over SKU and place; without a match nothing is kept back."""
        rules = rules_of(
            StockRule(sku="TEA-?", place="S1", safety_stock=1),
            StockRule(sku="TEA-?", safety_stock=2),
            StockRule(sku="TEA*", safety_stock=4),
            StockRule(place="S*", safety_stock=3),
        )
        assert rules.rule(sku, place).safety_stock == safety_stock

    def test_brackets_and_newlines(self) -> None:
        """A class of characters, and names that hold what patterns are made of."""
        rules = rules_of(
            StockRule(sku="[A-C]1", safety_stock=1),
            StockRule(sku="[[]x]", safety_stock=2),
            StockRule(sku="a\nb*", safety_stock=3),
        )
        found = [rules.rule(sku, "S1").safety_stock for sku in ("B1", "D1", "[x]", "a\nbc", "A1\n")]
        assert found == [1, 0, 2, 3, 0]

    def test_what_a_rule_becomes(self) -> None:
        """Its level of service is a quantile, its days of memory a divisor."""
        alerts = AlertRules(oversell=AlertRule(margin=7))
        given = StockRule(floor=2, lead_time_days=3, lead_time_sd_days=0.5, service_level=0.975)
        stock = StockConfig(rules=(given,), demand_days=28, alerts=alerts)
        rule = StockRules(Chain(stock=stock)).rule("TEA", "S1")
        assert (rule.floor, rule.lead_time_days, rule.lead_time_sd_days) == (2, 3, 0.5)
        assert rule.z == pytest.approx(1.959964, abs=1e-6)
        assert (rule.window_days, rule.alerts) == (14, alerts)

    @pytest.mark.parametrize(("days", "window"), [(1, 1), (2, 1), (3, 2), (7, 4), (365, 183)])
    def test_memory(self, days: int, window: int) -> None:
        """N days of an exponential average are a weight of 2 / (N + 1)."""
        rules = StockRules(Chain(stock=StockConfig(demand_days=days)))
        assert rules.rule("TEA", "S1").window_days == window


class TestPlaces:
    CHAIN = Chain(
        timezone="Europe/London",
        default_pool="rest",
        places={"S1": Place(pool="north", timezone="Asia/Shanghai"), "S2": Place()},
    )

    def test_pools(self) -> None:
        """Its own, else the chain's, also for places that nobody listed."""
        rules = StockRules(self.CHAIN)
        assert [rules.pool(place) for place in ("S1", "S2", "S9", "S1")] == [
            "north",
            "rest",
            "rest",
            "north",
        ]

    def test_unknown_places(self) -> None:
        """Accepted, unless the chain says otherwise."""
        refusing = Chain(places=self.CHAIN.places, unknown_places="refuse")
        found = [
            StockRules(chain).knows(place)
            for chain in (self.CHAIN, refusing)
            for place in ("S1", "S9")
        ]
        assert found == [True, True, True, False]

    def test_clocks(self) -> None:
        """Places of one zone share one."""
        rules = StockRules(self.CHAIN)
        assert rules.day_clock("S2") is rules.day_clock("S9")
        assert rules.day_clock("S1") is not rules.day_clock("S2")
        noon = parse_instant("2026-11-23T20:00:00Z")
        assert rules.day_clock("S1").day_of(noon)[0] == rules.day_clock("S2").day_of(noon)[0] + 1


def test_fingerprint() -> None:
    """Snapshots know whether they were made under the same rules."""
    one = StockRules(Chain())
    assert one.fingerprint == StockRules(Chain()).fingerprint
    assert one.fingerprint != rules_of(StockRule(safety_stock=1)).fingerprint
    assert (one.horizon, one.future) == (48 * HOUR_US, 24 * HOUR_US)
