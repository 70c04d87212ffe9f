"""One SKU over all places, in the ledger's memory and in a snapshot."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from operators.stock.facts import (
    Fact,
    Identity,
    Occurrence,
    Where,
    occurrence,
    pack_fact,
    unpack_fact,
)
from operators.stock.identities import SeenFacts
from operators.stock.kept_lines import Entry, KeptLines
from operators.stock.place import NEVER, PlaceState, SavedPlace
from operators.stock.places import Places
from operators.stock.rules import StockRules
from schemas.movement import Corrected


class Waiting(msgspec.Struct, gc=False, array_like=True):
    """A correction whose event has not come yet, and where it stood."""

    correction: Fact
    origin: str
    position: int

    @property
    def where(self) -> Where:
        """Where it stood."""
        return Where(self.origin, self.position)


class SavedSku(msgspec.Struct, gc=False, array_like=True):
    """A SKU as a snapshot holds it."""

    sku: str
    newest: int
    sweep_at: int
    places: list[SavedPlace]
    settled: list[Fact]
    pending: list[Waiting]
    void: list[Occurrence]


class SkuState:
    """What the ledger keeps for one SKU.

    `newest`: the newest instant of its events; `places`: their numbers (operators.stock.places) by
    name; `active`: those with facts in the window; `void`: facts that were taken back; `pending`:
    corrections whose fact has not come yet, by the identity they name; `settled`: corrections that
    found theirs or were refused.
    """

    __slots__ = (
        "active",
        "kept",
        "name",
        "newest",
        "pending",
        "places",
        "seen",
        "settled",
        "sweep_at",
        "void",
    )

    def __init__(self, name: str, kept: KeptLines) -> None:
        self.name = name
        self.kept = kept
        self.newest = NEVER
        self.sweep_at = NEVER
        self.places: dict[str, int] = {}
        self.active: list[int] = []
        self.seen = SeenFacts(name, kept)
        self.void: set[Occurrence] = set()
        self.pending: dict[Identity, list[Waiting]] = {}
        self.settled: list[Fact] = []

    def dump(self, places: Places) -> SavedSku:
        """The state as a snapshot holds it; no place may be stale."""
        return SavedSku(
            self.name,
            self.newest,
            self.sweep_at,
            [places.look(number).dump() for number in self.places.values()],
            self.settled,
            [waiting for several in self.pending.values() for waiting in several],
            sorted(self.void),
        )

    @classmethod
    def restore(
        cls,
        saved: SavedSku,
        rules: StockRules,
        same_rules: bool,
        kept: KeptLines,
        places: Places,
    ) -> SkuState:
        """The state a snapshot held, under the rules of today."""
        sku = cls(saved.sku, kept)
        sku.newest = saved.newest
        sku.sweep_at = saved.sweep_at
        states = [
            PlaceState.restore(sku.name, place, rules, same_rules, kept) for place in saved.places
        ]
        numbers = places.take(states)
        for place, state, number in zip(saved.places, states, numbers, strict=True):
            sku.places[state.place] = number
            if state.log:
                sku.active.append(number)
            for record in place.log:
                sku.seen.add(unpack_fact(record), record)
        sku.settled = saved.settled
        for waiting in saved.pending:
            movement = waiting.correction.movement
            assert isinstance(movement, Corrected)
            named = (waiting.correction.source, movement.corrects)
            sku.pending.setdefault(named, []).append(waiting)
        for correction in (*saved.settled, *(waiting.correction for waiting in saved.pending)):
            sku.seen.add(correction, pack_fact(correction))
        sku.void = set(saved.void)
        return sku

    def loosened(self, log: Iterable[Entry]) -> list[Entry]:
        """The log of a place, with the lines cut out that it keeps in their texts."""
        found: list[Entry] = []
        for entry in log:
            if isinstance(entry, int):
                kept, begin, end = self.kept.where(entry)
                for key, record in kept.loosen(begin, end):
                    self.seen.put(key, record)
                    found.append(record)
            else:
                found.append(entry)
        return found

    def forget_before(self, horizon: int) -> list[Waiting]:
        """Let go of what is older than `horizon`; hands out corrections that nothing came for."""
        self.settled = [known for known in self.settled if known.time >= horizon]
        self.void = {fact for fact in self.void if fact[2] >= horizon}
        gone: list[Waiting] = []
        for named, several in list(self.pending.items()):
            gone.extend(waiting for waiting in several if waiting.correction.time < horizon)
            left = [waiting for waiting in several if waiting.correction.time >= horizon]
            if left:
                self.pending[named] = left
            else:
                del self.pending[named]
        return gone

    def take_back(self, target: Fact) -> None:
        """Count a fact no more."""
        self.void.add(occurrence(target))
