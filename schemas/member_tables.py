"""The warehouse's tables of members: how each one stands, and how they came there."""

from __future__ import annotations

from schemas.tables import Column, ColumnType, Table


def _later(name: str, type_: ColumnType, comment: str, unit: str = "") -> Column:
    return Column(name, type_, comment, unit, nullable=True, added=True)


MEMBER_STATE = Table(
    name="member_state",
    comment=(
        "A member as known now: recency, frequency, monetary without what was given back, and "
        "the segment. A change by time alone is written when it happens."
    ),
    primary_key=("member",),
    version="version",
    columns=(
        Column("member", "text", "pseudonym"),
        Column("status", "text", "active; merged: counts for `survivor`; erased: nothing is kept"),
        Column("survivor", "text", "the id that a merged one counts for", "", True),
        Column("segment", "text", "one of eight; empty without any purchase", "", True),
        Column("segment_zh", "text", "its name in Chinese", "", True),
        Column("segment_en", "text", "its name in English", "", True),
        Column("recency_near", "integer", "1: the last purchase is near", "", True),
        Column("frequency_high", "integer", "1: at or above the threshold", "", True),
        Column("monetary_high", "integer", "1: at or above the threshold", "", True),
        Column("last_at", "instant", "last purchase that was not given back", "", True),
        Column("frequency", "integer", "in the frequency window", "visits"),
        Column("monetary", "integer", "in the monetary window", "minor money units"),
        Column("currency", "text", "of monetary"),
        Column("orders", "integer", "in the monetary window, not given back", "receipts"),
        Column("first_at", "instant", "first purchase that was not given back", "", True),
        Column("purchase_days", "integer", "days with a purchase since the first one", "days"),
        Column("segment_since", "instant", "when it came into the segment", "", True),
        Column("next_change_at", "instant", "when a window next expires", "", True),
        Column("thresholds", "integer", "version of the thresholds it is judged by"),
        Column("registered_at", "instant", "when it became a member", "", True),
        Column("home_store", "text", "shop", "", True),
        Column("timezone", "text", "its own, where it is known", "", True),
        Column("consents", "json", "what it said, by purpose/channel: status, at, text, evidence"),
        Column("as_of", "instant", "time of its newest event", "", True),
        _later("health", "integer", "chance to buy in 30 days, at health_at", "percent"),
        _later("health_band", "text", "at_risk, watch or healthy"),
        _later("health_drivers", "json", "what drives it, strongest first: odds, why"),
        _later("health_at", "instant", "its newest event, or a change of band since"),
        _later("health_changes_at", "instant", "when the band changes by time alone"),
        _later("health_model", "text", "version of the model"),
        Column("version", "integer", "1 once it was ever merged; of the same, the last row counts"),
    ),
)

MEMBER_TRANSITION = Table(
    name="member_transition",
    comment="Changes of segment as they were told, with what caused them.",
    primary_key=("member", "number"),
    columns=(
        Column("member", "text", "pseudonym"),
        Column("number", "integer", "of the member's changes, from 1"),
        Column("changed_at", "instant", "when it came true"),
        Column("from_segment", "text", "empty: none before", "", True),
        Column("to_segment", "text", "empty: none any more", "", True),
        Column("cause", "text", "purchase, refund, time, thresholds, merge or unmerge"),
        Column("origin", "text", "live, backfill, replay or correction: of what caused it"),
        Column("event", "text", "`source` and `id` of what caused it", "", True),
        Column("last_at", "instant", "last purchase, then", "", True),
        Column("frequency", "integer", "then", "visits"),
        Column("monetary", "integer", "then", "minor money units"),
        Column("thresholds", "integer", "version of the thresholds, then"),
        Column("dwell_seconds", "real", "how long it was in the segment before", "seconds", True),
        Column("version", "integer", "always 1: what was told is not told otherwise"),
    ),
)
