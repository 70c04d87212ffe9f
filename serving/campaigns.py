"""What the warehouse knows of coupon campaigns: their funnels, and who got them and did what."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from serving.queries import Answer, Queries, QueryError

_COUNTS = (
    "issued",
    "delivered",
    "opened",
    "visited",
    "eligible",
    "over_threshold",
    "redeemed",
    "redeemed_delivered",
    "expired",
    "still_valid",
    "amount_off",
)
_HINT = "tillflow run coupons reads what became of coupons, see docs/coupons.md"


class Known(NamedTuple):
    """A campaign as its file has it, the last day of which something is known, its channels."""

    campaign: str
    threshold: int
    most_off: int | None
    timezone: str
    as_of: str | None
    channels: list[list[str]]


class Unit(NamedTuple):
    """A member and the time in which the coupon was valid for it.

    `used`: store, receipt, basket and money off where it was redeemed. `before`: coupons in the 30
    days before; `other`: another campaign's coupon was used while it was valid. `opened`: a message
    about it, before its end; None where nobody tells of openings of that campaign.
    """

    member: str
    start: datetime
    end: datetime
    group: str
    delivered: bool
    redeemed: bool
    used: tuple[Any, ...]
    before: int
    other: bool
    coupon: str = ""
    opened: bool | None = None


class Did(NamedTuple):
    """A receipt of a unit: which one, when, what was paid, and whether its shop counts."""

    unit: int
    day: str
    at: datetime
    store: str
    receipt: str
    amount: int
    counts: bool


def funnel(queries: Queries, campaign: str | None = None, *, by_day: bool = False) -> Answer:
    """Rows of coupon_funnel, the days summed up unless they are asked for.

    Raises:
        QueryError: nothing is known of the campaign.
    """
    keys = ["campaign", *(["day"] if by_day else []), "experiment", "arm"]
    sums = ", ".join(
        f"CASE WHEN count({one}) = count(*) THEN sum({one})::BIGINT END AS {one}" for one in _COUNTS
    )
    named = ", ".join(keys)
    found = queries.ask(
        f"SELECT {named}, {sums}, CASE WHEN sum(delivered) > 0 THEN "
        "sum(redeemed_delivered) / sum(delivered) END AS redemption "
        f"FROM coupon_funnel WHERE ? IS NULL OR campaign = ? GROUP BY {named} ORDER BY {named}",
        [campaign, campaign],
    )
    if campaign is not None and not found.rows:
        raise QueryError(_unknown(queries, campaign))
    return found


def known(queries: Queries, campaign: str) -> Known:
    """What is known of a campaign.

    Raises:
        QueryError: nothing, or not its threshold.
    """
    rows = queries.ask(
        "SELECT threshold, most_off, timezone FROM coupon_campaign WHERE campaign = ?", [campaign]
    ).rows
    if not rows:
        msg = f"{_unknown(queries, campaign)}; run it with --coupons FILE for its threshold"
        raise QueryError(msg)
    threshold, most_off, timezone = rows[0]
    last = "SELECT max(day) FROM (SELECT day FROM purchase UNION ALL SELECT day FROM coupon_event)"
    [(as_of,)] = queries.ask(last, []).rows
    channels = queries.ask(
        "SELECT DISTINCT s.channels FROM message g JOIN message s USING (member, journey, entry) "
        "WHERE g.action = 'give' AND g.gift = ? AND s.action = 'send' AND s.decision = 'go'",
        [campaign],
    ).rows
    return Known(campaign, threshold, most_off, timezone, as_of, sorted(row[0] for row in channels))


def receivers(queries: Queries, campaign: str) -> list[Unit]:
    """Who was issued a coupon of it; erased members are left out."""
    rows = queries.ask(
        "WITH state AS MATERIALIZED (SELECT * FROM coupon_state WHERE member <> '') "
        "SELECT c.member, c.valid_from, c.valid_to, c.segment, c.delivered, "
        "c.state = 'redeemed', c.used_store, c.used_receipt, c.used_basket, c.used_off, "
        # A server has nothing where it counts none.
        "coalesce((SELECT count(*) FROM state o WHERE o.member = c.member "
        "AND o.coupon <> c.coupon AND o.issued_at < c.issued_at "
        "AND o.issued_at >= c.issued_at - INTERVAL 30 DAY), 0), "
        "EXISTS (SELECT 1 FROM state o WHERE o.member = c.member "
        "AND o.campaign <> c.campaign AND o.used_at >= c.valid_from AND o.used_at < c.valid_to), "
        "c.coupon, "
        "CASE WHEN count(c.opened_at) OVER () > 0 "
        "THEN coalesce(c.opened_at < c.valid_to, false) END "
        "FROM state c WHERE c.campaign = ? "
        "ORDER BY c.member, c.issued_at",
        [campaign],
    ).rows
    return [Unit._make((*row[:6], row[6:10], *row[10:])) for row in rows]


def held_out(queries: Queries, campaign: str) -> list[tuple[str, datetime, str]]:
    """Who would have got it and by chance did not: member, when, and segment then."""
    found = queries.ask(
        "SELECT member, decided_at, coalesce(segment, '') FROM message WHERE action = 'give' "
        "AND gift = ? AND held_out = 1 AND reason = 'holdout' ORDER BY member, decided_at",
        [campaign],
    )
    return [(member, at, group) for member, at, group in found.rows]


def purchases(
    queries: Queries, campaign: str, units: list[tuple[str, datetime, datetime]]
) -> list[Did]:
    """What members bought and kept between two instants each, in order; merged ids are one."""
    rows = queries.ask(
        "WITH unit AS (SELECT unnest(?::BIGINT[]) AS n, unnest(?::VARCHAR[]) AS member, "
        'unnest(?::TIMESTAMPTZ[]) AS begin, unnest(?::TIMESTAMPTZ[]) AS "end"), '
        "person AS (SELECT member, coalesce(survivor, member) AS person FROM member_state "
        "WHERE status <> 'erased'), "
        "bought AS (SELECT store, receipt, any_value(member) FILTER (part = '') AS member, "
        "min(day) FILTER (part = '') AS day, min(\"at\") FILTER (part = '') AS \"at\", "
        "sum(amount)::BIGINT AS amount FROM purchase GROUP BY store, receipt "
        "HAVING count(*) FILTER (part = '') > 0 AND sum(amount) > 0) "
        'SELECT u.n, b.day, b."at", b.store, b.receipt, b.amount, '
        "f.stores IS NULL OR f.stores::VARCHAR = 'null' "
        "OR json_contains(f.stores, to_json(b.store)) "
        "FROM unit u LEFT JOIN person p ON p.member = u.member "
        "JOIN (SELECT b.*, coalesce(q.person, b.member) AS person FROM bought b "
        "LEFT JOIN person q ON q.member = b.member) b ON b.person = coalesce(p.person, u.member) "
        'AND b."at" >= u.begin AND b."at" < u."end" '
        "LEFT JOIN coupon_campaign f ON f.campaign = ? "
        'ORDER BY u.n, b."at", b.store, b.receipt',
        [list(range(len(units))), *map(list, zip(*units, strict=True)), campaign],
    ).rows
    return [Did(*row) for row in rows]


def _unknown(queries: Queries, campaign: str) -> str:
    rows: list[tuple[Any, ...]] = queries.ask(
        "SELECT DISTINCT campaign FROM coupon_event UNION SELECT campaign FROM coupon_campaign "
        "ORDER BY 1 LIMIT 20",
        [],
    ).rows
    if not rows:
        return f"the warehouse knows no coupons, so none of {campaign}: {_HINT}"
    there = ", ".join(row[0] for row in rows)
    return f"the warehouse lacks {campaign}; there are {there}. {_HINT}"
