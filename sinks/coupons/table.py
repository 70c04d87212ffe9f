"""What was told of coupons, purchases and openings, in the warehouse; of the erased only counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from operators.coupons.log import CouponOutcome, Row, nameless
from operators.stock.refusals import Refusal
from schemas.coupon_events import ERASED
from schemas.coupon_tables import (
    COUPON_CAMPAIGN,
    COUPON_EVENT,
    COUPON_REJECTION,
    MEMBER_GONE,
    MESSAGE_OPENED,
    PURCHASE,
)
from schemas.coupons import CouponBook, CouponRule
from sinks.tables.collector import Collector
from sinks.warehouse.address import Target
from sinks.warehouse.runs import Counts, Run
from sinks.warehouse.statements import bound
from sinks.warehouse.tuple_rows import newest_rows

_COUPON, _MEMBER, _MESSAGE = (COUPON_EVENT.names.index(n) for n in ("coupon", "member", "message"))
_BUYER, _OPENER = (each.names.index("member") for each in (PURCHASE, MESSAGE_OPENED))
_WHAT, _WHOSE = (COUPON_REJECTION.names.index(n) for n in ("coupon", "member"))
_GONE = "(SELECT unnest(?::VARCHAR[]))"
# The id of an event and of a message may name the member, too.
_ANONYMISE = (
    "UPDATE coupon_event SET member = '', message = NULL, "
    "coupon = 'erased-' || substr(sha256(coupon), 1, 20), "
    "event = split_part(event, '#', 1) || '#erased-' || substr(sha256(coupon), 1, 20) "
    f"WHERE member IN {_GONE}"
)
# A keeper that died over an erasure may have told an event with the name and again without it.
_TOLD_TWICE = (
    f"DELETE FROM coupon_event WHERE member IN {_GONE} AND EXISTS (SELECT 1 FROM coupon_event t "
    "WHERE t.source = coupon_event.source AND t.event = split_part(coupon_event.event, '#', 1) "
    "|| '#erased-' || substr(sha256(coupon_event.coupon), 1, 20))"
)
# A desk that was written anew may have told a rejection again, without the name by then.
_TWICE_REJECTED = (
    f"DELETE FROM coupon_rejection AS r WHERE r.member IN {_GONE} AND EXISTS ("
    "FROM coupon_rejection o WHERE o.desk = r.desk AND o.receipt = r.receipt AND o.code = r.code "
    "AND o.coupon = 'erased-' || substr(sha256(r.coupon), 1, 20))"
)
_ANONYMISE_REJECTED = (
    "UPDATE coupon_rejection SET member = '', "
    f"coupon = 'erased-' || substr(sha256(coupon), 1, 20) WHERE member IN {_GONE}"
)
_FORGET = tuple(
    f"DELETE FROM {each.name} WHERE member IN {_GONE}" for each in (PURCHASE, MESSAGE_OPENED)
)
_ERASE = (_TOLD_TWICE, _ANONYMISE, _TWICE_REJECTED, _ANONYMISE_REJECTED, *_FORGET)


class CouponTable(Collector[CouponOutcome]):
    """Writes events of coupons, rejections, purchases, openings, dead letters and the run's row.

    `book`: the campaigns, which are written first.
    """

    tables = (PURCHASE, COUPON_EVENT, COUPON_REJECTION, MESSAGE_OPENED, MEMBER_GONE)

    def __init__(
        self,
        target: Target,
        run: Run,
        report: Callable[[Counts], None] | None = None,
        *,
        book: CouponBook | None = None,
    ) -> None:
        super().__init__(target, run, report)
        if book is not None:
            rows = [campaign_row(book, rule.id) for rule in book.coupons]
            self._warehouse.upsert(COUPON_CAMPAIGN, newest_rows(COUPON_CAMPAIGN, rows))
        gone = self._warehouse.execute(
            "SELECT member FROM member_gone UNION "
            "SELECT member FROM member_state WHERE status = 'erased'"
        )
        self._gone = {member for (member,) in gone}
        self._erased: set[str] = set()

    def _take(self, outcome: CouponOutcome) -> list[Refusal]:
        purchases, events, rejected, opened, gone = self._rows
        new = set(outcome.erased) - self._gone
        if new:
            self._gone |= new
            self._erased |= new
            gone.extend((member, 1) for member in sorted(new))
            purchases[:] = self._kept(purchases, _BUYER)
            opened[:] = self._kept(opened, _OPENER)
            events[:] = map(self._named, events)
            rejected[:] = map(self._rejected, rejected)
        purchases.extend(self._kept(outcome.purchases, _BUYER))
        opened.extend(self._kept(outcome.opened, _OPENER))
        events.extend(map(self._named, outcome.events))
        rejected.extend(map(self._rejected, outcome.rejected))
        self.counts.applied += sum(len(each) for each in outcome[:-1])
        return outcome.refusals

    def _kept(self, rows: Iterable[Row], member: int) -> list[Row]:
        return [row for row in rows if row[member] not in self._gone]

    def _named(self, row: Row) -> Row:
        """A row, of an erased member without anything that names them."""
        if row[_MEMBER] != ERASED and row[_MEMBER] not in self._gone:
            return row
        coupon = nameless(row[_COUPON])
        source, event = row[:2]
        found = [source, f"{event.partition('#')[0]}#{coupon}", *row[2:]]
        found[_COUPON], found[_MEMBER], found[_MESSAGE] = coupon, "", None
        return tuple(found)

    def _rejected(self, row: Row) -> Row:
        if row[_WHOSE] != ERASED and row[_WHOSE] not in self._gone:
            return row
        found = list(row)
        found[_WHAT], found[_WHOSE] = nameless(row[_WHAT]), ""
        return tuple(found)

    def _upsert(self) -> None:
        if self._erased:
            for statement in _ERASE:
                self._warehouse.write(bound(statement, [sorted(self._erased)]))
        super()._upsert()

    def _clear(self) -> None:
        super()._clear()
        self._erased.clear()


def campaign_row(book: CouponBook, campaign: str) -> Row:
    """A row of coupon_campaign."""
    rule = book.rule(campaign)
    assert rule is not None
    stores = msgspec.json.encode(rule.stores).decode()
    about = (rule.id, rule.name.zh, rule.name.en, rule.kind, rule.threshold, rule.most_off)
    goods = msgspec.json.encode(goods_of(rule)).decode()
    return (*about, stores, book.currency, book.timezone, book.version, goods)


def goods_of(rule: CouponRule) -> dict[str, Any] | None:
    """What has to be on the shelf for a coupon; None: anything will do."""
    found: dict[str, Any] = {}
    if rule.only is not None:
        found |= {"skus": rule.only.skus, "categories": rule.only.categories}
    if rule.gift is not None:
        found["gift"] = rule.gift.sku
    return found or None
