"""The coupon desk as the channels worker sees it: what journeys give is issued there.

The coupon's id is that of the decision, and the desk gives the same id the same coupon, so a gift
whose answer is not known is simply asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping

from operators.channels.filling import Outgoing
from schemas.channels import Coupons
from schemas.instants import SECOND_US
from sinks.channels.client import Found, Plain
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import (
    CouponError,
    DeskUnavailable,
    InvalidCall,
    Mismatch,
    Refused,
    UnknownCampaign,
    UnknownCoupon,
)
from sinks.coupons.settings import DeskSettings
from sinks.sending.verdict import Verdict

FOR_EVER_US = 1 << 62
# What an operator may change by publishing the file of coupons with a higher version.
CHANGEABLE = frozenset(
    {"stopped", "budget_issued", "budget_redeemed", "budget_money", "per_member"}
)


class CouponClient(Plain):
    """Issues coupons; one that it issued before is the same again."""

    provider = "coupons"
    finds = True
    absence_proves = True
    remembers_us = FOR_EVER_US

    def __init__(self, way: Coupons, env: Mapping[str, str]) -> None:
        settings = DeskSettings(
            url=way.redis.read(env), desk=way.pool, timeout_seconds=way.timeout_seconds
        )
        self._desk = CouponDesk(settings)

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Issue one coupon."""
        asked, desk = message.gift, self._desk
        assert asked is not None
        ends = None
        if asked.valid_seconds is not None:
            ends = (asked.decided_at + asked.valid_seconds * SECOND_US) // 1000
        issuing = desk.issuing(
            message.id,
            asked.gift,
            asked.member,
            message=message.id,
            experiment=asked.experiment or None,
            arm=asked.arm or None,
            ends=ends,
            not_after=asked.not_after // 1000,
        )
        try:
            made = desk.run(issuing)
        except Refused as wrong:
            kept = wrong.reason in CHANGEABLE
            return Verdict("kept" if kept else "refused", str(wrong), code=wrong.reason)
        except UnknownCampaign as wrong:
            return Verdict("kept", str(wrong), code="no_campaign")
        except (InvalidCall, Mismatch) as wrong:
            return Verdict("refused", str(wrong))
        except DeskUnavailable as wrong:
            return Verdict("unknown", str(wrong), whole=True)
        except CouponError as wrong:
            return Verdict("retry", str(wrong), whole=True)
        return Verdict("sent", "issued", code="OK", ref=made.coupon, until=made.valid_to)

    def find(self, message: Outgoing, left_at: int, ref: str, now: int) -> Found:
        """Whether the desk has the coupon."""
        try:
            there = self._desk.read(message.id)
        except UnknownCoupon as wrong:
            return Found("absent", str(wrong))
        except CouponError as wrong:
            return Found("unclear", str(wrong))
        return Found("accepted", "issued", "OK", there.coupon, there.valid_to)

    def state(self) -> str:
        """The desk and what is published, for the operator.

        Raises:
            CouponError: it cannot be asked.
        """
        state = self._desk.state().state
        campaigns = ", ".join(one.campaign for one in self._desk.run(self._desk.campaigns_now()))
        return f"{state}, {campaigns or 'nothing published'}"

    def close(self) -> None:
        """Give the connections back."""
        self._desk.close()
