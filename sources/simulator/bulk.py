"""A plain big file of `stock.movement.v1` for benchmarks: much of it, fast, and the same each time.

It has no hidden truth and no shop behind it: an opening `received` for every pair of SKU and place,
then mostly sales. Measure speed with this and correctness with the simulated chain beside it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from pathlib import Path
from typing import TextIO

from schemas.instants import parse_instant
from sources.simulator.streams import stream

START = "2026-03-02T08:00:00+08:00"
OFFSET = "+08:00"
LOCAL = timezone(timedelta(hours=8))
MAX_PLACES = 100
# Receipts of 30, 60 or 90 units against sales of 1 to 3: the stock of a pair wanders around this.
OPENING_UNITS = 10_000
# The opening stock is booked in the first hundredth of the span, so that most of the file is trade.
OPENING_SHARE = 0.01
# Lines made at a time: a duplicate repeats a line of the same or the last block, as a till that
# sends again because no answer came would.
BLOCK = 8_192
# Shares of the movements after the opening, in per cent, summed: sold 84, received 3, allocated 6,
# shipped 5, returned 2.
SOLD, RECEIVED, ALLOCATED, SHIPPED = 0.84, 0.87, 0.93, 0.98


def write_bulk(
    path: Path, movements: int, pairs: int, seed: int, days: float = 1.0, duplicates: float = 0.01
) -> None:
    """Writes `movements` lines over `pairs` pairs of SKU and place; the same seed, the same bytes.

    The lines are ordered by time save for the duplicates, a share of the lines that repeat an
    earlier one byte by byte. Every pair has a line where there are lines enough; with fewer lines
    than pairs only the first pairs are opened. Popular pairs sell more: the density of pair number
    x (as a share) is 1 / (2 √x).

    Raises:
        ValueError: a number is out of its range; the message names it.
    """
    if movements < 0 or pairs < 1 or days <= 0 or not 0 <= duplicates < 1:
        msg = (
            f"movements {movements} must be 0 or more, pairs {pairs} 1 or more, days {days} above "
            f"0 and duplicates {duplicates} from 0 to below 1"
        )
        raise ValueError(msg)
    openings = min(movements, pairs)
    rest = movements - openings
    repeated = int(rest * duplicates)
    lines = _lines(openings, rest - repeated, pairs, stream(seed, "bulk"), days)
    with path.open("w", encoding="ascii", newline="\n") as out:
        out.writelines(islice(lines, openings))
        _write_with_repeats(out, lines, rest, repeated, stream(seed, "repeats"))


def _write_with_repeats(
    out: TextIO, lines: Iterator[str], rest: int, repeated: int, rng: random.Random
) -> None:
    """Writes `rest` lines, `repeated` of them a second time, spread evenly over the blocks."""
    fresh_left, repeats_left = rest - repeated, repeated
    last: list[str] = []
    while fresh_left:
        block = list(islice(lines, BLOCK))
        share = round(repeats_left * len(block) / fresh_left)
        fresh_left -= len(block)
        repeats_left -= share
        recent = last + block
        base = len(last)
        places = sorted((rng.randrange(len(block)) for _ in range(share)), reverse=True)
        last = block.copy()
        for place in places:  # from the back, so that the earlier places stay where they are
            block.insert(place + 1, recent[rng.randrange(base + place + 1)])
        out.writelines(block)


def _lines(openings: int, rest: int, pairs: int, rng: random.Random, days: float) -> Iterator[str]:
    """The lines without duplicates, in order of time."""
    names = _pair_names(pairs)
    clock = _Clock(days)
    uniform = rng.random
    head = '{"specversion":"1.0","id":"b'
    for number in range(openings):
        sku, place = names[number]
        yield (
            f'{head}{number + 1:09d}","source":"erp","type":"stock.movement.v1",'
            f'"time":"{clock.at(OPENING_SHARE * number / openings)}","subject":"{sku}@{place}",'
            f'"data":{{"kind":"received","sku":"{sku}","place":"{place}",'
            f'"quantity":{OPENING_UNITS}}}}}\n'
        )
    step = (1 - OPENING_SHARE) / max(rest, 1)
    open_orders: deque[tuple[str, str, int, int]] = deque()
    for number in range(rest):
        at = clock.at(OPENING_SHARE + step * number)
        event = openings + number + 1
        share = uniform()
        if ALLOCATED <= share < SHIPPED and open_orders:
            sku, place, quantity, order = open_orders.popleft()
            yield (
                f'{head}{event:09d}","source":"web","type":"stock.movement.v1",'
                f'"time":"{at}","subject":"{sku}@{place}",'
                f'"data":{{"kind":"shipped","sku":"{sku}","place":"{place}",'
                f'"quantity":{quantity},"order":"w{order:09d}"}}}}\n'
            )
            continue
        popular = uniform()
        sku, place = names[int(pairs * popular * popular)]
        quantity = 1 + int(popular * 50) % 3
        if share < SOLD or ALLOCATED <= share < SHIPPED:
            till, kind = f"till/{place}/{1 + event % 3}", "sold"
        elif share < RECEIVED:
            till, kind, quantity = "erp", "received", 30 * quantity
        elif share < ALLOCATED:
            till, kind = "web", "allocated"
            open_orders.append((sku, place, quantity, event))
        else:
            till, kind = f"till/{place}/1", "returned"
        yield (
            f'{head}{event:09d}","source":"{till}","type":"stock.movement.v1",'
            f'"time":"{at}","subject":"{sku}@{place}",'
            f'"data":{{"kind":"{kind}","sku":"{sku}","place":"{place}",'
            f'"quantity":{quantity},"order":"w{event:09d}"}}}}\n'
        )


def _pair_names(pairs: int) -> list[tuple[str, str]]:
    """Exactly `pairs` pairs: about 50 SKUs a place and more, up to `MAX_PLACES` places."""
    count = max(1, min(MAX_PLACES, pairs // 50))
    places = [f"S{place + 1:03d}" for place in range(count)]
    return [(f"SKU{pair // count + 1:06d}", places[pair % count]) for pair in range(pairs)]


class _Clock:
    """RFC 3339 texts with milliseconds; the second is only spelled again when it changes."""

    def __init__(self, days: float) -> None:
        self._start_s = parse_instant(START) // 1_000_000
        self._span_ms = days * 86_400_000
        self._second = -1
        self._text = ""

    def at(self, share: float) -> str:
        """The text of the instant at a share (0 to 1) of the span."""
        second, millis = divmod(int(share * self._span_ms), 1_000)
        if second != self._second:
            self._second = second
            local = datetime.fromtimestamp(self._start_s + second, UTC).astimezone(LOCAL)
            self._text = local.strftime("%Y-%m-%dT%H:%M:%S.")
        return f"{self._text}{millis:03d}{OFFSET}"
