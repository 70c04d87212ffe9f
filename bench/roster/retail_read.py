"""Reads the retail instances: several tasks, several days, 15 minutes (Qu and Curtois, 2020)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.roster.sections import UnreadInstance, sections

_WANTED = ("HORIZON", "TASKS", "STAFF", "COVER")
QUARTERS_A_DAY = 96
# All instances begin at six in the morning.
FIRST_QUARTER = 24


@dataclass(frozen=True, slots=True)
class Retail:
    """An instance; minutes by person, heads (least, most) by quarter from the start and task."""

    name: str
    days: int
    tasks: int
    minutes: dict[str, tuple[int, int]]
    cover: dict[tuple[int, int], tuple[int, int]]

    @property
    def quarters(self) -> int:
        """The quarters of the horizon."""
        return self.days * QUARTERS_A_DAY


def read_retail(path: Path) -> Retail:
    """The instance in a file.

    Raises:
        UnreadInstance: a quarter of the horizon has no cover for a task.
    """
    found = sections(path, _WANTED)
    days, tasks = int(found["HORIZON"][0][0]), int(found["TASKS"][0][0])
    cover = {}
    for day, span, task, least, most in found["COVER"]:
        hours, minutes = span.split("-")[0].split(":")
        clock = int(hours) * 4 + int(minutes) // 15
        quarter = (int(day) - 1) * QUARTERS_A_DAY + clock - FIRST_QUARTER
        cover[quarter, int(task) - 1] = int(least), int(most)
    wanted = {(at, one) for at in range(days * QUARTERS_A_DAY) for one in range(tasks)}
    if missing := sorted(wanted - set(cover)):
        at, one = missing[0]
        msg = f"{path.name}: no cover for task {one + 1} in quarter {at} of the horizon"
        raise UnreadInstance(msg)
    staff = {name: (int(least), int(most)) for name, least, most in found["STAFF"]}
    return Retail(path.stem, days, tasks, staff, cover)
