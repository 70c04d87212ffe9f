"""A coupon desk for what journeys give, and how its coupons are called."""

from __future__ import annotations

from schemas.coupons import CouponBook
from schemas.coupons_file import read_coupons


def pack(version: int = 1, issued: int = 100, name: str = "gift-pack") -> CouponBook:
    """50 off 280 for 30 days, by the name that the journey gives."""
    return read_coupons(
        f"""\
version: {version}
coupons:
  - id: {name}
    name: {{zh: 大礼包, en: gift pack}}
    kind: amount_off
    threshold: 28000
    amount: 5000
    valid: {{days: 30}}
    budget: {{issued: {issued}}}
"""
    )


def coupon(number: int) -> str:
    return f"{number:031x}f"
