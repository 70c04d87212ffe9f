"""Reason codes of a campaign, each with the figure behind it and the limit it is held against."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from operators.members.coupons.diagnosis.facts import Campaign, Receiver, medians, share
from operators.members.coupons.diagnosis.shops import Absent, Shelves, Tills


@dataclass(frozen=True, slots=True)
class Limits:
    """When a figure is a reason; rules of thumb, the same for every campaign."""

    audience: float = 0.5  # share of receivers whom the coupon cannot fit
    rare: int = 2  # purchases in 90 days; fewer are rare
    small: float = 0.7  # of the threshold; a smaller usual basket cannot be lifted over it
    threshold: float = 1.2  # times the usual basket
    timing: float = 0.5  # of the purchases that even days would bring into the validity
    unreached: float = 0.2  # share that was not delivered
    fatigue: float = 0.3  # share with three coupons or more in 30 days
    goods: float = 0.1  # share of visits without the goods
    value: float = 0.08  # of the threshold
    other: float = 0.2  # share that used another offer
    refused: float = 0.05  # share of uses that a till refused


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, its figure, the limit, whether it is a cause, and a sentence.

    Without a figure nobody knows whether it is one, and the sentence says what is missing.
    """

    code: str
    figure: float | None
    limit: float
    holds: bool
    words: str

    @property
    def strength(self) -> float:
        """How far over its limit."""
        if self.figure is None:
            return 0.0
        if self.figure == self.limit:
            return 1.0
        if self.code in _LOW:
            return self.limit / self.figure if self.figure else float("inf")
        return self.figure / self.limit if self.limit else float("inf")


# Reasons whose figure is too low; the others' are too high.
_LOW = frozenset({"TIMING_MISMATCH", "VALUE_TOO_SMALL", "VALIDITY_TOO_SHORT", "CHANNEL_SINGLE"})


def reasons(
    campaign: Campaign,
    receivers: Sequence[Receiver],
    limits: Limits | None = None,
    *,
    tills: Tills | Absent | None = None,
    shelves: Shelves | Absent | None = None,
) -> list[Reason]:
    """All reasons, causes first and the strongest of them at the top.

    `tills` and `shelves` are what shops say; without them it is what receivers have of it.
    """
    given = limits or Limits()
    found = [
        one
        for one in (
            _audience(campaign, receivers, given),
            _threshold(campaign, receivers, given),
            _timing(campaign, receivers, given),
            _validity(campaign, receivers),
            *_channels(campaign, receivers, given),
            _fatigue(receivers, given),
            _goods(receivers, given) if shelves is None else _shelves(shelves, given),
            _value(campaign, given),
            _other(receivers, given),
            _refused(receivers, given) if tills is None else _tills(tills, given),
            _censored(campaign, receivers),
        )
        if one is not None
    ]
    return sorted(found, key=lambda one: (not one.holds, -one.strength))


def _audience(campaign: Campaign, receivers: Sequence[Receiver], given: Limits) -> Reason:
    reach = given.small * campaign.threshold
    wrong = rare = 0
    for one in receivers:
        seldom = one.bought_in(90, campaign.valid_from) < given.rare
        rare += seldom
        wrong += seldom or (one.usual or 0) < reach
    figure = share(wrong, len(receivers))
    words = (
        f"{figure:.0%} of the receivers bought fewer than {given.rare} times in 90 days "
        f"({share(rare, len(receivers)):.0%}) or usually for less than {reach / 100:.0f}"
    )
    return Reason("AUDIENCE_MISMATCH", figure, given.audience, figure >= given.audience, words)


def _threshold(campaign: Campaign, receivers: Sequence[Receiver], given: Limits) -> Reason | None:
    usual = medians(receivers)
    if not usual:
        return None
    middle = median(usual)
    figure = campaign.threshold / middle
    words = (
        f"the threshold of {campaign.threshold / 100:.0f} is {figure:.1f} times "
        f"the usual basket of {middle / 100:.0f}"
    )
    return Reason("THRESHOLD_TOO_HIGH", figure, given.threshold, figure >= given.threshold, words)


def _timing(campaign: Campaign, receivers: Sequence[Receiver], given: Limits) -> Reason | None:
    """Their purchases by day of the month against the days of the validity.

    The figure is what falls into those days, over what would if all days were alike. Each receiver
    counts alike: who buys often does not speak for the many who buy seldom.
    """
    bought = [[day.day for day in one.days] for one in receivers if one.days]
    valid = {
        (campaign.valid_from + dt.timedelta(days=after)).day for after in range(campaign.valid_days)
    }
    if not bought or len(valid) >= 28:
        return None
    inside = fmean(share(sum(day in valid for day in days), len(days)) for days in bought)
    # A 31st comes seven times a year only.
    even = sum({29: 11.25, 30: 11, 31: 7}.get(day, 12) for day in valid) / 365.25
    figure = inside / even
    words = (
        f"{inside:.0%} of their purchases fall on the days of the month on which it is valid "
        f"({campaign.valid_from.day} to {campaign.valid_to.day}); even days would bring {even:.0%}"
    )
    return Reason("TIMING_MISMATCH", figure, given.timing, figure <= given.timing, words)


def _validity(campaign: Campaign, receivers: Sequence[Receiver]) -> Reason | None:
    gaps = [fmean(found) for one in receivers if (found := one.gaps())]
    if not gaps:
        return None
    usual = median(gaps)
    words = f"valid for {campaign.valid_days} days; they buy every {usual:.0f}"
    return Reason(
        "VALIDITY_TOO_SHORT", campaign.valid_days, usual, campaign.valid_days < usual, words
    )


def _channels(campaign: Campaign, receivers: Sequence[Receiver], given: Limits) -> list[Reason]:
    lost = share(sum(not one.delivered for one in receivers), len(receivers))
    many = len(campaign.channels)
    return [
        Reason(
            "CHANNEL_UNREACHED",
            lost,
            given.unreached,
            lost >= given.unreached,
            f"{lost:.0%} were not reached by {', '.join(campaign.channels)}",
        ),
        Reason(
            "CHANNEL_SINGLE",
            many,
            2,
            many < 2,
            f"sent by {many} {'channel' if many == 1 else 'channels'} "
            f"({', '.join(campaign.channels)})",
        ),
    ]


def _fatigue(receivers: Sequence[Receiver], given: Limits) -> Reason:
    figure = share(sum(one.coupons_before >= 2 for one in receivers), len(receivers))
    words = f"for {figure:.0%} it was the third coupon or a later one in 30 days"
    return Reason("FATIGUE", figure, given.fatigue, figure >= given.fatigue, words)


def _goods(receivers: Sequence[Receiver], given: Limits) -> Reason:
    told = [one for one in receivers if one.missing is not None]
    if not told:
        return _shelves(Absent("no receiver has `missing`, visits without its goods"), given)
    visits = sum(one.visits for one in told)
    figure = share(sum(one.missing or 0 for one in told), visits)
    words = f"on {figure:.0%} of {visits:,} visits its goods were sold out"
    return Reason("GOODS_UNAVAILABLE", figure, given.goods, figure >= given.goods, words)


def _shelves(shelves: Shelves | Absent, given: Limits) -> Reason:
    if isinstance(shelves, Absent):
        return _absent("GOODS_UNAVAILABLE", given.goods, shelves)
    figure = shelves.share
    return Reason("GOODS_UNAVAILABLE", figure, given.goods, figure >= given.goods, shelves.words)


def _value(campaign: Campaign, given: Limits) -> Reason:
    figure = share(campaign.off, campaign.threshold)
    words = f"{campaign.off / 100:.0f} off {campaign.threshold / 100:.0f} is {figure:.0%}"
    return Reason("VALUE_TOO_SMALL", figure, given.value, figure < given.value, words)


def _other(receivers: Sequence[Receiver], given: Limits) -> Reason:
    figure = share(sum(one.other_offer for one in receivers), len(receivers))
    words = f"{figure:.0%} used another offer instead"
    return Reason("COMPETING_OFFER", figure, given.other, figure >= given.other, words)


def _refused(receivers: Sequence[Receiver], given: Limits) -> Reason:
    told = [one for one in receivers if one.refused is not None]
    if not told:
        return _tills(Absent("no receiver has `refused`, how often a till refused it"), given)
    refused = sum(one.refused or 0 for one in told)
    figure = share(refused, refused + sum(one.redeemed for one in told))
    words = f"tills refused it {refused:,} times ({figure:.0%} of uses)"
    return Reason("CASHIER_FRICTION", figure, given.refused, figure >= given.refused, words)


def _tills(tills: Tills | Absent, given: Limits) -> Reason:
    if isinstance(tills, Absent):
        return _absent("CASHIER_FRICTION", given.refused, tills)
    figure = tills.share
    return Reason("CASHIER_FRICTION", figure, given.refused, figure >= given.refused, tills.words)


def _absent(code: str, limit: float, why: Absent) -> Reason:
    return Reason(code, None, limit, False, f"not known: {why.words}")


def _censored(campaign: Campaign, receivers: Sequence[Receiver]) -> Reason:
    left = max((campaign.valid_to - campaign.as_of).days, 0)
    unused = sum(one.delivered and not one.redeemed for one in receivers)
    words = f"still valid for {left} days: {unused:,} unused coupons are no failures yet"
    if not left:
        words = "its validity is over: the figures are final but for returns"
    return Reason("CENSORED", left, 0, left > 0, words)
