"""Looks a pool's gate over, pair by pair, and puts a single pair right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any
from urllib.parse import unquote

from redis.exceptions import RedisError

from schemas.gate_pair import GatePair
from schemas.position import Position
from sinks.redis.client import HoldGate
from sinks.redis.errors import GateClosed
from sinks.redis.keeper_calls import truth_of

# One call blocks the server; a pair of many holds costs most.
PAIRS_A_CALL = 32
KEYS_A_SCAN = 500


class GateAudit:
    """The pairs of one pool as they are in Redis."""

    def __init__(self, gate: HoldGate) -> None:
        self.gate = gate
        self.pool = gate.settings.pool
        self._keys = gate.protocol.keys
        source = (resources.files("sinks.redis") / "lua" / "audit.lua").read_text("utf-8")
        self._script = gate.client.register_script(source)

    def look(self, pairs: Sequence[tuple[str, str]]) -> list[GatePair]:
        """The pairs as they are, each read in one step; one that is not there has no version.

        Raises:
            GateUnavailable: the server gave no answer.
        """
        found: list[GatePair] = []
        for start in range(0, len(pairs), PAIRS_A_CALL):
            some = pairs[start : start + PAIRS_A_CALL]
            keys = [key for sku, place in some for key in self._of(sku, place)]
            rows = self._call(keys, ["look", *(place for _, place in some)])
            found += [
                self._pair(sku, place, row) for (sku, place), row in zip(some, rows, strict=True)
            ]
        return found

    def walk(self, cursor: int = 0) -> tuple[int, list[tuple[str, str]]]:
        """Some of the pairs that Redis knows, and where to go on; 0 when it was all of them."""
        prefix = f"{self._keys.tag}:s:"
        pattern = "".join("\\" + one if one in "*?[]\\" else one for one in prefix) + "*"
        try:
            reply: Any = self.gate.client.scan(cursor, match=pattern, count=KEYS_A_SCAN)
        except RedisError as wrong:
            raise self.gate.protocol.unavailable(wrong) from wrong
        following, keys = reply
        names = [key.decode()[len(prefix) :].split(":", 1) for key in keys]
        return int(following), [(unquote(sku), unquote(place)) for sku, place in names]

    def all_pairs(self) -> Iterator[tuple[str, str]]:
        """Every pair that Redis knows; one may come twice."""
        cursor = 0
        while True:
            cursor, pairs = self.walk(cursor)
            yield from pairs
            if cursor == 0:
                return

    def repair(self, position: Position, seen: GatePair) -> bool:
        """Write a pair's truth from its position and count its held units anew, in one step.

        `seen` is what was found wrong. What the projection has written since then is newer and
        stays; the held units are counted all the same. Whether the position was written.

        Raises:
            GateClosed: the gate is closed, so it is being rebuilt as a whole.
            GateUnavailable: the server gave no answer.
        """
        sku, place, *truth = truth_of(position)
        version = "" if seen.version is None else str(seen.version)
        words = ["repair", sku, place, version, *map(str, truth)]
        reply = self._call(self._of(sku, place), words)
        if reply == b"CLOSED":
            raise GateClosed(self.pool, state="closed", epoch="")
        return bool(reply == b"OK")

    def _of(self, sku: str, place: str) -> list[str]:
        return [*self._keys.pair(sku, place), self._keys.places(sku)]

    def _call(self, keys: Sequence[str], words: Sequence[str]) -> Any:
        keys = [self._keys.gate, self._keys.over, *keys]
        try:
            return self._script(keys=keys, args=list(words))
        except RedisError as wrong:
            raise self.gate.protocol.unavailable(wrong) from wrong

    def _pair(self, sku: str, place: str, row: Sequence[Any]) -> GatePair:
        version, on_hand, allocated, floor, absorbed, held, hold_seq = map(_number, row[:7])
        units, confirmed, absorbed_units, listed = map(int, row[7:])
        return GatePair(
            sku=sku,
            place=place,
            pool=self.pool,
            version=None if row[0] == b"" else version,
            on_hand=on_hand,
            allocated=allocated,
            floor=floor,
            absorbed=absorbed,
            held=held,
            hold_seq=hold_seq,
            units=units,
            confirmed=confirmed,
            absorbed_units=absorbed_units,
            listed=bool(listed),
        )


def _number(text: bytes) -> int:
    try:
        return int(text or 0)
    except ValueError:
        # Not a number at all: it differs from whatever it should be.
        return -1
