"""Numbers for names, and hashes of sources: what is looked up for every line."""

from __future__ import annotations

from zlib import crc32

from operators.stock.facts import source_key

# Bits for the number of a SKU, beside its shard.
SHARD_BITS = 22


class Numbers(dict[str, int]):
    """Numbers of names, given when first asked for; `names` are the names in this order."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def __missing__(self, name: str) -> int:
        number = self[name] = len(self)
        self.names.append(name)
        return number

    def forget(self) -> None:
        """Begin anew."""
        self.clear()
        self.names.clear()


class SkuNumbers(Numbers):
    """A number for each SKU that begins with its shard (SHARD_BITS from the right)."""

    def __init__(self, shards: int) -> None:
        super().__init__()
        self._shards = shards

    def __missing__(self, name: str) -> int:
        shard = crc32(name.encode()) % self._shards
        number = self[name] = shard << SHARD_BITS | len(self)
        self.names.append(name)
        return number

    def named(self, number: int) -> str:
        """The SKU of a number."""
        return self.names[number & (1 << SHARD_BITS) - 1]


class SourceKeys(dict[str, int]):
    """Hashes of sources (operators.stock.facts.source_key), each made once."""

    def __missing__(self, source: str) -> int:
        key = self[source] = source_key(source)
        return key
