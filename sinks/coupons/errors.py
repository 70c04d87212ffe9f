"""What the desk answers instead of a coupon. Each message says what, where and what to do.

Nothing was written when one of these is raised, except `DeskUnavailable`: then it is not known, and
the same call with the same id may simply be made again.
"""

from __future__ import annotations

# Why a coupon was not issued or used; the words are for the people at the till.
REASONS: dict[str, tuple[str, str]] = {
    "already_redeemed": ("it has been redeemed with another order", "已在其他订单核销"),
    "reserved_elsewhere": ("another order has it reserved just now", "已被其他订单锁定"),
    "not_reserved": ("this order has not reserved it: say the basket", "本单未锁定，请提交购物篮"),
    "not_redeemed": ("it is not redeemed, so nothing can be rolled back", "尚未核销，无法撤销"),
    "other_order": ("it was redeemed with another order", "核销于其他订单"),
    "not_yet": ("it is not valid yet", "尚未生效"),
    "expired": ("it has expired", "已过期"),
    "erased": ("the member has been erased", "会员已注销"),
    "too_late": ("it was to be issued earlier than this", "已过发放时间"),
    "stopped": ("its campaign has been stopped", "活动已停止"),
    "other_member": ("it is another member's and cannot be passed on", "非本人优惠券，不可转让"),
    "worn_out": ("it has been redeemed and rolled back too often", "核销撤销次数过多"),
    "not_together": ("it does not go with a coupon that the order has", "不可与本单其他券同用"),
    "same_campaign": ("the order has a coupon of this campaign", "本单已用同一活动的券"),
    "budget_issued": ("all coupons of the campaign have been issued", "优惠券已发完"),
    "budget_redeemed": ("the campaign's budget of redemptions is used up", "核销名额已用完"),
    "budget_money": ("the campaign's budget of money is used up", "活动预算已用完"),
    "per_member": ("the member has had as many as one may have", "已达每人领取上限"),
    "other_stores": ("it is not valid in this store", "本店不可用"),
    "other_weekdays": ("it is not valid on this day of the week", "今日不可用"),
    "other_hours": ("it is not valid at this time of day", "当前时段不可用"),
    "below_threshold": ("the goods that count do not reach its threshold", "未达使用门槛"),
    "no_goods": ("nothing in the basket counts for it", "购物篮中没有适用商品"),
}


class CouponError(Exception):
    """Base of everything the desk raises."""


class InvalidCall(CouponError, ValueError):
    """The call itself is wrong: a name too long, a time out of range."""


class Refused(CouponError):
    """The coupon cannot be had or used; `reason` is one of `REASONS`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        self.reason = reason
        self.en, self.zh = REASONS[reason]
        super().__init__(detail or self.en)


class Mismatch(CouponError):
    """The id is that of a call with other content."""


class UnknownCoupon(CouponError):
    """There is no such coupon, or it ended long ago."""


class UnknownCampaign(CouponError):
    """No such campaign was published."""


class DeskClosed(CouponError):
    """The desk is empty, closed or restarted: it may not know what was promised before."""

    def __init__(self, desk: str, state: str) -> None:
        self.state = state
        super().__init__(
            f"the coupon desk {desk!r} is {state}: publish coupons with `tillflow coupon publish "
            "FILE`, a first time with --first; one that lost its data, or may have, is rebuilt "
            "from the log first (the keeper does), see docs/coupons.md"
        )


class NotPublished(CouponError):
    """The file was not published; the message says why and what to do."""


class DeskBusy(CouponError):
    """What the call is about kept changing between its tries. Make it again."""


class DeskUnavailable(CouponError):
    """Redis did not answer: it is not known whether the call was done. Make it again, same id."""


class DeskFull(CouponError):
    """The server is at its memory limit: coupons can be redeemed and rolled back, not issued."""
