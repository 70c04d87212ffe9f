"""A dead sensor is told from a quiet shop, from the first quarter of its silence on."""

from __future__ import annotations

from typing import Any

import pytest
from footfall_driver import PlainFootfall
from footfall_events import order, render, visit
from hypothesis import given
from hypothesis import strategies as st
from stock_events import NOON

from operators.footfall.silence import Role, Silence, longest_run, silent_windows
from schemas.chain import Chain
from schemas.footfall_tables import FOOTFALL_15M
from schemas.instants import MINUTE_US

QUARTER = 15 * MINUTE_US
STATUSES = slice(FOOTFALL_15M.names.index("door_status"), FOOTFALL_15M.names.index("events"))


class TestSilence:
    """A dead sensor is told from a quiet shop by what is usual for it."""

    def history(self, *, doors: int = 1, tills: int = 1, hours: int = 10) -> list[Any]:
        """A store in which every sensor reports in every quarter."""
        found = []
        for quarter in range(hours * 4):
            at = NOON + quarter * QUARTER
            for door in map(str, range(doors)):
                end = at + QUARTER
                found.append(visit("U1", end, id=f"v{door}/{quarter}", door=door, come=2))
            for till in map(str, range(tills)):
                found.append(order("U1", at, id=f"o{till}/{quarter}", till=till))
        return found

    def statuses(self, events: list[Any]) -> list[tuple[str, str]]:
        """Of doors and tills, quarter by quarter."""
        plain = PlainFootfall(Chain())
        plain.feed([render(each) for each in events])
        plain.take()
        return [plain.windows[key][STATUSES] for key in sorted(plain.windows)]

    @pytest.mark.parametrize("dead", ["store.visit.v1", "pos.order.v1"])
    def test_from_its_first_quarter(self, dead: str) -> None:
        """The quarters before anybody could know are marked, too; zeros are reports."""
        gap = range(20, 28)
        events = [
            each
            for each in self.history()
            if each["type"] != dead or int(each["id"].split("/")[1]) not in gap
        ]
        silent = ("silent", "ok") if dead == "store.visit.v1" else ("ok", "silent")
        found = self.statuses(events)
        assert [at for at, status in enumerate(found) if status == silent] == list(gap)
        assert set(found) == {silent, ("ok", "ok")}

    def test_zero_is_not_silence(self) -> None:
        """A door that counts nobody says so."""
        events = self.history()
        for each in events[80:]:
            if each["type"] == "store.visit.v1":
                each["data"]["in"] = 0
        events = [
            each for each in events if each["type"] == "store.visit.v1" or each in events[:80]
        ]
        assert set(self.statuses(events)) == {("ok", "ok")}

    def test_one_door_of_two(self) -> None:
        """The figures of the store are too low while one of its doors is dead."""
        events = [
            each for each in self.history(doors=2, hours=12) if not each["id"].startswith("v1/3")
        ]
        silent = [at for at, found in enumerate(self.statuses(events)) if found[0] == "silent"]
        assert silent == list(range(30, 40))

    def test_one_till_of_two(self) -> None:
        """A till may stand still while nobody works at it; that is no dead till."""
        events = [each for each in self.history(tills=2) if not each["id"].startswith("o1/2")]
        assert set(self.statuses(events)) == {("ok", "ok")}

    def test_empty_shop(self) -> None:
        """Without customers there is nothing to ring up."""
        events = self.history()
        for each in events:
            if each["id"].startswith("v0/2"):
                each["data"]["in"] = 0
        events = [each for each in events if not each["id"].startswith("o0/2")]
        assert set(self.statuses(events)) == {("ok", "ok")}


@given(
    reports=st.integers(0, 2**80),
    active=st.integers(0, 2**80),
    closed=st.integers(0, 90),
    start=st.integers(0, 90),
    role=st.sampled_from(Role),
)
def test_judged_in_part_as_in_whole(
    reports: int, active: int, closed: int, start: int, role: Role
) -> None:
    """Judging from a window on gives what judging everything gives from there on."""
    rule = Silence(probability=0.01, regular_share=0.3, history=20, ahead=6)
    _, whole = silent_windows(reports, active, closed, 100, 0, rule, role)
    since, part = silent_windows(reports, active, closed, 100, start, rule, role)
    assert since <= start or not reports >> start
    assert part == whole >> since << since


def test_longest_run() -> None:
    """Windows without a report between two reports, those alone in which there was trade."""
    assert longest_run(0b1, 0b1) == 0
    assert longest_run(0b1000_0100_01, 0b1111_1111_11) == 4
    assert longest_run(0b1000_0100_01, 0b0110_1111_11) == 3
