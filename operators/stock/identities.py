"""Which events of a SKU were seen lately: recognises duplicates for a horizon, then forgets."""

from __future__ import annotations

from operators.stock.facts import Fact, Record, identity_key, unpack_fact
from operators.stock.kept_lines import KeptLines


class SeenFacts:
    """Facts by their identity, in two generations; the older one is dropped as a whole.

    Keys are hashes of (source, id) of this process, for the strings would take as much memory as
    the facts; what they lead to is compared, and the rare other identity of one hash goes to the
    next key. Facts among the `kept` lines of the shard are known there instead.
    """

    __slots__ = ("_kept", "_of_sku", "_turned_at", "newer", "older")

    def __init__(self, sku: str, kept: KeptLines) -> None:
        self.newer: dict[int, Record] = {}
        self.older: dict[int, Record] = {}
        self._kept = kept
        self._of_sku = hash(sku)
        self._turned_at: int | None = None

    def knows(self, key: int) -> bool:
        """Whether an identity of this hash was seen; where not, it may be put to `newer`."""
        return (
            key in self.newer
            or key in self.older
            or self._kept.find(key ^ self._of_sku) is not None
        )

    def put(self, key: int, record: Record) -> None:
        """Take a fact whose identity, of this hash, is not in `newer`."""
        if key in self.newer:
            self.add(unpack_fact(record), record)
        else:
            self.newer[key] = record

    def find(self, source: str, event_id: str) -> Fact | None:
        """The newest fact seen with this identity."""
        for generation in (self.newer, self.older):
            key = identity_key(source, event_id)
            while (record := generation.get(key)) is not None:
                fact = unpack_fact(record)
                if fact.id == event_id and fact.source == source:
                    return fact
                key += 1
        line = self._kept.find(identity_key(source, event_id) ^ self._of_sku)
        if line is not None:
            fact = unpack_fact(line)
            if fact.id == event_id and fact.source == source:
                return fact
        return None

    def add(self, fact: Fact, record: Record) -> None:
        """Take a fact; one of the same identity is replaced."""
        key = identity_key(fact.source, fact.id)
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
