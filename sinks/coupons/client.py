"""`CouponDesk` and `AsyncCouponDesk`: the same calls, blocking or awaited."""

from __future__ import annotations

import time
from collections.abc import Sequence

from operators.coupons.offers import Offers
from schemas.coupons import Basket, CouponBook
from sinks.coupons import calls, keeping, till
from sinks.coupons.calls import Published
from sinks.coupons.library import load_library
from sinks.coupons.model import Campaign, Coupon, DeskState, Look, OutboxEntry
from sinks.coupons.protocol import Protocol
from sinks.coupons.settings import DeskSettings
from sinks.redis.library import Library
from sinks.redis.scripted import Steps
from sinks.redis.talk import Awaited, Blocking

# So soon a desk that runs follows what was published.
FOLLOWS_SECONDS = 1.0


class _Known:
    """What is published, as it was a moment ago."""

    def __init__(self) -> None:
        self.published: Published | None = None
        self.until = 0.0

    def get(self, desk: Protocol) -> Steps[Published]:
        if self.published is None or time.monotonic() >= self.until:
            self.published = yield from calls.published(desk)
            self.until = time.monotonic() + FOLLOWS_SECONDS
        return self.published


class _Desk:
    """The conversations of both."""

    def __init__(self, settings: DeskSettings, library: Library | None) -> None:
        self.settings = settings
        self.protocol = Protocol(settings, library or load_library())
        self.known = _Known()

    def issuing(
        self,
        coupon: str,
        campaign: str,
        member: str,
        *,
        message: str | None = None,
        experiment: str | None = None,
        arm: str | None = None,
        ends: int | None = None,
        not_after: int | None = None,
    ) -> Steps[Coupon]:
        """Give a coupon of a campaign to a member.

        `coupon` is the caller's id and becomes the coupon's: whoever issues for a message makes it
        from the message, so that a repetition is the same coupon. `ends` (ms): it is over with the
        day of that instant, or with its campaign's own end if that is earlier. Nothing is issued
        later than `not_after` (ms), by the server's clock.

        Raises:
            Refused: the campaign's or the member's share is used up, or it is over.
            Mismatch: the id is another coupon's.
            UnknownCampaign, DeskClosed, DeskUnavailable, DeskFull: see their own words.
        """
        known = yield from self.known.get(self.protocol)
        if campaign not in known.rules:
            self.known.until = 0.0
            known = yield from self.known.get(self.protocol)
        return (
            yield from calls.issue(
                self.protocol,
                known,
                coupon,
                campaign,
                member,
                message,
                experiment,
                arm,
                ends,
                not_after,
            )
        )

    def reserving(
        self,
        coupon: str,
        basket: Basket,
        *,
        call: str,
        order: str,
        ttl_seconds: float | None = None,
        buyer: str = "",
    ) -> Steps[Coupon]:
        """Keep a coupon, and its share of the budget, for an order; lapses by itself.

        The same order may reserve again with another basket, by another `call` id. `buyer` is who
        stands at the till, where that is known.

        Raises:
            Refused: it cannot be used here and now, by this order, for this basket.
            Mismatch: the call's id was used with other content.
            UnknownCoupon, DeskClosed, DeskUnavailable, DeskFull: see their own words.
        """
        known = yield from self.known.get(self.protocol)
        return (
            yield from till.reserve(
                self.protocol,
                known,
                coupon,
                basket,
                call=call,
                order=order,
                ttl_seconds=ttl_seconds,
                buyer=buyer,
            )
        )

    def redeeming(
        self,
        coupon: str,
        *,
        call: str,
        order: str,
        basket: Basket | None = None,
        occurred_at: int = 0,
        buyer: str = "",
    ) -> Steps[Coupon]:
        """Use a coupon up: paid. Without a basket it is what the order reserved, even if lapsed.

        `occurred_at` (ms) is when a till that was offline sold; it counts within the campaign's
        `offline_hours`.

        Raises:
            Refused: as for `reserve`; the budget may have gone to others since a lapse.
        """
        known = yield from self.known.get(self.protocol)
        return (
            yield from till.redeem(
                self.protocol,
                known,
                coupon,
                basket,
                call=call,
                order=order,
                occurred_at=occurred_at,
                buyer=buyer,
            )
        )

    def releasing(self, coupon: str, *, call: str, order: str) -> Steps[Coupon]:
        """Give a reservation back; twice is once, and another order's stays.

        Raises:
            Refused: it has been redeemed.
        """
        return (yield from calls.release(self.protocol, coupon, call=call, order=order))

    def rolling_back(
        self, coupon: str, *, order: str, refund: str, returned: int = 0
    ) -> Steps[tuple[Coupon, int]]:
        """Take a redemption back; the coupon, and what the customer gets in minor units.

        `refund` is its id: the same refund counts once. `returned` is what the goods that came back
        cost (of those that count for the coupon); 0: all of them, and coupon and budget are given
        back. With a part of them the coupon stays redeemed, and the customer gets that part less
        its share of the discount.

        Raises:
            Refused: it is not redeemed, or with another order.
        """
        known = yield from self.known.get(self.protocol)
        made = yield from calls.rollback(
            self.protocol, known, coupon, order=order, refund=refund, returned=returned
        )
        return made, till.paid_back_of(known.rule(made.campaign), made)

    def offering(self, member: str, basket: Basket, *, order: str = "") -> Steps[Offers]:
        """What the member's coupons do to a basket: usable, nearly reached, and the best of all."""
        known = yield from self.known.get(self.protocol)
        return (yield from till.offered(self.protocol, known, member, basket, order))

    def reading(self, coupon: str) -> Steps[Coupon]:
        """The coupon as it is now.

        Raises:
            UnknownCoupon: there is none.
        """
        return (yield from calls.read(self.protocol, coupon))

    def campaigns_now(self) -> Steps[list[Campaign]]:
        """What is used of every campaign's budget."""
        known = yield from calls.published(self.protocol)
        look = yield from calls.look(self.protocol, [], sorted(known.rules))
        return look.campaigns


class CouponDesk(_Desk, Blocking):
    """The desk for threads; see docs/coupons.md for what it promises."""

    def __init__(self, settings: DeskSettings, library: Library | None = None) -> None:
        """Prepare the desk; nothing is sent before the first call."""
        _Desk.__init__(self, settings, library)
        Blocking.__init__(self, self.protocol, settings.url, settings.timeout_seconds)

    def publish(self, book: CouponBook, *, first: str | None = None) -> None:
        """Make a file known; `first` opens a desk that was never open, under that epoch.

        Raises:
            NotPublished: it is older than what is published, or changes what members were promised.
        """
        if first is not None:
            self.run(keeping.open_desk(self.protocol, first))
        self.run(calls.publish(self.protocol, book))
        self.known.until = 0.0

    def look(self, coupons: Sequence[str], campaigns: Sequence[str] = ()) -> Look:
        """Coupons and campaigns as they are now."""
        return self.run(calls.look(self.protocol, coupons, campaigns))

    def read(self, coupon: str) -> Coupon:
        """The coupon as it is now."""
        return self.run(self.reading(coupon))

    def of_member(self, member: str) -> Look:
        """The coupons that a member could use, and their campaigns."""
        return self.run(calls.of_member(self.protocol, member))

    def sweep(self, limit: int = 1000) -> int:
        """Tell of what expired and lapsed; how many there were."""
        return self.run(keeping.sweep(self.protocol, limit))

    def outbox(self, after: str = "", count: int = 500) -> list[OutboxEntry]:
        """Events that wait to be relayed."""
        return self.run(keeping.outbox(self.protocol, after, count))

    def trim(self, upto: str) -> int:
        """Forget relayed events up to and including `upto`."""
        return self.run(keeping.trim(self.protocol, upto))

    def state(self) -> DeskState:
        """Whether the desk takes calls."""
        return self.run(keeping.desk_state(self.protocol))


class AsyncCouponDesk(_Desk, Awaited):
    """The desk for asyncio."""

    def __init__(self, settings: DeskSettings, library: Library | None = None) -> None:
        """Prepare the desk; nothing is sent before the first call."""
        _Desk.__init__(self, settings, library)
        Awaited.__init__(self, self.protocol, settings.url, settings.timeout_seconds)
