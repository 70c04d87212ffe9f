"""Key names of one pool. One hash tag holds them all in one slot, so that a call may touch any."""

from __future__ import annotations

from dataclasses import dataclass

# What would end a name inside a key, or the hash tag around the pool.
_QUOTED = str.maketrans({"%": "%25", ":": "%3A", "{": "%7B", "}": "%7D"})


def quoted(name: str) -> str:
    """A name as part of a key: no two different lists of names make the same key."""
    return name.translate(_QUOTED)


@dataclass(frozen=True)
class Keys:
    """The keys of `pool`."""

    pool: str

    @property
    def tag(self) -> str:
        """What every key begins with."""
        return "{" + quoted(self.pool) + "}"

    @property
    def gate(self) -> str:
        """Hash: state, epoch, run_id of the server it was opened on."""
        return f"{self.tag}:gate"

    @property
    def log(self) -> str:
        """Stream: the outbox."""
        return f"{self.tag}:log"

    @property
    def due(self) -> str:
        """Sorted set: unpaid reservations by the time they lapse."""
        return f"{self.tag}:due"

    @property
    def over(self) -> str:
        """Sorted set: over-claimed [sku, place] by how many units."""
        return f"{self.tag}:over"

    @property
    def base(self) -> list[str]:
        """The first keys of every call."""
        return [self.gate, self.log, self.due, self.over]

    def reservation(self, reservation: str) -> str:
        """Hash: one reservation."""
        return f"{self.tag}:r:{quoted(reservation)}"

    def customer(self, customer: str) -> str:
        """Sorted set: the unpaid holds of one customer (a pseudonym)."""
        return f"{self.tag}:c:{customer}"

    def pair(self, sku: str, place: str) -> list[str]:
        """Hash of truth and counters, and sorted set of the holds, of one SKU at one place."""
        name = f"{quoted(sku)}:{quoted(place)}"
        return [f"{self.tag}:s:{name}", f"{self.tag}:h:{name}"]

    def places(self, sku: str) -> str:
        """Set: the places of the pool where the SKU has a position."""
        return f"{self.tag}:p:{quoted(sku)}"
