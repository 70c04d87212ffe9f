"""Work that does not come with a customer: opening, cleaning, deliveries, each in its window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Duty(NamedTuple):
    """`heads` people for `length` intervals, begun at `earliest` or later and done by `latest`."""

    name: str
    task: str
    heads: int
    length: int
    earliest: int
    latest: int

    @property
    def starts(self) -> range:
        """The intervals in which it may begin."""
        return range(self.earliest, self.latest - self.length + 1)


class DutyError(Exception):
    """A duty has no room in its window; the message says which."""


def place(duties: Sequence[Duty], busy: Sequence[int]) -> list[int]:
    """A start for each duty, where the shop needs the fewest heads at the worst moment.

    Those with the least choice are placed first, the largest before others. The roster may move
    them within their windows again: this is what the need of a day looks like before it is made.

    Raises:
        DutyError: a window is shorter than the duty or ends after the day.
    """
    level = list(busy)
    starts = [0] * len(duties)
    order = sorted(
        range(len(duties)),
        key=lambda at: (len(duties[at].starts), -duties[at].heads * duties[at].length, at),
    )
    for at in order:
        duty = duties[at]
        if not duty.starts or duty.earliest < 0 or duty.latest > len(level):
            msg = (
                f"duty {duty.name} takes {duty.length} intervals and has none between "
                f"{duty.earliest} and {duty.latest} of {len(level)}: give it a longer window"
            )
            raise DutyError(msg)
        starts[at] = min(duty.starts, key=lambda start: (_peak(level, start, duty.length), start))
        for slot in range(starts[at], starts[at] + duty.length):
            level[slot] += duty.heads
    return starts


def _peak(level: Sequence[int], start: int, length: int) -> tuple[int, int]:
    span = level[start : start + length]
    return max(span), sum(span)
