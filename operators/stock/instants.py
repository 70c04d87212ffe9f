"""Many RFC 3339 texts at once to microseconds since 1970, where all are of a common form.

A datetime object for each event and its way to a number take a third of all decoding; here a
column of texts is a matrix of digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

import numpy as np
import numpy.typing as npt

from schemas.instants import MINUTE_US, SECOND_US, to_micros

Integers = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]
_SECONDS = len("0000-00-00T00:00:00")
_OFFSET = len("+00:00")
_MOST_DIGITS = 6


def read_instants(texts: Sequence[str]) -> tuple[Integers, Integers] | None:
    """Microseconds since 1970 of the instants, and of the wall clock midnights before them.

    None where one text is not of the form 2026-03-02T08:00:00.000+08:00 (or Z, with up to six
    digits of a second or none), or not on the calendar: then a decoder of instants has to judge.
    """
    joined = "".join(texts)
    if not joined.isascii():
        return None
    octets = np.frombuffer(joined.encode("ascii"), np.uint8)
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    longest = int(lengths.max())
    if longest <= _SECONDS:
        return None
    if longest == lengths.min():
        return _read_rows(octets.reshape(-1, longest))
    starts = np.cumsum(lengths) - lengths
    instants = np.empty(len(texts), np.int64)
    midnights = np.empty(len(texts), np.int64)
    for length in set(lengths.tolist()):
        some = lengths == length
        found = _read_rows(octets[starts[some][:, None] + np.arange(length)])
        if found is None:
            return None
        instants[some], midnights[some] = found
    return instants, midnights


def _read_rows(octets: Octets) -> tuple[Integers, Integers] | None:
    """Texts of one length, one a row."""
    length = octets.shape[1]
    offset = 1 if length > _SECONDS and (octets[:, -1] == ord("Z")).all() else _OFFSET
    digits = length - _SECONDS - offset - 1
    if digits == 0 or not -1 <= digits <= _MOST_DIGITS:
        return None
    form, most, weights = _form(length, offset)
    # A digit against "0" leaves its value, a mark against itself nothing.
    values = octets ^ form
    if (values > most).any():
        return None
    # All numbers at once: a product of matrices, exact as long as they are below 2**53.
    found = (values @ weights).astype(np.int64)
    dates, hours, minutes, seconds, fractions, by_hours, by_minutes = found.T
    midnights = _midnights(dates)
    if midnights is None or hours.max() > 23 or minutes.max() > 59 or seconds.max() > 59:
        return None
    if offset == _OFFSET:
        sign = octets[:, -_OFFSET]
        ahead = sign == ord("+")
        if not (ahead | (sign == ord("-"))).all() or by_hours.max() > 23 or by_minutes.max() > 59:
            return None
        midnights = midnights - np.where(ahead, 1, -1) * (by_hours * 60 + by_minutes) * MINUTE_US
    instants: Integers = midnights + ((hours * 60 + minutes) * 60 + seconds) * SECOND_US
    if digits > 0:
        instants += fractions * 10 ** (_MOST_DIGITS - digits)
    return instants, midnights


@cache
def _form(length: int, offset: int) -> tuple[Octets, Octets, npt.NDArray[np.float64]]:
    """The form of a text with "0" for digits, the most that each character may differ, and weights.

    A weight is what a digit counts in each number: date, hour, minute, second, fraction, and the
    hours and minutes of the offset.
    """
    fraction = list(range(_SECONDS + 1, length - offset))
    text = "0000-00-00T00:00:00" + ("." + "0" * len(fraction) if fraction else "")
    text += "Z" if offset == 1 else "+00:00"
    # The sign is looked at by itself.
    most = [{"0": 9, "+": 255}.get(mark, 0) for mark in text]
    ahead = [[], []] if offset == 1 else [[length - 5, length - 4], [length - 2, length - 1]]
    numbers = [[0, 1, 2, 3, 5, 6, 8, 9], [11, 12], [14, 15], [17, 18], fraction, *ahead]
    weights = np.zeros((length, len(numbers)))
    for number, places in enumerate(numbers):
        for power, at in enumerate(reversed(places)):
            weights[at, number] = 10**power
    form = np.frombuffer(text.encode("ascii"), np.uint8)
    return form, np.array(most, np.uint8), weights


def _midnights(dates: Integers) -> Integers | None:
    """Microseconds since 1970 of the midnights (UTC) of dates like 20260302."""
    if dates.min() == dates.max():
        different, of = dates[:1], np.zeros(len(dates), np.int64)
    else:
        different, of = np.unique(dates, return_inverse=True)
    midnights = []
    for date in different.tolist():
        try:
            day = datetime(date // 10_000, date // 100 % 100, date % 100, tzinfo=UTC)
        except ValueError:
            return None
        midnights.append(to_micros(day))
    found: Integers = np.array(midnights, np.int64)[of]
    return found
