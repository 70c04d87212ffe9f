"""Journeys over the last weeks of events, as if they had been in force; nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from operators.journeys.program import Program
from operators.journeys.replay import Replay, Routed, as_live
from operators.members.decode import MemberDecoder
from operators.members.health.model import HealthModel
from operators.stock.decode import LATEST, Sharder
from schemas.chain import Chain
from schemas.instants import DAY_US
from sources.abreast.reader import AbreastReader


class NothingToReplayError(Exception):
    """There are no events of members in what was given."""


def facts_of(source: str, told: Callable[[int], None]) -> Iterator[Routed]:
    """The facts of a source about in the order of time; `told` is told how many were no events."""
    decoder = MemberDecoder(Sharder(1))
    reader = AbreastReader(source)
    refused = 0
    try:
        while (block := reader.next_block()) is not None:
            decoded = decoder.decode(block, LATEST)
            refused += len(decoded.refusals)
            found = [
                (fact.time, position, batch.shard, fact)
                for batch in decoded.batches
                for position, fact in zip(batch.positions, batch.facts, strict=True)
            ]
            # Of one event, its shard is told before that of persons.
            for _, _, shard, fact in sorted(found, key=lambda one: (one[0], one[1], -one[2])):
                yield shard, as_live(fact)
    finally:
        reader.close()
    told(refused)


def simulated(
    source: str,
    chain: Chain,
    programs: tuple[Program, ...],
    days: float,
    health: HealthModel | None = None,
) -> tuple[Replay, int, int]:
    """What would have come of the journeys in the last `days` of a source; from when, refused.

    Raises:
        NothingToReplayError: it holds no events of members.
        SourceError: it is not there.
    """
    refused: list[int] = []
    newest = max((fact.time for _, fact in facts_of(source, refused.append)), default=None)
    if newest is None:
        msg = f"{source} holds no events of members (see docs/members.md for what is read)"
        raise NothingToReplayError(msg)
    start = newest - round(days * DAY_US)
    replay = Replay(chain, health=health)
    running = False
    for shard, fact in facts_of(source, refused.append):
        if not running and fact.time >= start:
            replay.pass_to(start)
            replay.begin(programs)
            running = True
        replay.take(shard, fact)
    replay.pass_to(newest)
    return replay, start, refused[0] + replay.refused
