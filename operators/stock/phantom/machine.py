"""Facts and positions in, `phantom_suspected` alerts out: a pure state machine over a chain.

A silence lasts from the last time the goods were seen (sold, shipped, received, counted ...) and is
measured by the trade of its place. Times are microseconds since 1970.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec

from operators.stock.effects import DEMAND
from operators.stock.facts import Fact
from operators.stock.phantom.alerts import AlertRow, Suspicion, cleared_row, raised_row, seen_as
from operators.stock.phantom.silence import expected_sales, silence_probability, threshold
from operators.stock.phantom.trade import TradeClock
from schemas.instants import DAY_US, MINUTE_US, to_micros
from schemas.movement import (
    Adjusted,
    Corrected,
    Counted,
    Received,
    Restocked,
    Shipped,
    Sold,
    TransferIn,
    TransferOut,
)
from schemas.phantom_rules import PhantomConfig
from schemas.position import Position

SNAPSHOT_VERSION = 1
# Who does one of these has the goods in hand: they are there, or just came.
SEEN = frozenset({Sold, Shipped, Received, TransferIn, TransferOut, Restocked, Adjusted, Counted})
# Goods that come say nothing about those that should be there already.
INBOUND = frozenset({Received, TransferIn, Restocked})


class Undo(msgspec.Struct, array_like=True, gc=False):
    """What the last sighting changed, in case it is taken back."""

    source: str
    id: str
    since: int
    trade: float
    sales: float


class Pair(msgspec.Struct, array_like=True, gc=False):
    """One SKU at one place.

    `sales` and `trade`: lines of it, and lines of the place while it was there, forgotten slowly up
    to `learned_to`; `since`: when it was last seen, as `seen` tells. `out`: none on record.
    `restocked`: goods came while it was suspected.
    """

    on_hand: int = 0
    version: int = -1
    since: int = 0
    sales: float = 0.0
    trade: float = 0.0
    learned_to: int = 0
    out: bool = True
    restocked: bool = False
    seen: dict[str, Any] = {}
    undo: Undo | None = None
    suspicion: Suspicion | None = None


class PlaceBook(msgspec.Struct, array_like=True):
    """One place: its trade, its pairs by SKU, when it is looked at next, how many were judged."""

    clock: TradeClock
    pairs: dict[str, Pair] = {}
    review_at: int = 0
    judged: int = 0


class Saved(msgspec.Struct, array_like=True):
    """A machine as a snapshot holds it."""

    places: dict[str, PlaceBook]


_decoder = msgspec.msgpack.Decoder(Saved)


class PhantomMachine:
    """The silences of a chain."""

    def __init__(self, config: PhantomConfig) -> None:
        self._config = config
        self._memory = config.memory_days * DAY_US
        self._every = round(config.every_minutes * MINUTE_US)
        self._places: dict[str, PlaceBook] = {}
        # How many pairs of the chain can be judged, as of each place's last review.
        self._judged = 0

    def apply(self, facts: Iterable[Fact], positions: Iterable[Position]) -> list[AlertRow]:
        """Take in facts, then the positions that came of them; look at places that are due."""
        rows: list[AlertRow] = []
        touched: set[str] = set()
        for fact in facts:
            kind = fact.movement.__class__
            if kind in SEEN:
                self._seen(fact, rows)
                touched.add(fact.movement.place)
            elif kind is Corrected:
                self._take_back(fact)
        for position in positions:
            self._position(position, rows)
        for name in sorted(touched):
            book = self._places[name]
            if book.clock.tip >= book.review_at:
                rows += self._review(name, book)
        return rows

    def pass_time(self, now: int) -> list[AlertRow]:
        """Time itself says nothing: silence is measured by trade."""
        return []

    def review(self) -> list[AlertRow]:
        """Look at all places now, whether they are due or not."""
        return [
            row for name, book in sorted(self._places.items()) for row in self._review(name, book)
        ]

    def open(self) -> list[AlertRow]:
        """The suspicions that are open, as rows of stock_alert."""
        return [
            raised_row(pair.suspicion, sku, place)
            for place, book in sorted(self._places.items())
            for sku, pair in sorted(book.pairs.items())
            if pair.suspicion is not None
        ]

    def judged(self) -> dict[tuple[str, str], tuple[float, float]]:
        """Probability and expected sales of every silence that can be judged, by SKU and place."""
        return {
            (sku, name): found
            for name, book in self._places.items()
            for sku, pair in book.pairs.items()
            if (found := self._judge(book, pair)) is not None
        }

    def _book(self, place: str) -> PlaceBook:
        return self._places.get(place) or self._places.setdefault(place, PlaceBook(TradeClock()))

    def _seen(self, fact: Fact, rows: list[AlertRow]) -> None:
        movement, time = fact.movement, fact.time
        kind = movement.__class__
        book = self._book(movement.place)
        pair = book.pairs.get(movement.sku)
        if pair is None:
            pair = book.pairs[movement.sku] = Pair(since=time, learned_to=time)
        demand = kind in DEMAND
        undo = pair.undo
        if undo is not None and undo.id == fact.id and undo.source == fact.source:
            return
        if demand:
            book.clock.add(time)
        if time > pair.since or undo is None:
            self._end_silence(book, pair, fact, rows)
        elif demand and not pair.out:
            pair.sales += 1

    def _end_silence(self, book: PlaceBook, pair: Pair, fact: Fact, rows: list[AlertRow]) -> None:
        """The goods were seen, or goods came: what was silent until now is known."""
        movement, time = fact.movement, fact.time
        kind = movement.__class__
        suspicion = pair.suspicion
        inbound = kind in INBOUND or (
            kind is Adjusted and movement.quantity is not None and movement.quantity > 0
        )
        if suspicion is not None and inbound:
            pair.restocked, pair.out = True, False
            return
        gap = 0.0
        there = kind is not Counted or movement.quantity != 0
        if not pair.out and there and not pair.restocked:
            gap = max(0.0, book.clock.at(time) - book.clock.at(pair.since))
        sold = 1.0 if kind in DEMAND and not pair.out else 0.0
        faded = math.exp((pair.learned_to - time) / self._memory) if time > pair.learned_to else 1.0
        pair.sales = pair.sales * faded + sold
        pair.trade = pair.trade * faded + gap
        pair.learned_to = max(pair.learned_to, time)
        pair.undo = Undo(fact.source, fact.id, pair.since, gap, sold)
        pair.since, pair.restocked, pair.seen = time, False, seen_as(fact)
        if inbound or (kind is Counted and there):
            pair.out = False
        if suspicion is not None:
            sku, place = movement.sku, movement.place
            rows.append(cleared_row(suspicion, sku, place, pair.seen, time, int(sold)))
            pair.suspicion = None

    def _take_back(self, fact: Fact) -> None:
        """The last sighting never was: the silence goes on as before it."""
        movement = fact.movement
        assert isinstance(movement, Corrected)
        book = self._places.get(movement.place)
        pair = None if book is None else book.pairs.get(movement.sku)
        undo = None if pair is None else pair.undo
        if pair is None or undo is None:
            return
        if undo.id == movement.corrects and undo.source == fact.source:
            pair.since = undo.since
            pair.trade = max(0.0, pair.trade - undo.trade)
            pair.sales = max(0.0, pair.sales - undo.sales)
            pair.undo = None

    def _position(self, position: Position, rows: list[AlertRow]) -> None:
        book = self._book(position.place)
        time = to_micros(position.as_of)
        pair = book.pairs.get(position.sku)
        if pair is None:
            pair = book.pairs[position.sku] = Pair(since=time, learned_to=time)
        if position.version < pair.version:
            return
        pair.version, pair.on_hand = position.version, position.on_hand
        out = position.on_hand <= 0
        if out and not pair.out:
            if time > pair.since:
                # Until then it was there and did not sell.
                pair.trade += max(0.0, book.clock.at(time) - book.clock.at(pair.since))
                pair.since = time
        elif pair.out and not out:
            pair.since = max(pair.since, time)
        pair.out = out
        if out and pair.suspicion is not None:
            why = {"kind": "none_on_record", "on_hand": position.on_hand}
            rows.append(cleared_row(pair.suspicion, position.sku, position.place, why, time, 0))
            pair.suspicion, pair.restocked = None, False

    def _judge(self, book: PlaceBook, pair: Pair) -> tuple[float, float] | None:
        config = self._config
        if pair.out or pair.on_hand <= 0 or pair.sales < config.least_sales or pair.trade <= 0:
            return None
        meanwhile = max(0.0, book.clock.at(book.clock.tip) - book.clock.at(pair.since))
        chance = silence_probability(pair.sales, pair.trade, meanwhile, config.dispersion)
        return chance, expected_sales(pair.sales, pair.trade, meanwhile)

    def _review(self, name: str, book: PlaceBook) -> list[AlertRow]:
        now = book.clock.tip
        book.review_at = now + self._every
        config, lines_a_day = self._config, book.clock.a_day()
        judged = [
            (sku, pair, *found)
            for sku, pair in book.pairs.items()
            if (found := self._judge(book, pair)) is not None
        ]
        self._judged += len(judged) - book.judged
        book.judged = len(judged)
        rows: list[AlertRow] = []
        for sku, pair, chance, expected in judged:
            if pair.suspicion is not None or chance >= config.probability:
                continue
            sales_a_day = expected_sales(pair.sales, pair.trade, lines_a_day)
            least = threshold(
                config.probability, config.false_alarms_per_day, self._judged, sales_a_day
            )
            if chance < least:
                pair.suspicion = Suspicion(
                    since=pair.since,
                    raised_at=max(now, pair.since),
                    probability=chance,
                    expected=expected,
                    threshold=least,
                    on_hand=pair.on_hand,
                    sales=pair.sales,
                    trade=pair.trade,
                    seen=pair.seen,
                )
                rows.append(raised_row(pair.suspicion, sku, name))
        return rows

    def dump(self) -> tuple[int, bytes]:
        """Version and whole state."""
        return SNAPSHOT_VERSION, msgspec.msgpack.encode(Saved(self._places))

    @classmethod
    def restore(cls, version: int, packed: bytes, config: PhantomConfig) -> PhantomMachine:
        """The machine a dump held, under the rules of today.

        Raises:
            ValueError: the dump is of a version this code does not read.
        """
        if version != SNAPSHOT_VERSION:
            msg = (
                f"the state of phantom stock has version {version}, this tillflow reads "
                f"{SNAPSHOT_VERSION}: begin without it, the log is read anew"
            )
            raise ValueError(msg)
        machine = cls(config)
        machine._places = _decoder.decode(packed).places
        machine._judged = sum(book.judged for book in machine._places.values())
        return machine
