"""A shard that keeps words, its journal in memory, and the engine's dress around them by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from operators.engine import FLUSH_AFTER, ShardLogic, Snapshot

WAIT = FLUSH_AFTER // timedelta(microseconds=1)
START = 1_000_000_000


class Item(NamedTuple):
    """A word for a shard."""

    shard: int
    word: str


class Words:
    """A machine that keeps every word; shouted ones must be known at once, the others wait."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.waits: list[str] = []
        self.fresh: list[str] = []
        self.most_waiting = 100
        self.next_tick: int | None = None

    def apply(self, items: Sequence[Item], now: int) -> list[str]:
        for item in items:
            self._keep(item.word)
            self.fresh.append(item.word)
        return [item.word for item in items if item.word.isupper()]

    def _keep(self, word: str) -> None:
        self.kept.append(word)
        if not word.isupper():
            self.waits.append(word)

    def waiting(self) -> bool:
        return bool(self.waits)

    def full(self) -> bool:
        return len(self.waits) >= self.most_waiting

    def flush(self) -> list[str]:
        waited, self.waits = self.waits, []
        return waited

    def due(self, now: int) -> int | None:
        return self.next_tick

    def tick(self, now: int) -> list[str]:
        self.kept.append(f"tick {now}")
        self.next_tick = None
        return [f"tick {now}"]

    def dump(self) -> tuple[int, bytes]:
        return (7, json.dumps([self.kept, self.waits]).encode())

    def restore(self, version: int, packed: bytes) -> None:
        assert version == 7
        self.kept, self.waits = json.loads(packed)

    def journal_entry(self) -> bytes:
        fresh, self.fresh = self.fresh, []
        return json.dumps(fresh).encode()

    def flush_entry(self) -> bytes:
        return b'"flush"'

    def tick_entry(self, now: int) -> bytes:
        return json.dumps(now).encode()

    def replay(self, entry: bytes) -> None:
        found = json.loads(entry)
        if found == "flush":
            self.flush()
        elif isinstance(found, int):
            self.tick(found)
        else:
            for word in found:
                self._keep(word)


class Pages:
    """A journal in memory, and what is durable of it."""

    def __init__(self) -> None:
        self.generations: list[list[bytes]] = []
        self.durable: list[list[bytes]] = []
        self.most_entries = 100

    def read(self, generation: int, length: int) -> list[bytes]:
        self.generations = [list(pages) for pages in self.durable[: generation + 1]]
        self.generations[generation] = self.generations[generation][:length]
        return list(self.generations[generation])

    def append(self, entry: bytes) -> None:
        self.generations[-1].append(entry)

    def wants_base(self) -> bool:
        return len(self.generations[-1]) > self.most_entries

    def rebase(self, base: bytes) -> None:
        self.generations.append([base])

    def mark(self) -> tuple[int, int]:
        self.durable = [list(pages) for pages in self.generations]
        return (len(self.generations) - 1, len(self.generations[-1]))


class Desk:
    """A logic with its machine, its journals by shard, and hands on the clock."""

    def __init__(self, resume: Snapshot | None = None, **more: Any) -> None:
        self.machine = Words()
        self.now = START
        self.journals: dict[int, Pages] = more.pop("journals", {})
        journaled = more.pop("journaled", True)
        self.logic = ShardLogic[Item, str](
            self.machine,
            (lambda shard: self.journals.setdefault(shard, Pages())) if journaled else None,
            resume,
            clock=lambda: self.now,
            **more,
        )

    def hears(self, *words: str) -> list[str]:
        out, gone = self.logic.on_batch([Item(3, word) for word in words])
        assert gone is False
        return list(out)

    def rings(self) -> list[str]:
        out, gone = self.logic.on_notify()
        assert gone is False
        return list(out)
