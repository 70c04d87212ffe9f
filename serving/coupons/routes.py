"""The addresses about coupons and what their OpenAPI page says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from litestar import Response
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Example
from litestar.params import Body, FromPath, JSONBody

from serving.coupons.desk import CouponRoutesDesk
from serving.coupons.messages import (
    CouponAnswer,
    IssueRequest,
    OffersAnswer,
    OffersRequest,
    RedeemRequest,
    ReleaseRequest,
    ReserveRequest,
    RollbackAnswer,
    RollbackRequest,
)
from serving.holds.page import Guarded, answers

_coupons = Guarded("coupons", "coupons-closed", "coupons-unavailable")
_offers = Guarded("offers", "coupons-closed", "coupons-unavailable")
_USE = (
    "unknown-coupon",
    "coupon-refused",
    "call-conflict",
    "coupons-busy",
    "coupons-full",
    "request-too-large",
)
OFFERS_EXAMPLES = [
    Example(
        summary="255.00 at the till: 25.00 more and 50.00 off",
        value={
            "member": "m4711",
            "basket": {
                "store": "S001",
                "lines": [
                    {"sku": "TEA-500", "amount": 18000, "category": "tea"},
                    {"sku": "CUP-L", "amount": 8000, "discount": 500},
                ],
            },
        },
    )
]


def coupon_routes(desk: CouponRoutesDesk) -> Sequence[HTTPRouteHandler]:
    """The handlers of one application."""

    @_coupons.make(
        "/v1/coupons",
        "coupons:issue",
        "issueCoupon",
        "Give a coupon to a member",
        "201 a new coupon, 200 the same request again. Refused where the campaign's or "
        "the member's share is used up.",
        "coupon-refused",
        "call-conflict",
        "unknown-campaign",
        "coupons-full",
        again=answers(200, CouponAnswer, "It was issued before."),
    )
    async def issue(data: JSONBody[IssueRequest]) -> Response[CouponAnswer]:
        made = await desk.issue(data)
        return Response(made, status_code=200 if made.replayed else 201)

    @_coupons.read(
        "/v1/coupons/{coupon:str}",
        "coupons:read",
        "readCoupon",
        "Read a coupon",
        "As it is now; what lapsed or expired says so, whether or not anybody tidied.",
        "unknown-coupon",
    )
    async def read(coupon: FromPath[str]) -> CouponAnswer:
        return await desk.read(coupon)

    @_coupons.call(
        "/v1/coupons/{coupon:str}/reserve",
        "coupons:redeem",
        "reserveCoupon",
        "Keep a coupon for an order",
        "With its share of the budget, for a time; lapses by itself. The same order "
        "may reserve again with another basket, under another id.",
        *_USE,
    )
    async def reserve(coupon: FromPath[str], data: JSONBody[ReserveRequest]) -> CouponAnswer:
        return await desk.reserve(coupon, data)

    @_coupons.call(
        "/v1/coupons/{coupon:str}/redeem",
        "coupons:redeem",
        "redeemCoupon",
        "Redeem a coupon: the order is paid",
        "What the order reserved, or a basket at once.",
        *_USE,
    )
    async def redeem(coupon: FromPath[str], data: JSONBody[RedeemRequest]) -> CouponAnswer:
        return await desk.redeem(coupon, data)

    @_coupons.call(
        "/v1/coupons/{coupon:str}/release",
        "coupons:redeem",
        "releaseCoupon",
        "Give a reservation back",
        "Twice is once; what another order has reserved stays.",
        *_USE,
    )
    async def release(coupon: FromPath[str], data: JSONBody[ReleaseRequest]) -> CouponAnswer:
        return await desk.release(coupon, data)

    @_coupons.call(
        "/v1/coupons/{coupon:str}/rollback",
        "coupons:redeem",
        "rollBackCoupon",
        "Goods came back",
        "All of them: coupon and budget are given back, once. Some: the coupon stays "
        "redeemed, and the customer gets them less their share of the discount.",
        *_USE,
    )
    async def roll_back(coupon: FromPath[str], data: JSONBody[RollbackRequest]) -> RollbackAnswer:
        return await desk.roll_back(coupon, data)

    @_offers.call(
        "/v1/offers",
        "coupons:read",
        "offers",
        "What a member's coupons do to a basket",
        "For a till's screen or a mini-program: usable, nearly reached, the others "
        "with a reason, and the best that go together. Writes nothing. A POST, so that no member "
        "stands in an address.",
        "request-too-large",
    )
    async def offers(
        data: Annotated[OffersRequest, Body(examples=OFFERS_EXAMPLES)],
    ) -> OffersAnswer:
        return await desk.offers(data)

    return [issue, read, reserve, redeem, release, roll_back, offers]
