"""Which events of a SKU were seen lately: recognises duplicates for a horizon, then forgets."""

from __future__ import annotations

from operators.stock.facts import Fact, Record, unpack_fact


class SeenFacts:
    """Facts by their identity, in two generations; the older one is dropped as a whole.

    Keys are hashes of (source, id) of this process, for the strings would take as much memory as
    the facts; what they lead to is compared, and the rare other identity of one hash goes to the
    next key. A fact whose hash is in neither generation is new, and may be put to `newer` directly.
    """

    __slots__ = ("_turned_at", "newer", "older")

    def __init__(self) -> None:
        self.newer: dict[int, Record] = {}
        self.older: dict[int, Record] = {}
        self._turned_at: int | None = None

    def find(self, source: str, event_id: str) -> Fact | None:
        """The newest fact seen with this identity."""
        for generation in (self.newer, self.older):
            key = hash((source, event_id))
            while (record := generation.get(key)) is not None:
                fact = unpack_fact(record)
                if fact.id == event_id and fact.source == source:
                    return fact
                key += 1
        return None

    def add(self, fact: Fact, record: Record) -> None:
        """Take a fact; one of the same identity is replaced."""
        key = hash((fact.source, fact.id))
        newer = self.newer
        while (held := newer.get(key)) is not None:
            there = unpack_fact(held)
            if there.id == fact.id and there.source == fact.source:
                break
            key += 1
        newer[key] = record

    def turn(self, newest: int, horizon: int) -> None:
        """Drop the older generation once all of it is older than the horizon (microseconds)."""
        if self._turned_at is None:
            self._turned_at = newest
        elif newest - self._turned_at > horizon:
            self._turned_at = newest
            self.older, self.newer = self.newer, {}
