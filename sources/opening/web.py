"""A few web orders, so that claims compete: they are added, the data has none.

In the last week a web shop sells a handful of popular products from the shelves of the busiest
shops and ships them the next morning. What it may promise it takes from a list that is made every
night; what the tills sell in the daytime it doesn't know, and what they sold can't be shipped. On
the last day it advertises them and sells all that was on the list.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import duckdb

from schemas.instants import HOUR_US, SECOND_US
from schemas.tables import literal
from sources.opening.lines import movement_line
from sources.opening.rule import SupplyRule

WEB_SOURCE = "demo/webshop"
SHOPS = 3
PRODUCTS = 4
DAYS = 7
LIST_MADE_HOUR = 4
OPENS_HOUR = 8
CLOSES_HOUR = 19
SHIPS_HOUR = 10
MOST_ORDERS_A_DAY = 2


class Extra(NamedTuple):
    """A line to be merged in: when it arrives (us since 1970), and a text that orders equals."""

    arrival: int
    order: str
    line: bytes


class _Shelf(NamedTuple):
    """A shelf without its web orders, day by day: local midnights in us, and units.

    `listed` is what the nightly list said, `there` what stood there when orders are shipped.
    """

    sku: str
    place: str
    midnights: list[int]
    listed: list[int]
    there: list[int]


def web_orders(connection: duckdb.DuckDBPyConnection, rule: SupplyRule) -> tuple[list[Extra], int]:
    """The events of the web orders, and how many orders they are."""
    # A seeded stream of its own, so that the same data gives the same orders.
    luck = Random(f"{rule.seed}/web")  # noqa: S311 (a simulation, no secret)
    found: list[Extra] = []
    orders = 0
    for shelf in _shelves(connection, rule):
        shipped = 0
        waiting: list[tuple[str, int]] = []
        for day, midnight in enumerate(shelf.midnights):
            last = day == len(shelf.midnights) - 1
            left = shelf.listed[day] - shipped - sum(units for _, units in waiting)
            ships = midnight + SHIPS_HOUR * HOUR_US
            for order, units in waiting:
                # What the tills sold meanwhile cannot be shipped: that order is given up.
                kind = "shipped" if shelf.there[day] - shipped >= units else "released"
                shipped += units if kind == "shipped" else 0
                found.append(_event(shelf, order, kind, units, ships))
            waiting = []
            wanted = None if last else luck.randint(0, MOST_ORDERS_A_DAY)
            while left > 0 and (wanted is None or len(waiting) < wanted):
                units = min(left, luck.choice((1, 1, 2)))
                seconds = luck.randint(OPENS_HOUR * 3_600, CLOSES_HOUR * 3_600)
                orders += 1
                order = f"W-{orders:04d}"
                placed = midnight + seconds * SECOND_US
                found.append(_event(shelf, order, "allocated", units, placed))
                waiting.append((order, units))
                left -= units
    return found, orders


def _event(shelf: _Shelf, order: str, kind: str, units: int, time: int) -> Extra:
    event_id = f"{order}/{kind}"
    fields = f'"quantity":{units},"order":"{order}"'
    line = movement_line(WEB_SOURCE, event_id, time, kind, shelf.sku, shelf.place, fields)
    return Extra(time, event_id, line)


def _shelves(connection: duckdb.DuckDBPyConnection, rule: SupplyRule) -> list[_Shelf]:
    zone = literal(rule.zone)
    rows = connection.execute(
        f"""
WITH shop AS (
  SELECT place FROM sale GROUP BY place ORDER BY count(*) DESC, place LIMIT {SHOPS}
), product AS (
  SELECT sku FROM sale GROUP BY sku ORDER BY count(*) DESC, sku LIMIT {PRODUCTS}
), night AS (
  SELECT unnest(range({DAYS})) AS back,
    timezone({zone}, (last_day - back::INTEGER)::TIMESTAMP) AS midnight,
    timezone({zone}, last_day - back::INTEGER + INTERVAL {LIST_MADE_HOUR} HOUR) AS made,
    timezone({zone}, last_day - back::INTEGER + INTERVAL {SHIPS_HOUR} HOUR) AS ships
  FROM span
), moved AS (
  SELECT sku, place, instant, -units AS units FROM sale
    JOIN shop USING (place) JOIN product USING (sku)
  UNION ALL
  SELECT sku, place, instant, units FROM supply
    JOIN shop USING (place) JOIN product USING (sku)
)
SELECT sku, place, epoch_us(midnight) AS midnight,
  (sum(units) FILTER (instant < made))::BIGINT, sum(units)::BIGINT
FROM moved JOIN night ON instant < ships
GROUP BY ALL ORDER BY sku, place, midnight"""
    ).fetchall()
    shelves: dict[tuple[str, str], _Shelf] = {}
    for sku, place, midnight, listed, there in rows:
        shelf = shelves.setdefault((sku, place), _Shelf(sku, place, [], [], []))
        shelf.midnights.append(midnight)
        shelf.listed.append(listed or 0)
        shelf.there.append(there)
    return list(shelves.values())
