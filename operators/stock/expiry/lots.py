"""The lots of one SKU at one place: what came of each, and what of it must still be there.

Hardly a till knows which lot it sells. Where a movement names its lot it counts against that one;
else goods without a date are taken to leave first, then what expires first (FEFO). What the record
says is there beyond the lots has no date; where it says that less is there, that much is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import msgspec

from operators.stock.facts import Fact
from schemas.movement import (
    Adjusted,
    Corrected,
    Received,
    Restocked,
    Shipped,
    Sold,
    TransferIn,
    TransferOut,
)

IN = frozenset({Received, TransferIn, Restocked})
OUT = frozenset({Sold, Shipped, TransferOut})
# What stands for "never" in many systems is later than this.
LAST_YEAR = 2200


class Lot(msgspec.Struct, array_like=True):
    """Units of one lot that are still there; its last day of sale, as far as that is known."""

    name: str | None
    expires_on: str | None = None
    units: int = 0


class Seen(msgspec.Struct, array_like=True):
    """When an event happened (us), and by how much it changed which lots."""

    time: int
    changed: dict[str, int]


class Left(NamedTuple):
    """A lot of which something must still be there."""

    name: str | None
    expires_on: str
    units: int


class PairLots(msgspec.Struct, array_like=True):
    """The lots of one SKU at one place, and the events that may come again or be taken back."""

    lots: dict[str, Lot] = {}
    seen: dict[str, Seen] = {}

    def take(self, fact: Fact) -> None:
        """Take in a fact; one that came before, or was taken back before, changes nothing."""
        movement = fact.movement
        if isinstance(movement, Corrected):
            known = self.seen.get(_key(fact.source, movement.corrects), Seen(fact.time, {}))
            for name, units in known.changed.items():
                if name in self.lots:
                    self.lots[name].units = max(0, self.lots[name].units - units)
            self.seen[_key(fact.source, movement.corrects)] = Seen(fact.time, {})
            return
        units = _units(fact)
        key = _key(fact.source, fact.id)
        if units == 0 or key in self.seen:
            return
        seen = self.seen[key] = Seen(fact.time, {})
        expires_on = last_day(fact)
        if movement.lot is None and expires_on is None and units < 0:
            seen.changed = self._first_to_expire(-units)
            return
        lot = self._lot(movement.lot, expires_on)
        # What leaves a lot that is not there was another one; the record will tell.
        change = max(units, -lot.units)
        lot.units += change
        seen.changed = {_name(movement.lot, expires_on): change}

    def _lot(self, name: str | None, expires_on: str | None) -> Lot:
        lot = self.lots.setdefault(_name(name, expires_on), Lot(name))
        if expires_on is not None:
            # Two dates for one lot: the earlier one harms nobody.
            lot.expires_on = min(expires_on, lot.expires_on or expires_on)
        return lot

    def _by_expiry(self) -> list[tuple[str, str]]:
        """Last day ("" where there is none) and name of each lot that holds something."""
        return sorted((lot.expires_on or "", name) for name, lot in self.lots.items() if lot.units)

    def _first_to_expire(self, units: int) -> dict[str, int]:
        """Take units off the lots, what expires first, first; what that changed."""
        changed: dict[str, int] = {}
        for _, name in self._by_expiry():
            if units <= 0:
                break
            gone = min(units, self.lots[name].units)
            self.lots[name].units -= gone
            changed[name] = -gone
            units -= gone
        return changed

    def reconcile(self, on_hand: int, as_of: int) -> None:
        """Let the lots hold together what the record says was there at an instant."""
        changed_since = sum(
            sum(seen.changed.values()) for seen in self.seen.values() if seen.time > as_of
        )
        there = sum(lot.units for lot in self.lots.values())
        missing = max(0, on_hand) + changed_since - there
        if missing > 0:
            self._lot(None, None).units += missing
        else:
            self._first_to_expire(-missing)

    def left(self) -> list[Left]:
        """The lots of which something must still be there, by expiry."""
        return [
            Left(self.lots[name].name, expires_on, self.lots[name].units)
            for expires_on, name in self._by_expiry()
            if expires_on
        ]

    def forget(self, day: str, time: int) -> None:
        """Forget lots whose last day was before `day`, and events from before an instant (us)."""
        self.seen = {key: seen for key, seen in self.seen.items() if seen.time >= time}
        may_come_back = {name for seen in self.seen.values() for name in seen.changed}
        self.lots = {
            name: lot
            for name, lot in self.lots.items()
            if name in may_come_back or (lot.units and (lot.expires_on or day) >= day)
        }

    @property
    def empty(self) -> bool:
        """Whether there is nothing to remember: neither a date nor an event of late."""
        return not self.seen and all(lot.expires_on is None for lot in self.lots.values())


def sold_in_time(lots: Iterable[tuple[int, float]], rate: float) -> list[int]:
    """How many units of each lot will be sold by its last day, at `rate` units a day.

    Lots are (units, days until the end of the last day), by expiry. What expires first is sold
    first; what is left of it then is taken away and does not stand in the way of the next.
    """
    sold = 0.0
    found = []
    for units, days in lots:
        here = min(float(units), max(0.0, rate * days - sold))
        sold += here
        # Half a unit is not sold; 2.9999999 are three.
        found.append(int(here + 1e-9))
    return found


def concerns_lot(fact: Fact) -> bool:
    """Whether a fact is about a lot, or may take back one that is."""
    movement = fact.movement
    return movement.lot is not None or last_day(fact) is not None or movement.__class__ is Corrected


def last_day(fact: Fact) -> str | None:
    """The last day of sale that a fact names; None where it names none, or one that is no day."""
    expires_on: str | None = getattr(fact.movement, "expires_on", None)
    if expires_on is None:
        return None
    try:
        day = date.fromisoformat(expires_on)
    except ValueError:
        return None
    return expires_on if day.year <= LAST_YEAR else None


def _units(fact: Fact) -> int:
    movement = fact.movement
    kind = movement.__class__
    if movement.quantity is None:
        return 0
    if kind in IN or kind is Adjusted:
        return movement.quantity
    return -movement.quantity if kind in OUT else 0


def _name(lot: str | None, expires_on: str | None) -> str:
    """What a lot is kept under; goods that say nothing are one lot."""
    if lot is not None:
        return f"lot {lot}"
    return "" if expires_on is None else f"day {expires_on}"


def _key(source: str, id: str) -> str:
    return f"{source}\0{id}"
