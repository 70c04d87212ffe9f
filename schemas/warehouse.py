"""The warehouse's tables: what dashboards may rely on."""

from __future__ import annotations

from schemas.coupon_tables import (
    COUPON_CAMPAIGN,
    COUPON_EVENT,
    COUPON_REJECTION,
    MEMBER_GONE,
    MESSAGE_OPENED,
    PURCHASE,
)
from schemas.coupon_views import COUPON_FRICTION, COUPON_FUNNEL, COUPON_STATE
from schemas.experiment_tables import EXPERIMENT_RESULT
from schemas.footfall_tables import EMPLOYEE_WORK_15M, FOOTFALL_15M
from schemas.forecast_tables import FORECAST_15M, FORECAST_SPAN
from schemas.journey_tables import JOURNEY_RUN, MESSAGE
from schemas.member_tables import MEMBER_STATE, MEMBER_TRANSITION
from schemas.message_tables import MESSAGE_DELIVERY
from schemas.reservation_tables import RESERVATION
from schemas.roster_tables import (
    ROSTER_DUTY,
    ROSTER_SHIFT,
    ROSTER_TASK_15M,
    STAFFING_15M,
    STAFFING_ALERT,
)
from schemas.tables import Column, Table, View

STOCK_POSITION = Table(
    name="stock_position",
    comment="The live position of one SKU at one place: absolute and versioned.",
    primary_key=("sku", "place"),
    version="version",
    columns=(
        Column("sku", "text", "stock keeping unit"),
        Column("place", "text", "store, forward warehouse or central warehouse"),
        Column("pool", "text", "the pool of places whose stock serves one promise"),
        Column("on_hand", "integer", "physically at the place and sellable", "units"),
        Column("allocated", "integer", "claimed by placed orders, not yet shipped", "units"),
        Column("quarantined", "integer", "returned and not yet judged", "units"),
        Column("in_transit", "integer", "sent here and not yet received", "units"),
        Column(
            "held_confirmed_seq",
            "integer",
            "number of the last confirmed hold inside this row; 0 without a hold gate",
        ),
        Column("available", "integer", "on hand - allocated - floor; below 0: oversold", "units"),
        Column("safety_stock", "integer", "kept for uncertainty", "units"),
        Column(
            "days_of_cover", "real", "available / demand rate; empty without demand", "days", True
        ),
        Column("demand_rate", "real", "units that leave to customers", "units a day"),
        Column("version", "integer", "how many events are in this row; only ever grows"),
        Column("as_of", "instant", "time of the newest event in this row"),
    ),
)

STOCK_ALERT = Table(
    name="stock_alert",
    comment="Alerts, open and cleared: at most one open for an alert type, SKU and place.",
    primary_key=("alert",),
    columns=(
        Column("alert", "text", "id, stable while the alert is open"),
        Column(
            "alert_type",
            "text",
            "oversell, negative_on_hand, stock_out or below_safety_stock",
        ),
        Column("status", "text", "raised, updated or cleared"),
        Column("severity", "text", "critical, high or warning"),
        Column("sku", "text", "stock keeping unit"),
        Column("place", "text", "store or warehouse"),
        Column("observed", "integer", "the figure that is judged, as last seen", "units"),
        Column("level", "integer", "raised when the figure was below this", "units"),
        Column("clear_level", "integer", "cleared when the figure is this or more", "units"),
        Column(
            "shortfall", "integer", "how far the figure is below the level, at least 0", "units"
        ),
        Column("claims", "json", "the competing claims, newest first; `broke_floor` marks the one"),
        Column("evidence", "json", "the events that led here: source, id, kind, quantity, time"),
        Column("suggested_action", "text", "what a person may do about it"),
        Column("opened_at", "instant", "time of the event that opened it"),
        Column("updated_at", "instant", "time of the event that last changed it"),
        Column("cleared_at", "instant", "time of the event that cleared it", nullable=True),
    ),
)

TRANSFER_SUGGESTION = Table(
    name="transfer_suggestion",
    comment="Suggested transfers between places, a row for every state a suggestion was in.",
    primary_key=("suggestion", "version"),
    columns=(
        Column("suggestion", "text", "id, the same through all states"),
        Column("version", "integer", "number of the state, from 1"),
        Column(
            "status",
            "text",
            "proposed, accepted, rejected, expired, superseded, shipped or executed",
        ),
        Column("sku", "text", "stock keeping unit"),
        Column("from_place", "text", "the place that gives"),
        Column("to_place", "text", "the place that takes"),
        Column("quantity", "integer", "to be moved", "units"),
        Column("pack_multiple", "integer", "moves in whole multiples of this", "units"),
        Column("mode", "text", "reactive: a promise is at risk; proactive: cover is low"),
        Column("reason_codes", "json", "short stable names of the reasons"),
        Column("donor_available_before", "integer", "at the giver before", "units"),
        Column("donor_available_after", "integer", "at the giver without them", "units"),
        Column("donor_cover_before", "real", "cover before; empty without demand", "days", True),
        Column("donor_cover_after", "real", "cover after; empty without demand", "days", True),
        Column("taker_available_before", "integer", "at the taker before", "units"),
        Column("taker_available_after", "integer", "at the taker with them", "units"),
        Column("taker_cover_before", "real", "cover before; empty without demand", "days", True),
        Column("taker_cover_after", "real", "cover after; empty without demand", "days", True),
        Column("expected_lost_sales_avoided", "real", "at the taker over the horizon", "units"),
        Column("transport_cost", "integer", "fixed, by distance and by unit", "minor money units"),
        Column(
            "net_benefit",
            "integer",
            "margin of the sales saved, less transport and the giver's own expected loss",
            "minor money units",
        ),
        Column("lead_time_h", "real", "from the request to the shelf", "hours"),
        Column("needed_by", "instant", "when the taker is expected to run out"),
        Column("not_after", "instant", "no answer or departure until then: it expires"),
        Column("pegged_orders", "json", "customer orders that wait for it"),
        Column("donor_version", "integer", "version of the giver's position it rests on"),
        Column("taker_version", "integer", "version of the taker's position it rests on"),
        Column("updated_at", "instant", "when it came into this state"),
        Column("supersedes", "text", "the suggestion that this one replaces", nullable=True),
        Column("transfer", "text", "number under which the goods travel", nullable=True),
    ),
)

DEAD_LETTER = Table(
    name="dead_letter",
    comment="What could not be used, where it stood and why. Nothing is dropped in silence.",
    primary_key=("source", "position"),
    columns=(
        Column("source", "text", "file or topic partition"),
        Column("position", "integer", "line of the file, counted from 1, or offset of the topic"),
        Column("reason_code", "text", "short stable name of the reason"),
        Column("reason", "text", "the reason in words, with what to do"),
        Column("event_source", "text", "`source` of the event, where it was readable", "", True),
        Column("event_id", "text", "`id` of the event, where it was readable", "", True),
        Column("event_time", "instant", "`time` of the event, where it was readable", "", True),
        Column("raw", "bytes", "the bytes as they came, cut after 64 KiB"),
        Column("version", "integer", "always 1: a dead letter never changes"),
    ),
)

FLOW_RUN = Table(
    name="flow_run",
    comment="One row for each start of a flow that found something to do.",
    primary_key=("run",),
    columns=(
        Column("run", "text", "id of the run"),
        Column("flow", "text", "name of the flow"),
        Column("status", "text", "running, finished, stopped or interrupted"),
        Column("source", "text", "what it read"),
        Column("started_at", "instant", "wall clock at the start"),
        Column("updated_at", "instant", "wall clock at the last write"),
        Column("lines", "integer", "lines read, blank ones left out"),
        Column("events", "integer", "lines that were events of this flow's types"),
        Column("others", "integer", "events of types that other flows read"),
        Column("applied", "integer", "events that are now in the state"),
        Column("duplicates", "integer", "events that were known already"),
        Column("dead_letters", "integer", "lines that went to dead_letter"),
        Column("positions", "integer", "rows written to stock_position"),
        Column("alerts_raised", "integer", "alerts raised"),
        Column("alerts_cleared", "integer", "alerts cleared"),
        Column("newest_event", "instant", "time of the newest event read", "", True),
    ),
)

FLOW_RUN_PART = Table(
    name="flow_run_part",
    comment=(
        "A run that several writers share, writer by writer; flow_run has their sums. Empty where "
        "one writer does it all."
    ),
    primary_key=("run", "part"),
    columns=(
        FLOW_RUN.columns[0],
        Column("part", "integer", "number of the writer"),
        *FLOW_RUN.columns[1:],
    ),
)

WAREHOUSE_INFO = Table(
    name="warehouse_info",
    comment="What this warehouse is.",
    primary_key=("name",),
    columns=(
        Column("name", "text", "name of the entry"),
        Column("value", "text", "its value"),
    ),
)

STOCK_POOL = View(
    name="stock_pool",
    comment=(
        "The pool as one stock: a SKU over all places of a pool. A place that is short takes "
        "nothing from what another can still promise."
    ),
    select="""
SELECT sku, pool,
  count(*) AS places,
  sum(on_hand)::BIGINT AS on_hand,
  sum(allocated)::BIGINT AS allocated,
  sum(quarantined)::BIGINT AS quarantined,
  sum(in_transit)::BIGINT AS in_transit,
  sum(greatest(available, 0))::BIGINT AS available,
  sum(greatest(-available, 0))::BIGINT AS short,
  sum(safety_stock)::BIGINT AS safety_stock,
  sum(demand_rate) AS demand_rate,
  CASE WHEN sum(demand_rate) > 0
    THEN sum(greatest(available, 0)) / sum(demand_rate) END AS days_of_cover,
  sum(version)::BIGINT AS version,
  max(as_of) AS as_of
FROM stock_position GROUP BY sku, pool""",
    column_comments=(
        ("sku", "stock keeping unit"),
        ("pool", "the pool of places whose stock serves one promise"),
        ("places", "places of the pool that ever had the SKU"),
        ("on_hand", "sum over the places [units]"),
        ("allocated", "sum over the places [units]"),
        ("quarantined", "sum over the places [units]"),
        ("in_transit", "sum over the places [units]"),
        ("available", "what the places that have some can still promise [units]"),
        ("short", "what the places that are oversold lack [units]"),
        ("safety_stock", "sum over the places [units]"),
        ("demand_rate", "sum over the places [units a day]"),
        ("days_of_cover", "available / demand rate [days]"),
        ("version", "how many events are in the row"),
        ("as_of", "time of the newest event in the row"),
    ),
)

TRANSFER_CURRENT = View(
    name="transfer_current",
    comment="Every suggested transfer in the state it is in now: its row of the largest version.",
    select="""
SELECT * FROM transfer_suggestion
QUALIFY row_number() OVER (PARTITION BY suggestion ORDER BY version DESC) = 1""",
    column_comments=tuple(
        (column.name, column.full_comment) for column in TRANSFER_SUGGESTION.columns
    ),
)

TABLES: tuple[Table, ...] = (
    STOCK_POSITION,
    STOCK_ALERT,
    TRANSFER_SUGGESTION,
    RESERVATION,
    FOOTFALL_15M,
    EMPLOYEE_WORK_15M,
    FORECAST_15M,
    FORECAST_SPAN,
    STAFFING_15M,
    STAFFING_ALERT,
    ROSTER_SHIFT,
    ROSTER_TASK_15M,
    ROSTER_DUTY,
    DEAD_LETTER,
    MEMBER_STATE,
    MEMBER_TRANSITION,
    MESSAGE,
    MESSAGE_DELIVERY,
    JOURNEY_RUN,
    EXPERIMENT_RESULT,
    COUPON_EVENT,
    COUPON_REJECTION,
    COUPON_CAMPAIGN,
    PURCHASE,
    MESSAGE_OPENED,
    MEMBER_GONE,
    FLOW_RUN,
    FLOW_RUN_PART,
    WAREHOUSE_INFO,
)
VIEWS: tuple[View, ...] = (
    STOCK_POOL,
    TRANSFER_CURRENT,
    COUPON_STATE,
    COUPON_FUNNEL,
    COUPON_FRICTION,
)
