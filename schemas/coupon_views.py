"""Coupons as they stand now, and the funnel of every campaign: views over what was told."""

from __future__ import annotations

from schemas.tables import View

COUPON_STATE = View(
    name="coupon_state",
    comment="Every coupon as its last event left it, with who was told of it and what was bought.",
    select="""
WITH event AS (
  SELECT *, row_number() OVER last_first AS back,
    first_value(valid_to) OVER last_first AS ends
  FROM coupon_event
  WINDOW last_first AS (PARTITION BY desk, coupon ORDER BY number DESC, source DESC)
), coupon AS (
  SELECT desk, coupon, any_value(campaign) AS campaign, any_value(member) AS member,
    coalesce(min("at") FILTER (what = 'issued'), min("at")) AS issued_at,
    coalesce(min("day") FILTER (what = 'issued'), min("day")) AS "day",
    min(valid_from) AS valid_from, any_value(ends) AS valid_to,
    coalesce(max(message), '') AS message, coalesce(max(experiment), '') AS experiment,
    coalesce(max(arm), '') AS arm,
    max(CASE WHEN what = 'rolled_back' AND partial = 1 THEN 'redeemed'
      WHEN what = 'released' THEN 'issued' ELSE what END) FILTER (back = 1) AS state,
    arg_max("at", number) FILTER (what = 'redeemed') AS used_at,
    arg_max(store, number) FILTER (what = 'redeemed') AS used_store,
    arg_max(receipt, number) FILTER (what = 'redeemed') AS used_receipt,
    arg_max(amount_off, number) FILTER (what = 'redeemed') AS used_off,
    arg_max(basket, number) FILTER (what = 'redeemed') AS used_basket
  FROM event GROUP BY desk, coupon
), given AS (
  -- The message that brought a coupon: those of the same entry into the same journey tell of it.
  SELECT g.message AS coupon_message, s.message, any_value(g.segment) AS segment,
    bool_or(d.status IN ('accepted', 'delivered')) AS accepted
  FROM message g
  LEFT JOIN message s ON s.member = g.member AND s.journey = g.journey AND s.entry = g.entry
    AND s.action = 'send' AND s.decision = 'go' AND s.held_out = 0
  LEFT JOIN message_delivery d ON d.message = s.message AND d.channel <> 'coupons'
  WHERE g.action = 'give' GROUP BY g.message, s.message
), told AS (
  SELECT coupon_message, any_value(segment) AS segment, count(message) AS messages,
    coalesce(bool_or(accepted), false) AS accepted
  FROM given GROUP BY coupon_message
), about AS (
  SELECT coupon_message, message FROM given WHERE message IS NOT NULL
  UNION ALL SELECT DISTINCT message, message FROM coupon WHERE message <> ''
), person AS (
  SELECT member, coalesce(survivor, member) AS person FROM member_state WHERE status <> 'erased'
), opening AS (
  SELECT c.desk, c.coupon, min(o."at") AS opened_at
  FROM coupon c
  JOIN about a ON a.coupon_message = c.message
  JOIN message_opened o ON o.message = a.message
  LEFT JOIN person p ON p.member = c.member
  LEFT JOIN person q ON q.member = o.member
  WHERE coalesce(q.person, o.member) = coalesce(p.person, c.member)
  GROUP BY c.desk, c.coupon
), bought AS (
  SELECT store, receipt, any_value(member) FILTER (part = '') AS member,
    min("at") FILTER (part = '') AS "at", sum(amount)::BIGINT AS amount
  FROM purchase GROUP BY store, receipt HAVING count(*) FILTER (part = '') > 0 AND sum(amount) > 0
), visit AS (
  SELECT c.desk, c.coupon, count(*) AS visits,
    count(*) FILTER (f.stores IS NULL OR f.stores::VARCHAR = 'null'
      OR json_contains(f.stores, to_json(b.store))) AS baskets,
    max(b.amount) FILTER (f.stores IS NULL OR f.stores::VARCHAR = 'null'
      OR json_contains(f.stores, to_json(b.store))) AS largest
  FROM coupon c
  LEFT JOIN person p ON p.member = c.member
  LEFT JOIN coupon_campaign f ON f.campaign = c.campaign
  JOIN (SELECT b.*, coalesce(q.person, b.member) AS person
    FROM bought b LEFT JOIN person q ON q.member = b.member) b
    ON b.person = coalesce(p.person, c.member) AND b."at" >= c.valid_from AND b."at" < c.valid_to
  WHERE c.member <> '' GROUP BY c.desk, c.coupon
)
SELECT c.desk, c.coupon, c.campaign, c.member, c.experiment, c.arm, c.message,
  coalesce(t.segment, '') AS segment, c.issued_at, c."day", c.valid_from, c.valid_to,
  CASE WHEN c.state IN ('issued', 'reserved', 'rolled_back') AND c.valid_to <= now()
    THEN 'expired' ELSE c.state END AS state,
  -- What was opened has arrived, whatever providers say of it.
  (coalesce(t.messages, 0) = 0 OR t.accepted OR o.opened_at IS NOT NULL) AS delivered,
  o.opened_at,
  coalesce(t.messages, 0)::BIGINT AS messages,
  greatest(coalesce(v.visits, 0), (c.state = 'redeemed')::BIGINT)::BIGINT AS visits,
  greatest(coalesce(v.baskets, 0), (c.state = 'redeemed')::BIGINT)::BIGINT AS baskets,
  CASE WHEN f.threshold IS NULL THEN NULL WHEN c.state = 'redeemed' THEN true
    ELSE coalesce(v.largest >= f.threshold, false) END AS over_threshold,
  CASE WHEN c.state = 'redeemed' THEN c.used_at END AS used_at,
  CASE WHEN c.state = 'redeemed' THEN c.used_store END AS used_store,
  CASE WHEN c.state = 'redeemed' THEN c.used_receipt END AS used_receipt,
  CASE WHEN c.state = 'redeemed' THEN c.used_off END AS used_off,
  CASE WHEN c.state = 'redeemed' THEN c.used_basket END AS used_basket
FROM coupon c
LEFT JOIN told t ON t.coupon_message = c.message
LEFT JOIN opening o ON o.desk = c.desk AND o.coupon = c.coupon
LEFT JOIN visit v ON v.desk = c.desk AND v.coupon = c.coupon
LEFT JOIN coupon_campaign f ON f.campaign = c.campaign""",
    column_comments=(
        ("desk", "the desk's name"),
        ("coupon", "id; of erased members a hash of it"),
        ("campaign", "id in coupons.yaml"),
        ("member", "pseudonym of whose it is; empty: erased"),
        ("experiment", "of which experiment, or empty"),
        ("arm", "the member's arm of it"),
        ("message", "what it was issued by, or empty"),
        ("segment", "the member's, when it was decided"),
        ("issued_at", "when"),
        ("day", "of the issue, by the chain's clock"),
        ("valid_from", "valid from then"),
        ("valid_to", "valid until then, not included"),
        ("state", "issued, reserved, redeemed, rolled_back or expired, now"),
        ("delivered", "one about it was accepted, delivered or opened, or none belongs to it"),
        ("opened_at", "when its member first opened one, or what gave it; empty: nobody told"),
        ("messages", "messages of the journey about it"),
        ("visits", "receipts of the member while it was valid, not given back [receipts]"),
        ("baskets", "those in its stores [receipts]"),
        ("over_threshold", "one of them reached the threshold; empty: campaign not known"),
        ("used_at", "redeemed: when"),
        ("used_store", "redeemed: where"),
        ("used_receipt", "redeemed: with which order"),
        ("used_off", "redeemed: taken off [minor money units]"),
        ("used_basket", "redeemed: goods that count, before it [minor money units]"),
    ),
)

COUPON_FUNNEL = View(
    name="coupon_funnel",
    comment=(
        "What became of the coupons of a campaign by day of issue and arm. Who redeemed has "
        "visited with a basket over the threshold, whatever tills have told."
    ),
    select="""
SELECT campaign, "day", experiment, arm,
  count(*) AS issued,
  count(*) FILTER (delivered) AS delivered,
  CASE WHEN sum(count(opened_at)) OVER (PARTITION BY campaign) > 0
    THEN count(*) FILTER (opened_at < valid_to) END AS opened,
  count(*) FILTER (visits > 0) AS visited,
  count(*) FILTER (baskets > 0) AS eligible,
  CASE WHEN count(over_threshold) = count(*) THEN count(*) FILTER (over_threshold) END
    AS over_threshold,
  count(*) FILTER (state = 'redeemed') AS redeemed,
  count(*) FILTER (state = 'redeemed' AND delivered) AS redeemed_delivered,
  count(*) FILTER (state = 'expired') AS expired,
  count(*) FILTER (state IN ('issued', 'reserved', 'rolled_back')) AS still_valid,
  coalesce(sum(used_off), 0)::BIGINT AS amount_off
FROM coupon_state GROUP BY campaign, "day", experiment, arm""",
    column_comments=(
        ("campaign", "id in coupons.yaml"),
        ("day", "of the issue, by the chain's clock"),
        ("experiment", "of which experiment, or empty"),
        ("arm", "its arm"),
        ("issued", "coupons"),
        ("delivered", "one about it was accepted, delivered or opened, or none belongs to it"),
        ("opened", "one was opened in time; empty: nobody told of any of the campaign"),
        ("visited", "its member bought something while it was valid"),
        ("eligible", "in a store where it counts"),
        ("over_threshold", "for enough; empty: the campaign is not known here"),
        ("redeemed", "used, and not given back"),
        ("redeemed_delivered", "of the delivered: what the redemption rate is made of"),
        ("expired", "not used in time"),
        ("still_valid", "can still be used: no failures yet"),
        ("amount_off", "taken off in all [minor money units]"),
    ),
)

COUPON_FRICTION = View(
    name="coupon_friction",
    comment="Coupons that tills rejected, by campaign, shop, reason and day.",
    select="""
WITH used AS (
  SELECT desk, coupon, receipt, max(number) AS number FROM coupon_event
  WHERE what = 'redeemed' AND receipt IS NOT NULL GROUP BY desk, coupon, receipt
)
SELECT r.campaign, r.store, r.code, r."day", count(*) AS orders,
  count(DISTINCT (r.desk, r.coupon)) AS coupons,
  count(*) FILTER (u.number > r.version) AS used_after_all,
  sum(r.left_out)::BIGINT AS left_out
FROM coupon_rejection r LEFT JOIN used u USING (desk, coupon, receipt)
GROUP BY r.campaign, r.store, r.code, r."day" """,
    column_comments=(
        ("campaign", "id in coupons.yaml; empty: there is no such coupon"),
        ("store", "where; empty: the till did not say"),
        ("code", "why: as the API refuses, or unknown_coupon"),
        ("day", "the day of it by the chain's clock"),
        ("orders", "at which a coupon was rejected for that"),
        ("coupons", "of these"),
        ("used_after_all", "orders that redeemed it later, say with more in the basket"),
        ("left_out", "of whatever campaign: so many before these were not told"),
    ),
)
