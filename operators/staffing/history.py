"""The windows of all stores as far back as a forecast looks: four arrays a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.footfall.facts import QUARTER_US
from operators.forecast.windows import Windows
from operators.staffing.facts import WindowFact

# Grown by weeks, so that a window a quarter of an hour does not copy a quarter of a year.
_GROWN_BY = 7 * 96
_DOORS, _TILLS = 1, 2


class _Store:
    """One store's windows from quarter `base` on; a version of 0 is a window that is not there."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.versions: NDArray[np.int64] = np.zeros(0, np.int64)
        self.entries: NDArray[np.int32] = np.zeros(0, np.int32)
        self.orders: NDArray[np.int32] = np.zeros(0, np.int32)
        self.good: NDArray[np.uint8] = np.zeros(0, np.uint8)

    def put(self, fact: WindowFact) -> bool:
        at = fact.quarter - self.base
        if at >= len(self.versions):
            self._grow(0, at + 1 - len(self.versions) + _GROWN_BY)
        elif at < 0:
            self._grow(-at + _GROWN_BY, 0)
            at = _GROWN_BY
        version = max(fact.version, 1)
        if version < self.versions[at]:
            return False
        self.versions[at] = version
        self.entries[at], self.orders[at] = fact.entries, fact.orders
        self.good[at] = _DOORS * fact.doors + _TILLS * fact.tills
        return True

    def _grow(self, before: int, after: int) -> None:
        for name in ("versions", "entries", "orders", "good"):
            setattr(self, name, np.pad(getattr(self, name), (before, after)))
        self.base -= before

    def forget(self, before: int) -> None:
        cut = before - self.base
        if cut >= _GROWN_BY:
            for name in ("versions", "entries", "orders", "good"):
                setattr(self, name, getattr(self, name)[cut:].copy())
            self.base = before


class History:
    """Windows of stores, the largest version of each."""

    def __init__(self) -> None:
        self._stores: dict[str, _Store] = {}

    def take(self, facts: Iterable[WindowFact]) -> None:
        """Windows; one of a smaller version than what is there changes nothing."""
        for fact in facts:
            store = self._stores.get(fact.store)
            if store is None:
                store = self._stores[fact.store] = _Store(fact.quarter)
            store.put(fact)

    def forget(self, before: int) -> None:
        """Let go of windows that begin before that quarter."""
        for store in self._stores.values():
            store.forget(before)

    def windows(self, since: int, until: int) -> Windows:
        """Windows that begin at `since` or later and are over by `until` (microseconds)."""
        names = tuple(sorted(self._stores))
        parts: list[tuple[NDArray[Any], ...]] = []
        for number, name in enumerate(names):
            store = self._stores[name]
            quarter = np.arange(len(store.versions), dtype=np.int64) + store.base
            first, last = -(-since // QUARTER_US), until // QUARTER_US
            there = (store.versions > 0) & (quarter >= first) & (quarter < last)
            row = np.full(int(there.sum()), number, np.int64)
            good = store.good[there]
            parts.append((row, quarter[there], store.entries[there], store.orders[there], good))
        columns = [np.concatenate(each) for each in zip(*parts, strict=True)] or [np.zeros(0)] * 5
        row, quarter, entries, orders, good = columns
        return Windows(
            names,
            row.astype(np.int64),
            quarter.astype(np.int64),
            entries.astype(np.float64),
            orders.astype(np.float64),
            (good.astype(np.uint8) & _DOORS) > 0,
            (good.astype(np.uint8) & _TILLS) > 0,
        )

    def dump(self) -> dict[str, tuple[int, bytes, bytes, bytes, bytes]]:
        """All of it as plain values."""
        return {
            name: (
                store.base,
                store.versions.tobytes(),
                store.entries.tobytes(),
                store.orders.tobytes(),
                store.good.tobytes(),
            )
            for name, store in self._stores.items()
        }

    def restore(self, dumped: Mapping[str, tuple[int, bytes, bytes, bytes, bytes]]) -> None:
        """Take up what was dumped."""
        self._stores = {}
        for name, (base, versions, entries, orders, good) in dumped.items():
            store = self._stores[name] = _Store(base)
            store.versions = np.frombuffer(versions, np.int64).copy()
            store.entries = np.frombuffer(entries, np.int32).copy()
            store.orders = np.frombuffer(orders, np.int32).copy()
            store.good = np.frombuffer(good, np.uint8).copy()
