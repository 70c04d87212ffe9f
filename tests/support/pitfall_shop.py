"""What the tests of the study's pitfalls start with, and which pitfalls have no test there.

The pitfalls that journeys have to stand are in tests/operators/journeys/test_journey_pitfalls_*.py,
by their names. Not there, and why: S3-S7, S10, S12, S13, S15, S17-S21 are of figures and segments
(tests/operators/members); S25 and M1's process that is killed are in tests/flows. M2-M4, M10, M18
and the provider's part of M20 are of channels, which act on decisions; M25 is of locks, and there
are none: a member has one writer. M26: steps cannot loop, coming in again is `reenter`. I8's
figures are in tests/operators/members, I9 needs phones and events have pseudonyms. E3-E6, E8-E12
are of the experiments' figures; C1-C11 of coupons; X5 of consents as members keep them; X6: no
step changes a price.
"""

from __future__ import annotations

from journey_driver import SEND, Shop, chain_of, journey

ON_PURCHASE = "{event: purchase}"
WINBACK = journey(
    "winback", "{no_purchase_for: 30d}", "wait: until 09:00", SEND, exit_when="[purchase]"
)
VIP = journey(
    "vip", "{crosses: {field: spent, above: 500}}", "set: {tier: VIP}", "wait: 7d",
    "{if: {spent: '>=500'}, then: [{give: gift}], else: [{set: {tier: review}}]}",
)  # fmt: skip


def shop(*texts: str, **about: object) -> Shop:
    """Who agreed to everything, in a chain without caps and quiet hours."""
    chain = chain_of(**{"quiet_hours": None, **about})  # type: ignore[arg-type]
    found = Shop(*texts, chain=chain)
    found.allow("2026-01-01 00:00")
    return found
