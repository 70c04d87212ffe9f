"""Alerts that a warehouse shows although the ledger behind it may not know them.

What a run wrote after its last committed epoch is written again by the run that resumes it. Where
that run reads its input in other blocks, an alert of a moment in between may not come up again:
nobody would ever take it back. So a resumed ledger is told what the warehouse shows, and withdraws
what turns out never to have been.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from operators.stock.place import PlaceState, open_alerts
from operators.stock.sku import SkuState


class ToldAlert(msgspec.Struct, frozen=True, array_like=True):
    """An alert of the warehouse, and the event that opened it."""

    alert: str
    sku: str
    place: str
    source: str
    id: str


class ToldAlerts:
    """The alerts that are still to be judged, by SKU; shards share them, each asks for its own."""

    def __init__(self, alerts: Iterable[ToldAlert] = ()) -> None:
        self._by_sku: dict[str, list[ToldAlert]] = {}
        for told in alerts:
            self._by_sku.setdefault(told.sku, []).append(told)

    def __bool__(self) -> bool:
        return bool(self._by_sku)

    def of(self, sku: str) -> bool:
        """Whether any of a SKU are left."""
        return sku in self._by_sku

    def never_were(self, sku: SkuState, just_told: Iterable[str]) -> list[str]:
        """Ids of a SKU's alerts that never were; `just_told` are those of the last batch.

        An alert is judged as soon as the ledger knows the event that opened it: if it comes up
        after that, it is told anew.
        """
        left: list[ToldAlert] = []
        gone: list[str] = []
        known = set(just_told)
        for told in self._by_sku.pop(sku.name, ()):
            if sku.seen.find(told.source, told.id) is None:
                left.append(told)
            elif told.alert not in known and not _holds(sku.places.get(told.place), told.alert):
                gone.append(told.alert)
        if left:
            self._by_sku[sku.name] = left
        return gone


def _holds(state: PlaceState | None, alert: str) -> bool:
    return state is not None and (alert in state.raised or alert in open_alerts(state))
