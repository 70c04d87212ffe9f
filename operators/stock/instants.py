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
        return _read_columns(octets.reshape(-1, longest).T)
    starts = np.cumsum(lengths) - lengths
    instants = np.empty(len(texts), np.int64)
    midnights = np.empty(len(texts), np.int64)
    for length in set(lengths.tolist()):
        some = lengths == length
        found = _read_columns(octets[starts[some] + np.arange(length)[:, None]])
        if found is None:
            return None
        instants[some], midnights[some] = found
    return instants, midnights


def _read_columns(octets: Octets) -> tuple[Integers, Integers] | None:
    """Texts of one length, one a column."""
    length = len(octets)
    offset = 1 if length > _SECONDS and (octets[-1] == ord("Z")).all() else _OFFSET
    digits = length - _SECONDS - offset - 1
    if digits == 0 or not -1 <= digits <= _MOST_DIGITS:
        return None
    form = "0000-00-00T00:00:00" + ("." + "0" * digits if digits > 0 else "")
    form += "Z" if offset == 1 else "+00:00"
    at_digit = np.array([mark == "0" for mark in form])
    # What is below "0" wraps to something large.
    values = octets - np.uint8(ord("0"))
    if values[at_digit].max() > 9:
        return None
    for at, mark in enumerate(form):
        if mark not in "0+" and (octets[at] != ord(mark)).any():
            return None
    # All numbers at once: a product of matrices, exact as long as they are below 2**53.
    found = _weights(length, offset) @ values.astype(np.float64)
    dates, hours, minutes, seconds, fractions, by_hours, by_minutes = found.astype(np.int64)
    midnights = _midnights(dates)
    if midnights is None or hours.max() > 23 or minutes.max() > 59 or seconds.max() > 59:
        return None
    if offset == _OFFSET:
        sign = octets[-_OFFSET]
        ahead = sign == ord("+")
        if not (ahead | (sign == ord("-"))).all() or by_hours.max() > 23 or by_minutes.max() > 59:
            return None
        midnights = midnights - np.where(ahead, 1, -1) * (by_hours * 60 + by_minutes) * MINUTE_US
    instants: Integers = midnights + ((hours * 60 + minutes) * 60 + seconds) * SECOND_US
    if digits > 0:
        instants += fractions * 10 ** (_MOST_DIGITS - digits)
    return instants, midnights


@cache
def _weights(length: int, offset: int) -> npt.NDArray[np.float64]:
    """What each character of a text counts: date, hour, minute, second, fraction, offset's two."""
    fraction = list(range(_SECONDS + 1, length - offset))
    ahead = [[], []] if offset == 1 else [[length - 5, length - 4], [length - 2, length - 1]]
    numbers = [[0, 1, 2, 3, 5, 6, 8, 9], [11, 12], [14, 15], [17, 18], fraction, *ahead]
    weights = np.zeros((len(numbers), length))
    for row, places in enumerate(numbers):
        for power, at in enumerate(reversed(places)):
            weights[row, at] = 10**power
    return weights


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
