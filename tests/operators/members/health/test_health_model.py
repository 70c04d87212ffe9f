"""The health model: better than recency on later days, the same for one and many, with reasons."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from operators.members.health import logistic
from operators.members.health.fitting import FitError
from operators.members.health.history import History, Log, bought_within, histories
from operators.members.health.measures import (
    calibration,
    calibration_error,
    measured,
)
from operators.members.health.model import (
    HealthModel,
    ModelError,
    band,
    chance,
    chances,
    from_json,
    health,
    silent_until,
    to_json,
)
from operators.members.health.quiet import changes_band, quietly
from operators.members.health.terms import TERMS
from operators.members.health.training import lesson, train, weigh, weighed

UNTIL, END = 420, 570


@pytest.fixture(scope="module")
def log() -> Log:
    """1,200 members of many rates, who leave after a purchase with chances of their own."""
    draws = np.random.default_rng(12)
    many = 1_200
    rate, leave = draws.gamma(0.8, 1 / 30, many), draws.beta(0.8, 4.0, many)
    at = draws.integers(0, 200, many).astype(float)
    rows = []
    there = np.ones(many, dtype=bool)
    while there.any():
        rows += [(who, int(at[who])) for who in np.flatnonzero(there)]
        there &= draws.random(many) >= leave
        at += draws.exponential(1 / np.maximum(rate, 1e-9))
        there &= at < END
    member, day = np.array(rows, dtype=np.int64).T
    return Log(member, day, day, draws.lognormal(4, 0.5, len(member)))


@pytest.fixture(scope="module")
def model(log: Log) -> HealthModel:
    return train(log, UNTIL, "a test")


@pytest.fixture(scope="module")
def full(log: Log, model: HealthModel) -> HealthModel:
    """The same with all terms, whether they gain anything here or not."""
    learnt = lesson(log, model.ground, [UNTIL - 30 * k for k in range(8, 0, -1)])
    constant, weights = weigh(learnt, TERMS)
    return msgspec.structs.replace(model, kind="full", constant=constant, weights=weights)


def test_it_beats_recency_on_days_no_fit_has_seen(log: Log, model: HealthModel) -> None:
    days = list(range(UNTIL, END - 30 + 1, 30))
    exam = lesson(log, model.ground, days)
    learnt = lesson(log, model.ground, [UNTIL - 30 * k for k in range(8, 0, -1)])
    ours = measured(weighed(exam, model.constant, model.weights), exam.came)
    recency = measured(weighed(exam, *weigh(learnt, ("recency",))), exam.came)
    assert ours.log_loss < recency.log_loss - 0.01
    assert ours.brier < recency.brier
    assert ours.auc > recency.auc
    assert calibration_error(weighed(exam, model.constant, model.weights), exam.came) < 0.03


def test_the_kind_is_the_one_that_did_best(model: HealthModel) -> None:
    best = min(model.evidence, key=lambda kind: model.evidence[kind].log_loss)
    assert model.kind == best
    assert set(model.evidence) == {"full", "purchases", "recency"}


def test_nothing_of_the_time_after_is_used(log: Log, model: HealthModel) -> None:
    before = log.day < UNTIL
    past = Log(log.member[before], log.day[before], log.of[before], log.amount[before])
    assert train(past, UNTIL, "a test") == model


def test_one_is_as_many(log: Log, model: HealthModel, full: HealthModel) -> None:
    _, known = histories(log, UNTIL)
    for one in (model, full):
        many = chances(one, known)
        for at in range(0, len(known), 97):
            assert chance(one, known.one(at)) == pytest.approx(many[at], rel=1e-9)


def test_drivers_say_why_in_words(full: HealthModel) -> None:
    model = full
    quiet = History(repeats=11, last=200, age=290, short=20, long=160)
    found = health(model, quiet)
    odds = model.constant + sum(math.log(driver.odds) for driver in found.drivers)
    assert found.chance == pytest.approx(1 / (1 + math.exp(-odds)))
    words = {driver.term: driver.words for driver in found.drivers}
    assert words["recency"] == "last purchase 90 days ago"
    assert words["frequency"] == "came back 11 times"
    assert words["base"].startswith("12 days with purchases in 290, still a customer with ")
    assert words["cadence"].startswith("silent for ")
    strengths = [abs(math.log(driver.odds)) for driver in found.drivers]
    assert strengths == sorted(strengths, reverse=True)
    assert found.score == round(100 * found.chance)
    assert found.band == band(model, found.chance)
    busy = health(model, History(repeats=11, last=290, age=290, short=90, long=260))
    assert busy.chance > found.chance
    assert busy.band == "healthy"


@pytest.mark.parametrize("which", ["model", "full"])
def test_the_wake_up_is_the_moment_the_band_changes(
    which: str, request: pytest.FixtureRequest
) -> None:
    model: HealthModel = request.getfixturevalue(which)
    one = History(repeats=6, last=120, age=121, short=100, long=250)
    at = changes_band(model, one)
    assert at is not None
    second = 1 / 86_400
    now = band(model, chance(model, one))
    assert band(model, chance(model, one.after(at))) != now
    assert band(model, chance(model, one.after(max(at - second, 0)))) == now
    gone = History(repeats=0, last=0, age=4_000, short=0, long=0)
    assert changes_band(model, gone) is None
    until = silent_until(model, one, 0.5)
    assert until is not None
    assert health(model, one.after(until)).alive == pytest.approx(0.5)
    assert silent_until(model, one.after(until + 1), 0.5) is None


def test_quiet_days_are_those_of_the_chance(full: HealthModel) -> None:
    """What is computed once for a member gives what its chance is on each later day."""
    for repeats, last, gone, engaged in ((0, 0, 3, 0.0), (6, 120, 1, 1.5), (40, 300, 60, 0.2)):
        one = History(repeats, last, last + gone, 100, 250, engaged, 0.1)
        odds = quietly(full, one)
        for days in (0.0, 0.3, 7.0, 44.0, 400.0):
            wanted = chance(full, one.after(days))
            assert 1 / (1 + math.exp(-odds(days))) == pytest.approx(wanted, rel=1e-12)


def test_a_model_is_a_file(model: HealthModel) -> None:
    assert from_json(to_json(model)) == model
    with pytest.raises(ModelError, match="fit one again"):
        from_json(b"{}")
    other = msgspec.structs.replace(model, weights={"moon": next(iter(model.weights.values()))})
    with pytest.raises(ModelError, match="moon"):
        from_json(to_json(other))


def test_too_little_is_refused(log: Log) -> None:
    with pytest.raises(FitError, match="days of purchases"):
        train(log, 80, "x")
    few = log.member < 20
    small = Log(log.member[few], log.day[few], log.of[few], log.amount[few])
    with pytest.raises(FitError, match=r"too few to learn from|needs ten or more"):
        train(small, UNTIL, "x")


def test_measures_are_what_their_names_say(log: Log) -> None:
    from scipy.stats import mannwhitneyu

    draws = np.random.default_rng(2)
    chances = draws.random(400).round(2)  # with ties
    came = (draws.random(400) < chances).astype(float)
    found = measured(chances, came)
    both = mannwhitneyu(chances[came > 0], chances[came == 0]).statistic
    assert found.auc == pytest.approx(both / (came.sum() * (400 - came.sum())))
    assert found.brier == pytest.approx(float(np.mean((chances - came) ** 2)))
    assert measured(np.array([0.5, 0.5]), np.array([1.0, 0.0])).log_loss == pytest.approx(
        math.log(2)
    )
    assert measured(np.array([0.0]), np.array([1.0])).auc == 0.5
    parts = calibration(chances, came, 4)
    assert [one.n for one in parts] == [100] * 4
    assert sum(one.bought * one.n for one in parts) == pytest.approx(came.sum())
    assert [one.chance for one in parts] == sorted(one.chance for one in parts)
    assert bought_within(log, np.array([-1]), 0, 30).tolist() == [0.0]


def test_the_regression_finds_odds() -> None:
    """One term of 0 and 1: the weights are the logarithms of the odds."""
    term = np.repeat([0.0, 1.0], [60, 40])[:, None]
    came = np.concatenate([np.repeat([1.0, 0.0], [15, 45]), np.repeat([1.0, 0.0], [30, 10])])
    constant, weight = logistic.fit(term, came, 1e-9)
    assert constant == pytest.approx(math.log(15 / 45), abs=1e-6)
    assert constant + weight == pytest.approx(math.log(30 / 10), abs=1e-6)
    # Terms that separate the members would have weights without end; the ridge keeps them.
    assert np.isfinite(logistic.fit(came[:, None], came, 1.0)).all()
