"""Queues in balance against values of textbooks and against closed forms."""

from __future__ import annotations

import math
import random
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.roster.need.erlang import Queue, balance, erlang_b, erlang_c, served_within


@pytest.mark.parametrize(
    ("load", "heads", "blocked"),
    # Tables of Erlang B as telephone engineers have them printed: load for 1% and 5% blocking.
    [(4.461, 10, 0.01), (12.03, 20, 0.01), (20.34, 30, 0.01), (6.216, 10, 0.05)],
)
def test_erlang_b_as_in_the_tables(load: float, heads: int, blocked: float) -> None:
    assert erlang_b(load, heads) == pytest.approx(blocked, rel=2e-3)


def test_erlang_c_of_one_and_two_heads() -> None:
    """M/M/1: waits with chance rho, rho/(mu-lambda) long. M/M/2: 2 rho^2 / (1 + rho)."""
    queue = Queue(0.8, 1.0)
    assert erlang_c(0.8, 1) == pytest.approx(0.8)
    assert balance(queue, 1, 2.0).wait_s == pytest.approx(4.0)
    assert balance(queue, 1, 2.0).within == pytest.approx(1 - 0.8 * math.exp(-0.4))
    assert erlang_c(1.2, 2) == pytest.approx(2 * 0.36 / 1.6)


def test_a_call_centre_of_the_textbook() -> None:
    """200 calls an hour of 3 minutes, 11 heads: 10 Erlang wait with chance 0.6821."""
    found = balance(Queue(200 / 3600, 1 / 180), 11, 20.0)
    assert erlang_c(10, 11) == pytest.approx(0.6821, abs=1e-4)
    assert found.wait_s == pytest.approx(0.6821 * 180, rel=1e-3)
    assert found.within == pytest.approx(1 - 0.6821 * math.exp(-20 / 180), rel=1e-4)


def test_too_few_heads_never_settle() -> None:
    assert math.isinf(balance(Queue(2.0, 1.0), 2).wait_s)
    assert balance(Queue(2.0, 1.0), 0).within == 0.0


@given(st.floats(0.05, 30), st.integers(0, 40), st.floats(0, 5))
@settings(max_examples=60)
def test_who_comes_is_served_or_leaves(load: float, heads: int, within_s: float) -> None:
    """Arrivals = served + left, whatever the patience; with no heads everybody leaves."""
    queue = Queue(load, 1.0, 0.5)
    found = balance(queue, heads, within_s)
    served = found.busy * heads * queue.service if heads else 0.0
    assert served + found.left * queue.arrivals == pytest.approx(queue.arrivals, rel=1e-6)
    assert found.within <= 1 - found.left + 1e-9
    assert balance(queue, heads, 1e9).within == pytest.approx(1 - found.left, abs=1e-6)


def test_patience_as_long_as_service_is_a_crowd_of_helpers() -> None:
    """With leaving = service the number there is Poisson: a closed form to compare with."""
    queue = Queue(6.0, 1.0, 1.0)
    chances = [math.exp(-6.0) * 6.0**n / math.factorial(n) for n in range(80)]
    waiting = sum((n - 5) * chance for n, chance in enumerate(chances) if n > 5)
    assert balance(queue, 5).left == pytest.approx(waiting / 6.0)


def test_endless_patience_is_erlang_c() -> None:
    patient, endless = balance(Queue(8.0, 1.0, 1e-7), 10, 0.4), balance(Queue(8.0, 1.0), 10, 0.4)
    assert patient.wait_s == pytest.approx(endless.wait_s, rel=1e-4)
    assert patient.within == pytest.approx(endless.within, rel=1e-4)


@pytest.mark.parametrize("leaving", [0.0, 0.4])
def test_served_within_against_drawn_waits(leaving: float) -> None:
    """Each of those ahead ends or leaves after an exponential time; so does one's patience."""
    rng = random.Random(5)
    expected = list(islice(served_within(Queue(1.0, 0.5, leaving), 3, 1.2), 5))
    for ahead, chance in enumerate(expected):
        hits = 0
        for _ in range(4_000):
            wait = sum(rng.expovariate(1.5 + n * leaving) for n in range(ahead + 1))
            stays = rng.expovariate(leaving) if leaving else math.inf
            hits += wait <= 1.2 and wait <= stays
        assert hits / 4_000 == pytest.approx(chance, abs=0.03)
