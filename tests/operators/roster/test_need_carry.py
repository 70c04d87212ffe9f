"""Queues carried from quarter to quarter, against a simulation of single customers."""

from __future__ import annotations

import math
import random

import pytest
from queue_simulation import Tally, simulate

from operators.roster.need.carry import advance, empty, follow, look, waiting
from operators.roster.need.erlang import Queue, balance
from operators.roster.need.heads import Goal, heads_carried, heads_in_balance

QUARTER = 900.0
# Customers a quarter: a noon rush that comes within half an hour and is gone as fast.
RUSH = [8, 8, 10, 14, 40, 44, 30, 12, 8, 8]
DAYS = 400


@pytest.mark.parametrize(("service", "leaving"), [(1 / 90, 0.0), (1 / 90, 1 / 240), (1 / 240, 0.0)])
def test_a_long_quiet_time_is_balance(service: float, leaving: float) -> None:
    queue = Queue(2.5 * service, service, leaving)
    last = follow([queue] * 30, [4] * 30, QUARTER, 60.0)[-1]
    settled = balance(queue, 4, 60.0)
    assert last.wait_s == pytest.approx(settled.wait_s, rel=1e-3)
    assert last.within == pytest.approx(settled.within, rel=1e-3)
    assert last.busy == pytest.approx(settled.busy, rel=1e-3)
    assert last.left / (queue.arrivals * QUARTER) == pytest.approx(settled.left, abs=1e-4)


@pytest.mark.parametrize("patience_s", [None, 300.0])
def test_a_rush_against_single_customers(patience_s: float | None) -> None:
    """Too few heads at the rush: the queue is seen in the quarters after it, too."""
    heads = [2, 2, 2, 2, 4, 4, 4, 3, 2, 2]
    queues = [Queue(n / QUARTER, 1 / 90, 1 / patience_s if patience_s else 0.0) for n in RUSH]
    found = follow(queues, heads, QUARTER, 120.0)
    rng = random.Random(20)
    tallies = [Tally() for _ in RUSH]
    for _ in range(DAYS):
        simulate(
            rng,
            [queue.arrivals for queue in queues],
            heads,
            QUARTER,
            lambda: rng.expovariate(1 / 90),
            (lambda: rng.expovariate(1 / patience_s)) if patience_s else None,
            120.0,
            tallies,
        )
    for slot, (interval, tally) in enumerate(zip(found, tallies, strict=True)):
        # The share within uses the heads of this quarter also for who is served in the next.
        assert interval.within == pytest.approx(tally.within, abs=0.07), slot
        assert interval.left == pytest.approx(tally.left / DAYS, rel=0.1, abs=0.3), slot
    came = sum(tally.came for tally in tallies)
    mean = sum(interval.wait_s * n for interval, n in zip(found, RUSH, strict=True)) / sum(RUSH)
    assert mean == pytest.approx(sum(tally.waited_s for tally in tallies) / came, rel=0.05)
    # Each quarter for itself sees less of a queue after the rush than there is.
    alone = balance(queues[7], heads[7], 120.0)
    assert found[7].wait_s > 1.2 * alone.wait_s


@pytest.mark.parametrize("patience_s", [None, 300.0])
def test_heads_keep_the_goal_and_one_fewer_does_not(patience_s: float | None) -> None:
    goal = Goal(share=0.85, within_s=120.0)
    leaving = 1 / patience_s if patience_s else 0.0
    queues = [Queue(n / QUARTER, 1 / 90, leaving) for n in RUSH]
    needs = heads_carried(queues, goal, QUARTER)
    heads = [need.heads for need in needs]
    kept = follow(queues, heads, QUARTER, goal.within_s)
    assert all(interval.within >= 0.85 for interval in kept)
    for slot in range(len(RUSH)):
        fewer = [count - (at == slot) for at, count in enumerate(heads)]
        assert follow(queues, fewer, QUARTER, goal.within_s)[slot].within < 0.85
    rng = random.Random(7)
    tallies = [Tally() for _ in RUSH]
    for _ in range(DAYS):
        simulate(
            rng,
            [queue.arrivals for queue in queues],
            heads,
            QUARTER,
            lambda: rng.expovariate(1 / 90),
            (lambda: rng.expovariate(leaving)) if leaving else None,
            goal.within_s,
            tallies,
        )
    assert sum(t.soon for t in tallies) / sum(t.came for t in tallies) >= 0.84


def test_lognormal_service_is_near_the_exponential_answer() -> None:
    """Service of a till is more even than exponential: the heads found keep the goal all the more.

    Coefficient of variation 0.7, what tills show; the same mean.
    """
    goal = Goal(share=0.85, within_s=120.0)
    heads = [
        n.heads for n in heads_carried([Queue(n / QUARTER, 1 / 90) for n in RUSH], goal, QUARTER)
    ]
    rng = random.Random(3)
    sigma = math.sqrt(math.log(1 + 0.7**2))
    tallies = [Tally() for _ in RUSH]
    for _ in range(DAYS):
        simulate(
            rng,
            [n / QUARTER for n in RUSH],
            heads,
            QUARTER,
            lambda: rng.lognormvariate(math.log(90) - sigma**2 / 2, sigma),
            None,
            goal.within_s,
            tallies,
        )
    assert sum(t.soon for t in tallies) / sum(t.came for t in tallies) >= 0.85


def test_goals_of_mean_wait_and_of_busy_hands() -> None:
    queue = Queue(20 / QUARTER, 1 / 90)
    assert balance(queue, heads_in_balance(queue, Goal(wait_s=30.0))).wait_s <= 30
    assert balance(queue, heads_in_balance(queue, Goal(busy=0.5))).busy <= 0.5
    assert heads_in_balance(Queue(0.0, 1 / 90), Goal(share=0.99)) == 0


def test_a_goal_that_cannot_be_kept_says_so() -> None:
    with pytest.raises(ValueError, match="look at the service time and the goal"):
        heads_in_balance(Queue(100.0, 0.001), Goal(share=0.9))


def test_a_backlog_does_not_ask_for_hundreds_of_heads() -> None:
    """After a quarter far too thin the goal is lost for who waits: bounded all the same."""
    needs = heads_carried(
        [Queue(10 / QUARTER, 1 / 600), Queue(90 / QUARTER, 1 / 600)], Goal(share=0.99), QUARTER
    )
    assert needs[1].heads <= 90


def test_several_numbers_of_heads_at_once_are_each_for_itself() -> None:
    queue = Queue(30 / QUARTER, 1 / 90, 1 / 400)
    states, _ = advance(empty(), queue, 2, QUARTER)
    heads = range(6)
    ended, mean = look(states, queue, heads, QUARTER)
    for at, count in enumerate(heads):
        after, interval = advance(states, queue, count, QUARTER)
        assert waiting(ended, heads)[at] == pytest.approx(
            waiting(after[None], [count])[0], rel=1e-4
        )
        assert waiting(mean, heads)[at] == pytest.approx(interval.queue, rel=1e-4, abs=1e-6)
