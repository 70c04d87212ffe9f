"""Tills as processes, for the races at a coupon desk. By itself: each process imports it anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from coupon_desks import basket

from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import CouponError, Refused
from sinks.coupons.settings import DeskSettings


def till(settings: DeskSettings, number: int, coupons: Sequence[str], out: Path) -> None:
    """Redeems whatever coupon it can, each under an order of its own; writes what was confirmed."""
    with CouponDesk(settings) as desk, out.open("a", encoding="utf-8") as told:
        for turn, coupon in enumerate(coupons):
            order = f"o-{number}-{turn}"
            try:
                if turn % 2:
                    asked = desk.reserving(coupon, basket(29_000), call=f"r{order}", order=order)
                    desk.run(asked)
                    desk.run(desk.redeeming(coupon, call=f"d{order}", order=order))
                else:
                    here = basket(29_000)
                    desk.run(desk.redeeming(coupon, call=f"d{order}", order=order, basket=here))
            except Refused:
                continue
            except CouponError:
                break  # the server is gone
            told.write(f"{coupon} {order}\n")
            told.flush()
