"""What was told of coupons, purchases and openings, in the warehouse; of the erased only counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from operators.coupons.log import CouponOutcome, Row, nameless
from operators.stock.refusals import Refusal
from schemas.coupon_events import ERASED
from schemas.coupon_tables import (
    COUPON_CAMPAIGN,
    COUPON_EVENT,
    MEMBER_GONE,
    MESSAGE_OPENED,
    PURCHASE,
)
from schemas.coupons import CouponBook
from sinks.tables.collector import Collector
from sinks.warehouse.address import Target
from sinks.warehouse.runs import Counts, Run
from sinks.warehouse.statements import bound
from sinks.warehouse.tuple_rows import newest_rows

_COUPON, _MEMBER, _MESSAGE = (COUPON_EVENT.names.index(n) for n in ("coupon", "member", "message"))
_BUYER, _OPENER = (each.names.index("member") for each in (PURCHASE, MESSAGE_OPENED))
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
_FORGET = tuple(
    f"DELETE FROM {each.name} WHERE member IN {_GONE}" for each in (PURCHASE, MESSAGE_OPENED)
)


class CouponTable(Collector[CouponOutcome]):
    """Writes events of coupons, purchases and openings, with dead letters and the row of the run.

    `book`: the campaigns, which are written first.
    """

    tables = (PURCHASE, COUPON_EVENT, MESSAGE_OPENED, MEMBER_GONE)

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
        purchases, events, opened, gone = self._rows
        new = set(outcome.erased) - self._gone
        if new:
            self._gone |= new
            self._erased |= new
            gone.extend((member, 1) for member in sorted(new))
            purchases[:] = self._kept(purchases, _BUYER)
            opened[:] = self._kept(opened, _OPENER)
            events[:] = map(self._named, events)
        purchases.extend(self._kept(outcome.purchases, _BUYER))
        opened.extend(self._kept(outcome.opened, _OPENER))
        events.extend(map(self._named, outcome.events))
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

    def _upsert(self) -> None:
        if self._erased:
            for statement in (_TOLD_TWICE, _ANONYMISE, *_FORGET):
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
    return (*about, stores, book.currency, book.timezone, book.version)
