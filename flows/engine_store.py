"""What the engine's recovery store holds of an epoch that never ended, taken out before a resume.

The engine (Bytewax 0.21.1) resumes at the first epoch that did not end and leaves the snapshots
that were already written of it. A resumed run writes over those of the shards it touches in that
epoch; but it cuts the input into other epochs, so some it does not touch, and once the epoch has
ended the dead run's snapshot counts: a shard then wakes with items it will be given again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

# Tables are declared STRICT; what came before that word can still use them if told not to mind it.
_KNOWS_STRICT = (3, 37)


class EngineStoreError(Exception):
    """A file of the engine's store cannot be read or changed."""


def discard_unfinished(folder: Path) -> int:
    """Delete the snapshots from the resume epoch on; how many there were.

    The folder must not be in use. The resume epoch is the engine's own: the least frontier that
    the workers of the newest execution have noted, or that execution's own resume epoch for one
    that noted none.

    Raises:
        EngineStoreError: a file is no store of the engine, or damaged.
    """
    files = sorted(folder.glob("part-*.sqlite3"))
    executions: list[tuple[int, int, int]] = []
    fronts: list[tuple[int, int, int]] = []
    for file in files:
        with _opened(file) as store:
            executions += store.execute("SELECT ex_num, worker_count, resume_epoch FROM exs")
            fronts += store.execute("SELECT ex_num, worker_index, worker_frontier FROM fronts")
    if not executions:
        return 0
    newest, workers, begun_at = max(executions)
    reached = dict.fromkeys(range(workers), begun_at)
    for execution, worker, frontier in fronts:
        if execution == newest:
            reached[worker] = max(frontier, reached.get(worker, begun_at))
    resume_at = min(reached.values())
    deleted = 0
    for file in files:
        with _opened(file) as store, store:
            deleted += store.execute(
                "DELETE FROM snaps WHERE snap_epoch >= ?", (resume_at,)
            ).rowcount
    return deleted


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(file)) as store:
            if sqlite3.sqlite_version_info < _KNOWS_STRICT:
                store.execute("PRAGMA writable_schema = ON")
            yield store
    except sqlite3.Error as wrong:
        msg = (
            f"{file} cannot be used as a recovery store ({wrong}): end the process that uses it, "
            "restore the recovery folder as a whole, or give another one"
        )
        raise EngineStoreError(msg) from wrong
