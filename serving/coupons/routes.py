"""The addresses about coupons and what their OpenAPI page says of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from litestar import Response, get, post
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
from serving.holds.page import GUARDED, answers, problems

_TAG = ["coupons"]
_ALWAYS = (
    "invalid-request",
    "missing-key",
    "unknown-key",
    "missing-scope",
    "rate-limited",
    "internal",
    "coupons-closed",
    "coupons-unavailable",
)
_USE = (
    *_ALWAYS,
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

    @post(
        "/v1/coupons",
        opt={"scope": "coupons:issue"},
        operation_id="issueCoupon",
        summary="Give a coupon to a member",
        description="201 a new coupon, 200 the same request again. Refused where the campaign's or "
        "the member's share is used up.",
        tags=_TAG,
        security=GUARDED,
        responses=answers(200, CouponAnswer, "It was issued before.")
        | problems(*_ALWAYS, "coupon-refused", "call-conflict", "unknown-campaign", "coupons-full"),
    )
    async def issue(data: JSONBody[IssueRequest]) -> Response[CouponAnswer]:
        made = await desk.issue(data)
        return Response(made, status_code=200 if made.replayed else 201)

    @get(
        "/v1/coupons/{coupon:str}",
        opt={"scope": "coupons:read"},
        operation_id="readCoupon",
        summary="Read a coupon",
        description="As it is now; what lapsed or expired says so, whether or not anybody tidied.",
        tags=_TAG,
        security=GUARDED,
        responses=problems(*_ALWAYS, "unknown-coupon"),
    )
    async def read(coupon: FromPath[str]) -> CouponAnswer:
        return await desk.read(coupon)

    @post(
        "/v1/coupons/{coupon:str}/reserve",
        opt={"scope": "coupons:redeem"},
        status_code=200,
        operation_id="reserveCoupon",
        summary="Keep a coupon for an order",
        description="With its share of the budget, for a time; lapses by itself. The same order "
        "may reserve again with another basket, under another id.",
        tags=_TAG,
        security=GUARDED,
        responses=problems(*_USE),
    )
    async def reserve(coupon: FromPath[str], data: JSONBody[ReserveRequest]) -> CouponAnswer:
        return await desk.reserve(coupon, data)

    @post(
        "/v1/coupons/{coupon:str}/redeem",
        opt={"scope": "coupons:redeem"},
        status_code=200,
        operation_id="redeemCoupon",
        summary="Redeem a coupon: the order is paid",
        description="What the order reserved, or a basket at once.",
        tags=_TAG,
        security=GUARDED,
        responses=problems(*_USE),
    )
    async def redeem(coupon: FromPath[str], data: JSONBody[RedeemRequest]) -> CouponAnswer:
        return await desk.redeem(coupon, data)

    @post(
        "/v1/coupons/{coupon:str}/release",
        opt={"scope": "coupons:redeem"},
        status_code=200,
        operation_id="releaseCoupon",
        summary="Give a reservation back",
        description="Twice is once; what another order has reserved stays.",
        tags=_TAG,
        security=GUARDED,
        responses=problems(*_USE),
    )
    async def release(coupon: FromPath[str], data: JSONBody[ReleaseRequest]) -> CouponAnswer:
        return await desk.release(coupon, data)

    @post(
        "/v1/coupons/{coupon:str}/rollback",
        opt={"scope": "coupons:redeem"},
        status_code=200,
        operation_id="rollBackCoupon",
        summary="Goods came back",
        description="All of them: coupon and budget are given back, once. Some: the coupon stays "
        "redeemed, and the customer gets them less their share of the discount.",
        tags=_TAG,
        security=GUARDED,
        responses=problems(*_USE),
    )
    async def roll_back(coupon: FromPath[str], data: JSONBody[RollbackRequest]) -> RollbackAnswer:
        return await desk.roll_back(coupon, data)

    @post(
        "/v1/offers",
        opt={"scope": "coupons:read"},
        status_code=200,
        operation_id="offers",
        summary="What a member's coupons do to a basket",
        description="For a till's screen or a mini-program: usable, nearly reached, the others "
        "with a reason, and the best that go together. Writes nothing. A POST, so that no member "
        "stands in an address.",
        tags=["offers"],
        security=GUARDED,
        responses=problems(*_ALWAYS, "request-too-large"),
    )
    async def offers(
        data: Annotated[OffersRequest, Body(examples=OFFERS_EXAMPLES)],
    ) -> OffersAnswer:
        return await desk.offers(data)

    return [issue, read, reserve, redeem, release, roll_back, offers]
