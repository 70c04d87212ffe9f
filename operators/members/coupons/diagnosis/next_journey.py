"""The next experiment after a diagnosis, as the file of a journey that can be run as it is.

Half of those who come in are its holdout, so that `coupon diagnose` of the new coupon reads it
against them. What the diagnosis found is put right: audience, threshold, day, validity, channels.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from math import ceil
from statistics import median

from operators.members.coupons.diagnosis.facts import Campaign, Receiver
from operators.members.coupons.diagnosis.reasons import Limits
from operators.members.coupons.diagnosis.report import Diagnosis, next_audience

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# Tried in this order where one channel was too few.
_MORE = ("wechat_subscription", "mini_program", "sms")
_LONGEST = 31  # days of validity


def next_journey(
    found: Diagnosis,
    receivers: Sequence[Receiver],
    channels: Collection[str],
    limits: Limits | None = None,
) -> str | None:
    """The journey's YAML, None where nothing can be tested; `channels` are those of the chain."""
    test, given = found.next_test, limits or Limits()
    if test is None or test.offer is None:
        return None
    campaign = found.campaign
    receivers = next_audience(campaign, receivers, found.reasons, given)
    causes = {one.code for one in found.causes}
    threshold, off = test.offer
    own = (threshold, off) == (campaign.threshold, campaign.off)
    name = f"next-{threshold // 100}-{off // 100}"
    gift = campaign.name if own else f"c{threshold // 100}-{off // 100}"
    days = _validity(campaign, receivers) if "VALIDITY_TOO_SHORT" in causes else campaign.valid_days
    least = ceil(given.small * threshold / 100)
    used = list(dict.fromkeys(one for one in campaign.channels if one in channels))
    if "CHANNEL_SINGLE" in causes or not used:
        used += [one for one in _MORE if one in channels and one not in used]
    lines = [
        f"# The next experiment after {campaign.name}, made by `tillflow coupon diagnose`.",
        f"# Size: {test.words}.",
        f"# Half of who comes in gets nothing: stop when {2 * test.per_arm:,} members have come in "
        f"and {max(test.days, days)} days are over,",
        f"# then ask `tillflow coupon diagnose {gift} --warehouse …`.",
    ]
    if not own:
        lines.append(
            f"# {gift} has to be in the file of coupons: kind: amount_off, threshold: {threshold}, "
            f"amount: {off}, valid: {{days: {days}}}."
        )
    lines += [
        f"journey: {name}",
        "version: 1",
        f"title: {off // 100} off {threshold // 100}, against nothing",
        f"when: {{schedule: {_schedule(receivers, causes, campaign.valid_days)}}}",
        f'who: {{visits: ">={given.rare}", median_basket: ">={least}", consent: marketing}}',
        "reenter: never",
        "holdout: 50%",
        "limits: {ttl: 12h}",
        "exit_when: [opted_out]",
        f"goal: {{purchase_within: {days}d}}",
        "steps:",
        f"  - {{give: {gift}, valid: {days}d}}",
        "  - send:",
        "      class: marketing",
        f"      channels: [{', '.join(used)}]",
        f"      text: 满{threshold // 100}减{off // 100}·{days}天内有效",
        "tests:",
        "  - name: who never bought is not asked",
        "    given:",
        f"      - {{at: {campaign.as_of} 12:00, registered: true}}",
        f"      - {{at: {campaign.as_of + dt.timedelta(days=40)} 12:00, tick: true}}",
        "    expect: {entered: 0, sent: 0, given: 0}",
    ]
    return "\n".join(lines) + "\n"


def _validity(campaign: Campaign, receivers: Sequence[Receiver]) -> int:
    gaps = [median(one) for each in receivers if (one := each.gaps())]
    return min(max(campaign.valid_days, ceil(median(gaps))) if gaps else 7, _LONGEST)


def _schedule(receivers: Sequence[Receiver], causes: Collection[str], days: int) -> str:
    """Where the month was wrong, the day of it from which on most is bought; else a weekday."""
    # Each receiver counts alike, as for the cause.
    by_day: dict[int, float] = defaultdict(float)
    by_weekday: dict[int, float] = defaultdict(float)
    for one in receivers:
        for day in one.days:
            by_day[day.day] += 1 / len(one.days)
            by_weekday[day.weekday()] += 1 / len(one.days)
    if not by_day:
        return "every Friday 10:00"
    if "TIMING_MISMATCH" in causes:
        # A month of 31 days, that starts anew; days after the 28th are not in every month.
        caught = {
            first: round(sum(by_day[(first + at - 1) % 31 + 1] for at in range(min(days, 31))), 6)
            for first in range(1, 29)
        }
        return f"every month {max(caught, key=lambda first: caught[first])} 10:00"
    return f"every {_DAYS[max(by_weekday, key=lambda day: by_weekday[day])]} 10:00"
