"""Duties are put where the shop is quietest within their windows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.roster.need.duties import Duty, DutyError, place


def test_cleaning_waits_for_the_quiet_hour() -> None:
    busy = [1, 4, 4, 2, 2, 4, 1, 1]
    assert place([Duty("cleaning", "floor", 1, 2, 1, 6)], busy) == [3]
    assert place([Duty("opening", "till", 1, 1, 0, 1)], busy) == [0]


@given(
    st.lists(st.integers(0, 5), min_size=12, max_size=12),
    st.lists(st.tuples(st.integers(1, 3), st.integers(0, 8), st.integers(0, 4)), max_size=5),
)
def test_every_duty_lies_in_its_window(busy: list[int], drawn: list[tuple[int, int, int]]) -> None:
    duties = [
        Duty(f"d{at}", "floor", 1, length, first, min(12, first + length + spare))
        for at, (length, first, spare) in enumerate(drawn)
    ]
    for duty, start in zip(duties, place(duties, busy), strict=True):
        assert duty.earliest <= start
        assert start + duty.length <= duty.latest


def test_no_room_is_said() -> None:
    with pytest.raises(DutyError, match="duty cleaning takes 3 intervals"):
        place([Duty("cleaning", "floor", 1, 3, 1, 3)], [0, 0, 0, 0])
