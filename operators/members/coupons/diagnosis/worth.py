"""What a campaign was worth: margin against a control, and how much of its use is deadweight."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from operators.members.experiments.moments import Moments
from operators.members.experiments.readout import Metric, Scale
from operators.members.experiments.sequence import Difference, difference, members_needed
from operators.members.experiments.words import interval

MARGIN = Metric("margin", Scale.MONEY)
REACHED = Metric("baskets over the threshold", Scale.RATE)


class Worth(StrEnum):
    """What may be said of a campaign."""

    PAYS = "pays"
    DEADWEIGHT = "deadweight"
    LOSES = "loses"
    UNKNOWN = "unknown"
    NO_CONTROL = "no_control"


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict, margin and reach against the control, the share of uses that is deadweight."""

    verdict: Worth
    margin: Difference | None
    reach: Difference | None
    deadweight: float | None
    words: str


def worth(
    redemption: float,
    margin: tuple[Moments, Moments] | None,
    reached: tuple[Moments, Moments] | None,
    *,
    once: bool = False,
) -> Judged:
    """Judge a campaign by (receivers, control): margin a member, and whether a basket reached.

    Redemption is a diagnostic: members who would have bought for as much use a coupon, too. Of the
    uses, as many are deadweight as the control reaches the threshold without one.
    """
    if margin is None or reached is None:
        words = (
            f"{redemption:.1%} used it, and nobody knows what they would have done without it: "
            "keep a control next time"
        )
        return Judged(Worth.NO_CONTROL, None, None, None, words)
    gain = difference(*margin, once=once)
    lift = difference(*reached, once=once)
    idle = min(reached[1].mean / redemption, 1.0) if redemption else None
    told = f"{interval(MARGIN, gain)} margin a member against the control"
    uses = f"{idle:.0%} of the uses are deadweight" if idle is not None else "nobody used it"
    if gain.low > 0:
        return Judged(Worth.PAYS, gain, lift, idle, f"it pays: {told}; {uses}")
    if gain.high < 0 and not lift.low > 0:
        words = (
            f"deadweight: {redemption:.1%} used it and nobody bought more for it; {told}; {uses}"
        )
        return Judged(Worth.DEADWEIGHT, gain, lift, idle, words)
    if gain.high < 0:
        return Judged(Worth.LOSES, gain, lift, idle, f"it brings sales and loses money: {told}")
    return Judged(Worth.UNKNOWN, gain, lift, idle, f"not known yet: {told}; {uses}")


@dataclass(frozen=True, slots=True)
class NextTest:
    """The experiment that would settle it: members an arm, and days at so many a day.

    `offer`: threshold and money off in minor units, where the arms are none and one offer.
    """

    arms: tuple[str, ...]
    per_arm: int
    days: int
    words: str
    offer: tuple[int, int] | None = None


def next_test(
    usual: float,
    hoped: float,
    arms: tuple[str, ...],
    members_a_day: float,
    least_days: int = 7,
    *,
    who: str = "",
    offer: tuple[int, int] | None = None,
) -> NextTest:
    """Size an experiment on a rate, of members `who`; the first arm is the control."""
    per_arm = members_needed(usual, hoped)
    days = max(least_days, -int(-per_arm * len(arms) // members_a_day))
    words = (
        f"{per_arm:,} members in each of {', '.join(arms)}, {days} days: tells {hoped:.1%}{who} "
        f"from {usual:.1%} four times of five"
    )
    return NextTest(arms, per_arm, days, words, offer)
