"""Events of files through the ledger once more, in one loop: facts and the positions they make.

What the events say, without the engine and without what any run has written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from flows.settings import SHARDS
from operators.engine import system_clock
from operators.stock.decode import Sharder
from operators.stock.facts import Batch, Fact
from operators.stock.positions import position_rows
from operators.stock.rules import StockRules
from operators.stock.shard import StockShard
from schemas.chain import Chain
from schemas.instants import to_datetime
from schemas.position import Position
from sources.blocks import BlockReader

# Positions are asked for after so many facts of a shard: what is between is not seen.
FACTS_A_STEP = 500
_FIELDS = Position.__struct_fields__
_AS_OF = _FIELDS.index("as_of")


class Step(NamedTuple):
    """Some facts of one shard, and the positions that came of them."""

    facts: list[Fact]
    positions: list[Position]


def replayed(source: str, chain: Chain) -> Iterator[Step]:
    """Read files of events to their end.

    Raises:
        SourceError: there is nothing to read.
    """
    rules = StockRules(chain)
    sharder = Sharder(SHARDS)
    shards = [StockShard(rules) for _ in range(SHARDS)]
    reader = BlockReader(source)
    while (block := reader.next_block()) is not None:
        for batch in sharder.decode(block).batches:
            for at in range(0, len(batch.facts), FACTS_A_STEP):
                yield replay(shards[batch.shard], batch, at)


def replay(shard: StockShard, batch: Batch, at: int) -> Step:
    """Apply some facts of a batch, from the one at `at` on."""
    facts = batch.facts[at : at + FACTS_A_STEP]
    positions = batch.positions[at : at + FACTS_A_STEP]
    shard.apply([Batch(batch.shard, batch.origin, positions, facts)], system_clock())
    return Step(facts, [one for outcome in shard.flush() for one in positions_of(outcome[0])])


def positions_of(columns: list[Any]) -> Iterator[Position]:
    """Positions from the columns of stock_position."""
    for row in position_rows(columns):
        values = dict(zip(_FIELDS, row, strict=True))
        as_of = row[_AS_OF]
        assert isinstance(as_of, int)
        yield Position(**values | {"as_of": to_datetime(as_of)})
