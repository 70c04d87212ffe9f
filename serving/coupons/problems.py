"""What the desk refuses, as problems of the API."""

from __future__ import annotations

from schemas.coupons import Names
from serving.holds.messages import Problem
from serving.holds.problems import KINDS, Kind, problem
from sinks.coupons import errors

_SIMPLE: tuple[tuple[type[errors.CouponError], str], ...] = (
    (errors.InvalidCall, "invalid-request"),
    (errors.Mismatch, "call-conflict"),
    (errors.UnknownCoupon, "unknown-coupon"),
    (errors.UnknownCampaign, "unknown-campaign"),
    (errors.DeskBusy, "coupons-busy"),
    (errors.DeskFull, "coupons-full"),
)


def of_desk(wrong: errors.CouponError) -> tuple[Kind, Problem]:
    """What the desk refused, as a problem; nothing of the server's inside is shown."""
    if isinstance(wrong, errors.Refused):
        kind = KINDS["coupon-refused"]
        words = Names(zh=wrong.zh, en=wrong.en)
        return kind, problem(kind, str(wrong), reason=wrong.reason, words=words)
    if isinstance(wrong, errors.DeskClosed):
        kind = KINDS["coupons-closed"]
        return kind, problem(kind, f"the desk is {wrong.state}: try again when it is open")
    if isinstance(wrong, errors.DeskUnavailable):
        kind = KINDS["coupons-unavailable"]
        detail = "it is not known whether the call was done: make it again with the same id"
        return kind, problem(kind, detail)
    for refusal, name in _SIMPLE:
        if isinstance(wrong, refusal):
            return KINDS[name], problem(KINDS[name], str(wrong))
    return KINDS["internal"], problem(KINDS["internal"], "see the log of the server")
