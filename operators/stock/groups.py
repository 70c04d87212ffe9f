"""Lines by SKU and place: what the movements of one place come to, added up.

Most movements only change sums, and have to do with no others but those of their place. Looked at
place by place a block costs its places and not its movements: `operators.stock.ledger` takes a
whole group at once, unless one of its movements has to be looked at by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from operators.stock.effects import CLAIMS, DEMAND, EFFECTS
from schemas.movement import Confirmed, Corrected, Counted, Movement, TransferOut

# What does more than add to the figures of its place.
_OTHER = frozenset({Counted, TransferOut, Corrected, Confirmed})
_KINDS: tuple[type, ...] = (*EFFECTS, Counted, Corrected)
_NUMBER = {kind: number for number, kind in enumerate(_KINDS)}

Integers = npt.NDArray[np.int64]


# The movements of one place, as plain as a tuple can be, for there are nearly as many as movements:
# (place, begin, end, first, last, plain, more from, more to, on hand, today, falls, releases)
# They are those from `begin` to `end` of a block sorted by place; `first` and `last` are the
# instants of its ends. `plain`: each is newer than the one before and adds to the figures of its
# place, no more. `on hand` and `today` are what goods that came in or were sold add (units); the
# others have to be added one by one, and are those from `more from` to `more to` among all such.
# `falls` is what lowers on hand - allocated, `releases` what lowers allocated, each without what
# raises it.
Group = tuple[str, int, int, int, int, bool, int, int, int, int, int, int]


# The places of one SKU, likewise: (sku, begin, end, first, last, oldest, newest, corrects)
# They are the groups `begin` to `end`, of the movements `first` to `last`; `oldest` and `newest`
# are instants. `corrects`: some take others back, so that the order of arrival may count.
SkuGroups = tuple[str, int, int, int, int, int, int, bool]


class Columns(NamedTuple):
    """Movements by column: what kind (a number of this module), units, and when."""

    kinds: npt.NDArray[np.intp]
    units: Integers
    times: Integers


def columns_of(movements: Sequence[Movement], times: Integers) -> Columns:
    """The columns of movements and of their instants."""
    kinds = np.fromiter(
        map(_NUMBER.__getitem__, map(type, movements)), np.intp, count=len(movements)
    )
    # Only a correction has no quantity.
    units = np.fromiter(
        [movement.quantity or 0 for movement in movements], np.int64, len(movements)
    )
    return Columns(kinds, units, times)


def _by_kind(of: dict[type, int]) -> Integers:
    return np.array([of.get(kind, 0) for kind in _KINDS], np.int64)


_ON_HAND = _by_kind({kind: effect[0] for kind, effect in EFFECTS.items()})
_ALLOCATED = _by_kind({kind: effect[1] for kind, effect in EFFECTS.items()})
_AVAILABLE = _ON_HAND - _ALLOCATED
_TODAY = _by_kind(dict.fromkeys(DEMAND, 1))
_IS_OTHER = _by_kind(dict.fromkeys(_OTHER, 1)).astype(bool)
_IS_MORE = _by_kind(
    {kind: int(any(effect[1:]) or kind in CLAIMS) for kind, effect in EFFECTS.items()}
).astype(bool)
_CORRECTED = _NUMBER[Corrected]


def more_at(columns: Columns) -> npt.NDArray[np.intp]:
    """Where the movements are that are more than goods that came in or were sold."""
    return np.flatnonzero(_IS_MORE[columns.kinds])


def is_other(columns: Columns) -> npt.NDArray[np.bool_]:
    """Which movements do more than add to the figures of their place."""
    return _IS_OTHER[columns.kinds]


def group(starts: Integers, places: Sequence[str], columns: Columns) -> list[Group]:
    """The groups of sorted movements that begin at `starts`, and whose places are these."""
    kinds, units, times = columns
    ends = np.append(starts[1:], len(times))
    odd = is_other(columns)
    later = times[1:] > times[:-1]
    later[starts[1:] - 1] = True
    odd[1:] |= ~later
    more = _IS_MORE[kinds]
    simple = np.where(more, 0, units)
    more_to = np.cumsum(np.add.reduceat(more, starts, dtype=np.int64))

    def total(units_each: Integers) -> list[int]:
        found: list[int] = np.add.reduceat(units_each, starts).tolist()
        return found

    return list(
        zip(
            places,
            starts.tolist(),
            ends.tolist(),
            times[starts].tolist(),
            times[ends - 1].tolist(),
            (~np.logical_or.reduceat(odd, starts)).tolist(),
            [0, *more_to[:-1].tolist()],
            more_to.tolist(),
            total(_ON_HAND[kinds] * simple),
            total(_TODAY[kinds] * simple),
            total(-np.minimum(_AVAILABLE[kinds] * units, 0)),
            total(-np.minimum(_ALLOCATED[kinds] * units, 0)),
            strict=True,
        )
    )


def group_skus(
    begins: Integers, starts: Integers, skus: Sequence[str], columns: Columns
) -> list[SkuGroups]:
    """The SKUs of groups that begin at `starts`; `begins` are their first groups."""
    rows = starts[begins]
    return list(
        zip(
            skus,
            begins.tolist(),
            [*begins[1:].tolist(), len(starts)],
            rows.tolist(),
            [*rows[1:].tolist(), len(columns.times)],
            np.minimum.reduceat(columns.times, rows).tolist(),
            np.maximum.reduceat(columns.times, rows).tolist(),
            np.logical_or.reduceat(columns.kinds == _CORRECTED, rows).tolist(),
            strict=True,
        )
    )


def starts_of(numbers: Integers) -> Integers:
    """Where each run of one number begins."""
    return np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
