"""When and where a coupon is valid. Instants are milliseconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from schemas.coupons import WEEKDAYS, CouponRule

Barred = Literal["not_yet", "expired", "other_stores", "other_weekdays", "other_hours"]


def window(rule: CouponRule, issued_at: int, zone: ZoneInfo) -> tuple[int, int]:
    """From when until when (not included) a coupon issued now is valid.

    Whole days of the zone: the last one ends at its midnight, whatever clocks do on it. One that
    lasts `days` is valid at once, and the day of the issue is the first.
    """
    valid = rule.valid
    if valid.first is not None and valid.last is not None:
        return _midnight(valid.first, zone), _midnight(valid.last + timedelta(days=1), zone)
    today = _local(issued_at, zone).date()
    return issued_at, _midnight(today + timedelta(days=valid.days or 1), zone)


def end_of_day(at: int, zone: ZoneInfo) -> int:
    """When the day of an instant is over."""
    return _midnight(_local(at, zone).date() + timedelta(days=1), zone)


def extended(valid_to: int, now: int, grace_days: int, zone: ZoneInfo) -> int:
    """The end of a coupon that was given back: its own, or `grace_days` from today if later."""
    if grace_days == 0:
        return valid_to
    today = _local(now, zone).date()
    return max(valid_to, _midnight(today + timedelta(days=grace_days + 1), zone))


def barred(rule: CouponRule, store: str, at: int, zone: ZoneInfo) -> Barred | None:
    """Why a coupon does not count in a store at a time, its window left aside; None: it counts.

    Hours that go past midnight belong to the day on which they begin.
    """
    if rule.stores is not None and store not in rule.stores:
        return "other_stores"
    local = _local(at, zone)
    day, clock = local.date(), local.time()
    if rule.hours is not None:
        begin, end = (time.fromisoformat(rule.hours[part]) for part in (slice(5), slice(6, None)))
        if begin < end:
            inside = begin <= clock < end
        else:
            inside = clock >= begin or clock < end
            day -= timedelta(days=clock < end)
        if not inside:
            return "other_hours"
    if rule.weekdays is not None and WEEKDAYS[day.weekday()] not in rule.weekdays:
        return "other_weekdays"
    return None


def _local(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(zone)


def _midnight(day: date, zone: ZoneInfo) -> int:
    # The first instant of the day also where midnight is skipped or comes twice.
    return int(datetime.combine(day, time(), zone).timestamp()) * 1000
