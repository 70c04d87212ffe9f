"""Alerts about a running day: one a stretch, stable, no storm, cleared when it is over."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

import pytest
from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.roster.intraday.watch import OpenAlert, Stretch, levels_of, review, stretches
from schemas.staffing_rules import IntradayRules

RULES = IntradayRules(raise_at=4, clear_below=2, update_by=3, bridge=1)


def look(
    opened: list[OpenAlert], off: dict[int, int], at: int, rules: IntradayRules = RULES
) -> tuple[list[tuple[str, str]], list[OpenAlert]]:
    found = stretches("till", "short_staffed", off, rules.bridge)
    changes, kept = review(opened, found, rules, day="2026-12-04", at=at, prefix="S1")
    return [(one.status, one.alert.alert) for one in changes], kept


def test_stretches_are_bridged() -> None:
    off = {8: 0, 9: 2, 10: 0, 11: 1, 12: 0, 13: 0, 14: 3}
    assert stretches("till", "short_staffed", off, 1) == [
        Stretch("till", "short_staffed", 9, 12, 2, 3),
        Stretch("till", "short_staffed", 14, 15, 3, 3),
    ]
    [whole] = stretches("till", "short_staffed", off, 2)
    assert whole == Stretch("till", "short_staffed", 9, 15, 3, 6)


def test_the_life_of_an_alert() -> None:
    """Raised at 4, silent in between, told again when it moved by 3, cleared below 2."""
    told, opened = look([], dict.fromkeys((20, 21, 22), 1), 1)
    assert told == []
    told, opened = look(opened, dict.fromkeys((20, 21, 22, 23), 1), 2)
    [(status, name)] = told
    assert (status, name) == (
        "raised",
        "short_staffed/S1/till/2026-12-04T05:00/1970-01-01T00:00:00.000002Z",
    )
    for at, slots in ((3, (21, 22)), (4, (21, 22, 23)), (5, (20, 21, 22, 23, 24, 25))):
        told, opened = look(opened, dict.fromkeys(slots, 1), at)
        assert told == []
    told, opened = look(opened, dict.fromkeys((21, 22, 23, 24, 25), 2), 6)
    assert told == [("updated", name)]
    assert (opened[0].start, opened[0].end, opened[0].told) == (21, 26, 10)
    told, opened = look(opened, {21: 1}, 7)
    assert (told, opened) == ([("cleared", name)], [])


def test_a_stretch_that_falls_apart_and_comes_together() -> None:
    _, opened = look([], dict.fromkeys(range(20, 30), 1), 1)
    first = opened[0].alert
    parts = dict.fromkeys((*range(20, 24), *range(26, 31)), 1)
    told, opened = look(opened, parts, 2)
    # The larger part is the same alert, the other one is new.
    second = "short_staffed/S1/till/2026-12-04T05:00/1970-01-01T00:00:00.000002Z"
    assert told == [("updated", first), ("raised", second)]
    told, opened = look(opened, dict.fromkeys(range(20, 31), 1), 3)
    assert told == [("updated", first), ("cleared", second)]
    assert [one.alert for one in opened] == [first]


def test_yesterdays_alert_is_cleared() -> None:
    _, opened = look([], {20: 5}, 1)
    found = stretches("till", "short_staffed", {20: 5}, 1)
    changes, kept = review(opened, found, RULES, day="2026-12-05", at=2, prefix="S1")
    assert [one.status for one in changes] == ["cleared", "raised"]
    assert [one.day for one in kept] == ["2026-12-05"]


days = st.lists(
    st.dictionaries(st.integers(10, 22), st.integers(0, 4), max_size=13), min_size=1, max_size=8
)
levels = st.builds(
    IntradayRules,
    raise_at=st.integers(1, 8),
    clear_below=st.integers(1, 8),
    update_by=st.integers(1, 6),
    bridge=st.integers(0, 3),
)


@given(days, levels)
@settings(max_examples=cases(50, 240), deadline=None)
def test_whatever_happens(looks: list[dict[int, int]], rules: IntradayRules) -> None:
    """One open alert a stretch; all that is large is told, nothing that is small stays open."""
    opened: list[OpenAlert] = []
    state: dict[str, str] = {}
    levels = levels_of(rules, "short_staffed")
    for at, off in enumerate(looks):
        before = {one.alert: one for one in opened}
        told, opened = look(opened, off, at, rules)
        assert max(Counter(name for _, name in told).values(), default=1) == 1
        for status, name in told:
            # raised once, then updated, then cleared for good
            assert (status == "raised") == (name not in state)
            assert state.get(name) != "cleared"
            state[name] = status
        assert {one.alert for one in opened} == {x for x, y in state.items() if y != "cleared"}
        found = stretches("till", "short_staffed", off, rules.bridge)
        for one, other in combinations(opened, 2):
            assert one.end <= other.start or other.end <= one.start
        for stretch in found:
            mine = [one for one in opened if (one.start, one.end) == (stretch.start, stretch.end)]
            assert len(mine) <= 1
            if stretch.amount >= levels.raise_at:
                assert mine
        for one in opened:
            assert one.amount >= levels.clear_below
            if one.alert in before and before[one.alert].told == one.told:
                assert abs(one.amount - one.told) < levels.update_by


@given(st.integers(2, 3), st.lists(st.integers(2, 3), min_size=1, max_size=20))
def test_no_storm_between_the_levels(first: int, amounts: list[int]) -> None:
    """What swings between clearing and raising says nothing, neither closed nor open."""
    told, opened = look([], {20: first}, 0)
    assert (told, opened) == ([], [])
    _, opened = look([], {20: 4}, 1)
    for at, amount in enumerate(amounts, 2):
        told, opened = look(opened, {20: amount}, at)
        assert told == []


@pytest.mark.parametrize("kind", ["short_staffed", "over_staffed"])
def test_never_cleared_at_what_raises(kind: str) -> None:
    rules = IntradayRules(raise_at=2, clear_below=9, over_raise_at=3, over_clear_below=9)
    levels = levels_of(rules, kind)  # type: ignore[arg-type]
    assert levels.clear_below <= levels.raise_at
