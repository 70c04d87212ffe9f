"""What the API does with a request about coupons: calls of the desk, answers of the API."""

from __future__ import annotations

from schemas.coupons import Basket
from schemas.instants import to_datetime, to_micros
from serving.coupons.messages import (
    BestAnswer,
    CouponAnswer,
    IssueRequest,
    OfferAnswer,
    OffersAnswer,
    OffersRequest,
    RedeemRequest,
    ReleaseRequest,
    ReserveRequest,
    RollbackAnswer,
    RollbackRequest,
)
from sinks.coupons.client import AsyncCouponDesk
from sinks.coupons.model import Coupon, Offer, Offers


class CouponRoutesDesk:
    """The API of one desk without HTTP."""

    def __init__(self, desk: AsyncCouponDesk) -> None:
        self._desk = desk

    async def issue(self, asked: IssueRequest) -> CouponAnswer:
        """Give a coupon to a member."""
        made = self._desk.issuing(
            asked.id,
            asked.campaign,
            asked.member,
            message=asked.message,
            experiment=asked.experiment,
            arm=asked.arm,
        )
        return _answer(await self._desk.run(made))

    async def read(self, coupon: str) -> CouponAnswer:
        """The coupon as it is now."""
        return _answer(await self._desk.run(self._desk.reading(coupon)))

    async def reserve(self, coupon: str, asked: ReserveRequest) -> CouponAnswer:
        """Keep it for an order."""
        made = self._desk.reserving(
            coupon,
            asked.basket,
            call=asked.id,
            order=asked.order,
            ttl_seconds=asked.ttl_seconds,
            buyer=asked.member or "",
        )
        return _answer(await self._desk.run(made))

    async def redeem(self, coupon: str, asked: RedeemRequest) -> CouponAnswer:
        """Use it up."""
        at = asked.occurred_at
        made = self._desk.redeeming(
            coupon,
            call=asked.id,
            order=asked.order,
            basket=asked.basket,
            occurred_at=0 if at is None else max(0, to_micros(at) // 1000),
            buyer=asked.member or "",
        )
        return _answer(await self._desk.run(made))

    async def release(self, coupon: str, asked: ReleaseRequest) -> CouponAnswer:
        """Give a reservation back."""
        made = self._desk.releasing(coupon, call=asked.id, order=asked.order)
        return _answer(await self._desk.run(made))

    async def roll_back(self, coupon: str, asked: RollbackRequest) -> RollbackAnswer:
        """Goods came back."""
        made, pay_back = await self._desk.run(
            self._desk.rolling_back(
                coupon, order=asked.order, refund=asked.refund, returned=asked.returned or 0
            )
        )
        return RollbackAnswer(coupon=_answer(made), pay_back=pay_back)

    async def offers(self, asked: OffersRequest) -> OffersAnswer:
        """What a screen can show."""
        known = await self._desk.run(self._desk.known.get(self._desk.protocol))
        found = await self._desk.run(
            self._desk.offering(asked.member, asked.basket, order=asked.order or "")
        )
        return OffersAnswer(
            currency=known.currency,
            best=_best(found, asked.basket),
            usable=[_offer(each) for each in found.usable],
            nearly=[_offer(each) for each in found.nearly],
            others=[_offer(each) for each in found.others],
        )


def _best(found: Offers, basket: Basket) -> BestAnswer:
    lines = [0] * len(basket.lines)
    for used in found.best.used:
        lines = [before + off for before, off in zip(lines, used.worth.spread, strict=True)]
    names = [used.coupon for used in found.best.used]
    return BestAnswer(coupons=names, off=found.best.off, lines=lines)


def _offer(one: Offer) -> OfferAnswer:
    return OfferAnswer(
        coupon=one.coupon,
        campaign=one.rule.id,
        name=one.rule.name,
        kind=one.rule.kind,
        off=one.worth.off,
        missing=one.worth.missing,
        valid_to=to_datetime(one.valid_to * 1000),
        zh=one.zh,
        en=one.en,
        lines=list(one.worth.spread) if one.worth.off else [],
        gift=one.worth.gift,
        reason=one.reason or None,
    )


def _answer(made: Coupon) -> CouponAnswer:
    used = made.state in {"reserved", "redeemed"} or made.returned > 0
    return CouponAnswer(
        id=made.coupon,
        campaign=made.campaign,
        member=made.member,
        state=made.state,
        valid_from=to_datetime(made.valid_from * 1000),
        valid_to=to_datetime(made.valid_to * 1000),
        order=made.order if used else None,
        store=made.store if used else None,
        amount_off=made.amount if used else None,
        basket=made.basket if used else None,
        reserved_until=to_datetime(made.ends * 1000) if made.state == "reserved" else None,
        used_by=made.by or None if used else None,
        returned=made.returned or None,
        replayed=made.replayed,
    )
