"""The warehouse's tables of rosters: what is published, what is needed, what is amiss today."""

from __future__ import annotations

from schemas.tables import Column, Table

_SHOP = Column("store", "text", "shop")
_START = Column("start", "instant", "begin of the 15 minutes of real time")
_LOCAL = Column("local_start", "text", "the same in the store's own time, with its offset")
_DAY = Column("day", "text", "the store's local day (YYYY-MM-DD)")
_PUBLISHED = Column("updated_at", "instant", "when the roster was published; a newer one replaces")

ROSTER_SHIFT = Table(
    name="roster_shift",
    comment=(
        "Who works when, as published: one shift of a person's day. Publishing again replaces all "
        "rows of the shop's days."
    ),
    primary_key=("store", "day", "employee"),
    version="updated_at",
    columns=(
        _SHOP,
        _DAY,
        Column("employee", "text", "pseudonym"),
        Column("starts", "text", "wall clock of the shop (HH:MM)"),
        Column("ends", "text", "wall clock of the shop (HH:MM); 24:00 is the day's end"),
        Column("break_starts", "text", "wall clock of the break; empty: none", "", True),
        Column("break_minutes", "integer", "length of the break", "minutes"),
        Column("start", "instant", "begin of the shift"),
        Column("end", "instant", "end of the shift"),
        Column("work_minutes", "integer", "by the wall clock, the break taken off", "minutes"),
        _PUBLISHED,
    ),
)

ROSTER_TASK_15M = Table(
    name="roster_task_15m",
    comment=(
        "What everybody is to do in each quarter of an hour of their shift. Duties (opening, "
        "deliveries) are in roster_duty: whoever is at their task does them."
    ),
    primary_key=("store", "start", "employee"),
    version="updated_at",
    columns=(
        _SHOP,
        _START,
        Column("employee", "text", "pseudonym"),
        _LOCAL,
        _DAY,
        Column("task", "text", "empty in the break, and where there is nothing to do", "", True),
        Column("on_break", "integer", "1 in the break, else 0"),
        _PUBLISHED,
    ),
)

ROSTER_DUTY = Table(
    name="roster_duty",
    comment="When each duty of a published roster is done; it takes heads off its task.",
    primary_key=("store", "start", "duty"),
    version="updated_at",
    columns=(
        _SHOP,
        _START,
        Column("duty", "text", "name of the duty"),
        _DAY,
        Column("starts", "text", "wall clock of the shop (HH:MM)"),
        Column("task", "text", "whose people do it"),
        Column("heads", "integer", "people it takes", "people"),
        Column("minutes", "integer", "how long it takes", "minutes"),
        _PUBLISHED,
    ),
)

STAFFING_15M = Table(
    name="staffing_15m",
    comment=(
        "Heads needed at a task in a quarter of an hour to come, beside those of the published "
        "roster. What has begun keeps the row it had."
    ),
    primary_key=("store", "start", "task"),
    version="updated_at",
    columns=(
        _SHOP,
        _START,
        Column("task", "text", "as the shop's roster file names it"),
        _LOCAL,
        _DAY,
        Column("arrivals", "real", "expected; empty where heads are given", "customers", True),
        Column("needed", "integer", "heads that keep the goal of the task", "people"),
        Column(
            "scheduled",
            "integer",
            "serving by the published roster, duties taken off; empty without one",
            "people",
            True,
        ),
        Column("gap", "integer", "scheduled - needed; below 0: too few", "people", True),
        Column(
            "wait_seconds",
            "real",
            "expected mean wait with those scheduled, or with those needed without a roster",
            "seconds",
            True,
        ),
        Column("left", "real", "expected to give up, as for the wait", "customers", True),
        Column("measure", "text", "orders or entries: what arrivals follow", "", True),
        Column("updated_at", "instant", "when it was made; a newer one replaces it"),
    ),
)

STAFFING_ALERT = Table(
    name="staffing_alert",
    comment=(
        "A stretch of a running day where the roster is off the need: raised, updated, cleared. "
        "One open alert a store, task and stretch."
    ),
    primary_key=("alert",),
    version="updated_at",
    columns=(
        Column("alert", "text", "id, stable while it is open"),
        Column("alert_type", "text", "short_staffed or over_staffed"),
        Column("status", "text", "raised, updated or cleared"),
        Column("severity", "text", "high or warning"),
        _SHOP,
        Column("task", "text", "as the shop's roster file names it"),
        _DAY,
        Column("starts", "text", "wall clock of the shop (HH:MM)"),
        Column("ends", "text", "wall clock of the shop (HH:MM)"),
        Column("heads", "integer", "at the worst moment, missing or too many", "people"),
        Column("amount", "integer", "heads times quarters of an hour", "head-intervals"),
        Column("level", "integer", "raised at this amount or more", "head-intervals"),
        Column("clear_level", "integer", "cleared below it", "head-intervals"),
        Column("measure", "text", "orders or entries: what the need follows", "", True),
        Column("off", "real", "came / forecast - 1 until now; empty: nothing came", "", True),
        Column("since", "text", "from when that is counted (HH:MM)", "", True),
        Column("reason", "text", "why, in words"),
        Column("proposals", "json", "what could be done, each of it legal, cheapest first"),
        Column("opened_at", "instant", "when it was raised"),
        Column("updated_at", "instant", "when it was looked at for this state"),
        Column("cleared_at", "instant", "when it was over", "", True),
    ),
)
