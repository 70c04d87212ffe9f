"""What the warehouse knows of shops in a campaign: refusals at tills, goods out of stock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from schemas.coupon_tables import COUPON_CAMPAIGN, COUPON_REJECTION
from serving.queries import Queries

# What has none to give: available is below 1 with either.
_OUT = "alert_type IN ('stock_out', 'oversell')"


def attempts(
    queries: Queries, coupons: Sequence[str]
) -> list[tuple[str, str, str, list[str], bool]] | None:
    """Orders at which these coupons were asked for; None where no refusal was ever told.

    Each: coupon, order, shop (or empty), codes of refusals, whether it was redeemed.
    """
    if not _has(queries, COUPON_REJECTION.name, "code"):
        return None
    if queries.ask("SELECT 1 FROM coupon_rejection LIMIT 1", []).rows == []:
        return None
    found = queries.ask(
        "WITH asked AS (SELECT DISTINCT unnest(?::VARCHAR[]) AS coupon), tried AS ("
        "SELECT desk, coupon, receipt, store, NULL AS code, what = 'redeemed' AS used "
        "FROM coupon_event SEMI JOIN asked USING (coupon) "
        "WHERE what IN ('reserved', 'redeemed') AND receipt IS NOT NULL UNION ALL "
        "SELECT desk, coupon, receipt, store, code, false "
        "FROM coupon_rejection SEMI JOIN asked USING (coupon)) "
        "SELECT coupon, receipt, coalesce(max(store), ''), "
        "list_sort(list(DISTINCT code) FILTER (code IS NOT NULL)), bool_or(used) "
        "FROM tried GROUP BY desk, coupon, receipt ORDER BY desk, coupon, receipt",
        [list(coupons)],
    )
    return [(*row[:3], list(row[3] or ()), row[4]) for row in found.rows]


def left_out(queries: Queries, begin: datetime, end: datetime) -> int:
    """Refusals, of whatever coupon, that the desk did not tell between two instants."""
    rows = queries.ask(
        'SELECT coalesce(sum(left_out), 0)::BIGINT FROM coupon_rejection WHERE "at" >= ? '
        'AND "at" < ?',
        [begin, end],
    ).rows
    return int(rows[0][0])


def goods(queries: Queries, campaign: str) -> tuple[bool, dict[str, Any] | None]:
    """Whether it is known what a campaign is for, and that: `skus`, `categories`, `gift`.

    None: for all goods.
    """
    if not _has(queries, COUPON_CAMPAIGN.name, "goods"):
        return False, None
    rows = queries.ask(
        "SELECT goods IS NOT NULL, goods FROM coupon_campaign WHERE campaign = ?", [campaign]
    ).rows
    if not rows or not rows[0][0]:
        return False, None
    return True, rows[0][1]


def sold(queries: Queries, skus: Sequence[str]) -> set[tuple[str, str]]:
    """SKUs and the places that have, or had, them."""
    found = queries.ask(
        "SELECT sku, place FROM stock_position WHERE sku IN (SELECT unnest(?::VARCHAR[]))",
        [list(skus)],
    )
    return {(sku, place) for sku, place in found.rows}


def tells_of_stock_outs(queries: Queries) -> bool:
    """Whether an alert ever said that something was out of stock."""
    return bool(queries.ask(f"SELECT 1 FROM stock_alert WHERE {_OUT} LIMIT 1", []).rows)


def out_of_stock(
    queries: Queries, skus: Sequence[str], begin: datetime, end: datetime
) -> dict[tuple[str, str], list[tuple[datetime, datetime | None]]]:
    """When these were out of stock at a place, of what touches a time; None: still."""
    rows = queries.ask(
        "SELECT sku, place, opened_at, cleared_at FROM stock_alert "
        f"WHERE {_OUT} AND sku IN (SELECT unnest(?::VARCHAR[])) AND opened_at < ? "
        "AND (cleared_at IS NULL OR cleared_at > ?) ORDER BY opened_at",
        [list(skus), end, begin],
    ).rows
    found: dict[tuple[str, str], list[tuple[datetime, datetime | None]]] = {}
    for sku, place, opened, cleared in rows:
        found.setdefault((sku, place), []).append((opened, cleared))
    return found


def _has(queries: Queries, table: str, column: str) -> bool:
    """Whether the warehouse has a column by now: it gets new ones when a flow opens it."""
    named = "SELECT 1 FROM duckdb_columns() WHERE table_name = ? AND column_name = ?"
    return bool(queries.ask(named, [table, column]).rows)
