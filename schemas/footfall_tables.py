"""The warehouse's tables of footfall: windows, and who did what in them."""

from __future__ import annotations

from schemas.tables import Column, Table

_LOCAL = (
    Column("local_start", "text", "the same in the store's own time, with its offset"),
    Column("business_day", "text", "the store's business day (YYYY-MM-DD) of the start"),
)

FOOTFALL_15M = Table(
    name="footfall_15m",
    comment=(
        "A quarter of an hour of a store: people, orders, service. Early figures while it is "
        "open, a final row when its time is over, a new version when something comes late."
    ),
    primary_key=("store", "start"),
    version="version",
    columns=(
        Column("store", "text", "shop"),
        Column("start", "instant", "begin of the 15 minutes of real time"),
        *_LOCAL,
        Column("final", "integer", "1 when the time for its events is over, else 0"),
        Column("entries", "integer", "came in, by all doors", "people"),
        Column("exits", "integer", "went out, by all doors", "people"),
        Column("orders", "integer", "orders rung up", "orders"),
        Column("items", "integer", "in these orders", "items"),
        Column("sales", "integer", "empty where currencies are mixed", "minor money units", True),
        Column("currency", "text", "of sales; `mixed` if there are several", "", True),
        Column("service_mean_seconds", "real", "mean of the orders", "seconds", True),
        Column(
            "service_p90_seconds",
            "real",
            "the shortest time within which nine orders of ten were served",
            "seconds",
            True,
        ),
        Column("waited_orders", "integer", "orders whose wait was measured", "orders"),
        Column("waited_mean_seconds", "real", "mean of those waits", "seconds", True),
        Column("conversion", "real", "orders / entries; empty without entries", "", True),
        Column("door_status", "text", "ok; silent: a door is dead, entries are too low; closed"),
        Column("till_status", "text", "ok; silent: a till is dead, orders are too low; closed"),
        Column("events", "integer", "events in this row"),
        Column("as_of", "instant", "time of the newest event in this row", "", True),
        Column("version", "integer", "grows with every change of the row"),
    ),
)

EMPLOYEE_WORK_15M = Table(
    name="employee_work_15m",
    comment="What one employee did at one task in a quarter of an hour of a store.",
    primary_key=("store", "start", "employee", "task"),
    version="version",
    columns=(
        Column("store", "text", "shop"),
        Column("start", "instant", "begin of the 15 minutes of real time"),
        Column("employee", "text", "pseudonym"),
        Column("task", "text", "as the till has it; `till` where it says nothing"),
        *_LOCAL,
        Column("orders", "integer", "orders served", "orders"),
        Column("items", "integer", "in these orders", "items"),
        Column("service_seconds", "real", "time of service, summed", "seconds"),
        Column(
            "expected_seconds",
            "real",
            "what these orders and items take in this store; empty while nothing is known",
            "seconds",
            True,
        ),
        Column("version", "integer", "how many orders are in the row; only ever grows"),
    ),
)
