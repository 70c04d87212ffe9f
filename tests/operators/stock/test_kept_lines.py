"""Lines kept in their texts over weeks: given up when few are left, known for as long as others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_driver import LedgerDriver, drive
from stock_events import Event, correction, event, random_history, render_lines
from stock_strategies import PATIENT

from operators.stock import decode as decoding
from operators.stock.kept_lines import KeptLines
from operators.stock.key_table import KeyTable
from schemas.chain import Chain, StockConfig, StockRule
from schemas.instants import to_micros

CHAIN = Chain(stock=StockConfig(rules=(StockRule(place="S2", safety_stock=20),)))
NEVER = 1_000_000
DAY = 24 * 60


@pytest.fixture(autouse=True, scope="module")
def always_sorted() -> Iterator[None]:
    """However few lines there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "FEWEST_AT_ONCE", 1)
        patch.setattr(decoding, "FEWEST_SORTED", 1)
        yield


def one_by_one(lines: list[bytes], chain: Chain, size: int) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "FEWEST_AT_ONCE", NEVER)
        return drive(lines, chain, size=size)


def weeks(seed: int, days: int = 8, a_day: int = 250) -> list[Event]:
    """Trade day after day: shelves that run short, quiet ones, orders, repeats, late news."""
    rng = Random(seed)
    found: list[Event] = []
    for number in range(days * a_day):
        at = number * DAY / a_day + rng.random()
        sku, place = f"SKU-{rng.randrange(12)}", f"S{min(rng.randrange(40) // 9, 4)}"
        kind = rng.choices(
            ("sold", "received", "allocated", "shipped", "released", "returned", "counted"),
            (50, 14, 8, 7, 2, 6, 0.3),
        )[0]
        # Orders that come again: what is open of one depends on all that was said of it.
        claims = kind in ("allocated", "shipped", "released")
        order = f"W{rng.randrange(6)}" if claims else None
        units = rng.randrange(1, 16) if kind == "received" else rng.randrange(1, 4)
        late = rng.choice((90, 600, 2_000)) if rng.randrange(60) == 0 else 0
        name = f"e{number}"
        made = event(kind, units, at - late, sku=sku, place=place, id=name, source="t", order=order)
        found.append(made)
        if rng.randrange(25) == 0:
            found.append(rng.choice(found[-200:]))
        if rng.randrange(150) == 0:
            found.append(correction(rng.choice(found[-80:]), at, id=f"c{number}"))
        if rng.randrange(300) == 0:
            changed = rng.choice(found[-80:])
            if changed["data"]["kind"] == "sold":
                found.append({**changed, "data": {**changed["data"], "quantity": 7}})
    return found


@pytest.mark.parametrize("chain", [Chain(), CHAIN], ids=["one rule", "rules"])
@pytest.mark.parametrize("size", [30, 130, 400])
def test_weeks_as_fact_by_fact(size: int, chain: Chain) -> None:
    """Days close, windows pass and lines are given up on the way: no difference."""
    lines = render_lines(weeks(size))
    assert drive(lines, chain, size=size) == one_by_one(lines, chain, size)


def test_calm_days_close_in_columns() -> None:
    """No line is looked at by itself, and no place is taken out for one; the rows are the same."""
    history = [event("received", 9_000, 0, place=f"S{place}", id=f"r{place}") for place in range(5)]
    for number in range(3_000):
        at = 1 + number * 5
        kind = "sold" if number % 7 else "returned"
        history.append(event(kind, 1 + number % 3, at, place=f"S{number % 5}", id=f"n{number}"))
    lines = render_lines(history)
    driver = LedgerDriver(Chain())
    for at in range(0, len(lines), 40):
        driver.feed(lines[at : at + 40])
    assert not driver.ledger._places.is_out.any()
    assert drive(lines, Chain(), size=40) == one_by_one(lines, Chain(), 40)


def test_few_lines_left_are_cut_out() -> None:
    """A shelf that nobody touches for a month pins no text, and still knows its last event."""
    quiet = event("received", 5, 0, sku="QUIET", id="quiet")
    busy = [event("received", 900, 0, sku="BUSY", place="S9", id="first")]
    busy += [event("sold", 1, 1 + at, sku="BUSY", place="S9", id=f"b{at}") for at in range(99)]
    driver = LedgerDriver(Chain())
    driver.feed(render_lines([quiet, *busy]))
    kept: KeptLines = driver.ledger._kept
    assert kept.find(hash("quiet") ^ hash(("till-1",)) ^ hash("QUIET")) is not None
    for day in range(1, 6):
        trade = [
            event("sold", 1, day * DAY + at, sku="BUSY", place="S9", id=f"d{day}-{at}")
            for at in range(100)
        ]
        driver.feed(render_lines(trade))
    # Its text is gone: of the first hundred lines one was left, and that was cut out.
    assert kept.find(hash("quiet") ^ hash(("till-1",)) ^ hash("QUIET")) is None
    driver.feed(render_lines([quiet, event("sold", 2, 6 * DAY, sku="QUIET", id="last")]))
    assert driver.kept.duplicates == 1
    rows = driver.ledger.take_rows().positions
    on_hand = {sku: int(units) for sku, units in zip(rows[0], rows[3], strict=True)}
    assert on_hand["QUIET"] == 3


@PATIENT
@given(st.lists(st.lists(st.integers(-40, 40), max_size=60), max_size=12))
def test_key_table_is_a_dict(batches: list[list[int]]) -> None:
    """Keys that meet in their slots, equal ones in one batch and in several, and the empty mark."""
    table, known = KeyTable(), dict[int, int]()
    ref = 0
    for batch in batches:
        # Keys that all begin their search at the same few slots.
        keys = [key * 4096 for key in batch]
        if not table.room(len(keys)):
            continue
        refs = list(range(ref, ref + len(keys)))
        ref += len(keys)
        expected = [known.setdefault(key or 1, one) for key, one in zip(keys, refs, strict=True)]
        found = table.put(np.array(keys, np.int64), np.array(refs, np.int64))
        assert found.tolist() == expected
        assert len(table) == len(known)
    for key, one in known.items():
        assert table.find(key) == one
        table.replace(key, one + 1_000_000)
        assert table.find(key) == one + 1_000_000
    assert table.find(7) is None


def fed(*blocks: list[Event]) -> LedgerDriver:
    driver = LedgerDriver(Chain())
    for block in blocks:
        driver.feed(render_lines(block))
    return driver


def test_late_lines_are_not_the_newest() -> None:
    """A block of nothing but late news adds up like any other, and is put where it belongs."""
    goods = [event("received", 100, 0), event("sold", 1, 10)]
    late = [event("sold", 2, 5)]
    driver = fed(goods, late)
    rows = driver.ledger.take_rows().positions
    assert int(rows[-1][0]) == to_micros(datetime.fromisoformat(goods[1]["time"]))
    driver.feed(render_lines([event("counted", 50, 7)]))
    assert list(driver.ledger.take_rows().positions[3]) == [49]


def test_an_order_told_twice_claims_once() -> None:
    """Also where the repetition came in the same block, among lines that only add up."""
    order = event("allocated", 5, 2, order="W2")
    driver = fed(
        [event("received", 20, 0), event("sold", 1, 1)],
        [order, order, event("sold", 1, 3)],
        [event("sold", 17, 4)],
    )
    found = driver.ledger._places.known(0).orders
    assert found is not None
    assert {name: units for name, (units, _) in found.items()} == {"W2": 5}


def test_less_than_nothing_allocated_is_watched_from_the_first_line_on() -> None:
    """On hand may then run out while on hand - allocated looks like enough."""
    first = [event("received", 10, 0), event("released", 3, 1, order="W1")]
    driver = fed(first, [event("sold", 12, 2)])
    assert [row[1] for row in driver.ledger.take_rows().alerts] == ["negative_on_hand"]


def test_lines_that_nobody_needs_are_forgotten() -> None:
    """When all of a shelf's lines have left the window at once."""
    first = [event("received", 500, 0), *(event("sold", 1, 1 + at) for at in range(50))]
    driver = fed(first)
    assert driver.ledger._kept._kept
    # Elsewhere: what happens at the shelf itself would cut its lines out one by one.
    driver.feed(render_lines([event("sold", 1, 5 * DAY, place="S2")]))
    assert not driver.ledger._kept._kept


def test_lines_cut_out_again_in_their_own_batch_are_forgotten() -> None:
    """Sales go by as one, then a transfer to their shelf has each looked at by itself."""
    goods = [event("received", 90, 0), event("received", 90, 1, place="S2")]
    sales = [event("sold", 1, 2 + at) for at in range(9)]
    sent = [event("transfer_out", 1, 3 + at, place="S2", to_place="S1") for at in range(9)]
    driver = fed(goods, sales + sent)
    assert all(kept.live for kept in driver.ledger._kept._kept.values())
    assert driver.ledger._kept._kept.keys() <= {1}
    driver.feed(render_lines(sales + sent))
    assert driver.kept.duplicates == 18


@pytest.mark.parametrize(("seed", "size"), [(4, 9), (2, 60)])
def test_what_is_kept_is_what_logs_name(seed: int, size: int) -> None:
    """Line by line and after every block; where but few are left, that is noticed."""
    driver = LedgerDriver(Chain(stock=StockConfig(horizon_hours=6)))
    lines = render_lines(random_history(seed, 900, skus=4, late_hours=1))
    several = 0
    for at in range(0, len(lines), size):
        driver.feed(lines[at : at + size])
        kept, places = driver.ledger._kept, driver.ledger._places
        named = Counter[int]()
        for number in range(len(places)):
            for entry in places.look(number).log:
                if isinstance(entry, int):
                    lines_of, begin, end = kept.where(entry)
                    named[lines_of.number] += end - begin
        assert Counter({number: one.live for number, one in kept._kept.items()}) == named
        # What the last block left thin is cut out with the next one.
        assert all(one in kept._thin for one in kept._kept.values() if one.is_thin())
        several += len(named) > 1
    assert several > 5


def test_millions_of_batches() -> None:
    """The number of kept lines outgrows 64 bits together with where they are."""
    driver = LedgerDriver(Chain())
    driver.ledger._kept._next = (1 << 23) - 3
    trade = [event("received", 90, 0), *(event("sold", 1, 1 + at) for at in range(5))]
    for one in trade:
        driver.feed(render_lines([one]))
    assert max(driver.ledger._kept._kept) > 1 << 23
    driver.feed(render_lines(trade))
    assert driver.kept.duplicates == 6
    driver.feed(render_lines([event("counted", 50, 2.5)]))
    assert list(driver.ledger.take_rows().positions[3]) == [47]
