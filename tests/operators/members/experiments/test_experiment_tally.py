"""What counts of an exposed member: after the exposure, net of refunds, once, in one arm."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from operators.members.experiments.assignment import Assignment, assign
from operators.members.experiments.definition import experiment, reweighted, rolled_out
from operators.members.experiments.exposure import Exposure, at_gate
from operators.members.experiments.moments import Moments
from operators.members.experiments.tally import Outcome, tally

COPY = experiment("copy", {"A": 5_000, "B": 5_000})
DAY = 86_400_000_000


def exposed(unit: str, arm: str, at: int = 10, order: int = 0, phase: int = 1) -> Exposure:
    return Exposure("copy", unit, arm, phase, at, order)


def bought(
    key: str, unit: str, value: int, at: int, order: int = 0, back: str | None = None
) -> Outcome:
    return Outcome(key, unit, "margin", value, at, order, back)


def test_e7_all_arms_pass_the_same_gate() -> None:
    """Who fails a check is in no arm; the control is logged where it would have been sent to."""
    members = [f"m{n}" for n in range(2_000)]
    quiet = [at_gate(COPY, one, 5, refused=("quiet_hours",)) for one in members]
    assert all(one.exposure is None and one.refused == ("quiet_hours",) for one in quiet)
    later = [at_gate(COPY, one, 9, refused=()) for one in members]
    logged = Counter(one.exposure.arm for one in later if one.exposure)
    assert min(logged.values()) > 900
    assert all(one.exposure and one.exposure.at == 9 for one in later)
    held = at_gate(COPY, "m1", 9, refused=(), held_out=True)
    assert (held.exposure, held.refused) == (None, ("holdout",))
    layered = experiment("l", {"A": 1, "B": 9_999}, layer="till", layer_slots=(0, 1))
    assert at_gate(layered, "m1", 9, refused=()).refused == ("other_experiment_of_the_layer",)


def test_e1_who_comes_again_is_in_the_same_arm_and_phase() -> None:
    other = reweighted(COPY, {"A": 1_000, "B": 9_000})
    first = assign(COPY, "m2")
    assert first is not None
    again = at_gate(other, "m2", 20, refused=(), kept=first).exposure
    assert again is not None
    assert Assignment(again.arm, again.phase) == first


def test_e8_only_what_comes_after_the_exposure_counts() -> None:
    outcomes = [
        bought("1", "m", 100, at=9),
        bought("2", "m", 200, at=10, order=0),  # the same instant, earlier in order
        bought("3", "m", 400, at=10, order=2),
        bought("4", "m", 800, at=10 + DAY),  # outside of the window
        bought("5", "stranger", 1_600, at=11),
        bought("3", "m", 400, at=10, order=2),  # told again
    ]
    found = tally([exposed("m", "A", order=1)], outcomes, ["margin"], within=DAY)
    assert found.metrics["margin"] == {"A": Moments(1, 400, 160_000)}
    assert found.counts == {1: {"A": 1}}


def test_e9_a_refund_counts_where_its_purchase_counted() -> None:
    facts = [bought("1", "m", 500, at=5), bought("2", "m", 300, at=20), bought("3", "n", 90, at=30)]
    refunds = [
        bought("r1", "m", -500, at=25, back="1"),  # of a purchase before the exposure
        bought("r2", "m", -300, at=9 * DAY, back="2"),  # long after the window
        bought("r9", "m", -70, at=40, back="unknown"),
    ]
    exposures = [exposed("m", "A"), exposed("n", "B")]
    before = tally(exposures, facts, ["margin"], within=DAY)
    assert before.metrics["margin"]["A"].y == 300
    everything = facts + refunds
    random.Random(3).shuffle(everything)
    after = tally(exposures, everything, ["margin"], within=DAY)
    assert after.metrics["margin"] == {"A": Moments(1, 0, 0), "B": Moments(1, 90, 8_100)}


def test_i7_members_of_different_arms_that_are_merged_are_left_out() -> None:
    exposures = [exposed("a", "A"), exposed("b", "B"), exposed("c", "A"), exposed("d", "A", at=4)]
    outcomes = [bought("1", "b", 5, 20), bought("2", "c", 7, 6), bought("3", "d", 9, 20)]
    found = tally(exposures, outcomes, ["margin"], merged={"b": "a", "c": "x", "x": "d"})
    assert found.multiple == 1
    # c and d are one, exposed at 4: what c did at 6 counts.
    assert found.metrics["margin"] == {"A": Moments(1, 16, 256)}
    looped = tally([exposed("a", "A")], [], ["margin"], merged={"a": "b", "b": "a"})
    assert looped.counts == {1: {"A": 1}}


def test_a_roll_out_ends_what_counts_for_the_arms_before_it() -> None:
    rolled = rolled_out(COPY, "B")
    unit = next(
        one
        for one in (f"m{n}" for n in range(100))
        if (was := assign(COPY, one)) and was.arm == "A"
        if (now := assign(rolled, one, was)) and now.arm == "B"
    )
    later = at_gate(rolled, unit, 50, refused=(), kept=assign(COPY, unit)).exposure
    assert later is not None
    exposures = [exposed(unit, "A"), later]
    outcomes = [bought("1", unit, 100, at=20), bought("2", unit, 900, at=60)]
    first = tally(exposures, outcomes, ["margin"], phases={1})
    assert (first.multiple, first.metrics["margin"]["A"].y) == (0, 100)
    second = tally(exposures, outcomes, ["margin"], phases={2})
    assert second.metrics["margin"]["B"].y == 900


def test_what_was_known_before_goes_beside_the_outcome() -> None:
    before = {"margin": {"m": 40}}
    found = tally([exposed("m", "A")], [bought("1", "m", 10, 11)], ["margin"], before=before)
    assert found.metrics["margin"]["A"] == Moments(1, 10, 100, 40, 1_600, 400)
    assert (found.first_at, found.last_at) == (10, 10)
    assert tally([], [], ["margin"]).first_at is None


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_facts_does_not_matter(seed: int) -> None:
    draws = random.Random(seed)
    exposures = [exposed(f"m{n}", "AB"[n % 2], at=draws.randrange(50)) for n in range(40)]
    exposures += [exposed(f"m{n}", "AB"[n % 2], at=draws.randrange(50)) for n in range(40)]
    facts = [
        bought(str(n), f"m{draws.randrange(40)}", draws.randrange(100), draws.randrange(90))
        for n in range(200)
    ]
    facts += [bought(f"r{n}", "m0", -5, 95, back=str(n)) for n in range(0, 200, 7)]
    found = tally(exposures, facts, ["margin"])
    draws.shuffle(exposures)
    draws.shuffle(facts)
    assert tally(exposures, facts, ["margin"]) == found
