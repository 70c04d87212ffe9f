"""What became of a coupon, folded from its events: issued, reserved, redeemed, given back, ended.

The desk decides, and tells; this follows what it told, from a file or from the log, and comes to
the same states and the same use of the budgets. Times are ms since 1970 UTC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from schemas.coupon_events import ERASED, CouponEvent, CouponRejected
from schemas.instants import parse_instant

State = Literal["issued", "reserved", "redeemed", "rolled_back", "expired"]
# From which states an event leads on; any other is not the desk's order of telling.
FROM: dict[str, frozenset[str]] = {
    "reserved": frozenset({"issued", "reserved", "rolled_back"}),
    "released": frozenset({"reserved"}),
    # A sale made offline in time may be told after the coupon's end.
    "redeemed": frozenset({"issued", "reserved", "rolled_back", "expired"}),
    "rolled_back": frozenset({"redeemed"}),
    "expired": frozenset({"issued", "reserved", "rolled_back"}),
}


class OutOfOrder(ValueError):
    """An event that cannot follow what was told before: some are missing, or mixed up."""


class Rollback(NamedTuple):
    """What a refund took back of a coupon's use: goods worth `part`, `returned` with those before.

    Money in minor units; `amount` and `basket` are of the use.
    """

    refund: str
    order: str
    store: str
    amount: int
    basket: int
    part: int
    returned: int


@dataclass(slots=True)
class Life:
    """One coupon after its last event; `before` is what it is again when a reservation ends."""

    coupon: str
    campaign: str
    member: str
    valid_from: int
    valid_to: int
    state: State = "issued"
    before: Literal["issued", "rolled_back"] = "issued"
    order: str = ""
    store: str = ""
    amount: int = 0
    basket: int = 0
    by: str = ""
    ends: int = 0
    returned: int = 0
    uses: int = 0
    message: str = ""
    experiment: str = ""
    arm: str = ""
    rollbacks: list[Rollback] = field(default_factory=list)

    def at(self, now: int) -> State:
        """The state at a time: what lapsed or expired is so, whether or not anybody told it."""
        state: State = self.state
        if state == "reserved" and self.ends <= now:
            state = self.before
        if state in {"issued", "rolled_back"} and self.valid_to <= now:
            return "expired"
        return state

    def take(self, what: str, event: CouponEvent) -> None:
        """Follow one event.

        Raises:
            OutOfOrder: it cannot be the next one.
        """
        if self.state not in FROM.get(what, frozenset()):
            msg = f"coupon {self.coupon}: `{what}` cannot follow `{self.state}`"
            raise OutOfOrder(msg)
        match what:
            case "reserved":
                self._use("reserved", event)
                self.ends = _ms(event.until) if event.until else 0
            case "released":
                self.state = self.before
            case "redeemed":
                self._use("redeemed", event)
                self.ends, self.uses = 0, self.uses + 1
            case "rolled_back":
                part = event.returned or 0
                self.returned += part
                use = (self.order, self.store, self.amount, self.basket)
                self.rollbacks.append(Rollback(event.refund or "", *use, part, self.returned))
                self.valid_to = _ms(event.valid_to)
                if not event.partial:
                    self.state = self.before = "rolled_back"
            case "expired":
                self.state = "expired"
                self.valid_to = _ms(event.valid_to)
        if event.member == ERASED:
            self.member = ERASED

    def _use(self, state: State, event: CouponEvent) -> None:
        self.state, self.returned = state, 0
        self.order, self.store = event.order or "", event.store or ""
        self.amount, self.basket = event.amount_off or 0, event.basket or 0
        self.by = event.by or ""


@dataclass(slots=True)
class Use:
    """What is used of a campaign's budget."""

    issued: int = 0
    redeemed: int = 0
    money: int = 0
    reserved: int = 0
    reserved_money: int = 0
    expired: int = 0
    rolled_back: int = 0


class Lives:
    """All coupons of a desk, by their events in the order they were told."""

    def __init__(self) -> None:
        self.coupons: dict[str, Life] = {}

    def follow(self, what: str, event: CouponEvent | CouponRejected) -> bool:
        """Follow one event, or start from it where those before it are gone; False then.

        An event says enough of its coupon to go on from it.
        """
        if isinstance(event, CouponRejected):
            return True
        try:
            self.take(what, event)
        except OutOfOrder:
            self._start(event)
            if what == "issued":
                return False
            life = self.coupons[event.coupon]
            life.state = "redeemed" if what == "rolled_back" else "issued"
            if what == "released":
                life.state = "reserved"
            life.take(what, event)
            return False
        return True

    def take(self, what: str, event: CouponEvent | CouponRejected) -> None:
        """Follow one event; a rejection at a till changes nothing.

        Raises:
            OutOfOrder: it cannot be the next one of its coupon.
        """
        if isinstance(event, CouponRejected):
            return
        found = self.coupons.get(event.coupon)
        if what != "issued":
            if found is None:
                msg = f"coupon {event.coupon}: `{what}` comes before it was issued"
                raise OutOfOrder(msg)
            found.take(what, event)
            return
        if found is not None:
            msg = f"coupon {event.coupon}: it is issued a second time"
            raise OutOfOrder(msg)
        self._start(event)

    def _start(self, event: CouponEvent) -> None:
        self.coupons[event.coupon] = Life(
            event.coupon,
            event.campaign,
            event.member,
            _ms(event.valid_from),
            _ms(event.valid_to),
            message=event.message or "",
            experiment=event.experiment or "",
            arm=event.arm or "",
        )

    def erase(self, members: Collection[str], now: int) -> None:
        """Forget whose coupons those of some members were, and end what they have not used.

        What was used stays counted, and so does what was issued.
        """
        for one in self.coupons.values():
            if one.by in members:
                one.by = ERASED
            if one.member in members or one.member == ERASED:
                one.member, one.message = ERASED, ""
                if one.state != "redeemed":
                    one.state, one.valid_to = "expired", min(one.valid_to, now)

    def use(self, now: int) -> dict[str, Use]:
        """What every campaign has used at a time."""
        return used(self.coupons.values(), now)


def used(coupons: Iterable[Life], now: int) -> dict[str, Use]:
    """What every campaign has used at a time, from its coupons."""
    found: dict[str, Use] = {}
    for one in coupons:
        use = found.setdefault(one.campaign, Use())
        use.issued += 1
        use.rolled_back += one.before == "rolled_back"
        match one.at(now):
            case "redeemed":
                use.redeemed += 1
                use.money += one.amount
            case "reserved":
                use.reserved += 1
                use.reserved_money += one.amount
            case "expired":
                use.expired += 1
    return found


def _ms(text: str) -> int:
    return parse_instant(text) // 1000
