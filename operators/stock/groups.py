"""Lines by SKU and place: what the movements of one place come to, added up.

Most movements only change sums, and have to do with no others but those of their place. Looked at
place by place a block costs its places and not its movements: operators.stock.taking_lines takes
whole groups at once, unless one of their movements has to be looked at by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from operators.stock.effects import CLAIMS, DEMAND, EFFECTS
from schemas.movement import Confirmed, Corrected, Counted, Movement, Received, TransferOut

# What does more than add to the figures of its place.
_OTHER = frozenset({Counted, TransferOut, Corrected, Confirmed})
_KINDS: tuple[type, ...] = (*EFFECTS, Counted, Corrected)
_NUMBER = {kind: number for number, kind in enumerate(_KINDS)}

Integers = npt.NDArray[np.int64]


class Groups(NamedTuple):
    """The movements of one place each, in columns, a value a place.

    They are those from `begin` to `end` of a block sorted by place; `first` and `last` are the
    instants of its ends. `plain`: each is newer than the one before and adds to the figures of its
    place, no more. `on_hand` to `today` are what they add (units); `falls` is what lowers
    on hand - allocated, `releases` what lowers allocated, each without what raises it. `received`
    are the units that the first of them brought in, 0 where it is something else. The orders that
    they claim for are those from `claims` to `claims_end` among all such.
    """

    begin: Integers
    end: Integers
    first: Integers
    last: Integers
    plain: npt.NDArray[np.bool_]
    on_hand: Integers
    allocated: Integers
    quarantined: Integers
    in_transit: Integers
    today: Integers
    falls: Integers
    releases: Integers
    received: Integers
    claims: Integers
    claims_end: Integers

    def some(self, which: slice | Integers | npt.NDArray[np.bool_]) -> Groups:
        """Some of them."""
        return Groups._make(column[which] for column in self)


# The places of one SKU, as plain as a tuple can be, for there may be nearly as many as movements:
# (sku, begin, end, first, last, oldest, newest, corrects)
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
_QUARANTINED = _by_kind({kind: effect[2] for kind, effect in EFFECTS.items()})
_IN_TRANSIT = _by_kind({kind: effect[3] for kind, effect in EFFECTS.items()})
_AVAILABLE = _ON_HAND - _ALLOCATED
_TODAY = _by_kind(dict.fromkeys(DEMAND, 1))
_IS_OTHER = _by_kind(dict.fromkeys(_OTHER, 1)).astype(bool)
_IS_CLAIM = _by_kind(dict.fromkeys(CLAIMS, 1)).astype(bool)
_CORRECTED = _NUMBER[Corrected]
_RECEIVED = _NUMBER[Received]


def claims_at(columns: Columns) -> npt.NDArray[np.intp]:
    """Where the movements are that change what is open of an order."""
    return np.flatnonzero(_IS_CLAIM[columns.kinds])


def group(starts: Integers, columns: Columns) -> Groups:
    """The groups of sorted movements that begin at `starts`."""
    kinds, units, times = columns
    ends = np.append(starts[1:], len(times))
    odd = _IS_OTHER[kinds]
    later = times[1:] > times[:-1]
    later[starts[1:] - 1] = True
    odd[1:] |= ~later
    claims_end = np.cumsum(np.add.reduceat(_IS_CLAIM[kinds], starts, dtype=np.int64))

    def total(units_each: Integers) -> Integers:
        found: Integers = np.add.reduceat(units_each, starts)
        return found

    return Groups(
        starts,
        ends,
        times[starts],
        times[ends - 1],
        ~np.logical_or.reduceat(odd, starts),
        total(_ON_HAND[kinds] * units),
        total(_ALLOCATED[kinds] * units),
        total(_QUARANTINED[kinds] * units),
        total(_IN_TRANSIT[kinds] * units),
        total(_TODAY[kinds] * units),
        total(-np.minimum(_AVAILABLE[kinds] * units, 0)),
        total(-np.minimum(_ALLOCATED[kinds] * units, 0)),
        np.where(kinds[starts] == _RECEIVED, units[starts], 0),
        np.append(0, claims_end[:-1]),
        claims_end,
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
