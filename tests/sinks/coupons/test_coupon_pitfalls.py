"""The known pitfalls of coupon systems, one by one, at a desk in a real Redis."""

from __future__ import annotations

from typing import Any

import pytest
from coupon_desks import (
    COUPONS,
    SettableDeskClock,
    basket,
    book,
    campaign_of,
    new_desk,
    one_campaign,
    whats,
)
from redis_server import RedisServer

from schemas.coupon_events import CouponEvent
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import DeskClosed, Mismatch, NotPublished, Refused, UnknownCampaign
from sinks.coupons.settings import DeskSettings

DAY = 86_400_000


def issue(desk: CouponDesk, coupon: str, campaign: str = "c280-50", member: str = "m1") -> None:
    desk.run(desk.issuing(coupon, campaign, member))


def reserve(desk: CouponDesk, coupon: str, order: str, amount: int = 29_000, **more: Any) -> Any:
    call = more.pop("call", f"reserve-{coupon}-{order}")
    asked = desk.reserving(coupon, basket(amount), call=call, order=order, **more)
    return desk.run(asked)


def redeem(desk: CouponDesk, coupon: str, order: str, **more: Any) -> Any:
    return desk.run(desk.redeeming(coupon, call=f"redeem-{coupon}-{order}", order=order, **more))


def refusal(asked: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        asked(*arguments, **more)
    return caught.value.reason


def test_a_coupon_is_redeemed_once(desk: CouponDesk) -> None:
    issue(desk, "k")
    redeem(desk, "k", "o1", basket=basket(29_000))
    assert refusal(redeem, desk, "k", "o2", basket=basket(29_000)) == "already_redeemed"
    assert redeem(desk, "k", "o1", basket=basket(29_000)).replayed
    assert campaign_of(desk, "c280-50").money == 5000


def test_a_refund_counts_once(desk: CouponDesk) -> None:
    issue(desk, "k")
    redeem(desk, "k", "o1", basket=basket(29_000))
    first = desk.run(desk.rolling_back("k", order="o1", refund="r1"))
    again = desk.run(desk.rolling_back("k", order="o1", refund="r1"))
    assert (first[1], again[1]) == (24_000, 24_000)
    assert again[0].replayed
    # Used again by another order, the old refund still says the same and takes nothing back.
    redeem(desk, "k", "o2", basket=basket(29_000))
    assert desk.run(desk.rolling_back("k", order="o1", refund="r1"))[0].replayed
    assert campaign_of(desk, "c280-50").redeemed == 1
    assert whats(desk) == ["issued", "redeemed", "rolled_back", "redeemed"]


def test_goods_that_come_back_in_parts_pay_back_what_was_paid(desk: CouponDesk) -> None:
    issue(desk, "k")
    redeem(desk, "k", "o1", basket=basket(30_000))
    paid = []
    for number, part in enumerate((10_000, 10_001, 9_999)):
        made, back = desk.run(desk.rolling_back("k", order="o1", refund=str(number), returned=part))
        paid.append(back)
    assert paid[0] == 10_000 - 5_000 * 10_000 // 30_000
    assert sum(paid) == 25_000
    assert made.state == "rolled_back"
    assert campaign_of(desk, "c280-50").redeemed == 0


def test_expired_coupon_given_back_has_days_of_grace(clock: SettableDeskClock) -> None:
    with clock.desk() as desk:
        issue(desk, "k")
        redeem(desk, "k", "o1", basket=basket(29_000))
        clock.advance(desk, 20 * DAY)
        made, _ = desk.run(desk.rolling_back("k", order="o1", refund="r"))
        assert made.state == "rolled_back"
        assert 3 * DAY < made.valid_to - clock.now <= 4 * DAY
        clock.advance(desk, 5 * DAY)
        assert desk.read("k").state == "expired"


def test_offline_sale_counts_by_its_own_time(clock: SettableDeskClock) -> None:
    with clock.desk() as desk:
        for coupon in ("k1", "k2", "k3"):
            issue(desk, coupon)
        end = desk.read("k1").valid_to
        clock.advance(desk, end - clock.now + 8 * 3_600_000)
        assert desk.sweep() == 3
        sold = {"basket": basket(29_000), "occurred_at": end - 600_000}
        assert redeem(desk, "k1", "o1", **sold).state == "redeemed"
        assert refusal(redeem, desk, "k2", "o2", basket=basket(29_000)) == "expired"
        clock.advance(desk, 20 * 3_600_000)  # the allowance is a day
        assert refusal(redeem, desk, "k3", "o3", **sold) == "expired"


def test_reserved_in_time_may_be_finished_after_the_end(clock: SettableDeskClock) -> None:
    with clock.desk() as desk:
        issue(desk, "k")
        clock.advance(desk, desk.read("k").valid_to - clock.now - 1000)
        reserve(desk, "k", "o1")
        clock.advance(desk, 60_000)
        assert desk.sweep() == 0
        assert redeem(desk, "k", "o1").state == "redeemed"


def test_lapsed_reservation_frees_coupon_and_budget_by_itself(clock: SettableDeskClock) -> None:
    with clock.desk(one_campaign(redeemed=1)) as desk:
        issue(desk, "k1", "c")
        issue(desk, "k2", "c")
        reserve(desk, "k1", "o1")
        assert refusal(reserve, desk, "k2", "o2") == "budget_redeemed"
        clock.advance(desk, 600_000)
        reserve(desk, "k2", "o2")
        # The first order comes too late: the budget is another's.
        assert refusal(redeem, desk, "k1", "o1") == "budget_redeemed"
        desk.run(desk.releasing("k2", call="x", order="o2"))
        assert redeem(desk, "k1", "o1").amount == 5000
        told = [each.event for each in desk.outbox() if each.what == "released"]
        lapsed = [(each.coupon, each.cause) for each in told if isinstance(each, CouponEvent)]
        assert lapsed == [("k1", "lapsed"), ("k2", "asked")]


def test_the_last_of_a_budget_of_money_goes_to_one(desk: CouponDesk) -> None:
    desk.publish(book(COUPONS.replace("version: 1", "version: 2").replace("3000000", "7000")))
    issue(desk, "k1")
    issue(desk, "k2")
    redeem(desk, "k1", "o1", basket=basket(29_000))
    assert refusal(redeem, desk, "k2", "o2", basket=basket(29_000)) == "budget_money"
    desk.run(desk.rolling_back("k1", order="o1", refund="r"))
    redeem(desk, "k2", "o2", basket=basket(29_000))


def test_issue_again_is_the_same_coupon(desk: CouponDesk) -> None:
    first = desk.run(desk.issuing("msg-1", "c280-50", "m1", message="msg-1", arm="B"))
    again = desk.run(desk.issuing("msg-1", "c280-50", "m1", message="msg-1", arm="B"))
    assert (first.replayed, again.replayed) == (False, True)
    with pytest.raises(Mismatch):
        desk.run(desk.issuing("msg-1", "c280-50", "m2", message="msg-1", arm="B"))
    assert whats(desk) == ["issued"]
    told = desk.outbox()[0].event
    assert isinstance(told, CouponEvent)
    assert told.arm == "B"


def test_same_call_id_with_other_content_is_refused(desk: CouponDesk) -> None:
    issue(desk, "k")
    reserve(desk, "k", "o1", call="one")
    with pytest.raises(Mismatch):
        reserve(desk, "k", "o1", 30_000, call="one")


def test_a_basket_that_grows_is_reserved_anew(desk: CouponDesk) -> None:
    issue(desk, "t", "tea-20")
    tea = basket(5_000, category="tea")
    more = basket(5_000, 5_000, category="tea")
    desk.run(desk.reserving("t", tea, call="1", order="o1"))
    made = desk.run(desk.reserving("t", more, call="2", order="o1"))
    assert (made.amount, campaign_of(desk, "tea-20").reserved_money) == (2_000, 2_000)
    assert redeem(desk, "t", "o1").amount == 2_000


def test_coupons_that_stand_alone_go_with_no_other(desk: CouponDesk) -> None:
    issue(desk, "k")
    issue(desk, "t", "tea-20")
    issue(desk, "g", "cup")
    tea = basket(30_000, category="tea")
    desk.run(desk.reserving("t", tea, call="1", order="o1"))
    desk.run(desk.reserving("g", tea, call="1", order="o1"))
    assert refusal(reserve, desk, "k", "o1") == "not_together"
    for coupon in ("t", "g"):
        desk.run(desk.releasing(coupon, call="2", order="o1"))
    reserve(desk, "k", "o1")
    again = desk.reserving("t", tea, call="3", order="o1")
    assert refusal(desk.run, again) == "not_together"


def test_another_member_may_use_only_what_may_be_passed_on(desk: CouponDesk) -> None:
    issue(desk, "k")
    issue(desk, "t", "tea-20")
    assert refusal(redeem, desk, "k", "o1", basket=basket(29_000), buyer="m9") == "other_member"
    tea = basket(30_000, category="tea")
    assert redeem(desk, "t", "o2", basket=tea, buyer="m9").by == "m9"
    told = desk.outbox()[-1].event
    assert isinstance(told, CouponEvent)
    assert (told.member, told.by) == ("m1", "m9")


def test_a_coupon_belongs_to_its_stores(desk: CouponDesk) -> None:
    issue(desk, "g", "cup")
    here = basket(20_000, store="S009")
    assert refusal(redeem, desk, "g", "o1", basket=here) == "other_stores"
    assert refusal(redeem, desk, "g", "o1", basket=basket(9_999)) == "below_threshold"
    assert redeem(desk, "g", "o1", basket=basket(10_000)).amount == 1_900


def test_what_members_were_promised_does_not_change(desk: CouponDesk) -> None:
    second = COUPONS.replace("version: 1", "version: 2")
    issue(desk, "k")
    with pytest.raises(NotPublished, match="c280-50"):
        desk.publish(book(second.replace("threshold: 28000", "threshold: 30000")))
    desk.publish(book(second.replace("issued: 1000", "issued: 1")))
    assert refusal(issue, desk, "k2") == "budget_issued"
    with pytest.raises(NotPublished, match="higher version"):
        desk.publish(book())
    stopped = second.replace("version: 2", "version: 3").replace(
        "    per_member: 3", "    stopped: all"
    )
    desk.publish(book(stopped))
    assert refusal(reserve, desk, "k", "o1") == "stopped"


def test_an_empty_desk_promises_nothing(server: RedisServer) -> None:
    with CouponDesk(DeskSettings(url=server.url, desk="never")) as desk:
        desk.publish(book())
        with pytest.raises(DeskClosed, match="--first"):
            issue(desk, "k")
    with new_desk(server) as open_:
        with pytest.raises(NotPublished, match="in use"):
            open_.publish(book(), first="two")
        with pytest.raises(UnknownCampaign):
            issue(open_, "k", "nothing")


def test_a_worn_out_call_list_keeps_redemptions(desk: CouponDesk) -> None:
    """Scanning again and again forgets old reservations, never a redemption or a refund."""
    issue(desk, "k")
    redeem(desk, "k", "o0", basket=basket(29_000))
    desk.run(desk.rolling_back("k", order="o0", refund="r0"))
    for number in range(40):
        reserve(desk, "k", "o1", 29_000 + number, call=f"scan-{number}")
    assert redeem(desk, "k", "o0", basket=basket(29_000)).replayed
    assert desk.run(desk.rolling_back("k", order="o0", refund="r0"))[0].replayed
    assert desk.read("k").basket == 29_039
