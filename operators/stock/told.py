"""Alerts that a warehouse shows although the ledger behind it may not know them.

What a run wrote after its last committed epoch is written again by the run that resumes it. Where
that run reads its input in other blocks, an alert of a moment in between may not come up again:
nobody would ever take it back. So a resumed ledger is told what the warehouse shows, and withdraws
what turns out never to have been.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

import msgspec

from operators.stock.place_log import open_alerts
from operators.stock.places import Places
from operators.stock.sku import SkuState


class ToldAlert(msgspec.Struct, frozen=True, array_like=True):
    """An alert of the warehouse, and the event that opened it (`time` in us since 1970)."""

    alert: str
    sku: str
    place: str
    source: str
    id: str
    time: int


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

    def at_start(self, sku: SkuState, horizon: int, places: Places) -> list[str]:
        """Ids of alerts that the state as it was stored does not know, before anything is applied.

        What is older than `horizon` (an instant in us) was settled before that state was stored.
        """
        gone: list[str] = []
        for told in self._take(sku):
            if told.time >= horizon and not _holds(sku, places, told):
                gone.append(told.alert)
        return gone

    def after(self, sku: SkuState, just_told: Container[str], places: Places) -> list[str]:
        """Ids of alerts whose event the last batch brought again, but which it did not raise."""
        gone: list[str] = []
        for told in self._take(sku):
            known = told.alert in just_told
            if not known and not _holds(sku, places, told):
                gone.append(told.alert)
        return gone

    def _take(self, sku: SkuState) -> list[ToldAlert]:
        """The alerts of a SKU that can be judged now; the others are left for later.

        As soon as the ledger knows the event that opened an alert, all else about it is news, and
        told when it comes. Where the identity belongs to a newer event by now, the older one was
        forgotten, and what it opened was settled.
        """
        found: list[ToldAlert] = []
        left: list[ToldAlert] = []
        for told in self._by_sku.pop(sku.name, ()):
            fact = sku.seen.find(told.source, told.id)
            if fact is None or fact.time < told.time:
                left.append(told)
            elif fact.time == told.time:
                found.append(told)
        if left:
            self._by_sku[sku.name] = left
        return found


def _holds(sku: SkuState, places: Places, told: ToldAlert) -> bool:
    number = sku.places.get(told.place)
    if number is None:
        return False
    state = places.look(number)
    return told.alert in state.raised or told.alert in open_alerts(state)
