"""Every row of every member is what SQL makes of the raw events, whatever order they came in."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from depth import cases
from hypothesis import example, given, settings
from hypothesis import strategies as st
from member_driver import NAMES, PlainMembers, assert_rows, comparable
from member_events import arrivals, history, member_chain
from member_oracle import COMPARED, expected

from schemas.chain import Chain

Row = tuple[Any, ...]
CHAINS = {
    "exact": member_chain(),
    "calendar": member_chain(day_count="calendar"),
    "visits": member_chain(visit_gap_minutes=600.0),
}


def assert_states(plain: PlainMembers, lines: list[bytes], chain: Chain, *, days: bool) -> None:
    """All rows are the oracle's, and the last change that was told leads to each.

    `days`: whether days with a purchase are compared for those of several ids, too.
    """
    plain.take()
    states = [dict(zip(NAMES, row, strict=True)) for _, row in sorted(plain.states.items())]
    rows = [comparable(row, COMPARED) for row in states]
    assert_rows(rows, expected(lines, chain), days=days)
    for row in rows:
        last = plain.told(row[0])[-1:] or [{"to_segment": None}]
        assert last[0]["to_segment"] == row[3]


@settings(max_examples=cases(6, 30), deadline=None)
@example(80384, "exact", 40)  # taken back: a merge with somebody who is erased
@given(st.integers(0, 10**9), st.sampled_from(sorted(CHAINS)), st.integers(1, 40))
def test_rows_under_disorder_duplicates_refunds_and_merges(
    seed: int, kind: str, block: int
) -> None:
    """Late, twice, under new ids, given back, merged, unmerged, erased, forgotten, restarted."""
    rng = Random(seed)
    chain = CHAINS[kind]
    lines = arrivals(rng, history(rng, 6, 60, 45), 8.0)
    plain = PlainMembers(chain)
    for at in range(0, len(lines), block):
        plain.feed(lines[at : at + block])
        if rng.random() < 0.2:
            rng.choice((plain.take, plain.reopen, plain.resume))()
    assert plain.refusals == []
    assert_states(plain, lines, chain, days=False)


@settings(max_examples=cases(3, 10), deadline=None)
@given(st.integers(0, 10**9))
def test_any_order_gives_the_same_state(seed: int) -> None:
    """Within the horizon order does not matter at all: two shuffles, one state, the oracle's."""
    rng = Random(seed)
    chain = member_chain(late_days=365, frequency_days=20)
    lines = arrivals(rng, history(rng, 5, 40, 45), 8.0)
    states = []
    for _ in range(2):
        rng.shuffle(lines)
        plain = PlainMembers(chain)
        plain.feed(lines)
        assert_states(plain, lines, chain, days=True)
        since = NAMES.index("segment_since")
        states.append(
            {name: (*row[:since], *row[since + 1 :]) for name, row in plain.states.items()}
        )
    assert states[0] == states[1]


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_shard_tells_the_same_once_more(seed: int) -> None:
    """Journals bring back state, numbers and changes: an interrupted run ends as another does."""
    rng = Random(seed)
    lines = arrivals(rng, history(rng, 8, 150, 45), 8.0)
    runs = []
    for interrupted in (False, True):
        plain = PlainMembers(member_chain())
        for at in range(0, len(lines), 7):
            plain.feed(lines[at : at + 7])
            if interrupted and at % 3 == 0:
                plain.resume()
        plain.take()
        runs.append((plain.states, plain.transitions))
    assert runs[0] == runs[1]
