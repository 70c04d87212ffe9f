"""Blocks on their way to persons: whole once the source and every shard have told their part.

Each id's own shard tells what it adds. Were that taken shard by shard, all that another one tells
would seem to happen at the end of the block: in a backfill, months later.
"""

from __future__ import annotations

from array import array

from operators.members.facts import MemberBatch


class Blocks:
    """What of which blocks has come; `senders` tell of each one, also that they add nothing.

    A block is whole within the epoch in which it was read, so none is part of what is stored.
    """

    def __init__(self, senders: int) -> None:
        self._senders = senders
        self._coming: dict[str, list[MemberBatch]] = {}

    def take(self, batch: MemberBatch) -> MemberBatch | None:
        """The whole block, its facts in the order of time, if this was the last of it."""
        if not batch.block:
            return batch
        there = self._coming.setdefault(batch.block, [])
        there.append(batch)
        if len(there) < self._senders:
            return None
        del self._coming[batch.block]
        return _whole(there)


def _whole(parts: list[MemberBatch]) -> MemberBatch:
    # What the source says itself has an origin, by which refusals name their lines.
    parts.sort(key=lambda one: not one.origin)
    every = [(fact, at) for one in parts for fact, at in zip(one.facts, one.positions, strict=True)]
    every.sort(key=lambda one: one[0].time)
    newest = max(parts, key=lambda one: one.newest)
    return parts[0]._replace(
        positions=array("Q", (at for _, at in every)),
        facts=[fact for fact, _ in every],
        newest=newest.newest,
        newest_origin=newest.newest_origin,
        block="",
    )
