"""The desk in Redis against a model of a few lines, and against the fold of what it tells."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from coupon_desks import SettableDeskClock, basket, campaign_of, one_campaign
from depth import cases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operators.coupons.life import Lives
from schemas.coupon_events import CouponRejected
from schemas.coupons import CouponBook
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import Mismatch, Refused, UnknownCoupon

HOUR = 3_600_000
DAY = 24 * HOUR
COUPONS = ("k1", "k2", "k3", "k4")
MEMBERS = ("m1", "m2")
ORDERS = ("o1", "o2", "o3")
ISSUED, REDEEMED, MONEY, PER_MEMBER = 3, 2, 12_000, 2
BOOK: CouponBook = one_campaign(
    issued=ISSUED, redeemed=REDEEMED, money=MONEY, per_member=PER_MEMBER
)


@dataclass
class Row:
    """A coupon as a till's manual would keep it on paper."""

    member: str
    valid_to: int
    used_by: str = ""
    held_by: str = ""
    held_to: int = 0
    seen: dict[str, tuple[Any, ...]] = field(default_factory=dict)


class Paper:
    """The rules again, without any counter: sums are counted anew at each question."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        # What tills were refused, and when: told once; of coupons that there are not, once an hour.
        self.refused: dict[tuple[str, str, str], int] = {}
        self.told: list[tuple[str, str, str]] = []

    def refuse(self, coupon: str, order: str, why: str, now: int) -> None:
        key = (coupon, order, why)
        last = self.refused.get(key)
        if last is None or (why == "unknown_coupon" and now - last >= HOUR):
            self.refused[key] = now
            self.told.append(key)

    def held(self, row: Row, now: int) -> str:
        return row.held_by if row.held_to > now else ""

    def full(self, now: int, me: Row) -> str:
        others = [row for row in self.rows.values() if row is not me]
        taken = sum(bool(row.used_by or self.held(row, now)) for row in others)
        if taken + 1 > REDEEMED:
            return "budget_redeemed"
        return "budget_money" if 5_000 * (taken + 1) > MONEY else ""

    def use(self, coupon: str, order: str, now: int) -> str:
        row = self.rows[coupon]
        if row.used_by:
            return "already_redeemed"
        holder = self.held(row, now)
        if holder and holder != order:
            return "reserved_elsewhere"
        if not holder and now >= row.valid_to:
            return "expired"
        for name, other in self.rows.items():
            if name != coupon and order in {other.used_by, self.held(other, now)}:
                return "same_campaign"
        return self.full(now, row)


def said(coupon: str, order: str, why: str) -> str:
    """What an event calls a coupon."""
    if why != "unknown_coupon":
        return coupon
    return f"unknown-{hashlib.sha256(coupon.encode()).hexdigest()[:20]}"


STEP = st.tuples(
    st.sampled_from(
        ["issue", "reserve", "reserve", "redeem", "redeem", "release", "rollback", "time", "sweep"]
    ),
    st.sampled_from(COUPONS),
    st.sampled_from(ORDERS),
    st.integers(0, 3),
)


def outcome(desk: CouponDesk, step: tuple[str, str, str, int]) -> tuple[str, bool]:
    """OK or why not, and whether it was a repetition."""
    verb, coupon, order, number = step
    call = f"{verb}-{number}-{order}"
    try:
        match verb:
            case "issue":
                made = desk.run(desk.issuing(coupon, "c", MEMBERS[number % 2]))
            case "reserve":
                made = desk.run(
                    desk.reserving(coupon, basket(30_000), call=call, order=order, ttl_seconds=600)
                )
            case "redeem":
                made = desk.run(
                    desk.redeeming(coupon, call=call, order=order, basket=basket(30_000))
                )
            case "release":
                made = desk.run(desk.releasing(coupon, call=call, order=order))
            case _:
                made, _ = desk.run(desk.rolling_back(coupon, order=order, refund=call))
    except Refused as wrong:
        return wrong.reason, False
    except (Mismatch, UnknownCoupon) as wrong:
        return type(wrong).__name__, False
    return "OK", made.replayed


def expected(paper: Paper, step: tuple[str, str, str, int], now: int) -> tuple[str, bool]:
    verb, coupon, order, number = step
    call = f"{verb}-{number}-{order}"
    row = paper.rows.get(coupon)
    at_till = verb in {"reserve", "redeem"}
    if verb == "issue":
        member = MEMBERS[number % 2]
        if row is not None:
            return ("OK", True) if row.member == member else ("Mismatch", False)
        if len(paper.rows) >= ISSUED:
            return "budget_issued", False
        used = sum(bool(each.used_by) for each in paper.rows.values())
        if used >= REDEEMED:
            return "budget_redeemed", False
        if sum(each.member == member for each in paper.rows.values()) >= PER_MEMBER:
            return "per_member", False
        # Five days of Shanghai, today the first.
        midnight = (now + 8 * 3_600_000) // DAY * DAY - 8 * 3_600_000
        paper.rows[coupon] = Row(member, midnight + 5 * DAY)
        return "OK", False
    if row is None:
        if at_till:
            paper.refuse(coupon, order, "unknown_coupon", now)
        return "UnknownCoupon", False
    if call in row.seen:
        return "OK", True
    if at_till:
        if verb == "redeem" and row.used_by == order:
            return "OK", True
        why = paper.use(coupon, order, now)
        if why:
            paper.refuse(coupon, order, why, now)
            return why, False
        if verb == "reserve":
            row.held_by, row.held_to = order, now + 600_000
        else:
            row.used_by, row.held_to = order, 0
            row.held_by = ""
    elif verb == "release":
        if row.used_by == order:
            return "already_redeemed", False
        if paper.held(row, now) != order:
            return "OK", True
        row.held_to = 0
    else:
        if not row.used_by:
            return "not_redeemed", False
        if row.used_by != order:
            return "other_order", False
        row.used_by = ""
    row.seen[call] = ()
    return "OK", False


@given(steps=st.lists(STEP, max_size=60), hours=st.integers(1, 40))
@settings(
    max_examples=cases(25, 120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_desk_model_and_events_agree(
    clock: SettableDeskClock, steps: list[tuple[str, str, str, int]], hours: int
) -> None:
    paper, lives = Paper(), Lives()
    with clock.desk(BOOK) as desk:
        for step in [("issue", "k1", "o1", 0), ("issue", "k2", "o1", 1), *steps]:
            if step[0] == "time":
                clock.advance(desk, hours * 3_600_000 if step[3] else 300_000)
            elif step[0] == "sweep":
                desk.sweep()
            else:
                want = expected(paper, step, clock.now)
                assert outcome(desk, step) == want, step
        entries = desk.outbox(count=10_000)
        for entry in entries:
            lives.take(entry.what, entry.event)
        no = [each.event for each in entries if isinstance(each.event, CouponRejected)]
        told = [(each.coupon, each.order, each.rejection_code) for each in no]
        assert told == [(said(*key), *key[1:]) for key in paper.told]
        assert all((each.campaign is None) == (each.coupon not in COUPONS) for each in no)
        seen = desk.look(COUPONS).coupons
        assert {each.coupon for each in seen} == set(paper.rows) == set(lives.coupons)
        for each in seen:
            row = paper.rows[each.coupon]
            life = lives.coupons[each.coupon]
            assert each.state == life.at(clock.now)
            assert (each.state == "redeemed") == bool(row.used_by)
            assert (each.state == "reserved") == bool(paper.held(row, clock.now))
            if each.state in {"redeemed", "reserved"}:
                assert (each.order, each.amount) == (life.order, life.amount)
        use = lives.use(clock.now)["c"]
        here = campaign_of(desk, "c")
        assert (here.issued, here.redeemed, here.money) == (use.issued, use.redeemed, use.money)
        assert (here.reserved, here.reserved_money) == (use.reserved, use.reserved_money)
        assert here.redeemed + here.reserved <= REDEEMED
        assert here.money + here.reserved_money <= MONEY
        # Nothing is told twice once all is swept, and every coupon past its end is told so.
        desk.sweep()
        assert desk.sweep() == 0
        for entry in desk.outbox(after=entries[-1].id, count=100):
            lives.take(entry.what, entry.event)
        for each in desk.look(COUPONS).coupons:
            assert lives.coupons[each.coupon].state == each.state
