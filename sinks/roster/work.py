"""Work of people out of the warehouse, for grades."""

from __future__ import annotations

from collections.abc import Iterator

from operators.roster.grades import Work
from schemas.footfall_tables import EMPLOYEE_WORK_15M
from sinks.warehouse.client import Reader

_NAME = EMPLOYEE_WORK_15M.name


def read_work(reader: Reader, days: int, store: str | None = None) -> Iterator[Work]:
    """Quarters of an hour of the last days whose expected time is known, by time."""
    where = "" if store is None else "AND store = ?"
    answer = reader.execute(
        "SELECT employee, task, orders, service_seconds, expected_seconds "
        f"FROM {_NAME} WHERE expected_seconds > 0 "
        f"AND start >= (SELECT max(start) FROM {_NAME}) - to_days(?) {where} "
        "ORDER BY start, store, employee, task",
        [days] if store is None else [days, store],
    )
    for row in answer.fetchall():
        yield Work(*row)
