"""The eight segments by high and low recency, frequency and monetary, and where high begins."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import NamedTuple, get_args

from operators.members.facts import Thresholds
from schemas.member_events import Segment
from schemas.member_rules import SegmentThresholds

NONE = -1


class Name(NamedTuple):
    """A segment: its code, its two names, and what members of it are like."""

    code: Segment
    zh: str
    en: str


# By near (4), frequent (2) and valuable (1): the bits of `place`.
SEGMENTS: tuple[Name, ...] = (
    Name("lost", "一般挽留", "Lost"),
    Name("high_value_lapsed", "重要挽留", "High value lapsed"),
    Name("small_basket_slipping", "一般保持", "Small basket, slipping"),
    Name("high_value_leaving", "重要保持", "High value about to leave"),
    Name("promising_new", "一般发展", "Promising new"),
    Name("high_potential", "重要发展", "High potential"),
    Name("loyal_small_basket", "一般价值", "Loyal, small basket"),
    Name("high_value", "重要价值", "High value"),
)
CODES: tuple[Segment, ...] = get_args(Segment)


def place(*, near: bool, frequent: bool, valuable: bool) -> int:
    """The number of a segment: SEGMENTS has its names."""
    return near * 4 + frequent * 2 + valuable


def code_of(number: int) -> Segment | None:
    """The code of a segment's number, None without one."""
    return None if number == NONE else SEGMENTS[number].code


def configured(given: SegmentThresholds) -> Thresholds:
    """The thresholds of the chain's file."""
    values = (given.version, given.recency_days, given.frequency, given.monetary)
    return Thresholds(0, "", "", "live", "", *values)


def values(thresholds: Thresholds) -> tuple[float, int, int]:
    """What a set says, whatever its version."""
    return thresholds.recency_days, thresholds.frequency, thresholds.monetary


class Measured(NamedTuple):
    """What thresholds are found from: one active member."""

    silence_days: float
    frequency: int
    monetary: int


def by_mean(members: Sequence[Measured], version: int) -> SegmentThresholds:
    """High is the mean or more; exact, so that equal members are never told apart.

    Raises:
        ValueError: there are no members.
    """
    count = _counted(members)
    return _set(
        version,
        sum(one.silence_days for one in members) / count,
        Fraction(sum(one.frequency for one in members), count),
        Fraction(sum(one.monetary for one in members), count),
    )


def by_quantile(members: Sequence[Measured], version: int, share: float) -> SegmentThresholds:
    """High is what the upper `share` has; members that are equal are high or low together.

    Raises:
        ValueError: there are no members, or the share is none.
    """
    _counted(members)
    if not 0 < share < 1:
        msg = f"share {share} is not between 0 and 1: 0.5 parts at the median"
        raise ValueError(msg)
    silences = sorted(one.silence_days for one in members)
    frequencies = sorted((one.frequency for one in members), reverse=True)
    spent = sorted((one.monetary for one in members), reverse=True)
    at = max(0, ceil(share * len(members)) - 1)
    return _set(version, silences[at], Fraction(frequencies[at]), Fraction(spent[at]))


def _counted(members: Sequence[Measured]) -> int:
    if not members:
        msg = "no member has bought anything: there is nothing to find thresholds from"
        raise ValueError(msg)
    return len(members)


def _set(
    version: int, silence: float, frequency: Fraction, monetary: Fraction
) -> SegmentThresholds:
    # Figures are whole: "the mean or more" is "the next whole number or more".
    return SegmentThresholds(
        version=version,
        # Near is before the end of these days, so they end just after that member's last purchase.
        recency_days=min(silence + 1 / 86_400, 3650.0),
        frequency=max(1, -(-frequency.numerator // frequency.denominator)),
        monetary=max(0, -(-monetary.numerator // monetary.denominator)),
    )
