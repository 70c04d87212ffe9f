"""Windows, work and refusals of the pure machine against SQL over the raw lines, row by row."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from depth import cases
from footfall_driver import EARLIER, LATER, PlainFootfall
from footfall_events import arrivals, footfall_chain, render
from footfall_oracle import assert_same, expected
from footfall_strategies import Plan, plans, play
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.instants import HOUR_US


def assert_as_expected(plain: PlainFootfall, lines: list[bytes], clock: int | None = None) -> None:
    """All rows and refusals are those of the oracle."""
    wanted = expected(lines, plain.chain, clock)
    windows, work = plain.unversioned()
    assert_same(windows, wanted.windows)
    assert_same(work, wanted.work)
    assert sorted(plain.dead.items()) == wanted.dead_letters


def feed(plain: PlainFootfall, lines: list[bytes], rng: Random, now: int = LATER) -> None:
    """Feed lines in blocks of any size, with rows taken and restarts in between."""
    at = 0
    while at < len(lines):
        size = rng.choice((1, 7, 60))
        plain.feed(lines[at : at + size], now)
        at += size
        what = rng.randrange(8)
        if what < 3:
            plain.take()
        if what == 3:
            plain.reopen()
        if what == 4:
            plain.resume()


def test_made_up_chain() -> None:
    """Six shops for days on end: closed, silent, late, in mixed currencies, over clock changes."""
    lines = [render(event) for event in arrivals(1)]
    plain = PlainFootfall(footfall_chain())
    feed(plain, lines, Random(1))
    plain.take()
    assert_as_expected(plain, lines)
    statuses = {row[-5:-3] for row in plain.windows.values()}
    assert statuses >= {("ok", "ok"), ("silent", "ok"), ("ok", "silent"), ("silent", "silent")}
    assert {"too_late", "conflicting_duplicate"} == set(plain.dead.values())
    assert plain.duplicates > 50


@settings(
    deadline=None,
    max_examples=cases(4, 20),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(plan=plans, seed=st.integers(0, 2**32), clock=st.booleans())
def test_any_history(plan: Plan, seed: int, clock: bool) -> None:
    """At some moment in the middle, and at the end; at last the clock may close what is quiet."""
    rng = Random(seed)
    chain, events = play(plan)
    lines = [render(event) for event in events]
    plain = PlainFootfall(chain)
    middle = rng.randrange(len(lines) + 1)
    feed(plain, lines[:middle], rng, now=EARLIER)
    plain.take()
    if middle:
        assert_as_expected(plain, lines[:middle])
    feed(plain, lines[middle:], rng, now=EARLIER)
    passed = None
    if clock and lines:
        newest = max(row[1] for row in plain.windows.values()) if plain.windows else 0
        passed = newest + rng.randrange(-HOUR_US, 60 * HOUR_US)
        plain.shard.due(EARLIER)  # it began to listen before all of it
        plain.tick(passed)
    plain.take()
    assert_as_expected(plain, lines, passed)


def test_order_within_late_hours_does_not_matter() -> None:
    """What is neither late nor contradicted counts the same in every order of arrival."""
    chain = footfall_chain(late_hours=1000.0, apart_hours=1000.0)
    events: list[Any] = []
    known: dict[tuple[str, str], Any] = {}
    for event in arrivals(2):
        if known.setdefault((event["source"], event["id"]), event["data"]) == event["data"]:
            events.append(event)
    found = []
    for _ in range(2):
        plain = PlainFootfall(chain)
        feed(plain, [render(event) for event in events], Random(2))
        plain.take()
        assert plain.dead == {}
        found.append(plain.unversioned())
        Random(2).shuffle(events)
    assert found[0] == found[1]


@pytest.mark.parametrize("seed", range(1))
def test_killed_and_read_again_in_another_order(seed: int) -> None:
    """Doors and tills come by topics of their own, which nothing keeps side by side.

    What was said before a kill of a moment that never comes again must not stand for ever: a
    sensor was silent there that is not, once all has been read.
    """
    rng = Random(seed)
    lines = [render(event) for event in arrivals(seed)]
    plain = PlainFootfall(footfall_chain())
    floor, at, kills = 1_000_000, 0, 0
    while at < len(lines):
        # A topic is ahead of the other by some of the lines.
        part = [(number + 1, lines[number]) for number in range(at, min(at + 120, len(lines)))]
        first = rng.choice((b"store.visit", b"pos.order"))
        part.sort(key=lambda line: first not in line[1])
        while part:
            size = rng.choice((3, 20, 80))
            plain.feed_mixed(part[:size])
            del part[:size]
            if rng.randrange(2):
                plain.take()
        at += 120
        plain.line = at + 1
        what = rng.randrange(12)
        if what < 2:
            plain.commit()
        elif what < 5:
            plain.take()
            plain.reopen()
        elif what < 8:
            plain.take()
            floor += 1_000_000
            kills += 1
            at = plain.crash(floor) - 1
    plain.take()
    assert kills > 4
    assert_as_expected(plain, lines)
