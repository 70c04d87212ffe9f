"""Who is on duty: shifts that cover the need, give or take a shop's hidden habit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sources.simulator import exact
from sources.simulator.footfall import ShopHours
from sources.simulator.instants import HOUR_MS, MINUTE_MS, QUARTER_MS
from sources.simulator.places import Site
from sources.simulator.settings import Settings
from sources.simulator.streams import stream

# Square-root staffing: load plus this many times its root (Halfin and Whitt 1981).
BETA = 0.8
SHORTEST_SHIFT_MS = 4 * HOUR_MS
# The last shift stays until the queue is served.
AFTER_CLOSING_MS = 30 * MINUTE_MS
# People in a shop's book for each shift of a day: five days of work a week, some spare.
PEOPLE_PER_SHIFT = 1.6


@dataclass(frozen=True, slots=True)
class Employee:
    """A person at work, by pseudonym. `pace` multiplies service times: below 1 is faster."""

    name: str
    grade: int
    pace: float


@dataclass(slots=True)
class Shift:
    """One person's day at one till; `free_ms` moves on as customers are served."""

    employee: Employee
    till: int
    start_ms: int
    end_ms: int
    free_ms: int


class Staff:
    """Employees and shifts of all shops."""

    def __init__(self, settings: Settings, mean_service_s: float) -> None:
        self._settings = settings
        self._mean_service_s = mean_service_s
        self._people: dict[tuple[str, int], Employee] = {}

    def need(self, site: Site, hours: ShopHours) -> list[int]:
        """Heads each quarter needs by the square-root rule, times the shop's habit."""
        assert site.shop is not None
        heads = []
        for quarter in hours.quarters:
            customers = quarter.intensity * site.shop.conversion
            load = customers * self._mean_service_s / (QUARTER_MS / 1_000)
            heads.append(max(1, round((load + BETA * math.sqrt(load)) * site.shop.staffing + 0.3)))
        return heads

    def shifts(self, site: Site, hours: ShopHours) -> list[Shift]:
        """Shifts begun whenever too few are on duty, each with a till of its own."""
        length = min(
            int(self._settings.counter.shift_hours * HOUR_MS), hours.closes_ms - hours.opens_ms
        )
        spans: list[tuple[int, int]] = []
        for quarter, heads in zip(hours.quarters, self.need(site, hours), strict=True):
            on_duty = len([1 for _, end_ms in spans if end_ms > quarter.start_ms])
            for _ in range(on_duty, heads):
                latest = hours.closes_ms - min(SHORTEST_SHIFT_MS, length)
                start_ms = min(quarter.start_ms, latest)
                end_ms = min(start_ms + length, hours.closes_ms)
                spans.append((start_ms, end_ms))
        spans.sort()
        people = math.ceil(len(spans) * PEOPLE_PER_SHIFT)
        turn = hours.day.toordinal() * 2
        shifts: list[Shift] = []
        for number, (start_ms, end_ms) in enumerate(spans):
            if end_ms == hours.closes_ms:
                end_ms += AFTER_CLOSING_MS  # noqa: PLW2901
            busy = {shift.till for shift in shifts if shift.end_ms > start_ms}
            till = next(free for free in range(1, len(spans) + 1) if free not in busy)
            employee = self.employee(site, (number + turn) % people)
            shifts.append(Shift(employee, till, start_ms, end_ms, start_ms))
        return shifts

    def employee(self, site: Site, number: int) -> Employee:
        """The shop's employee of that number."""
        known = self._people.get((site.name, number))
        if known is None:
            rng = stream(self._settings.seed, "employee", site.name, number)
            grade = 1 + rng.randrange(4)
            pace = (1.3 - 0.12 * grade) * exact.lognormal(rng, 0.1)
            known = Employee(f"e{rng.getrandbits(40):010x}", grade, pace)
            self._people[site.name, number] = known
        return known
