"""Instances made up in the formats of the benchmarks: tiny, none of theirs."""

from __future__ import annotations

from itertools import product

from bench.roster.classical_judge import broken_rules
from bench.roster.classical_read import Classical

CLASSICAL = """# a made-up week of a desk
SECTION_HORIZON
# days
7

SECTION_SHIFTS
E,480,
L,600,E

SECTION_STAFF
# ID, MaxShifts, MaxTotalMinutes, MinTotalMinutes, runs and weekends
ann,E=7|L=2,2400,960,4,2,2,1
bob,E=7|L=7,2400,480,3,1,1,1

SECTION_DAYS_OFF
ann,2
bob,0,6

SECTION_SHIFT_ON_REQUESTS
ann,0,E,2
bob,3,L,3

SECTION_SHIFT_OFF_REQUESTS
ann,5,E,4

SECTION_COVER
# Day, ShiftID, Requirement, Weight for under, Weight for over
0,E,1,100,1
1,E,1,100,1
1,L,1,100,1
3,L,1,100,1
4,E,2,100,1
5,E,1,100,1
6,L,0,100,1
"""


def retail_text(days: int = 2, tasks: int = 2) -> str:
    """A shop with a till and a floor; heads are wanted in the morning."""
    lines = [
        *("SECTION_HORIZON", str(days), "", "SECTION_TASKS", str(tasks), ""),
        *("SECTION_STAFF", "# ID, MinTotalMinutes, MaxTotalMinutes"),
        *("1,360,600", "2,360,480", "3,720,1200", "", "SECTION_COVER"),
    ]
    for quarter in range(days * 96):
        day, clock = divmod(quarter + 24, 96)
        span = ":".join((f"{clock // 4:02}", f"{clock % 4 * 15:02}"))
        for task in range(tasks):
            least = int(10 <= quarter % 96 < 20 and task == day % tasks)
            lines.append(f"{day + 1},{span}-00:00,{task + 1},{least},1")
    return "\n".join(lines)


def legal_weeks(instance: Classical, name: str) -> list[list[str | None]]:
    """Everything one person may work, by the judge alone."""
    kinds = (None, *instance.minutes)
    weeks = (list(days) for days in product(kinds, repeat=instance.days))
    return [days for days in weeks if not any(broken_rules(instance, name, days))]
