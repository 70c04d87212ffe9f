"""Facts and positions in, `expiring_lot` alerts out: a pure state machine over a chain.

A pair is judged when its position comes and when time has passed, never when a fact comes: the
record then does not contain it yet. Times are microseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from operators.stock.expiry.alerts import AlertRow, Expiring, cleared_row, open_row
from operators.stock.expiry.lots import PairLots, concerns_lot, sold_in_time
from operators.stock.facts import Fact
from operators.stock.rules import StockRules
from schemas.chain import Chain
from schemas.instants import DAY_US, MINUTE_US, to_datetime, to_micros
from schemas.position import Position

SNAPSHOT_VERSION = 1
# Record and shelf may differ: for so long a lot may come to light again after its last day.
KEPT_DAYS = 30
# An open alert is told again when it has become so much worse, and cleared when all will be sold
# in time even if sales are so much slower: a lot on the edge would otherwise come and go all day.
WORSE = 1.5
SLOWER = 0.8


class Pair(msgspec.Struct, array_like=True):
    """One SKU at one place: its lots, how fast it sells (units a day), the open alerts by id."""

    lots: PairLots
    rate: float = 0.0
    version: int = -1
    as_of: int = 0
    told: dict[str, Expiring] = {}


class Saved(msgspec.Struct, array_like=True):
    """A machine as a snapshot holds it."""

    pairs: list[tuple[str, str, Pair]]
    now: int
    review_at: int


_decoder = msgspec.msgpack.Decoder(Saved)


class ExpiryMachine:
    """The lots of a chain.

    `live`: the time is what it is told; otherwise it is that of the newest position.
    """

    def __init__(self, chain: Chain, *, live: bool = False) -> None:
        self._config = chain.expiry
        self._rules = StockRules(chain)
        self._live = live
        self._every = round(self._config.every_minutes * MINUTE_US)
        self._pairs: dict[tuple[str, str], Pair] = {}
        self._now = 0
        self._review_at = 0

    def apply(self, facts: Iterable[Fact], positions: Iterable[Position]) -> list[AlertRow]:
        """Take in facts, then positions; judge what these are about, and all when that is due."""
        for fact in facts:
            movement = fact.movement
            key = (movement.sku, movement.place)
            pair = self._pairs.get(key)
            if pair is None:
                if not concerns_lot(fact):
                    continue
                pair = self._pairs[key] = Pair(PairLots())
            pair.lots.take(fact)
        touched: dict[tuple[str, str], Pair] = {}
        newest = self._now
        for position in positions:
            key = (position.sku, position.place)
            as_of = to_micros(position.as_of)
            newest = max(newest, as_of)
            pair = self._pairs.get(key)
            if pair is None or position.version < pair.version:
                continue
            pair.version, pair.as_of = position.version, as_of
            pair.rate = position.demand_rate
            pair.lots.reconcile(position.on_hand, as_of)
            touched[key] = pair
        if not self._live:
            self._now = newest
        rows = [row for key, pair in sorted(touched.items()) for row in self._judge(*key, pair)]
        if self._now >= self._review_at:
            rows += self.review()
        return rows

    def pass_time(self, now: int) -> list[AlertRow]:
        """Tell a live machine the time; it looks at all lots when that is due."""
        if not self._live:
            return []
        self._now = max(self._now, now)
        return self.review() if self._now >= self._review_at else []

    def review(self) -> list[AlertRow]:
        """Look at all lots as of now, and forget those of long ago."""
        self._review_at = self._now - self._now % self._every + self._every
        rows = [row for key, pair in sorted(self._pairs.items()) for row in self._judge(*key, pair)]
        day = to_datetime(max(0, self._now - KEPT_DAYS * DAY_US)).date().isoformat()
        for pair in self._pairs.values():
            pair.lots.forget(day, self._now - self._rules.horizon)
        self._pairs = {
            key: pair for key, pair in self._pairs.items() if not pair.lots.empty or pair.told
        }
        return rows

    def _judge(self, sku: str, place: str, pair: Pair) -> list[AlertRow]:
        """What has come and gone of the alerts of a pair, as of now."""
        config, now = self._config, self._now
        clock = self._rules.day_clock(place)
        left = pair.lots.left()
        ends = [clock.end_of(date.fromisoformat(one.expires_on).toordinal()) for one in left]
        days = [
            (one.units, max(0, end - now) / DAY_US) for one, end in zip(left, ends, strict=True)
        ]
        sold = sold_in_time(days, pair.rate)
        slowly = sold_in_time(days, pair.rate * SLOWER)
        # The same instant for whoever looks again after a crash, soon enough.
        at = max(pair.as_of, now - now % self._every)
        rows: list[AlertRow] = []
        open_now: dict[str, Expiring] = {}
        for lot, end, in_time, in_slow_time in zip(left, ends, sold, slowly, strict=True):
            one = Expiring(
                sku=sku,
                place=place,
                lot=lot.name,
                expires_on=lot.expires_on,
                end=end,
                units=lot.units,
                sold=in_time,
                rate=pair.rate,
                expired=now >= end,
                opened_at=at,
            )
            told = pair.told.pop(one.alert, None)
            if told is None:
                if one.over >= config.least_units and now >= end - config.days_before * DAY_US:
                    open_now[one.alert] = one
                    rows.append(open_row(one, "raised", at))
            elif lot.units - in_slow_time < config.least_units:
                rows.append(cleared_row(told, lot.units, at))
            else:
                open_now[one.alert] = told
                if one.expired > told.expired or one.over >= told.over * WORSE:
                    one.opened_at = told.opened_at
                    open_now[one.alert] = one
                    rows.append(open_row(one, "updated", at))
        rows += [cleared_row(told, 0, at) for _, told in sorted(pair.told.items())]
        pair.told = open_now
        return rows

    def open(self) -> list[AlertRow]:
        """The open alerts, as rows of stock_alert."""
        told = [one for pair in self._pairs.values() for one in pair.told.values()]
        told.sort(key=lambda one: (one.end, one.sku, one.place))
        return [open_row(one, "raised", one.opened_at) for one in told]

    def dump(self) -> tuple[int, bytes]:
        """Version and whole state."""
        pairs = [(*key, pair) for key, pair in self._pairs.items()]
        saved = Saved(pairs, self._now, self._review_at)
        return SNAPSHOT_VERSION, msgspec.msgpack.encode(saved)

    @classmethod
    def restore(
        cls, version: int, packed: bytes, chain: Chain, *, live: bool = False
    ) -> ExpiryMachine:
        """The machine a dump held, under the rules of today.

        Raises:
            ValueError: the dump is of a version this code does not read.
        """
        if version != SNAPSHOT_VERSION:
            msg = (
                f"the state of expiring lots has version {version}, this tillflow reads "
                f"{SNAPSHOT_VERSION}: begin without it, the log is read anew"
            )
            raise ValueError(msg)
        saved = _decoder.decode(packed)
        machine = cls(chain, live=live)
        machine._pairs = {(sku, place): pair for sku, place, pair in saved.pairs}
        machine._now, machine._review_at = saved.now, saved.review_at
        return machine
