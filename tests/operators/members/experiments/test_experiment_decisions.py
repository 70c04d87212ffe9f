"""Verdicts: what is rolled out, what waits, what is stopped, and the sentences beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from operators.members.experiments.decide import Verdict, apply, decide, still_holds
from operators.members.experiments.definition import experiment
from operators.members.experiments.looks import looks
from operators.members.experiments.moments import Moments, moments
from operators.members.experiments.readout import Metric, Readout, Rules, Scale, read
from operators.members.experiments.sequence import difference
from operators.members.experiments.words import amount

GOAL = Metric("bought", Scale.RATE)
OPT_OUT = Metric("opted out", Scale.RATE, higher_is_better=False)
MARGIN = Metric("margin", Scale.MONEY, must_not_lose=True)


def rate(n: int, yes: int) -> Moments:
    return Moments(n, yes, yes)


def judged(
    goal: Mapping[str, Moments],
    *,
    days: float = 14.0,
    rules: Rules | None = None,
    guards: Mapping[Metric, Mapping[str, Moments]] | None = None,
    planned: Sequence[int] | None = None,
) -> Readout:
    arms = list(goal)
    share = dict(zip(arms, planned or [10_000 // len(arms)] * len(arms), strict=True))
    counts = {arm: one.n for arm, one in goal.items()}
    metrics = {GOAL.name: goal, **{metric.name: found for metric, found in (guards or {}).items()}}
    return read(arms, GOAL, metrics, [(counts, share)], days, rules, list(guards or {}))


CLEAR = {"none": rate(5_000, 500), "mail": rate(5_000, 700)}


def test_a_clearly_better_arm_is_rolled_out_with_a_control() -> None:
    found = judged(CLEAR)
    decision = decide(found)
    assert (decision.verdict, decision.arm) == (Verdict.ROLL_OUT, "mail")
    assert decision.words[0].startswith(
        "mail is clearly better than none in bought: +4.00 points ("
    )
    assert decision.words[1] == "roll out mail, and keep 10% in none to go on measuring"
    one = apply(decision, experiment("x", {"none": 5_000, "mail": 5_000}), found)
    assert one.phase.shares() == {"none": 1_000, "mail": 9_000}
    assert apply(decision, one, found) == one  # once


def test_e3_a_broken_split_stops_everything() -> None:
    found = judged({"none": rate(5_000, 500), "mail": rate(5_350, 900)})
    decision = decide(found)
    assert decision.verdict is Verdict.BROKEN
    assert "none 5,000 of 5,175 expected" in decision.words[0]
    assert "p = 0.00058" in decision.words[0]
    one = experiment("x", {"none": 5_000, "mail": 5_000})
    assert apply(decision, one, found) is one


def test_e6_small_numbers_have_no_winner() -> None:
    few = {"none": rate(10, 2), "mail": rate(10, 3)}
    assert decide(judged(few)).words[-1] == (
        "wait: fewer than 100 members in an arm (none 10, mail 10)"
    )
    assert decide(judged(few, rules=Rules(min_per_arm=5))).verdict is Verdict.WAIT
    nobody = decide(judged({"none": rate(0, 0), "mail": rate(1, 1)}, rules=Rules(min_per_arm=0)))
    assert "too few members to say anything" in nobody.words[0]


def test_e10_seven_days_are_the_least() -> None:
    decision = decide(judged(CLEAR, days=2.0))
    assert decision.verdict is Verdict.WAIT
    assert decision.words[-1] == "wait: it has run for 2.0 of at least 7 days (weekdays differ)"


def test_e11_guardrails_stop_a_roll_out() -> None:
    opted = {"none": rate(5_000, 20), "mail": rate(5_000, 60)}
    decision = decide(judged(CLEAR, guards={OPT_OUT: opted}))
    assert (decision.verdict, decision.arm) == (Verdict.GUARDED, "mail")
    assert (
        "opted out +0.80 points: worse than the control by more than two standard errors"
        in (decision.words[-1])
    )
    # A little less margin is within chance; where none may be lost it counts all the same.
    money = {"none": Moments(5_000, 500_000, 10**9), "mail": Moments(5_000, 450_000, 10**9)}
    lost = decide(judged(CLEAR, guards={MARGIN: money}))
    assert lost.words[-1].endswith("margin -0.10: it loses on average")
    allowed = Metric("margin", Scale.MONEY)
    assert decide(judged(CLEAR, guards={allowed: money})).verdict is Verdict.ROLL_OUT


def test_the_best_of_several_arms_and_what_is_known_of_the_others() -> None:
    arms = {"none": rate(4_000, 400), "men": rate(4_000, 640), "women": rate(4_000, 620)}
    decision = decide(judged(arms, planned=[4_000, 3_000, 3_000]))
    assert decision.verdict is Verdict.BROKEN  # 4,000 each is not 40:30:30
    decision = decide(judged(arms, planned=[1, 1, 1]))
    assert (decision.verdict, decision.arm) == (Verdict.ROLL_OUT, "men")
    assert decision.words[-1] == "women cannot be told apart from men yet"
    arms["women"] = rate(4_000, 510)
    assert decide(judged(arms, planned=[1, 1, 1])).words[-1] == (
        "men is clearly better than women, too"
    )
    hurt = {"none": rate(4_000, 10), "men": rate(4_000, 60), "women": rate(4_000, 12)}
    arms["women"] = rate(4_000, 600)
    passed = decide(judged(arms, planned=[1, 1, 1], guards={OPT_OUT: hurt}))
    assert (passed.verdict, passed.arm) == (Verdict.ROLL_OUT, "women")
    assert passed.words[-1].startswith("men is passed over: opted out +1.25 points")


def test_harm_and_differences_that_do_not_matter_end_it() -> None:
    worse = decide(judged({"none": rate(5_000, 700), "mail": rate(5_000, 500)}))
    assert (worse.verdict, worse.arm) == (Verdict.HARMFUL, "mail")
    same = {"none": rate(50_000, 5_000), "mail": rate(50_000, 5_000)}
    assert decide(judged(same)).words[-1] == "no arm is clearly better yet: let it run on"
    ended = decide(judged(same, rules=Rules(worthwhile=0.02)))
    assert ended.verdict is Verdict.NO_MATTER
    assert "a gain of 2.00% or more" in ended.words[-1]


def test_e9_revised_figures_flag_a_decision() -> None:
    first = decide(judged(CLEAR))
    late = decide(judged({"none": rate(5_000, 500), "mail": rate(5_000, 530)}))
    assert not still_holds(first, late)
    assert still_holds(first, decide(judged(CLEAR, days=21.0)))


def test_variance_reduction_sees_what_the_plain_figures_do_not() -> None:
    draws = np.random.default_rng(11)
    figures = {}
    for arm, effect in (("none", 0.0), ("mail", 150.0)):
        before = draws.gamma(2, 1_000, 3_000)
        after = before + draws.normal(0, 500, 3_000) + effect
        found = Moments()
        for y, x in zip(after.round(), before.round(), strict=True):
            found.add(int(y), int(x))
        figures[arm] = found
    goal = Metric("margin", Scale.MONEY)
    split = [({"none": 3_000, "mail": 3_000}, {"none": 5_000, "mail": 5_000})]
    for reduce, verdict in ((False, Verdict.WAIT), (True, Verdict.ROLL_OUT)):
        rules = Rules(reduce=reduce)
        read_out = read(["none", "mail"], goal, {"margin": figures}, split, 14, rules)
        assert decide(read_out).verdict is verdict
    pair = read_out.pair("mail", "none")
    assert pair is not None
    assert pair.reduced is not None
    assert pair.reduced.reduced > 0.8
    assert read_out.pair("none", "mail") is None


@pytest.mark.parametrize(
    ("scale", "value", "told"),
    [(Scale.RATE, 0.1234, "12.34%"), (Scale.MONEY, 1_250, "12.50"), (Scale.NUMBER, 2.0, "2")],
)
def test_amounts_are_told_as_people_write_them(scale: Scale, value: float, told: str) -> None:
    assert amount(Metric("x", scale), value) == told


def test_looks_end_at_the_read_out_and_narrow_on_the_way() -> None:
    people = [(n, "none" if n % 2 else "mail", float(n % 5 == 0)) for n in range(1_000)]
    rules = Rules()
    found = looks(people, ("none", "mail"), rules, many=10)["mail"]
    assert [one.members for one in found] == [100 * k for k in range(1, 11)]
    figures = {
        arm: moments([value for _, its, value in people if its == arm]) for arm in ("none", "mail")
    }
    assert found[-1].always == difference(figures["mail"], figures["none"])
    widths = [one.always.high - one.always.low for one in found]
    assert widths == sorted(widths, reverse=True)
    assert all(one.once.low > one.always.low for one in found)
    assert looks(people[:1], ("none", "mail"), rules)["mail"] == []
