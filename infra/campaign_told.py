"""A campaign with its receivers and its control, made from what the warehouse was told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from statistics import fmean, median_low
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infra.campaign_shops import shelves_told, tills_told
from operators.members.coupons.diagnosis.facts import Campaign, Receiver
from operators.members.coupons.diagnosis.shops import Absent, Shelves, Tills
from serving import campaigns
from serving.campaigns import Did, Unit
from serving.queries import Queries, QueryError

# So much of the past is looked at, as in the files.
PAST = dt.timedelta(days=365)
_UNUSED = (None, None, None, None)


class Case(NamedTuple):
    """What a diagnosis is made from; what shops say is there by name only."""

    campaign: Campaign
    receivers: list[Receiver]
    control: list[Receiver]
    tills: Tills | Absent | None = None
    shelves: Shelves | Absent | None = None


def case_of(queries: Queries, name: str, day: dt.date | None = None) -> Case:
    """A campaign; `day`: only those who were issued it on one.

    Its first day is that of its first coupon, and it is as long as half of the coupons are at most.
    Money off is what a coupon takes off at most, or took off on average where nothing limits it.

    Raises:
        QueryError: the warehouse knows too little; the message says what and how it gets there.
    """
    known = campaigns.known(queries, name)
    zone = ZoneInfo(known.timezone)
    units = [
        one
        for one in campaigns.receivers(queries, name)
        if day is None or one.start.astimezone(zone).date() == day
    ]
    if not units:
        when = f" that were issued on {day}" if day else ""
        msg = f"no coupons of {name}{when} are in the warehouse: tillflow run coupons reads them"
        raise QueryError(msg)
    if not known.threshold:
        msg = f"{name} has no threshold: there is nothing to diagnose about it but its funnel"
        raise QueryError(msg)
    first = min(one.start.astimezone(zone).date() for one in units)
    length = median_low(_days(one.start, one.end, zone) for one in units)
    channels = list(dict.fromkeys(each for one in known.channels for each in one))
    campaign = Campaign(
        name,
        known.threshold,
        known.most_off or _mean_off(name, units),
        first,
        first + dt.timedelta(days=length - 1),
        tuple(channels) or ("offers",),
        dt.date.fromisoformat(known.as_of) if known.as_of else first,
    )
    held = [
        Unit(member, at, _midnight(at, length, zone), group, False, False, _UNUSED, 0, False)
        for member, at, group in campaigns.held_out(queries, name)
        if day is None or at.astimezone(zone).date() == day
    ]
    begin = dt.datetime.combine(first, dt.time(), zone)
    did, others = (_did(queries, campaign, each, begin) for each in (units, held))
    end = max(one.end for one in units)
    visits = [
        (each.store, each.at)
        for one, its in zip(units, did, strict=True)
        for each in its
        if each.counts and one.start <= each.at < one.end
    ]
    return Case(
        campaign,
        [_receiver(one, its, begin) for one, its in zip(units, did, strict=True)],
        [_receiver(one, its, begin) for one, its in zip(held, others, strict=True)],
        tills_told(queries, [one.coupon for one in units], begin, end),
        shelves_told(queries, name, visits, begin, end),
    )


def _did(
    queries: Queries, campaign: Campaign, units: Sequence[Unit], begin: dt.datetime
) -> list[list[Did]]:
    """What each of them bought, from a year before the campaign to its end."""
    if not units:
        return []
    spans = [(one.member, begin - PAST, max(begin, one.end)) for one in units]
    did: list[list[Did]] = [[] for _ in units]
    for each in campaigns.purchases(queries, campaign.name, spans):
        did[each.unit].append(each)
    return did


def _receiver(one: Unit, did: Sequence[Did], begin: dt.datetime) -> Receiver:
    past = [each for each in did if each.at < begin]
    visits = [each for each in did if one.start <= each.at < one.end]
    store, receipt, basket, _ = one.used
    during, found = [], False
    for each in visits:
        used = one.redeemed and (each.store, each.receipt) == (store, receipt)
        found |= used
        if each.counts or used:
            # What was paid lacks what the coupon took off.
            during.append(max(each.amount, basket or 0) if used else each.amount)
    lacking = one.redeemed and not found
    return Receiver(
        one.member,
        one.group,
        tuple(each.amount for each in past),
        tuple(dt.date.fromisoformat(each.day) for each in past),
        one.delivered,
        len(visits) + lacking,
        (*during, basket or 0) if lacking else tuple(during),
        one.redeemed,
        opened=one.opened,
        other_offer=one.other,
        coupons_before=one.before,
    )


def _mean_off(name: str, units: Sequence[Unit]) -> int:
    took = [one.used[3] for one in units if one.redeemed and one.used[3]]
    if not took:
        msg = f"what {name} takes off has no limit, and nobody has used it yet: nothing to weigh"
        raise QueryError(msg)
    return round(fmean(one for one in took if one))


def _days(start: dt.datetime, end: dt.datetime, zone: ZoneInfo) -> int:
    """On how many days it is valid; the end is not included."""
    last = (end - dt.timedelta(microseconds=1)).astimezone(zone).date()
    return max(1, (last - start.astimezone(zone).date()).days + 1)


def _midnight(at: dt.datetime, days: int, zone: ZoneInfo) -> dt.datetime:
    day = at.astimezone(zone).date() + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(), zone)
