"""What to do with an experiment, and why, in words.

An arm is rolled out only when all of these hold: the split is what was planned, the experiment has
run for whole weeks' worth of days, every arm has members enough, the goal's interval leaves nothing
out, and no guardrail is hurt. Then it goes to all but a remaining control, by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from operators.members.experiments.definition import SLOTS, Experiment, rolled_out
from operators.members.experiments.readout import Comparison, Readout
from operators.members.experiments.sequence import Difference
from operators.members.experiments.words import amount, interval


class Verdict(StrEnum):
    """What comes next."""

    BROKEN = "broken"  # the split is off: nothing may be read
    WAIT = "wait"
    ROLL_OUT = "roll_out"
    HARMFUL = "harmful"  # an arm is clearly worse and none better: stop it
    GUARDED = "guarded"  # clearly better in the goal, and a guardrail is hurt
    NO_MATTER = "no_matter"  # no difference that would be worthwhile is left possible


@dataclass(frozen=True, slots=True)
class Decision:
    """The verdict, the arm it is about, and the sentences that say why."""

    verdict: Verdict
    arm: str | None
    words: tuple[str, ...]


def decide(found: Readout) -> Decision:
    """Judge a read-out by the rules that were agreed before."""
    if found.ratio.alarm:
        return Decision(Verdict.BROKEN, None, (_split_words(found),))
    against = [one for one in found.comparisons if one.against == found.control]
    told = tuple(_told(found, one) for one in against)
    waiting = _waiting(found)
    if waiting:
        return Decision(Verdict.WAIT, None, (*told, *waiting))
    better = [one for one in against if _gain(found, one) > 0 and _judged(found, one).clear]
    allowed = [one for one in better if not _harms(found, one.arm)]
    if allowed:
        best = max(allowed, key=lambda one: _gain(found, one))
        return Decision(Verdict.ROLL_OUT, best.arm, (*told, *_why(found, best, better)))
    if better:
        best = max(better, key=lambda one: _gain(found, one))
        hurt = "; ".join(_harms(found, best.arm))
        said = f"{best.arm} is not rolled out although the goal is better: {hurt}"
        return Decision(Verdict.GUARDED, best.arm, (*told, said))
    worse = [one for one in against if _gain(found, one) < 0 and _judged(found, one).clear]
    if worse and len(worse) == len(against):
        said = f"stop it: nothing is better than {found.control}"
        worst = min(worse, key=lambda one: _gain(found, one))
        return Decision(Verdict.HARMFUL, worst.arm, (*told, said))
    least = found.rules.worthwhile
    if least is not None and all(_most(found, one) < least for one in against):
        said = (
            f"end it: a gain of {amount(found.goal, least)} or more, the least that would matter, "
            "is ruled out for every arm"
        )
        return Decision(Verdict.NO_MATTER, None, (*told, said))
    return Decision(Verdict.WAIT, None, (*told, "no arm is clearly better yet: let it run on"))


def apply(decision: Decision, one: Experiment, found: Readout) -> Experiment:
    """The experiment's next phase, where the decision is a roll-out; else as it is."""
    if decision.verdict is not Verdict.ROLL_OUT or decision.arm is None or one.phase.released:
        return one
    held = one.phase.shares().get(one.control, 0)
    return rolled_out(one, decision.arm, min(found.rules.remaining, held))


def still_holds(decided: Decision, revised: Decision) -> bool:
    """Whether a decision would be made again on revised figures (late refunds, mergers)."""
    return (decided.verdict, decided.arm) == (revised.verdict, revised.arm)


def _judged(found: Readout, one: Comparison) -> Difference:
    return one.judged(found.rules.reduce)


def _gain(found: Readout, one: Comparison) -> float:
    value = _judged(found, one).value
    return value if found.goal.higher_is_better else -value


def _most(found: Readout, one: Comparison) -> float:
    """The largest gain that the interval leaves possible."""
    judged = _judged(found, one)
    return judged.high if found.goal.higher_is_better else -judged.low


def _harms(found: Readout, arm: str) -> list[str]:
    return [
        f"{one.comparison.metric.name} "
        f"{amount(one.comparison.metric, one.comparison.plain.value, sign=True)}: {one.harm}"
        for one in found.guards.get(arm, ())
        if one.harm
    ]


def _waiting(found: Readout) -> list[str]:
    said = []
    if found.days < found.rules.min_days:
        said.append(
            f"wait: it has run for {found.days:.1f} of at least {found.rules.min_days:g} days "
            "(weekdays differ)"
        )
    few = {arm: found.figures[arm].n for arm in found.arms}
    least = found.rules.min_per_arm
    if any(n < least for n in few.values()):
        told = ", ".join(f"{arm} {n:,}" for arm, n in few.items() if n < least)
        said.append(f"wait: fewer than {least:,} members in an arm ({told})")
    return said


def _told(found: Readout, one: Comparison) -> str:
    judged, goal = _judged(found, one), found.goal
    if not math.isfinite(judged.low):
        return f"{one.arm} against {one.against}: too few members to say anything"
    effect = interval(goal, judged)
    if judged.clear:
        way = "better" if _gain(found, one) > 0 else "worse"
        return f"{one.arm} is clearly {way} than {one.against} in {goal.name}: {effect}"
    return f"{one.arm} against {one.against}, {goal.name}: {effect}"


def _why(found: Readout, best: Comparison, better: list[Comparison]) -> list[str]:
    remaining = found.rules.remaining / SLOTS
    said = [f"roll out {best.arm}, and keep {remaining:.0%} in {found.control} to go on measuring"]
    for one in better:
        if one.arm == best.arm:
            continue
        if _harms(found, one.arm):
            said.append(f"{one.arm} is passed over: {'; '.join(_harms(found, one.arm))}")
            continue
        pair = found.pair(best.arm, one.arm) or found.pair(one.arm, best.arm)
        if pair is not None and not _judged(found, pair).clear:
            said.append(f"{one.arm} cannot be told apart from {best.arm} yet")
        else:
            said.append(f"{best.arm} is clearly better than {one.arm}, too")
    return said


def _split_words(found: Readout) -> str:
    told = ", ".join(
        f"{arm} {found.ratio.observed[arm]:,} of {found.ratio.expected[arm]:,.0f} expected"
        for arm in found.ratio.observed
    )
    chance = max(min(found.ratio.p, found.ratio.p_always), 1e-12)
    return (
        f"do not read it: the split is not the planned one ({told}; p = {chance:.2g}). Something "
        "treats the arms differently before the treatment does: look for lost logs or a filter "
        "after the split"
    )
