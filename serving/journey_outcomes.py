"""What the warehouse knows of a journey as an experiment: who was exposed, and did what then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from serving.queries import Queries, QueryError


class Outcome(NamedTuple):
    """A person (merged ids are one) from the moment in which something was done, or held back.

    Money is in minor units: `spent` what was paid and kept within the window, `off` what coupons of
    the journey took off in it, `before` what was paid in the year before. `arms`: of the experiment
    that was asked for; several where merged ids were in different ones. `opted_out`: a consent to
    marketing was taken back in the window.
    """

    exposed_at: datetime
    held_out: bool
    treated: bool
    arms: list[str]
    orders: int
    spent: int
    off: int
    before: int
    opted_out: bool


class Outcomes(NamedTuple):
    """People, how many more are left out for now, and the newest purchase.

    The window of those left out is not over at the newest purchase, so what they do is not known;
    all that counts is therefore not later than it.
    """

    people: list[Outcome]
    not_over: int
    newest: datetime


def outcomes(
    queries: Queries, journey: str, version: str, experiment: str, window: timedelta
) -> Outcomes:
    """Who came to the moment of sending in a version, in the order of that.

    Raises:
        QueryError: nobody did, with the versions that are there; or no purchase is known.
    """
    there = queries.ask(
        "SELECT DISTINCT journey, journey_version FROM message ORDER BY 1, 2 LIMIT 50", []
    ).rows
    if (journey, version) not in [tuple(row) for row in there]:
        known = ", ".join(f"{name} {of}" for name, of in there) or "none at all"
        msg = f"no decisions of {journey} {version} are in the warehouse; there are {known}"
        raise QueryError(msg)
    [(newest,)] = queries.ask('SELECT max("at") FROM purchase', []).rows
    if newest is None:
        msg = "no purchases are in the warehouse: tillflow run coupons reads them from the tills"
        raise QueryError(msg)
    seconds = int(window.total_seconds())
    rows = queries.ask(_SQL, [journey, version, seconds, experiment, journey]).rows
    found = [Outcome._make(row) for row in rows]
    over = [one for one in found if one.exposed_at + window <= newest]
    return Outcomes(over, len(found) - len(over), newest)


_SQL = """
WITH person AS (
  SELECT member, coalesce(survivor, member) AS person FROM member_state WHERE status <> 'erased'
), done AS (
  SELECT coalesce(p.person, m.member) AS person, m.*
  FROM message m LEFT JOIN person p ON p.member = m.member
  WHERE m.journey = ? AND m.journey_version = ? AND m.action IN ('send', 'give')
    AND (m.decision = 'go' OR m.decision = 'suppress' AND m.reason = 'holdout')
), exposed AS (
  SELECT person, min(decided_at) AS "at", min(decided_at) + to_seconds(?) AS over,
    bool_or(reason = 'holdout') AS held_out, bool_or(decision = 'go') AS treated,
    coalesce(list_sort(list(DISTINCT arm) FILTER (experiment = ? AND arm <> '')), []) AS arms
  FROM done GROUP BY person
), bought AS (
  SELECT coalesce(any_value(q.person), any_value(b.member)) AS person,
    min(b."at") FILTER (part = '') AS "at", sum(amount)::BIGINT AS amount
  FROM purchase b LEFT JOIN person q ON q.member = b.member
  GROUP BY b.store, b.receipt
  HAVING count(*) FILTER (part = '') > 0 AND sum(amount) > 0
), did AS (
  SELECT e.person, count(*) FILTER (b."at" > e."at" AND b."at" <= e.over) AS orders,
    coalesce(sum(b.amount) FILTER (b."at" > e."at" AND b."at" <= e.over), 0)::BIGINT AS spent,
    coalesce(sum(b.amount) FILTER (b."at" <= e."at"
      AND b."at" > e."at" - INTERVAL 365 DAY), 0)::BIGINT AS before
  FROM exposed e JOIN bought b ON b.person = e.person AND b."at" <= e.over
  GROUP BY e.person
), used AS (
  SELECT e.person, sum(c.used_off)::BIGINT AS off
  FROM exposed e
  JOIN (SELECT c.*, coalesce(p.person, c.member) AS person FROM coupon_state c
    LEFT JOIN person p ON p.member = c.member) c ON c.person = e.person
  JOIN message g ON g.message = c.message
  WHERE c.state = 'redeemed' AND c.used_at > e."at" AND c.used_at <= e.over AND g.journey = ?
  GROUP BY e.person
), gone AS (
  SELECT DISTINCT e.person
  FROM exposed e JOIN member_state s ON s.member = e.person, json_each(s.consents) c
  WHERE starts_with(c.key, 'marketing/') AND (c.value ->> 'status') IN ('withdrawn', 'denied')
    AND (c.value ->> 'at')::TIMESTAMPTZ > e."at" AND (c.value ->> 'at')::TIMESTAMPTZ <= e.over
)
SELECT e."at", e.held_out, e.treated, e.arms, coalesce(d.orders, 0), coalesce(d.spent, 0),
  coalesce(u.off, 0), coalesce(d.before, 0), g.person IS NOT NULL
FROM exposed e LEFT JOIN did d ON d.person = e.person LEFT JOIN used u ON u.person = e.person
LEFT JOIN gone g ON g.person = e.person
ORDER BY e."at", e.person
"""
