"""The kinds of shops: what their days look like, and what may be changed of them."""

from __future__ import annotations

import random
from statistics import fmean

import pytest

from operators.roster.compare.scenario import (
    AMPLE,
    CLOSES,
    OPEN_SLOTS,
    OPENS,
    RUSH,
    SCENARIOS,
    Scenario,
)
from operators.roster.compare.shop import shop_week


def hours_of_work(scenario: Scenario, people: int, seed: int = 1) -> float:
    """Of a usual week."""
    usual = shop_week(scenario, random.Random(seed), people).usual
    return sum(sum(counts) * scenario.tasks[task].service_s for (task, _), counts in usual.items())


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=str)
def test_a_day_has_the_mean_of_its_weekday(scenario: Scenario) -> None:
    assert fmean(map(scenario.profile, range(OPEN_SLOTS))) == pytest.approx(1)
    assert scenario.highest == max(map(scenario.profile, range(OPEN_SLOTS)))
    assert sum(kind.share for kind in scenario.tasks.values()) == pytest.approx(1)
    assert len(scenario.weekdays) == 7


def test_rushes_are_two_and_a_half_to_three_times_the_mean() -> None:
    assert 2.5 <= RUSH.highest <= 3
    assert AMPLE.highest < 1.7
    # Before and after noon, and in the early evening; between them and at both ends it is quiet.
    busy = {OPENS + quarter // 4 for quarter in range(OPEN_SLOTS) if RUSH.profile(quarter) > 1.5}
    assert busy == {11, 12, 17, 18, 19}
    quiet = sum(RUSH.profile(quarter) < 0.75 for quarter in range(OPEN_SLOTS)) / 4
    assert quiet > (CLOSES - OPENS) / 3


def test_contracts_follow_the_load() -> None:
    """So many times as many customers come to the same people."""
    once = hours_of_work(RUSH, 12)
    assert hours_of_work(RUSH.changed(busy=1.5), 12) == pytest.approx(1.5 * once)
    assert hours_of_work(RUSH.changed(peaks=0.3, patience=0.1, luck=0.0), 12) == pytest.approx(once)


def test_what_is_changed_and_what_is_not() -> None:
    assert RUSH.changed() == RUSH
    flat = RUSH.changed(peaks=0.0)
    assert flat.highest == pytest.approx(1)
    hasty = RUSH.changed(patience=0.5, waiting_cost=0, manager="goal", luck=0.0)
    assert [one.patience_s for one in hasty.tasks.values()] == [
        one.patience_s / 2 for one in RUSH.tasks.values()
    ]
    assert (hasty.waiting_cost, hasty.manager, hasty.luck) == (0, "goal", 0.0)
    assert (hasty.people, hasty.weekdays, hasty.peaks) == (RUSH.people, RUSH.weekdays, RUSH.peaks)


def test_without_luck_the_truth_is_what_is_usual_and_the_forecast_still_errs() -> None:
    shop = shop_week(RUSH.changed(luck=0.0), random.Random(4), 10)
    for key, counts in shop.usual.items():
        assert shop.truth[key] == pytest.approx(counts)
    said = [sum(one.arrivals) for one in shop.file.need]
    came = [sum(counts) for counts in shop.truth.values()]
    errors = [told / true - 1 for told, true in zip(said, came, strict=True)]
    assert 0.01 < max(map(abs, errors)) < 0.3
