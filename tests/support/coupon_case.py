"""The seed's two campaigns on simulated members whose coupon changes nothing they do."""

from __future__ import annotations

import datetime as dt
import random

from operators.members.coupons.diagnosis.facts import Campaign, Receiver

FIRST = Campaign(
    "300-50",
    30_000,
    5_000,
    dt.date(2026, 10, 1),
    dt.date(2026, 10, 7),
    ("sms",),
    dt.date(2026, 10, 31),
)
SECOND = Campaign(
    "280-50",
    28_000,
    5_000,
    dt.date(2026, 10, 23),  # a Friday
    dt.date(2026, 10, 27),
    ("wechat_subscription", "wecom", "sms"),
    dt.date(2026, 11, 20),
)


def basket(draws: random.Random, mean: float, spread: float) -> int:
    """Minor units of a basket, at least 1.00."""
    return max(100, round(100 * draws.gauss(mean, spread)))


def month_ends(draws: random.Random, many: int, until: dt.date) -> tuple[dt.date, ...]:
    """Purchases in the last days of the months before."""
    days = []
    for back in range(many):
        month = (until.replace(day=1) - dt.timedelta(days=31 * back + 1)).replace(day=1)
        days.append(month + dt.timedelta(days=draws.randint(23, 27)))
    return tuple(days)


def first_audience(many: int, seed: int = 1) -> list[Receiver]:
    """Four of five buy seldom and little; the others buy often, for about 280."""
    draws = random.Random(seed)
    found = []
    for number in range(many):
        rare = number % 5 != 0
        mean, spread, past = (150, 30, 2) if rare else (280, 50, 9)
        days = month_ends(draws, past, FIRST.valid_from)
        if rare:  # no more than once in 90 days
            days = tuple(day - dt.timedelta(days=60) for day in days)
        visits = int(draws.random() < (0.1 if rare else 0.7))
        during = tuple(basket(draws, mean, spread) for _ in range(visits))
        found.append(
            Receiver(
                f"m{number}",
                "rare" if rare else "regular",
                tuple(basket(draws, mean, spread) for _ in range(past)),
                days,
                delivered=draws.random() < 0.95,
                visits=visits,
                during=during,
                redeemed=False,
            )
        )
    return [redeemed(FIRST, one) for one in found]


def second_audience(many: int, seed: int = 2) -> list[Receiver]:
    """Regulars only, each of whom makes one ordinary purchase of 250, give or take 50."""
    draws = random.Random(seed)
    return [
        redeemed(
            SECOND,
            Receiver(
                f"m{number}",
                "regular",
                tuple(basket(draws, 250, 50) for _ in range(9)),
                month_ends(draws, 9, SECOND.valid_from),
                delivered=True,
                visits=1,
                during=(basket(draws, 250, 50),),
                redeemed=False,
            ),
        )
        for number in range(many)
    ]


def redeemed(campaign: Campaign, one: Receiver) -> Receiver:
    """Uses the coupon if the ordinary basket reaches it: nobody does anything for it."""
    uses = one.delivered and max(one.during, default=0) >= campaign.threshold
    return Receiver(
        one.member,
        one.group,
        one.baskets,
        one.days,
        one.delivered,
        one.visits,
        one.during,
        uses,
    )
