"""The statements of the footfall oracle: lines to events, events to rows, all at once.

Opening hours are understood where a rule's weekdays, `opens` and `closes` say it all, and clocks
do not change while the shops that have them are open.
"""

from __future__ import annotations

QUARTER = 15 * 60 * 1_000_000
TILL_HISTORY, TILL_SHARE, TILL_FACTOR = 100, 0.9, 2

EVENTS = f"""
CREATE TABLE events AS
SELECT line, j->>'type' = 'store.visit.v1' AS visit, j->>'source' AS source, j->>'id' AS id,
  epoch_us((j->>'time')::TIMESTAMPTZ) AS t, j->>'$.data.store' AS store,
  CASE WHEN visit THEN (t - 1) // {QUARTER} ELSE t // {QUARTER} END AS w,
  CASE WHEN visit THEN 'door/' || (j->>'$.data.door') ELSE 'till/' || source END AS sensor,
  coalesce((j->>'$.data.in')::BIGINT, 0) AS entries,
  coalesce((j->>'$.data.out')::BIGINT, 0) AS exits,
  (j->>'$.data.items')::BIGINT AS items, (j->>'$.data.amount')::BIGINT AS amount,
  coalesce(j->>'$.data.currency', 'CNY') AS currency,
  round((j->>'$.data.service_seconds')::DOUBLE * 1000)::BIGINT AS ms,
  round((j->>'$.data.waited_seconds')::DOUBLE * 1000)::BIGINT AS waited,
  j->>'$.data.employee' AS employee, coalesce(j->>'$.data.task', 'till') AS task,
  [t::VARCHAR, sensor, entries::VARCHAR, exits::VARCHAR, items::VARCHAR, amount::VARCHAR, currency,
    ms::VARCHAR, waited::VARCHAR, employee, task] AS content
FROM (SELECT line, text::JSON AS j FROM lines)"""

# What is late or known depends on which events before it counted, and that on what was late or
# known: asked again until nothing changes. A line's answer depends on lines before it alone, so
# there is but one. Identities are known while their event's quarter may still hold one in time.
JUDGED = f"""
CREATE OR REPLACE TABLE judged AS
WITH seen AS (
  SELECT e.*, CASE WHEN u.line IS NULL THEN e.line END AS counted,
    CASE WHEN u.line IS NULL THEN t END AS counted_t
  FROM events e LEFT JOIN uncounted u ON u.line = e.line),
before AS (
  SELECT *, max(counted_t) OVER (PARTITION BY store, visit ORDER BY line
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS of_kind,
    max(counted_t) OVER (PARTITION BY store ORDER BY line
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS of_store,
    max(counted) OVER (PARTITION BY store, visit, source, id ORDER BY line
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS same_line
  FROM seen)
SELECT b.*, greatest(of_kind - late, of_store - apart) AS oldest,
  coalesce(b.t < oldest, false) AS is_late,
  NOT is_late AND coalesce(same.w >= (oldest - 1) // {QUARTER}, false) AS is_known,
  CASE WHEN is_late THEN 'too_late'
    WHEN is_known AND b.content <> same.content THEN 'conflicting_duplicate' END AS code
FROM p, before b LEFT JOIN events same ON same.line = b.same_line"""
UNCOUNTED = """
CREATE OR REPLACE TABLE uncounted AS SELECT line FROM judged WHERE is_late OR is_known"""

STATEMENTS = (
    "CREATE TABLE kept AS SELECT * FROM judged WHERE NOT is_late AND NOT is_known",
    "CREATE TABLE dead AS SELECT line, code FROM judged WHERE code IS NOT NULL",
    f"""
CREATE TABLE stores AS
SELECT *, greatest((newest - delay) // {QUARTER},
  -- By the clock up to the window after the last event, and as long as a sensor is remembered.
  CASE WHEN clock IS NOT NULL THEN least((clock - delay) // {QUARTER},
    last + 1 + CASE WHEN has_hours THEN history ELSE 0 END) END) AS closed
FROM (
  SELECT store, zone, max(t) AS newest, min(w) AS first, max(w) AS last,
    exists(SELECT 1 FROM hours WHERE store GLOB pattern) AS has_hours
  FROM kept JOIN zones USING (store) GROUP BY store, zone), p""",
    # Every window of every store, lit or not.
    f"""
CREATE TABLE grid AS
SELECT store, w, has_hours, w < closed AS final, closed,
  timezone(zone, make_timestamp(w * {QUARTER}) AT TIME ZONE 'UTC') AS local,
  date_diff('minute', make_timestamp(w * {QUARTER}), local) AS east,
  (local - (SELECT starts FROM p))::DATE AS day
FROM stores, LATERAL (SELECT unnest(range(first, greatest(last, closed) + 1)) AS w)""",
    """
CREATE TABLE seen AS
SELECT g.*, coalesce(s.events, 0) AS events, coalesce(s.busy, false) AS busy,
  coalesce(s.door, false) AS door, coalesce(s.till, false) AS till,
  exists(SELECT 1 FROM hours h, (VALUES (0), (1)) back(n) WHERE g.store GLOB h.pattern
    AND h.weekday = isodow(g.day - n::INT)
    AND g.local < (g.day - n::INT) + to_minutes(h.closes)
    AND g.local + INTERVAL 15 MINUTE > (g.day - n::INT) + to_minutes(h.opens)) AS open
FROM grid g LEFT JOIN (
  SELECT store, w, count(*) AS events, bool_or(NOT visit OR entries > 0) AS busy,
    bool_or(visit) AS door, bool_or(NOT visit) AS till
  FROM kept GROUP BY store, w) s USING (store, w)""",
    """
CREATE TABLE active AS
SELECT *, final AND CASE WHEN has_hours THEN inside ELSE events > 0 END AS active_door,
  final AND CASE WHEN has_hours THEN inside ELSE busy END AS active_till
FROM (
  SELECT *, final AND open AND w - (SELECT history FROM p) <=
    max(CASE WHEN events > 0 THEN w END) OVER (PARTITION BY store ORDER BY w) AS inside
  FROM seen)""",
    # Each sensor, and all of a kind as one, over the windows of its store.
    """
CREATE TABLE sensors AS
SELECT store, unnest([CASE WHEN visit THEN 'door' ELSE 'till' END, sensor]) AS sensor, w
FROM kept""",
    """
CREATE TABLE tracks AS
WITH named AS (
  SELECT DISTINCT store, sensor FROM sensors
  UNION SELECT store, unnest(['door', 'till']) FROM stores)
SELECT a.store, sensor, starts_with(sensor, 'door') AS is_door,
  sensor IN ('door', 'till') AS is_all,
  a.w, a.final, a.closed,
  exists(SELECT 1 FROM sensors s WHERE s.store = a.store AND s.sensor = n.sensor AND s.w = a.w)
    AS reported,
  CASE WHEN is_door THEN active_door ELSE active_till END AS active
FROM active a JOIN named n USING (store)""",
    """
CREATE TABLE counted AS
SELECT *, sum(active::INT) OVER upto AS c_active, sum((active OR reported)::INT) OVER upto AS c_any,
  sum(reported::INT) OVER upto AS c_reported,
  max(CASE WHEN reported THEN w END) OVER (track ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    AS before,
  min(CASE WHEN reported THEN w END) OVER (track ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
    AS after
FROM tracks
WINDOW track AS (PARTITION BY store, sensor ORDER BY w),
  upto AS (track ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)""",
    # How many active windows lie between a report and the one before it.
    """
CREATE TABLE gaps AS
SELECT g.store, g.sensor, g.before, g.w, g.c_active - g.active::INT - b.c_active AS length
FROM counted g JOIN counted b ON b.store = g.store AND b.sensor = g.sensor AND b.w = g.before
WHERE g.reported AND NOT g.is_door AND NOT g.is_all""",
    """
CREATE TABLE runs AS
SELECT c.*,
  coalesce(at_end.c_active, whole.c_active) - l.c_active AS missed,
  l.c_reported - coalesce(h.c_reported, 0) AS r, l.c_any - coalesce(h.c_any, 0) AS a,
  (r + 0.5) / (a + 1) AS share,
  (SELECT max(length) FROM gaps g WHERE g.store = c.store AND g.sensor = c.sensor
    AND g.before >= c.before - (SELECT history FROM p) AND g.w <= c.before) AS longest
FROM counted c
LEFT JOIN counted l ON l.store = c.store AND l.sensor = c.sensor AND l.w = c.before
LEFT JOIN counted h ON h.store = c.store AND h.sensor = c.sensor
  AND h.w = c.before - (SELECT history FROM p) - 1
LEFT JOIN counted at_end ON at_end.store = c.store AND at_end.sensor = c.sensor
  AND at_end.w = least(coalesce(c.after, 1e9::BIGINT), c.w + (SELECT ahead FROM p) + 1) - 1
LEFT JOIN (SELECT store, sensor, max(c_active) AS c_active FROM counted GROUP BY ALL) whole
  ON whole.store = c.store AND whole.sensor = c.sensor
WHERE NOT c.reported""",
    f"""
CREATE TABLE silences AS
SELECT store, w, is_door FROM runs, p
WHERE CASE
  WHEN before IS NULL THEN is_all AND final
  ELSE (is_all AND final AND w > before + history)
    OR ((is_all OR w <= before + history) AND share >= regular
      AND pow(1 - share, missed) < probability
      AND (is_all OR is_door OR (share >= {TILL_SHARE} AND a >= {TILL_HISTORY}
        AND missed > {TILL_FACTOR} * coalesce(longest, 0))))
  END""",
    """
CREATE TABLE figures AS
SELECT store, w, sum(entries)::BIGINT AS entries, sum(exits)::BIGINT AS exits,
  count(*) FILTER (NOT visit) AS orders,
  coalesce(sum(items) FILTER (NOT visit), 0)::BIGINT AS items,
  CASE count(DISTINCT currency) FILTER (NOT visit) WHEN 0 THEN 0
    WHEN 1 THEN sum(amount) FILTER (NOT visit) END::BIGINT AS sales,
  CASE count(DISTINCT currency) FILTER (NOT visit) WHEN 0 THEN NULL
    WHEN 1 THEN min(currency) FILTER (NOT visit) ELSE 'mixed' END AS currency,
  sum(ms) FILTER (NOT visit) / orders / 1000 AS mean,
  list_sort(list(ms) FILTER (NOT visit))[(9 * orders + 9) // 10] / 1000 AS p90,
  count(waited) AS waited_orders,
  sum(waited) / count(waited) / 1000 AS waited_mean,
  count(*) AS events, max(t) AS as_of
FROM kept GROUP BY store, w""",
    f"""
CREATE VIEW expected_windows AS
SELECT store, w * {QUARTER} AS start,
  strftime(local, '%Y-%m-%dT%H:%M') || printf('%s%02d:%02d', CASE WHEN east < 0 THEN '-' ELSE '+'
    END, abs(east) // 60, abs(east) % 60) AS local_start,
  strftime(day, '%Y-%m-%d') AS business_day, final::BIGINT AS final,
  coalesce(entries, 0) AS entries, coalesce(exits, 0) AS exits, coalesce(orders, 0) AS orders,
  coalesce(items, 0) AS items, CASE WHEN f.events IS NULL THEN 0 ELSE sales END AS sales, currency,
  mean, p90, coalesce(waited_orders, 0) AS waited_orders, waited_mean,
  CASE WHEN entries > 0 THEN orders / entries END AS conversion,
  CASE WHEN final AND has_hours AND NOT open THEN CASE WHEN door THEN 'ok' ELSE 'closed' END
    WHEN exists(SELECT 1 FROM silences s WHERE s.store = g.store AND s.w = g.w AND is_door)
    THEN 'silent' ELSE 'ok' END AS door_status,
  CASE WHEN final AND has_hours AND NOT open THEN CASE WHEN till THEN 'ok' ELSE 'closed' END
    WHEN exists(SELECT 1 FROM silences s WHERE s.store = g.store AND s.w = g.w AND NOT is_door)
    THEN 'silent' ELSE 'ok' END AS till_status,
  coalesce(f.events, 0) AS events, as_of
FROM active g LEFT JOIN figures f USING (store, w) WHERE g.events > 0 OR g.inside""",
    """
CREATE TABLE days AS
SELECT store, task, day, count(*) AS n, sum(items) AS x, sum(ms) AS y, sum(items * items) AS xx,
  sum(items * ms) AS xy
FROM kept JOIN grid USING (store, w) WHERE NOT visit GROUP BY store, task, day""",
    f"""
CREATE TABLE lines_through AS
SELECT *, n * xx - x * x AS spread,
  CASE WHEN spread > 0 THEN (n * xy - x * y) / spread END AS slope, (y - slope * x) / n AS base
FROM (
  SELECT g.store, g.w, d.task, sum(n)::DOUBLE AS n, sum(x)::DOUBLE AS x, sum(y)::DOUBLE AS y,
    sum(xx)::DOUBLE AS xx, sum(xy)::DOUBLE AS xy
  FROM grid g JOIN zones z USING (store) JOIN days d USING (store), p
  WHERE d.day < (timezone(z.zone, make_timestamp(g.w * {QUARTER} - late) AT TIME ZONE 'UTC')
      - starts)::DATE
    AND d.day >= (timezone(z.zone, make_timestamp(g.w * {QUARTER} - late) AT TIME ZONE 'UTC')
      - starts)::DATE - rate_days
  GROUP BY g.store, g.w, d.task)""",
    f"""
CREATE VIEW expected_work AS
SELECT store, w * {QUARTER} AS start, employee, task, local_start, business_day, orders, k.items,
  ms / 1000 AS service_seconds,
  CASE WHEN slope >= 0 AND base >= 0 THEN base * orders + slope * k.items
    WHEN x > 0 THEN y / x * k.items ELSE y / n * orders END / 1000 AS expected_seconds
FROM (
  SELECT store, w, employee, task, count(*) AS orders, sum(items)::BIGINT AS items,
    sum(ms)::BIGINT AS ms
  FROM kept WHERE employee IS NOT NULL GROUP BY ALL) k
LEFT JOIN lines_through USING (store, w, task)
JOIN (SELECT store, start, local_start, business_day FROM expected_windows) e
  ON e.store = k.store AND e.start = k.w * {QUARTER}""".replace(
        "SELECT store, w *", "SELECT k.store AS store, k.w *", 1
    ),
)
