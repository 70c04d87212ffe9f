"""Durations, money, shares, clocks and tests of figures as people write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from operators.journeys.findings import Said, WordsError
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from schemas.journey_words import DAY_NAMES, DAY_NAMES_ZH, WEEKDAYS

_UNITS = {
    "s": SECOND_US, "秒": SECOND_US, "sec": SECOND_US,
    "m": MINUTE_US, "min": MINUTE_US, "分": MINUTE_US, "分钟": MINUTE_US,
    "h": HOUR_US, "小时": HOUR_US, "时": HOUR_US,
    "d": DAY_US, "天": DAY_US, "日": DAY_US, "day": DAY_US, "days": DAY_US,
    "w": 7 * DAY_US, "周": 7 * DAY_US, "week": 7 * DAY_US, "weeks": 7 * DAY_US,
}  # fmt: skip
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+|[一-鿿]+)")
_CLOCK = re.compile(r"(\d{1,2})[::](\d{2})")
_TEST = re.compile(r"(>=|<=|≥|≤|>|<|=|)\s*(.+)")
LONGEST = 3660 * DAY_US


class Range(NamedTuple):
    """From `low` to `high`, both inside; None is without end."""

    low: int | None
    high: int | None

    def holds(self, value: int) -> bool:
        """Whether a figure is inside."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def duration(value: object) -> int:
    """Microseconds of `30d`, `2h`, `30天`.

    Raises:
        WordsError: it is no duration.
    """
    found = _DURATION.fullmatch(str(value).strip().lower())
    unit = _UNITS.get(found[2]) if found else None
    if found is None or unit is None or (length := round(Decimal(found[1]) * unit)) <= 0:
        raise WordsError(
            Said(
                f"{value} is no length of time: write 30d, 2h, 20m or 1w",
                f"“{value}”不是时长：请写 30天、2小时、20分钟 或 1周",
            )
        )
    if length > LONGEST:
        raise WordsError(Said(f"{value} is longer than ten years", f"“{value}”超过十年"))
    return length


def spoken(length: int, language: str = "en") -> str:
    """A length of time in words."""
    names = ((DAY_US, "day", "天"), (HOUR_US, "hour", "小时"), (MINUTE_US, "minute", "分钟"))
    for unit, en, zh in names:
        if length % unit == 0:
            number = length // unit
            return f"{number} {zh}" if language == "zh" else f"{number} {en}{'s' * (number != 1)}"
    return f"{length / SECOND_US:g} {'秒' if language == 'zh' else 'seconds'}"


def money(value: object) -> int:
    """Minor units of `¥500`, `500`, `500元`, `19.90`.

    Raises:
        WordsError: it is no amount.
    """
    text = str(value).strip().lstrip("¥￥").removesuffix("元").replace(",", "").strip()
    try:
        amount = Decimal(text) * 100
        whole = int(amount)
    except (InvalidOperation, ValueError, OverflowError):
        whole, amount = 0, Decimal("0.5")
    if whole != amount or not abs(whole) < 10**13:
        raise WordsError(
            Said(
                f"{value} is no amount: write ¥500 or 19.90",
                f"“{value}”不是金额：请写 ¥500 或 19.90",
            )
        )
    return whole


def share(value: object) -> int:
    """Of 10,000: `10%` and `0.1` are 1,000.

    Raises:
        WordsError: it is no share between nothing and all.
    """
    text = str(value).strip()
    try:
        part = Decimal(text.rstrip("%％")) * (100 if text[-1:] in "%％" else 10_000)
        whole = int(part)
    except (InvalidOperation, ValueError, OverflowError):
        whole, part = -1, Decimal(0)
    if whole != part or not 0 <= whole <= 10_000:
        raise WordsError(
            Said(
                f"{value} is no share: write 10% or 0.1 (steps of 0.01%)",
                f"“{value}”不是比例：请写 10% 或 0.1",
            )
        )
    return whole


def clock(value: object) -> int:
    """Minutes since midnight of `20:00`.

    Raises:
        WordsError: it is no time of day.
    """
    found = _CLOCK.fullmatch(str(value).strip())
    if found is None or not (int(found[1]) < 24 and int(found[2]) < 60):
        raise WordsError(
            Said(f"{value} is no time of day: write 20:00", f"“{value}”不是时刻：请写 20:00")
        )
    return int(found[1]) * 60 + int(found[2])


def hours(value: object) -> tuple[int, int]:
    """Begin and end in minutes since midnight of `21:00-09:00`, over midnight if so written.

    Raises:
        WordsError: these are no hours.
    """
    begin, dash, end = str(value).replace("至", "-").replace("–", "-").partition("-")
    if not dash or clock(begin) == clock(end):
        raise WordsError(
            Said(
                f"{value} are no hours: write 21:00-09:00, with different ends",
                f"“{value}”不是时段：请写 21:00-09:00，起止不能相同",
            )
        )
    return clock(begin), clock(end)


def weekday(value: object) -> int:
    """0 for Monday.

    Raises:
        WordsError: it is no day of the week.
    """
    text = str(value).strip().lower()
    number = WEEKDAYS.get(text.removeprefix("每") if text.startswith("每") else text)
    if number is None:
        raise WordsError(
            Said(
                f"{value} is no day of the week: write Friday or Mon-Fri",
                f"“{value}”不是星期：请写 周五 或 周一至周五",
            )
        )
    return number


def weekdays(value: object) -> frozenset[int]:
    """Numbers of the days of `Mon-Fri`, `周一至周五` or a list of them.

    Raises:
        WordsError: one is no day of the week.
    """
    found: set[int] = set()
    parts: Sequence[object] = value if isinstance(value, list) else re.split("[,,、]", str(value))
    for part in parts:
        first, dash, last = str(part).replace("至", "-").replace("到", "-").partition("-")
        begin = weekday(first)
        end = weekday(last) if dash else begin
        found.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(found)


def days_spoken(days: frozenset[int], language: str = "en") -> str:
    """Days of the week in words."""
    names = DAY_NAMES_ZH if language == "zh" else DAY_NAMES
    return ("、" if language == "zh" else ", ").join(names[one] for one in sorted(days))


def range_of(value: object, *, of_money: bool) -> Range:
    """The range that `>=3`, `<500`, `2..3` or `3` stands for, of whole numbers or of money.

    Raises:
        WordsError: it is no such test.
    """
    text = str(value).strip()
    low, dots, high = text.partition("..")
    if dots:
        return Range(_number(low, of_money=of_money), _number(high, of_money=of_money))
    found = _TEST.fullmatch(text)
    if found is None:
        raise _no_test(value)
    sign, number = found[1], _number(found[2], of_money=of_money)
    if sign in (">=", "≥"):
        return Range(number, None)
    if sign in ("<=", "≤"):
        return Range(None, number)
    if sign == ">":
        return Range(number + 1, None)
    if sign == "<":
        return Range(None, number - 1)
    return Range(number, number)


def _number(text: str, *, of_money: bool) -> int:
    if of_money:
        return money(text)
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        raise _no_test(text)
    return int(text)


def _no_test(value: object) -> WordsError:
    return WordsError(
        Said(
            f"{value} is no test of a figure: write >=3, <500 or 2..3",
            f"“{value}”不是条件：请写 >=3、<500 或 2..3",
        )
    )
