"""When a sensor that says nothing is dead: a pure rule over windows.

Windows are bits: bit `i` of a number stands for window `i` of a store, counted from any origin.
A *run* is what lies between two reports of a sensor. In the `history` windows up to the report
before the run, the store was active in `a` and the sensor reported in `r`; its share of windows
is taken to be `q = (r + 1/2) / (a + 1)`. If it were alive, `n` active windows without a report
would have the probability `(1 - q) ** n`. A sensor with `q` of `regular_share` or more is silent
once that is below `probability`; `n` counts closed windows only, those before the window in
question and up to `ahead` behind it. So the beginning of a silence is marked, too, as soon as it
has become improbable, and the answer hangs on what was reported alone, not on when it arrived.

Doors count by themselves, and the tills of a store as one sensor stop only when it has no
customers, so for these that is all. A single till stands still whenever nobody works at it: it is
judged after `TILL_HISTORY` active windows, if `q` is `TILL_SHARE` or more, and silent only when it
has also been so for more than `TILL_FACTOR` times as many windows as in any run of its history.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

import msgspec

# Sensors by name: the doors or tills of the store as one, then `door/NAME` and `till/SOURCE`.
KINDS = ("door", "till")
TILL_HISTORY = 100
TILL_SHARE = 0.9
TILL_FACTOR = 2


class Role(Enum):
    """What a sensor is: all of its kind together, one door, or one till."""

    ALL = "all"
    DOOR = "door"
    TILL = "till"


class Sensor(msgspec.Struct, array_like=True):
    """Windows as bits: in which a sensor reported, and in which it was silent."""

    kind: int
    reports: int = 0
    silent: int = 0


def role_of(sensor: str) -> Role:
    """What a sensor is, by its name."""
    if sensor in KINDS:
        return Role.ALL
    return Role.DOOR if sensor.startswith("door/") else Role.TILL


class Silence(NamedTuple):
    """The parameters of the rule; `history` and `ahead` in windows."""

    probability: float
    regular_share: float
    history: int
    ahead: int


def span(begin: int, end: int) -> int:
    """The bits from `begin` up to, and without, `end`; none where there are none."""
    return ((1 << end) - 1) >> begin << begin if end > begin else 0


def lowest(bits: int) -> int:
    """The number of the lowest bit that is set."""
    return (bits & -bits).bit_length() - 1


def silent_windows(
    reports: int, active: int, closed: int, top: int, start: int, rule: Silence, role: Role
) -> tuple[int, int]:
    """From which window on the answer holds, and the silent windows from there on, as bits.

    `active` are windows in which the sensor could have reported; those before `closed` count.
    Windows before the run that `start` lies in are not looked at, and none from `top` on. All
    sensors of a kind together are never taken to be gone, and silent before their first report.
    """
    seen = active & span(0, closed)
    last = (reports & span(0, start)).bit_length() - 1
    begin = last + 1
    found = 0
    while True:
        rest = reports >> (last + 1)
        following = last + 1 + lowest(rest) if rest else top
        if following > last + 1:
            found |= _run(reports, seen, closed, last, following, rule, role)
        if not rest:
            return begin, found
        # On to the last report of those that follow one another without a gap.
        rest = reports >> following
        last = following + lowest(~rest) - 1


def _run(
    reports: int, seen: int, closed: int, last: int, end: int, rule: Silence, role: Role
) -> int:
    """The silent windows between the report `last` (-1: none before) and `end`."""
    begin, only = last + 1, role is Role.ALL
    if last < 0:
        return span(begin, min(end, closed)) if only else 0
    gone = last + rule.history + 1
    found = span(gone, min(end, closed)) if only else 0
    within = span(max(0, last - rule.history), begin)
    reported = (reports & within).bit_count()
    active = ((seen | reports) & within).bit_count()
    share = (reported + 0.5) / (active + 1)
    if share < rule.regular_share:
        return found
    if role is Role.TILL and (share < TILL_SHARE or active < TILL_HISTORY):
        return found
    run = seen & span(begin, end)
    windows, chance = 1, 1 - share
    while chance >= rule.probability:
        windows += 1
        chance *= 1 - share
    if run.bit_count() < windows:
        return found
    if role is Role.TILL:
        windows = max(windows, TILL_FACTOR * longest_run(reports & within, seen) + 1)
        if run.bit_count() < windows:
            return found
    for _ in range(windows - 1):
        run &= run - 1
    first = max(begin, lowest(run) - rule.ahead)
    return found | span(first, end if only else min(end, gone))


def longest_run(reports: int, active: int) -> int:
    """The most active windows that ever lay between two reports."""
    longest = 0
    while reports:
        first = lowest(reports)
        # Behind those that follow one another without a gap.
        first += lowest(~(reports >> first))
        reports = reports >> first << first
        if reports:
            longest = max(longest, (active & span(first, lowest(reports))).bit_count())
    return longest
