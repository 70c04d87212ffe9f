"""The purchase models: against integrals over rates, published values, simulated members."""

from __future__ import annotations

import math

import numpy as np
import pytest

from operators.members.health.alive import (
    Floats,
    Parameters,
    alive,
    alive_many,
    alive_until,
    buys_within,
    buys_within_many,
)
from operators.members.health.fitting import FitError, fit, log_likelihood

# Fader, Hardie, Lee 2005, table 2: CDNOW, in weeks.
CDNOW = Parameters(0.243, 4.414, 0.793, 2.426)
CUSTOMERS = [(0, 0.0, 38.86), (1, 1.71, 38.86), (2, 30.43, 38.86), (7, 29.43, 38.86), (3, 20, 27)]


def integrated(given: Parameters, of: str, x: int, tx: float, age: float, span: float = 0) -> float:
    """The integral over rates and chances of leaving, by Gauss and Legendre.

    With rate = s^(1/r) and chance = t^(1/a) the densities' poles are gone.
    """
    nodes, weights = np.polynomial.legendre.leggauss(160)
    most = (80 / given.alpha) ** given.r
    s, ws = (nodes + 1) / 2 * most, weights / 2 * most
    t, wt = (nodes + 1) / 2, weights / 2
    rate, left = (s ** (1 / given.r))[:, None], (t ** (1 / given.a))[None, :]
    gamma = given.alpha**given.r / math.gamma(given.r) * np.exp(-given.alpha * rate) / given.r
    beta = (
        (1 - left) ** (given.b - 1)
        * math.gamma(given.a + given.b)
        / (math.gamma(given.a) * math.gamma(given.b) * given.a)
    )
    coins = x if of == "plain" else x + 1
    stays = (1 - left) ** coins * rate**x * np.exp(-rate * age)
    leaves = left * (1 - left) ** max(coins - 1, 0) * rate**x * np.exp(-rate * tx)
    if coins == 0:
        leaves = 0 * leaves
    inner = {
        "plain": stays + leaves,
        "modified": stays + leaves,
        "stays": stays,
        "buys": stays * -np.expm1(-rate * span),
    }[of]
    return float(ws @ (gamma * beta * inner) @ wt)


@pytest.mark.parametrize("customer", CUSTOMERS)
@pytest.mark.parametrize("of", ["plain", "modified"])
def test_likelihoods_are_the_integrals_over_members(
    customer: tuple[int, float, float], of: str
) -> None:
    x, tx, age = customer
    found = log_likelihood(CDNOW, *columns([customer]), modified=of == "modified")
    assert found[0] == pytest.approx(math.log(integrated(CDNOW, of, x, tx, age)), abs=1e-6)


@pytest.mark.parametrize("customer", CUSTOMERS)
def test_chances_are_shares_of_the_integral(customer: tuple[int, float, float]) -> None:
    x, tx, age = customer
    whole = integrated(CDNOW, "modified", x, tx, age)
    stays = integrated(CDNOW, "stays", x, tx, age) / whole
    buys = integrated(CDNOW, "buys", x, tx, age, 30 / 7) / whole
    assert alive(CDNOW, x, tx, age) == pytest.approx(stays, abs=1e-7)
    assert buys_within(CDNOW, x, tx, age, 30 / 7) == pytest.approx(buys, abs=1e-7)


def test_many_are_as_one() -> None:
    x, tx, age = columns(CUSTOMERS)
    assert alive_many(CDNOW, x, tx, age).tolist() == pytest.approx(
        [alive(CDNOW, *one) for one in CUSTOMERS], rel=1e-12
    )
    assert buys_within_many(CDNOW, x, tx, age, 4.0).tolist() == pytest.approx(
        [buys_within(CDNOW, *one, 4.0) for one in CUSTOMERS], rel=1e-12
    )


def test_s20_who_bought_once_is_not_alive_for_ever() -> None:
    assert alive(CDNOW, 0, 0, 52) == pytest.approx(0.6222, abs=5e-5)


def test_s21_the_crossing_time_is_exact() -> None:
    at = alive_until(CDNOW, 10, 10, 0.5)
    assert at == pytest.approx(14.442, abs=5e-4)
    assert alive(CDNOW, 10, 10, at) == pytest.approx(0.5, abs=5e-7)


def test_the_unit_of_time_does_not_matter() -> None:
    days = CDNOW.in_unit(7)
    assert alive(days, 3, 70, 140) == pytest.approx(alive(CDNOW, 3, 10, 20))


def test_a_fit_finds_the_members_it_was_simulated_from() -> None:
    true = Parameters(0.6, 30.0, 0.9, 2.0)
    x, tx, age = simulated(true, 2_000, np.random.default_rng(4))
    found = fit(x, tx, age)
    ours = log_likelihood(found, x, tx, age).sum()
    assert ours >= log_likelihood(true, x, tx, age).sum()
    assert found.r / found.alpha == pytest.approx(true.r / true.alpha, rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(0.9 / 2.9, rel=0.2)
    # Another unit of time, the same members.
    assert fit(x, tx / 7, age / 7).in_unit(7).alpha == pytest.approx(found.alpha, rel=0.01)


def test_too_few_purchases_are_no_fit() -> None:
    with pytest.raises(FitError, match="0 of 2 members"):
        fit(*columns([(0, 0.0, 10.0), (0, 0.0, 20.0)]))


def columns(customers: list[tuple[int, float, float]]) -> tuple[Floats, Floats, Floats]:
    x, tx, age = np.array(customers, dtype=float).T
    return x, tx, age


def simulated(
    true: Parameters, many: int, draws: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Members who buy and leave as the modified model says, watched for 200 to 400 days."""
    rate = draws.gamma(true.r, 1 / true.alpha, many)
    leave = draws.beta(true.a, true.b, many)
    age = draws.integers(200, 400, many).astype(float)
    x, tx, at = np.zeros(many), np.zeros(many), np.zeros(many)
    there = draws.random(many) >= leave
    while there.any():
        at += draws.exponential(1 / np.maximum(rate, 1e-12))
        there &= at <= age
        x[there] += 1
        tx[there] = at[there]
        there &= draws.random(many) >= leave
    return x, tx, age
