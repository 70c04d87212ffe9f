"""The whole diagnosis of a campaign: losses, causes, other thresholds, worth, what to test next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from operators.members.coupons.diagnosis.facts import Campaign, Receiver, medians, share
from operators.members.coupons.diagnosis.funnel import Funnel, Stage, funnel, worst_stage
from operators.members.coupons.diagnosis.reasons import Limits, Reason, reasons
from operators.members.coupons.diagnosis.replay import Replayed, replay
from operators.members.coupons.diagnosis.shops import Absent, Shelves, Tills
from operators.members.coupons.diagnosis.worth import Judged, NextTest, next_test, worth
from operators.members.experiments.moments import moments

# Thresholds to try, as times the usual basket: from what most reach anyway to what few can.
TRIED = (0.9, 1.1, 1.2, 1.35, 1.5)
_ROUND = 1_000  # minor units
# The least change of the share that buys which would be worth a coupon, relative.
_HOPED = 1.2
# Times the usual basket: a threshold that a member can fill up to.
_ABOVE = 1.15
# So many have to be left for an audience of its own.
_FEWEST = 30


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that is said of a campaign."""

    campaign: Campaign
    funnel: Funnel
    worst: Stage
    reasons: tuple[Reason, ...]
    replayed: tuple[Replayed, ...]  # the campaign's own offer first
    judged: Judged
    next_test: NextTest | None
    # By shop, where the warehouse knows.
    tills: Tills | None = None
    shelves: Shelves | None = None

    @property
    def causes(self) -> tuple[Reason, ...]:
        """The reasons that hold, strongest first."""
        return tuple(one for one in self.reasons if one.holds)


def diagnose(
    campaign: Campaign,
    receivers: Sequence[Receiver],
    margin: float,
    *,
    control: Sequence[Receiver] = (),
    limits: Limits | None = None,
    once: bool = False,
    tills: Tills | Absent | None = None,
    shelves: Shelves | Absent | None = None,
) -> Diagnosis:
    """Diagnose a campaign; `margin` is what is left of a basket after its goods are paid.

    `control` are members who would have got it and by chance did not; without them nobody can say
    what the coupon brought. `once` for a campaign that is looked at once, when it is over. `tills`
    and `shelves`: what shops say, where it is not the receivers who have it.
    """
    went = funnel(campaign, receivers)
    margins = reached = None
    if control:
        margins = (
            moments([_margin(campaign, one, margin) for one in receivers]),
            moments([_margin(campaign, one, margin) for one in control]),
        )
        reached = (
            moments([_reaches(campaign, one) for one in receivers]),
            moments([_reaches(campaign, one) for one in control]),
        )
    # As a share of all who were issued one: the control's reach is of all, too.
    used = share(sum(one.redeemed for one in receivers), len(receivers))
    past = [basket for one in receivers for basket in one.baskets]
    found = tuple(reasons(campaign, receivers, limits, tills=tills, shelves=shelves))
    return Diagnosis(
        campaign,
        went,
        worst_stage(went),
        found,
        tuple(replay(past, _offers(campaign, past), margin)) if past else (),
        worth(used, margins, reached, once=once),
        _next(campaign, receivers, control, found, limits),
        None if isinstance(tills, Absent) else tills,
        None if isinstance(shelves, Absent) else shelves,
    )


def _margin(campaign: Campaign, one: Receiver, margin: float) -> float:
    return round(margin * sum(one.during)) - campaign.off * one.redeemed


def _reaches(campaign: Campaign, one: Receiver) -> int:
    return int(max(one.during, default=0) >= campaign.threshold)


def _offers(campaign: Campaign, past: Sequence[int]) -> list[tuple[int, int]]:
    """The campaign's own, and the same part off from other thresholds."""
    usual = median(past)
    part = campaign.off / campaign.threshold
    tried = sorted({max(_ROUND, round(times * usual / _ROUND) * _ROUND) for times in TRIED})
    others = [(threshold, round(part * threshold / 100) * 100) for threshold in tried]
    own = (campaign.threshold, campaign.off)
    return [own, *(one for one in others if one != own)]


def next_audience(
    campaign: Campaign,
    receivers: Sequence[Receiver],
    holding: Sequence[Reason],
    limits: Limits | None = None,
) -> list[Receiver]:
    """Who should be asked next: where it went to the wrong ones, those who buy often enough."""
    given = limits or Limits()
    if any(one.code == "AUDIENCE_MISMATCH" and one.holds for one in holding):
        often = [one for one in receivers if one.bought_in(90, campaign.valid_from) >= given.rare]
        if len(often) >= _FEWEST:
            return often
    return list(receivers)


def _next(
    campaign: Campaign,
    receivers: Sequence[Receiver],
    control: Sequence[Receiver],
    holding: Sequence[Reason],
    limits: Limits | None,
) -> NextTest | None:
    """Whether members buy in the validity, with and without an offer: sized for a fifth more.

    The offer is the campaign's own, or one just above the usual basket of those who should be asked
    where its threshold is too high for them, too. Where nearly all buy anyway, it is whether a
    basket reaches the threshold.
    """
    people = next_audience(campaign, receivers, holding, limits)
    asked = next_audience(campaign, control, holding, limits) or people
    offer = (campaign.threshold, campaign.off)
    usual = medians(people)
    if usual and campaign.threshold >= (limits or Limits()).threshold * median(usual):
        threshold = max(_ROUND, round(_ABOVE * median(usual) / _ROUND) * _ROUND)
        part = campaign.off / campaign.threshold
        offer = (threshold, round(part * threshold / 100) * 100)
    threshold = offer[0]
    buys = share(sum(one.visits > 0 for one in asked), len(asked))
    who = " that buy"
    if not 0 < buys * _HOPED < 1:
        buys = share(sum(max(one.during, default=0) >= threshold for one in asked), len(asked))
        who = f" with a basket from {threshold / 100:.0f}"
    hoped = buys * _HOPED
    if not 0 < hoped < 1:
        return None
    name = f"{threshold / 100:.0f}-{offer[1] / 100:.0f}"
    a_day = max(len(people) / campaign.valid_days, 1)
    days = max(7, campaign.valid_days)
    return next_test(buys, hoped, ("none", name), a_day, days, who=who, offer=offer)
