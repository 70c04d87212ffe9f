"""Validity in the zone of the shops: days, weekdays, hours, over clock changes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.coupons.life import Lives, OutOfOrder
from operators.coupons.valid import barred, extended, window
from schemas.coupon_events import CouponEvent
from schemas.coupons import Budget, CouponRule, Names, Validity

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def rule(**given: object) -> CouponRule:
    plain: dict[str, object] = {
        "id": "c",
        "name": Names(zh="券", en="coupon"),
        "kind": "amount_off",
        "amount": 1,
        "valid": Validity(days=5),
        "budget": Budget(issued=1),
    }
    return CouponRule(**{**plain, **given})  # type: ignore[arg-type]


def test_last_day_ends_at_its_midnight() -> None:
    dated = rule(valid=Validity(first=date(2026, 11, 27), last=date(2026, 11, 30)))
    found = window(dated, 0, SHANGHAI)
    assert found == (ms("2026-11-27T00:00+08:00"), ms("2026-12-01T00:00+08:00"))


@given(st.integers(1, 400), st.integers(ms("2026-01-01T00:00Z"), ms("2027-01-01T00:00Z")))
def test_days_are_those_of_the_calendar(days: int, at: int) -> None:
    first, end = window(rule(valid=Validity(days=days)), at, BERLIN)
    last = datetime.fromtimestamp(end / 1000 - 1, BERLIN)
    assert first == at
    assert last.date() == datetime.fromtimestamp(at / 1000, BERLIN).date() + timedelta(days - 1)
    assert (last.hour, last.minute) == (23, 59)


@pytest.mark.parametrize(
    ("time", "why"),
    [
        ("2026-11-27T21:59+08:00", None),
        ("2026-11-27T22:00+08:00", None),
        ("2026-11-28T01:59+08:00", None),  # still the night of Friday
        ("2026-11-28T02:00+08:00", "other_hours"),
        ("2026-11-27T19:59+08:00", "other_hours"),
        ("2026-11-27T01:00+08:00", "other_weekdays"),  # the night of Thursday
        ("2026-11-28T21:00+08:00", "other_weekdays"),
    ],
)
def test_hours_past_midnight_belong_to_their_day(time: str, why: str | None) -> None:
    night = rule(weekdays=["fri"], hours="20:00-02:00")
    assert barred(night, "S1", ms(time), SHANGHAI) == why


def test_weekday_is_that_of_the_shop() -> None:
    early = rule(weekdays=["fri"], hours="07:00-08:00", stores=["S1"])
    friday = ms("2026-11-27T07:00+08:00")  # Thursday 23:00 in London
    assert barred(early, "S1", friday, SHANGHAI) is None
    assert barred(early, "S2", friday, SHANGHAI) == "other_stores"


def test_grace_never_shortens() -> None:
    now = ms("2026-11-27T12:00+08:00")
    end = ms("2026-12-24T00:00+08:00")
    assert extended(end, now, 3, SHANGHAI) == end
    assert extended(now - 1, now, 3, SHANGHAI) == ms("2026-12-01T00:00+08:00")
    assert extended(now - 1, now, 0, SHANGHAI) == now - 1


def event(**more: object) -> CouponEvent:
    fixed = {"valid_from": "2026-11-01T00:00:00Z", "valid_to": "2026-12-01T00:00:00Z"}
    plain = {"coupon": "k", "campaign": "c", "member": "m", **fixed}
    return CouponEvent(**{**plain, **more})  # type: ignore[arg-type]


def test_life_refuses_what_cannot_follow() -> None:
    lives = Lives()
    with pytest.raises(OutOfOrder, match="before it was issued"):
        lives.take("redeemed", event())
    lives.take("issued", event())
    with pytest.raises(OutOfOrder, match="second time"):
        lives.take("issued", event())
    with pytest.raises(OutOfOrder, match="`released` cannot follow `issued`"):
        lives.take("released", event())
    lives.take("redeemed", event(order="o", amount_off=5))
    with pytest.raises(OutOfOrder, match="`redeemed` cannot follow `redeemed`"):
        lives.take("redeemed", event(order="p"))
    lives.take("rolled_back", event(order="o", refund="r", returned=3, partial=True))
    assert lives.use(0)["c"].money == 5
    lives.take("rolled_back", event(order="o", refund="s", returned=4))
    assert (lives.use(0)["c"].redeemed, lives.coupons["k"].returned) == (0, 7)
