"""Opening stock, deliveries and counts from sales, set-wise: the rule in SQL.

The rule has no loop although every order depends on those before it. With D(t) units sold until
review t and s(t) the reorder level, enough has been ordered by then when the total O(t) is at least
s(t) + D(t), and what was ordered is never sent back: O(t) is the running maximum of s + D, in whole
cases. Reviews after a period without a sale cannot raise it (the level has not risen, and the
opening stock is no less than the least level), so only the others are rows.
"""

from __future__ import annotations

import math

import duckdb

from schemas.tables import literal
from sources.opening.rule import SupplyRule

SUPPLY_SOURCE = "demo/replenishment"
COUNT_SOURCE = "demo/stocktaking"


def make_supply(connection: duckdb.DuckDBPyConnection, rule: SupplyRule) -> None:
    """Make `supply` and `shelf_count` from the table `sale`.

    `supply` is what came in, `shelf_count` what was counted: id, sku, place, units, instant. `sale`
    and `span` are as sources.opening.lines makes them.
    """
    for statement in (*_supply(rule), _counts(rule)):
        connection.execute(statement)


def _supply(rule: SupplyRule) -> list[str]:
    period, case = rule.review_days, rule.case_units
    memory_days = rule.memory_reviews * period
    cover_days = period + rule.lead_days
    return [
        # A shop's weekday of review is drawn from its name.
        f"""
CREATE TABLE shelf AS
SELECT row_number() OVER () AS shelf, sku, place,
  ({_luck(rule, "'review/' || place")} % {period})::INTEGER AS weekday,
  {case} * ({math.ceil(rule.least_units / case)}
    + ceil(coalesce(sum(units) FILTER (day < {rule.opening_days}), 0) / {case}))::BIGINT AS opening
FROM sale GROUP BY sku, place""",
        # Review number r is on the morning of day r * period + weekday, for the sales before it.
        f"""
CREATE TABLE review AS
WITH sold AS (
  SELECT shelf, opening, weekday, (day - weekday + {period}) // {period} AS review,
    sum(units)::BIGINT AS units
  FROM sale JOIN shelf USING (sku, place) GROUP BY ALL
), known AS (
  SELECT *, review * {period} + weekday AS day,
    sum(units) OVER past AS sold,
    sum(units) OVER recent
      / least({memory_days}, greatest({memory_days // 2}, review * {period} + weekday)) AS rate
  FROM sold
  WINDOW past AS (PARTITION BY shelf ORDER BY review),
    recent AS (PARTITION BY shelf ORDER BY review
      RANGE BETWEEN {rule.memory_reviews - 1} PRECEDING AND CURRENT ROW)
)
SELECT shelf, opening, review, day, sold + greatest({rule.least_units},
  ceil(rate * {cover_days} + {rule.z} * sqrt(rate * {cover_days})))::BIGINT AS wanted
FROM known""",
        f"""
CREATE TABLE delivery AS
WITH ordered AS (
  SELECT *, opening + {case} * ceil(greatest(0, max(wanted) OVER past - opening) / {case})::BIGINT
    AS total
  FROM review WINDOW past AS (PARTITION BY shelf ORDER BY review)
), orders AS (
  SELECT *, total - lag(total, 1, opening) OVER (PARTITION BY shelf ORDER BY review) AS units
  FROM ordered
)
SELECT sku, place, review, day + {rule.lead_days} AS day, units,
  {_luck(rule, "sku || '@' || place || '/' || review")} / 18446744073709551616.0 AS luck
FROM orders JOIN shelf USING (shelf) WHERE units > 0""",
        f"""
CREATE TABLE supply AS
WITH arrival AS (
  SELECT 'opening' AS fate, 'opening:' AS number, sku, place, opening AS units, -1 AS day
  FROM shelf
  UNION ALL
  SELECT CASE WHEN luck < {rule.missed_share} THEN 'late'
    WHEN {_is_short(rule)} THEN 'short' ELSE 'full' END, review || ':', sku, place,
    CASE WHEN {_is_short(rule)} THEN units - units // 2 ELSE units END,
    CASE WHEN luck < {rule.missed_share} THEN day + {rule.delay_days} ELSE day END
  FROM delivery
  UNION ALL
  SELECT 'rest', review || ':rest:', sku, place, units // 2, day + {rule.delay_days}
  FROM delivery WHERE {_is_short(rule)} AND units > 1
), timed AS (
  SELECT fate, number || sku || '@' || place AS id, sku, place, units,
    timezone({literal(rule.zone)}, first_day + day::INTEGER + INTERVAL {rule.arrives} HOUR)
      AS instant
  FROM arrival, span
)
SELECT timed.* FROM timed, span WHERE instant <= last_instant""",
    ]


def _counts(rule: SupplyRule) -> str:
    """What stands on a shelf that has been silent is what came in less what went out."""
    return f"""
CREATE TABLE shelf_count AS
WITH due AS (
  SELECT last_day - first_day - 1 AS day, first_day, last_day,
    timezone({literal(rule.zone)}, last_day - 1 + INTERVAL {rule.arrives} HOUR) AS instant
  FROM span
), sold AS (
  SELECT sku, place, sum(units) AS units, max(sale.day) AS last
  FROM sale, due WHERE sale.day < due.day GROUP BY sku, place
), quiet AS (
  SELECT sku, place, sold.units AS out, due.instant
  FROM sold, due
  WHERE sold.units >= {rule.counted_units} AND sold.last < due.day - {rule.silent_days}
), held AS (
  SELECT sku, place, any_value(quiet.instant) AS instant,
    sum(supply.units) - any_value(out) AS units
  FROM quiet JOIN supply USING (sku, place) WHERE supply.instant < quiet.instant
  GROUP BY sku, place
)
SELECT 'count:' || sku || '@' || place AS id, sku, place, instant, greatest(0, units
  - ({_luck(rule, "'count/' || sku || '@' || place")} < {rule.lost_share * 2**64:.0f})::INTEGER
  )::BIGINT AS units
FROM held"""


def _luck(rule: SupplyRule, text: str) -> str:
    # DuckDB's hash() may change with its version; MD5 draws the same luck for ever.
    return f"md5_number_lower({literal(f'{rule.seed}/')} || {text})"


def _is_short(rule: SupplyRule) -> str:
    return f"luck >= {1 - rule.short_share}"
