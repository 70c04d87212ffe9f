"""Columns of times: as one text at a time is read, or not read at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.stock.instants import read_instants
from schemas.instants import midnight_of, parse_instant, to_datetime, to_micros

MOMENTS = st.integers(to_micros(datetime(1900, 1, 2, tzinfo=UTC)), 2**55).map(to_datetime)
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)


@st.composite
def texts(draw: st.DrawFn) -> str:
    moment = draw(MOMENTS)
    zone = draw(st.one_of(st.none(), OFFSETS))
    digits = draw(st.integers(0, 6))
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    if digits:
        text += f".{moment.microsecond:06d}"[: digits + 1]
    if zone is None:
        return text + "Z"
    return f"{text}{'-' if zone < 0 else '+'}{abs(zone) // 60:02d}:{abs(zone) % 60:02d}"


@given(st.lists(texts(), min_size=1, max_size=30))
def test_as_one_at_a_time(some: list[str]) -> None:
    """Instants and the midnights before them, whatever forms stand side by side."""
    found = read_instants(some)
    # A text of one form may be as long as one of another: then nobody guesses.
    if found is None:
        assert len({(len(text), text[-1] == "Z") for text in some}) > len(set(map(len, some)))
        return
    instants, midnights = found
    assert instants.tolist() == list(map(parse_instant, some))
    parsed = [datetime.fromisoformat(text) for text in some]
    assert midnights.tolist() == list(map(midnight_of, parsed))


GOOD = "2026-03-02T08:00:00.000+08:00"


@pytest.mark.parametrize(
    "bad",
    [
        "2026-02-30T08:00:00.000+08:00",
        "2026-13-02T08:00:00.000+08:00",
        "0000-03-02T08:00:00.000+08:00",
        "2026-03-02T24:00:00.000+08:00",
        "2026-03-02T08:60:00.000+08:00",
        "2026-03-02T08:00:60.000+08:00",
        "2026-03-02T08:00:00.000+24:00",
        "2026-03-02T08:00:00.000+08:60",
        "2026-03-02T08:00:00.000 08:00",
        "2026-03-02 08:00:00.000+08:00",
        "2026-03-02T08:00:00,000+08:00",
        "2026-03-02T08:00:00.00x+08:00",
        "2026-03-02T08:00:00.000+0800",
        "2026-03-02T08:00:00.0000000Z",
        "2026-03-02T08:00:00.Z",
        "2026-03-02T08:00:00",
        "\uff12026-03-02T08:00:00Z",
        "",
    ],
)
def test_leaves_what_is_of_no_common_form(bad: str) -> None:
    """Alone and among others: a decoder that judges each text has the last word."""
    assert read_instants([bad]) is None
    assert read_instants([GOOD, bad, GOOD]) is None
    assert read_instants([GOOD, GOOD]) is not None


def test_a_date_beyond_the_epoch() -> None:
    """Days of several dates and zones in one column."""
    zone = timezone(timedelta(hours=-11, minutes=-30))
    some = [datetime(1969, 12, 31, 23, tzinfo=zone), datetime(2024, 2, 29, 0, tzinfo=UTC)]
    found = read_instants([moment.isoformat() for moment in some])
    assert found is not None
    assert found[0].tolist() == list(map(to_micros, some))
