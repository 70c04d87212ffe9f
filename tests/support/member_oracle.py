"""What members must be, asked of the raw lines in SQL alone: no state, no machine, no order.

The statements share nothing with the code they judge: not the windows, not the names of segments.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import duckdb

from schemas.chain import Chain

Row = tuple[Any, ...]
# What is compared of member_state, in this order.
COMPARED = (
    "member",
    "status",
    "survivor",
    "segment",
    "segment_zh",
    "last_at",
    "frequency",
    "monetary",
    "orders",
    "first_at",
    "purchase_days",
    "next_change_at",
    "registered_at",
    "consents",
    "as_of",
)


class Expected(NamedTuple):
    """Rows of member_state as COMPARED names them, and when they hold."""

    rows: list[Row]
    clock: Any


def expected(lines: list[bytes], chain: Chain, clock: str | None = None) -> Expected:
    """What must stand in the warehouse after these lines; `clock` for a later moment."""
    config, limits = chain.members, chain.members.thresholds
    exact = config.day_count == "exact"
    until = (
        "({time} + to_seconds({days} * 86400.0))"
        if exact
        else "timezone('{zone}', date_trunc('day', timezone('{zone}', {time})) "
        "+ to_days(CAST({days} AS INTEGER) + 1))"
    )

    def expires(time: str, days: float) -> str:
        return until.format(time=time, days=days, zone=chain.timezone)

    given = {
        "window": max(config.frequency_days, config.monetary_days) + 2,
        "zone": chain.timezone,
        "gap": config.visit_gap_minutes,
        "m_end": expires("time", config.monetary_days),
        "f_end": expires("time", config.frequency_days),
        "r_end": expires("last_at", limits.recency_days),
        "frequency": limits.frequency,
        "monetary": limits.monetary,
    }
    connection = duckdb.connect()
    try:
        connection.execute("SET TimeZone = 'UTC'; SET threads = 1")
        connection.execute("CREATE TABLE raw (n INTEGER, line JSON)")
        rows = [(number, line.decode()) for number, line in enumerate(lines)]
        connection.executemany("INSERT INTO raw VALUES (?, ?)", rows)
        for statement in _STATEMENTS:
            connection.execute(statement.format(**given, clock=clock))
        (now,) = connection.execute("SELECT moment FROM clock").fetchone() or (None,)
        return Expected(connection.execute("FROM wanted ORDER BY member").fetchall(), now)
    finally:
        connection.close()


_STATEMENTS = (
    """
CREATE TABLE event AS SELECT n, (line->>'type') AS type, (line->>'time')::TIMESTAMPTZ AS time,
  (line->>'source') || ' ' || (line->>'id') AS id, (line->'data') AS d FROM raw
""",
    """
CREATE TABLE clock AS SELECT greatest(max(time), coalesce(try_cast('{clock}' AS TIMESTAMPTZ),
  max(time))) AS moment FROM event
""",
    "CREATE TABLE gone AS SELECT DISTINCT unnest((d->'members')::VARCHAR[]) AS member "
    "FROM event WHERE type = 'member.erased.v1'",
    # Of the same receipt the first that came stands.
    """
CREATE TABLE bought AS SELECT (d->>'member') AS member, (d->>'store') || '/' || (d->>'order')
  AS receipt, time, (d->>'amount')::BIGINT AS amount FROM event
  WHERE type = 'pos.order.v1' AND (d->>'member') IS NOT NULL AND (d->>'amount')::BIGINT >= 0
  QUALIFY row_number() OVER (PARTITION BY member, receipt ORDER BY n) = 1
""",
    """
CREATE TABLE back AS SELECT (d->>'member') AS member,
  coalesce(d->>'order_store', d->>'store') || '/' || (d->>'order') AS receipt,
  (d->>'store') || '/' || (d->>'refund') AS number, time, (d->>'amount')::BIGINT AS amount
  FROM event WHERE type = 'pos.refund.v1'
  QUALIFY row_number() OVER (PARTITION BY member, number ORDER BY n) = 1
""",
    """
CREATE TABLE said AS SELECT (d->>'member') AS member,
  (d->>'purpose') || '/' || (d->>'channel') AS what, time, (d->>'status') AS status,
  CASE (d->>'status') WHEN 'granted' THEN 0 WHEN 'denied' THEN 1 ELSE 2 END AS strict
  FROM event WHERE type = 'member.consent.v1'
""",
    "CREATE TABLE joined AS SELECT (d->>'member') AS member, time FROM event "
    "WHERE type = 'member.registered.v1'",
    """
CREATE TABLE link AS SELECT (d->>'member') AS loser, (d->>'survivor') AS survivor, time,
  type = 'member.merged.v1' AS merged FROM event
  WHERE type IN ('member.merged.v1', 'member.unmerged.v1')
""",
    """
CREATE TABLE into_ AS SELECT loser, survivor, time FROM (
  FROM link QUALIFY row_number() OVER (PARTITION BY loser, survivor ORDER BY time DESC) = 1)
  WHERE merged QUALIFY row_number() OVER (PARTITION BY loser ORDER BY time DESC) = 1
""",
    """
CREATE TABLE seen AS SELECT member, max(time) AS newest FROM (
  SELECT member, time FROM bought UNION ALL SELECT member, time FROM back
  UNION ALL SELECT member, time FROM said UNION ALL SELECT member, time FROM joined
  UNION ALL SELECT loser, NULL FROM link UNION ALL SELECT survivor, NULL FROM link
  UNION ALL SELECT member, NULL FROM gone) GROUP BY member
""",
    """
CREATE TABLE person AS WITH RECURSIVE up AS (
  SELECT member, member AS here, 0 AS steps FROM seen
  UNION ALL SELECT up.member, into_.survivor, steps + 1 FROM up JOIN into_ ON loser = here)
  SELECT member, arg_max(here, steps) AS root FROM up GROUP BY member
""",
    """
CREATE TABLE net AS SELECT root, b.receipt, b.time, b.amount - coalesce((
    SELECT sum(amount) FROM (SELECT DISTINCT number, r.receipt, r.time, r.amount FROM back r
      JOIN person q USING (member) WHERE q.root = b.root AND r.member NOT IN (FROM gone)) r
    WHERE r.receipt = b.receipt AND r.time < b.time + to_days({window})), 0) AS amount
FROM (SELECT root, receipt, min(time) AS time, any_value(amount) AS amount FROM bought
  JOIN person USING (member) WHERE member NOT IN (FROM gone) GROUP BY root, receipt) b
WHERE b.amount > 0
""",
    """
CREATE TABLE kept AS SELECT root, time, amount, {m_end} AS m_end, {f_end} AS f_end,
  lag(time) OVER (PARTITION BY root ORDER BY time, receipt) AS before,
  lag({f_end}) OVER (PARTITION BY root ORDER BY time, receipt) AS before_end,
  CAST(timezone('{zone}', time) AS DATE) AS day FROM net WHERE amount > 0
""",
    """
CREATE TABLE figure AS SELECT root, max(time) AS last_at, min(time) AS first_at,
  count(DISTINCT day) AS days,
  coalesce(sum(amount) FILTER (WHERE m_end > moment), 0)::BIGINT AS spent,
  count(*) FILTER (WHERE m_end > moment) AS orders,
  count(*) FILTER (WHERE f_end > moment AND ({gap} = 0 OR before IS NULL OR before_end <= moment
    OR time > before + to_seconds({gap} * 60.0))) AS visits,
  least(min(m_end) FILTER (WHERE m_end > moment), min(f_end) FILTER (WHERE f_end > moment))
    AS change
FROM kept, clock GROUP BY root
""",
    """
CREATE TABLE judged AS SELECT f.*, {r_end} AS r_end, {r_end} > moment AS near,
  visits >= {frequency} AS frequent, spent >= {monetary} AS valuable FROM figure f, clock
""",
    """
CREATE TABLE names (near BOOLEAN, frequent BOOLEAN, valuable BOOLEAN, code VARCHAR, zh VARCHAR)
""",
    """
INSERT INTO names VALUES
 (true, true, true, 'high_value', '重要价值'), (true, false, true, 'high_potential', '重要发展'),
 (false, true, true, 'high_value_leaving', '重要保持'),
 (false, false, true, 'high_value_lapsed', '重要挽留'),
 (true, true, false, 'loyal_small_basket', '一般价值'),
 (true, false, false, 'promising_new', '一般发展'),
 (false, true, false, 'small_basket_slipping', '一般保持'),
 (false, false, false, 'lost', '一般挽留')
""",
    """
CREATE TABLE consent AS WITH own AS (
  FROM said WHERE member NOT IN (FROM gone) QUALIFY row_number() OVER (
    PARTITION BY member, what ORDER BY time DESC, strict DESC) = 1),
united AS (SELECT root, what, o.time, status, strict,
  o.time > coalesce((SELECT max(i.time) FROM into_ i JOIN person q ON q.member = i.loser
    WHERE q.root = p.root), make_timestamptz(0)) AS after FROM own o JOIN person p USING (member))
SELECT root, map_from_entries(list((what, status) ORDER BY what)) AS consents FROM (
  FROM united QUALIFY row_number() OVER (PARTITION BY root, what ORDER BY after DESC,
    CASE WHEN after THEN epoch_us(time) ELSE strict END DESC,
    CASE WHEN after THEN strict ELSE epoch_us(time) END DESC) = 1) GROUP BY root
""",
    """
CREATE TABLE wanted AS SELECT p.member,
  CASE WHEN dead THEN 'erased' WHEN p.root <> p.member THEN 'merged' ELSE 'active' END AS status,
  CASE WHEN NOT dead AND p.root <> p.member THEN p.root END AS survivor,
  CASE WHEN alone THEN code END AS segment, CASE WHEN alone THEN zh END AS segment_zh,
  CASE WHEN alone THEN last_at END AS last_at,
  CASE WHEN alone THEN coalesce(visits, 0) ELSE 0 END AS frequency,
  CASE WHEN alone THEN coalesce(spent, 0) ELSE 0 END AS monetary,
  CASE WHEN alone THEN coalesce(orders, 0) ELSE 0 END AS orders,
  CASE WHEN alone THEN first_at END AS first_at,
  CASE WHEN alone THEN coalesce(days, 0) ELSE 0 END AS purchase_days,
  CASE WHEN alone THEN least(change, CASE WHEN near THEN r_end END) END AS next_change_at,
  CASE WHEN alone THEN (SELECT min(time) FROM joined j JOIN person q USING (member)
    WHERE q.root = p.member AND j.member NOT IN (FROM gone)) END AS registered_at,
  CASE WHEN alone THEN consents END AS consents,
  CASE WHEN alone THEN (SELECT max(newest) FROM seen s JOIN person q USING (member)
    WHERE q.root = p.member AND s.member NOT IN (FROM gone)) END AS as_of
FROM (SELECT *, root = member AND NOT dead AS alone FROM (
  SELECT *, member IN (FROM gone) OR root IN (FROM gone) AS dead FROM person)) p
LEFT JOIN judged j ON j.root = p.member LEFT JOIN consent c ON c.root = p.member
LEFT JOIN names USING (near, frequent, valuable)
""",
)
