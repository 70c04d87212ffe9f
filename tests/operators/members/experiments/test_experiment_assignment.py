"""Arms: the same everywhere, even, independent, sticky, and only one experiment of a layer."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.members.experiments.assignment import (
    Assignment,
    assign,
    in_holdout,
    slot,
    takes_part,
)
from operators.members.experiments.definition import (
    SLOTS,
    Experiment,
    ExperimentError,
    check_layers,
    experiment,
    reweighted,
    rolled_out,
)
from operators.members.experiments.ratio import ratio

MEMBERS = [f"m{number}" for number in range(20_000)]
COPY = experiment("winback-copy", {"A": 5_000, "B": 5_000})


def test_slots_are_those_of_every_machine() -> None:
    assert [slot("winback-copy", "1", f"m{n}") for n in range(5)] == [9255, 4775, 4140, 1741, 1970]
    code = (
        "from operators.members.experiments.assignment import slot;"
        "print(slot('winback-copy', '1', '会员7'))"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(other.stdout) == slot("winback-copy", "1", "会员7")


def test_e12_buckets_are_even_and_experiments_independent() -> None:
    from scipy.stats import chi2_contingency

    slots = Counter(slot("a", "1", one) // 100 for one in MEMBERS)
    assert ratio(
        [({str(n): slots[n] for n in range(100)}, {str(n): 100 for n in range(100)})]
    ).p > (0.001)
    other = experiment("other-copy", {"A": 5_000, "B": 5_000})
    pairs = Counter((arm_of(COPY, one), arm_of(other, one)) for one in MEMBERS)
    table = [[pairs[a, b] for b in "AB"] for a in "AB"]
    assert chi2_contingency(table).pvalue > 0.001


def arm_of(one: Experiment, unit: str) -> str:
    found = assign(one, unit)
    assert found is not None
    return found.arm


def test_e1_an_exposed_member_keeps_its_arm_when_shares_change() -> None:
    other = reweighted(COPY, {"A": 9_000, "B": 1_000})
    moved = [one for one in MEMBERS if arm_of(COPY, one) != arm_of(other, one)]
    assert 0.37 < len(moved) / len(MEMBERS) < 0.43  # 40 of 100 slots go from B to A, none back
    for one in moved[:50]:
        kept = assign(COPY, one)
        assert kept is not None
        assert assign(other, one, kept) == kept


@pytest.mark.parametrize(
    "shares", [{"A": 5_000, "B": 4_000}, {"A": 11_000, "B": -1_000}, {"A": 10_000}]
)
def test_e2_shares_must_make_a_whole(shares: dict[str, int]) -> None:
    with pytest.raises(ExperimentError, match=r"100%|two arms"):
        experiment("x", shares)


def test_e13_a_roll_out_keeps_a_control_that_was_never_treated() -> None:
    rolled = rolled_out(COPY, "B")
    now = [one for one in MEMBERS if arm_of(rolled, one) == "A"]
    assert 0.09 < len(now) / len(MEMBERS) < 0.11
    assert all(arm_of(COPY, one) == "A" for one in now)
    # Who was exposed in the control before is reached by the roll-out, too; the remaining are not.
    exposed = Assignment("A", 1)
    after = Counter(found.arm for one in MEMBERS if (found := assign(rolled, one, exposed)))
    assert after["A"] == len(now)
    # In the phase of the roll-out itself an arm is kept as in any other.
    assert assign(rolled, now[0], Assignment("B", 2)) == Assignment("B", 2)


@pytest.mark.parametrize(("winner", "remaining"), [("A", 1_000), ("B", 0), ("B", 6_000)])
def test_a_roll_out_that_makes_no_sense_is_refused(winner: str, remaining: int) -> None:
    with pytest.raises(ExperimentError):
        rolled_out(COPY, winner, remaining)


_shares = st.lists(st.integers(0, 20), min_size=3, max_size=3).filter(any)


@settings(max_examples=30, deadline=None)
@given(_shares, st.lists(_shares, min_size=1, max_size=4))
def test_a_change_of_shares_moves_as_few_slots_as_it_can(
    first: list[int], later: list[list[int]]
) -> None:
    def shares(weights: list[int]) -> dict[str, int]:
        whole = [SLOTS * weight // sum(weights) for weight in weights]
        whole[0] += SLOTS - sum(whole)
        return dict(zip("ABC", whole, strict=True))

    one = experiment("x", shares(first))
    for weights in later:
        before, wanted = one.phase, shares(weights)
        one = reweighted(one, wanted)
        held = one.phase.shares()
        assert {arm: held.get(arm, 0) for arm in "ABC"} == wanted
        moved = sum(before.arm(at) != one.phase.arm(at) for at in range(0, SLOTS, 25)) * 25
        was = before.shares()
        least = sum(max(0, was.get(arm, 0) - wanted[arm]) for arm in "ABC")
        assert abs(moved - least) <= 25 * (len(before.table) + len(one.phase.table))


def test_experiments_of_a_layer_never_meet() -> None:
    one = experiment("one", {"A": 5_000, "B": 5_000}, layer="till", layer_slots=(0, 3_000))
    two = experiment("two", {"A": 5_000, "B": 5_000}, layer="till", layer_slots=(3_000, 10_000))
    check_layers({"one": one, "two": two})
    held = [(takes_part(one, m), takes_part(two, m)) for m in MEMBERS]
    assert all(a != b for a, b in held)
    assert 0.28 < sum(a for a, _ in held) / len(MEMBERS) < 0.32
    assert all((assign(one, m) is None) != (assign(two, m) is None) for m in MEMBERS[:100])
    clash = experiment("three", {"A": 5_000, "B": 5_000}, layer="till", layer_slots=(2_999, 3_100))
    with pytest.raises(ExperimentError, match="one holds slots 0-3000 and three begins at 2999"):
        check_layers({"one": one, "three": clash})
    with pytest.raises(ExperimentError, match="name of their layer"):
        experiment("x", {"A": 5_000, "B": 5_000}, layer_slots=(0, 10))
    with pytest.raises(ExperimentError, match="not within"):
        experiment("x", {"A": 5_000, "B": 5_000}, layer="till", layer_slots=(10, 10))


def test_a_larger_holdout_keeps_those_who_were_in_it() -> None:
    small = {one for one in MEMBERS if in_holdout(one, 500, "2026")}
    large = {one for one in MEMBERS if in_holdout(one, 1_000, "2026")}
    assert small < large
    assert 0.09 < len(large) / len(MEMBERS) < 0.11
    assert small != {one for one in MEMBERS if in_holdout(one, 500, "2027")}
