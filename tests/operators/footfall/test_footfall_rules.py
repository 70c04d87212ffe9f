"""Opening hours, local names of windows, and the claim that all zones keep to quarters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from footfall_events import footfall_chain

from operators.footfall.facts import QUARTER_US
from operators.footfall.rules import FootfallRules, StoreTimes
from schemas.chain import Chain, Place
from schemas.footfall_rules import FootfallConfig, OpeningHours, ServiceRate
from schemas.instants import to_micros


def times(*hours: OpeningHours, zone: str = "Europe/Berlin", starts: str = "04:00") -> StoreTimes:
    """The times of a store with these hours."""
    config = FootfallConfig(hours=hours)
    place = {"S1": Place(timezone=zone)}
    return FootfallRules(Chain(business_day_starts=starts, places=place, footfall=config)).times(
        "S1"
    )


def open_quarters(of: StoreTimes, day: str, zone: str = "Europe/Berlin") -> list[str]:
    """Local begins of the open quarters from a day's midnight to the next midnight."""
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
    after = (midnight.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=midnight.tzinfo)
    windows = range(to_micros(midnight) // QUARTER_US, to_micros(after) // QUARTER_US)
    return [of.names(window).start[11:16] for window in windows if of.is_open(window)]


def test_every_zone_keeps_to_quarters() -> None:
    """Since 1980, every zone was whole quarters of an hour from UTC at any time."""
    begin = datetime(1980, 1, 1, tzinfo=UTC)
    # Offsets last for weeks, and there are hardly two hundred histories of them.
    moments = [begin + timedelta(days=days) for days in range(0, 58 * 365, 29)]
    histories = {
        tuple(moment.astimezone(zone).utcoffset() for moment in moments)
        for zone in map(ZoneInfo, available_timezones())
    }
    assert len(histories) > 100
    quarter = timedelta(minutes=15)
    odd = {offset for history in histories for offset in history if offset and offset % quarter}
    assert odd == set()


class TestOpeningHours:
    def test_touches_are_open(self) -> None:
        """A quarter that the store is open in for a minute is an open one."""
        found = open_quarters(times(OpeningHours(opens="10:14", closes="10:46")), "2026-06-01")
        assert found == ["10:00", "10:15", "10:30", "10:45"]

    def test_over_midnight(self) -> None:
        """To the next day at two, which is the same business day."""
        found = open_quarters(times(OpeningHours(opens="23:00", closes="02:00")), "2026-06-01")
        assert found == [f"{h:02}:{m:02}" for h in (0, 1, 23) for m in (0, 15, 30, 45)]

    def test_before_the_day_starts(self) -> None:
        """A club that opens at one belongs to the night before."""
        friday = OpeningHours(weekdays=(5,), opens="01:00", closes="02:00")
        assert open_quarters(times(friday), "2026-06-05") == []
        assert len(open_quarters(times(friday), "2026-06-06")) == 4

    def test_around_the_clock(self) -> None:
        """The same time twice; the day on which clocks go back has an hour more."""
        always = times(OpeningHours(opens="00:00", closes="24:00"), starts="00:00")
        twice = times(OpeningHours(opens="07:00", closes="07:00"))
        for day, quarters in (("2026-06-01", 96), ("2026-03-29", 92), ("2026-10-25", 100)):
            assert len(open_quarters(always, day)) == quarters
            assert len(open_quarters(twice, day)) == quarters

    def test_first_that_matches(self) -> None:
        """Single days before weekdays before the rest; YAML's 600 is ten o'clock."""
        found = times(
            OpeningHours(dates=(date(2026, 12, 25),), closed=True),
            OpeningHours(store="X*", opens="00:00", closes="24:00"),
            OpeningHours(store="S*", weekdays=(6, 7), opens=600, closes="12:00"),
            OpeningHours(opens="09:00", closes="10:00"),
        )
        assert open_quarters(found, "2026-12-25") == []
        assert open_quarters(found, "2026-12-26")[0] == "10:00"
        assert open_quarters(found, "2026-12-24")[0] == "09:00"

    def test_none(self) -> None:
        """Without any rule that matches, nothing is known."""
        assert not times(OpeningHours(store="X*")).has_hours
        assert times(OpeningHours(store="S?")).has_hours


@pytest.mark.parametrize(
    ("zone", "instant", "start", "day"),
    [
        ("Asia/Kathmandu", "2026-05-04T22:14:59+00:00", "2026-05-05T03:45+05:45", "2026-05-04"),
        ("Pacific/Chatham", "2026-04-04T15:00:00+00:00", "2026-04-05T03:45+12:45", "2026-04-04"),
        ("Europe/Berlin", "2026-10-25T00:30:00+00:00", "2026-10-25T02:30+02:00", "2026-10-24"),
        ("Europe/Berlin", "2026-10-25T01:30:00+00:00", "2026-10-25T02:30+01:00", "2026-10-24"),
        ("Europe/Berlin", "2026-03-29T01:00:00+00:00", "2026-03-29T03:00+02:00", "2026-03-28"),
        ("America/New_York", "2026-11-01T09:00:00+00:00", "2026-11-01T04:00-05:00", "2026-11-01"),
    ],
)
def test_names(zone: str, instant: str, start: str, day: str) -> None:
    """Local begins with their offset, so that an hour that comes twice has two names."""
    window = to_micros(datetime.fromisoformat(instant)) // QUARTER_US
    assert times(zone=zone).names(window)[:2] == (start, day)


def test_rates() -> None:
    """The first rule that matches store and task; else what service takes is measured."""
    rates = (
        ServiceRate(store="C*", task="bar", seconds_per_order=40),
        ServiceRate(task="till", seconds_per_item=3),
    )
    rules = FootfallRules(footfall_chain(rates=rates))
    assert rules.rate("C1", "bar") is rates[0]
    assert rules.rate("C1", "till") is rules.rate("K1", "till") is rates[1]
    assert rules.rate("K1", "bar") is None
