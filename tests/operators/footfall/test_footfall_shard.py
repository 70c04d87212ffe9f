"""A shard as the engine drives it: early and final rows, the clock, dead sensors, refusals."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from footfall_driver import PlainFootfall
from footfall_events import footfall_chain, order, render, visit
from stock_events import NOON

from schemas.chain import Chain
from schemas.footfall_rules import FootfallConfig
from schemas.footfall_tables import FOOTFALL_15M
from schemas.instants import DAY_US, HOUR_US, MINUTE_US

QUARTER = 15 * MINUTE_US
# U1 is in no list of places: it trades whenever something of it reports.
PLAIN = Chain(footfall=FootfallConfig())


def rows(plain: PlainFootfall) -> list[dict[str, Any]]:
    """All windows, by their begin."""
    plain.take()
    return [
        dict(zip(FOOTFALL_15M.names, plain.windows[key], strict=True))
        for key in sorted(plain.windows)
    ]


def feed(plain: PlainFootfall, *events: Any, now: int = NOON + 4 * DAY_US) -> None:
    """These events, as one block."""
    plain.feed([render(each) for each in events], now)


class TestVersions:
    """What a window's row says while it is open, when it is over and when something is late."""

    def test_early_final_late(self) -> None:
        """Every change is a larger version; events outside the window change nothing."""
        plain = PlainFootfall(PLAIN)
        feed(plain, order("U1", NOON, id="1"))
        [early] = rows(plain)
        assert (early["orders"], early["final"]) == (1, 0)
        feed(plain, order("U1", NOON + QUARTER + 5 * MINUTE_US, id="2"))
        final = rows(plain)[0]
        assert (final["orders"], final["final"]) == (1, 1)
        feed(plain, order("U1", NOON + 1, id="3"))
        late = rows(plain)[0]
        assert (late["orders"], late["final"], late["as_of"]) == (2, 1, NOON + 1)
        assert early["version"] < final["version"] < late["version"]
        feed(plain, order("U1", NOON + 1, id="3"))
        assert rows(plain)[0] == late
        assert plain.duplicates == 1

    def test_not_final_before_its_delay(self) -> None:
        """Five minutes after its end, and not a microsecond earlier."""
        plain = PlainFootfall(PLAIN)
        for at, final in ((-1, 0), (0, 1)):
            feed(plain, order("U1", NOON, id="1"))
            feed(plain, order("U1", NOON + QUARTER + 5 * MINUTE_US + at, id=f"at {at}"))
            assert rows(plain)[0]["final"] == final

    def test_first_is_not_the_earliest(self) -> None:
        """What comes before the first event is open as long as any other window."""
        plain = PlainFootfall(PLAIN)
        feed(plain, order("U1", NOON, id="1"), order("U1", NOON - QUARTER, id="2"))
        assert [row["final"] for row in rows(plain)] == [0, 0]


class TestClock:
    """Live, time alone closes what is quiet; events that wait to be read are not late."""

    def test_quiet_store_closes(self) -> None:
        """When nothing came since the window ended and the delay is over."""
        plain = PlainFootfall(PLAIN)
        feed(plain, order("U1", NOON + 6 * MINUTE_US, id="1"), now=NOON + 7 * MINUTE_US)
        due = plain.shard.due(NOON + 7 * MINUTE_US)
        assert due == NOON + QUARTER + 5 * MINUTE_US
        plain.tick(due - 1)
        assert rows(plain)[0]["final"] == 0
        plain.tick(due)
        assert rows(plain)[0]["final"] == 1
        assert plain.shard.due(due) is None

    def test_restart_waits(self) -> None:
        """After a night without a flow the log is read first."""
        plain = PlainFootfall(PLAIN)
        feed(plain, order("U1", NOON, id="1"), now=NOON)
        plain.reopen()
        morning = NOON + 9 * HOUR_US
        assert plain.shard.due(morning) == morning + 5 * MINUTE_US
        feed(plain, order("U1", NOON + 1, id="2"), now=morning + MINUTE_US)
        assert plain.shard.due(morning + MINUTE_US) == morning + 6 * MINUTE_US

    def test_silence_grows_in_a_store_that_should_be_open(self) -> None:
        """All sensors dead at once: rows are made, and marked, though nothing comes any more."""
        plain = PlainFootfall(footfall_chain())
        begin = NOON - 2 * HOUR_US
        for quarter in range(16):
            at = begin + quarter * QUARTER
            come = visit("C1", at + QUARTER, id=f"v{quarter}")
            feed(plain, order("C1", at, id=f"o{quarter}"), come, now=at)
        newest = rows(plain)[-1]["start"]
        assert newest == begin + 15 * QUARTER
        plain.shard.due(begin + 4 * HOUR_US)
        plain.tick(begin + 7 * HOUR_US)
        after = [row for row in rows(plain) if row["start"] > newest]
        assert len(after) == 11
        assert {(row["door_status"], row["till_status"], row["final"]) for row in after} == {
            ("silent", "silent", 1)
        }

    def test_replayed_tick(self) -> None:
        """The journal brings about the same closing."""
        plain = PlainFootfall(PLAIN)
        feed(plain, order("U1", NOON, id="1"), now=NOON)
        plain.shard.due(NOON)
        plain.tick(NOON + HOUR_US)
        plain.resume()
        assert rows(plain)[0]["final"] == 1


class TestRefused:
    """Dead letters say what was wrong and what to do."""

    def reason(self, chain: Chain, *events: Any) -> tuple[str, str]:
        """Code and words for the last of the events, the only one that is refused."""
        plain = PlainFootfall(chain)
        feed(plain, *events)
        assert list(plain.dead) == [len(events)]
        return plain.dead[len(events)], plain.reasons[len(events)]

    def test_too_late(self) -> None:
        """Behind the newest of its kind; doors and tills apart."""
        newest = [order("U1", NOON, id="1"), visit("U1", NOON, id="2")]
        in_time = visit("U1", NOON - 48 * HOUR_US, id="4")
        code, words = self.reason(PLAIN, *newest, in_time, order("U1", NOON - 49 * HOUR_US, id="3"))
        assert code == "too_late"
        assert "48 hours before the newest order of U1" in words
        assert "footfall.late_hours" in words

    def test_kinds_may_be_apart(self) -> None:
        """A topic that is behind is not late, up to a week."""
        newest = order("U1", NOON + 84 * HOUR_US, id="1")
        in_time = visit("U1", NOON - 84 * HOUR_US, id="2")
        late = visit("U1", NOON - 84 * HOUR_US - 1, id="3")
        code, words = self.reason(PLAIN, newest, in_time, late)
        assert code == "too_late"
        assert "footfall.apart_hours" in words

    def test_conflicting(self) -> None:
        """The first content stands."""
        events = [visit("U1", NOON, id="1", come=1), visit("U1", NOON, id="1", come=2)]
        code, words = self.reason(PLAIN, *events)
        assert code == "conflicting_duplicate"
        assert "source door/U1/1 sent id 1" in words

    def test_identity_taken_up_again(self) -> None:
        """When its first event's quarter is over for good it counts anew, and is forgotten once."""
        chain = Chain(footfall=FootfallConfig(late_hours=0.5))
        plain = PlainFootfall(chain)
        for quarter, id in ((2, "other"), (0, "same"), (3, "newest"), (2, "same"), (30, "last")):
            feed(plain, order("U1", NOON + quarter * QUARTER + 1, id=id))
        found = [row["orders"] for row in rows(plain)]
        assert (found, plain.duplicates, plain.dead) == ([1, 2, 1, 1], 0, {})

    def test_future(self) -> None:
        """A clock that is ahead would close windows that have not begun."""
        ahead = visit("U1", NOON + 4 * DAY_US + HOUR_US + 1, id="2")
        code, words = self.reason(PLAIN, visit("U1", NOON + 4 * DAY_US + HOUR_US, id="1"), ahead)
        assert code == "in_the_future"
        assert "set the clock of door/U1/1 right" in words

    def test_unknown_store(self) -> None:
        """Where the configuration says to refuse such."""
        chain = Chain(unknown_places="refuse")
        assert self.reason(chain, visit("U1", NOON, id="1"))[0] == "unknown_place"

    def test_other_version(self) -> None:
        """State of another program is refused in words."""
        plain = PlainFootfall(PLAIN)
        with pytest.raises(ValueError, match="footfall state of version 9"):
            plain.shard.restore(9, plain.shard.dump()[1])


class TestPace:
    """What the work of an employee is expected to take."""

    def work(self, chain: Chain, *events: Any) -> dict[str, Any]:
        """The expected seconds, by employee."""
        plain = PlainFootfall(chain)
        feed(plain, *events)
        plain.take()
        return {row[2]: row[9] for row in plain.work.values()}

    def test_by_rule(self) -> None:
        """Seconds an order and an item."""
        rates = ({"task": "till", "seconds_per_order": 20, "seconds_per_item": 5},)
        chain = Chain(footfall=_config(rates=rates))
        found = self.work(chain, order("U1", NOON, id="1", items=3, employee="e1"))
        assert found == {"e1": 35.0}

    def test_by_the_days_before(self) -> None:
        """A line through the orders of the days that nothing can change any more."""
        past = [
            order("U1", NOON + n, id=f"{n}", items=n, service_seconds=30.0 + 4 * n)
            for n in range(1, 6)
        ]
        yesterday = order("U1", NOON + 2 * DAY_US, id="y", items=1, service_seconds=999.0)
        today = order("U1", NOON + 3 * DAY_US, id="t", items=7, employee="e1")
        found = self.work(PLAIN, *past, yesterday, today)
        assert found == {"e1": pytest.approx(30 + 7 * 4)}

    def test_nothing_known(self) -> None:
        """On the first day, and at a task that nobody did before."""
        first = order("U1", NOON, id="1", employee="e1")
        other = order("U1", NOON + 3 * DAY_US, id="2", employee="e2", task="bar")
        assert self.work(PLAIN, first, other) == {"e1": None, "e2": None}


def _config(**changes: Any) -> FootfallConfig:
    return msgspec.convert(changes, FootfallConfig)
