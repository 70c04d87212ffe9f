"""What people on a route should hear of an alert next, and when at the earliest."""

from __future__ import annotations

from operators.notify.case import Case, Kind, Thread
from operators.notify.notice import SEVERITY_RANK
from schemas.hooks import Route
from schemas.instants import MINUTE_US, SECOND_US


def wanted(case: Case, thread: Thread, route: Route) -> Kind | None:
    """What is to be said as things are, None where nothing is new to the route."""
    told = thread.told
    if thread.done:
        return None
    if not case.open:
        return "cleared" if told is not None and route.cleared else None
    if thread.asked:
        return "escalated"
    if told is None:
        return "raised"
    if told.severity != case.notice.severity:
        return "updated"
    moved = abs(case.notice.observed - told.observed)
    worth = route.update_minutes is not None and moved >= route.update_units
    return "updated" if worth else None


def earliest_due(kind: Kind, case: Case, thread: Thread, route: Route, now: int) -> int:
    """When that may be said, quiet hours aside; what got worse never waits."""
    told = thread.told
    if kind == "raised":
        wait = round(route.wait_seconds * SECOND_US)
        return now + wait if thread.due is None else thread.due
    if kind == "updated" and told is not None:
        if case.notice.rank < SEVERITY_RANK.get(told.severity, len(SEVERITY_RANK)):
            return now
        return max(now, told.at + round((route.update_minutes or 0) * MINUTE_US))
    return now
