"""The stock flow without an engine: one loop over the same source, operators and sink.

It proves that the rules do not depend on Bytewax, gives the benchmarks their yardstick, and would
carry a chain if the engine had to be left. It keeps no state between runs.
"""

from __future__ import annotations

import time
from datetime import timedelta

from flows.settings import SHARDS, StockSettings, load_chain
from flows.steps import StockStep
from operators.engine import FLUSH_BACKFILL, system_clock
from operators.stock.decode import Sharder
from operators.stock.rules import StockRules
from operators.stock.shard import StockShard, empty_outcome
from sinks.warehouse.writer import Counts, WarehouseWriter
from sources.blocks import BlockReader

FLUSH_AFTER_SECONDS = FLUSH_BACKFILL / timedelta(seconds=1)


def run_plain(settings: StockSettings) -> Counts:
    """Run over the whole source; what it came to."""
    rules = StockRules(load_chain(settings.config))
    sharder = Sharder(SHARDS)
    shards = [StockShard(rules) for _ in range(SHARDS)]
    reader = BlockReader(settings.source)
    writer = WarehouseWriter(settings.warehouse, StockStep.FLOW, settings.run, settings.source)
    flush_at = 0.0
    while blocks := reader.next_blocks():
        decoded = sharder.decode(*blocks)
        writer.add_read(*decoded.read)
        if decoded.refusals:
            writer.add(empty_outcome(decoded.refusals))
        for batch in decoded.batches:
            for outcome in shards[batch.shard].apply([batch], system_clock()):
                writer.add(outcome)
        if time.monotonic() >= flush_at:
            flush_at = time.monotonic() + FLUSH_AFTER_SECONDS
            _flush(shards, writer)
        writer.write_soon()
    _flush(shards, writer)
    writer.close("finished")
    return writer.counts


def _flush(shards: list[StockShard], writer: WarehouseWriter) -> None:
    for shard in shards:
        for outcome in shard.flush():
            writer.add(outcome)
