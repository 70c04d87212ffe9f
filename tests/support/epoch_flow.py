"""A flow whose epochs are given item by item, and that can die between snapshots and their end.

    python epoch_flow.py FOLDER DIES_AT BATCH...

Each BATCH is an epoch of items such as `a1,b1`, whose first letter is the key. The process dies in
the DIES_AT-th epoch (0: never), when its snapshots are written and it has not ended. For each batch
of a key all items of that key so far are printed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from bytewax.run import cli_main

from flows.recovery import FORMAT, About, prepare_recovery, recovery_config

ABOUT = About(format=FORMAT, flow="epochs", shards=1, warehouse="w")
DIED = 9
Kept = tuple[str, ...]


class Items(StatefulSourcePartition[tuple[str, str], int]):
    """Hands out one batch an epoch."""

    def __init__(self, batches: Sequence[str], at: int | None) -> None:
        self._batches = batches
        self._at = at or 0

    def next_batch(self) -> list[tuple[str, str]]:
        """The next batch, keyed."""
        if self._at == len(self._batches):
            raise StopIteration
        self._at += 1
        return [(item[0], item) for item in self._batches[self._at - 1].split(",")]

    def snapshot(self) -> int:
        """How many batches were handed out."""
        return self._at


class Source(FixedPartitionedSource[tuple[str, str], int]):
    """The one partition."""

    def __init__(self, batches: Sequence[str]) -> None:
        self._batches = batches

    def list_parts(self) -> list[str]:
        """One."""
        return ["one"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> Items:
        """Goes on where it was."""
        return Items(self._batches, resume_state)


class Keeper(StatefulBatchLogic[str, Kept, Kept]):
    """Keeps all items of a key."""

    def __init__(self, resume: Kept | None) -> None:
        self._kept = resume or ()

    def on_batch(self, values: list[str]) -> tuple[list[Kept], bool]:
        """Add what came."""
        self._kept += tuple(values)
        return [self._kept], False

    def snapshot(self) -> Kept:
        """All of it."""
        return self._kept


class Printed(StatefulSinkPartition[Kept, None]):
    """Prints, and dies when it is time."""

    def __init__(self, dies_at: int) -> None:
        self._dies_in = dies_at

    def write_batch(self, values: list[Kept]) -> None:
        """Print each on a line."""
        for value in values:
            print(*value, flush=True)

    def snapshot(self) -> None:
        """Die, if this is the epoch for it: those before this step have been written."""
        self._dies_in -= 1
        if self._dies_in == 0:
            os._exit(DIED)


class Sink(FixedPartitionedSink[Kept, None]):
    """The one partition."""

    def __init__(self, dies_at: int) -> None:
        self._dies_at = dies_at

    def list_parts(self) -> list[str]:
        """One."""
        return ["one"]

    def build_part(self, step_id: str, for_part: str, resume_state: None) -> Printed:
        """Has nothing to resume."""
        return Printed(self._dies_at)


def main(folder: Path, dies_at: int, batches: Sequence[str]) -> None:
    """Run it to its end, or to where it dies."""
    prepare_recovery(folder, ABOUT, beside_warehouse=False)
    flow = Dataflow("epochs")
    items = op.input("items", flow, Source(batches))
    op.output("out", op.stateful_batch("kept", items, Keeper), Sink(dies_at))
    cli_main(flow, epoch_interval=timedelta(0), recovery_config=recovery_config(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
