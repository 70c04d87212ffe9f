"""The recovery folder of a flow: the engine's store, the shards' journals, and whose they are."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
from pathlib import Path
from typing import BinaryIO

import msgspec
from bytewax.recovery import RecoveryConfig, init_db_dir

from flows.engine_store import EngineStoreError, discard_unfinished

# The engine's store holds a few rows a shard: more partitions would only cost more files.
ENGINE_PARTITIONS = 2
FORMAT = 1
# Held until the process ends, however it ends.
_locks: dict[Path, BinaryIO] = {}


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the folder belongs to."""

    format: int
    flow: str
    shards: int
    warehouse: str


class RecoveryError(Exception):
    """The folder does not fit what is to be run; the message says why and what to do."""


def prepare_recovery(folder: Path, about: About, *, beside_warehouse: bool) -> None:
    """Make the folder ready for a run, which no other process has from then on.

    A folder that lies beside its warehouse by default is started afresh when the warehouse is a
    new one: whoever deletes the warehouse wants to begin again.

    Raises:
        RecoveryError: the folder belongs to another warehouse, flow or number of shards, is in
            use, or is damaged.
    """
    _lock(folder)
    note = folder / "about.json"
    if note.exists():
        known = _read(note)
        if known == about:
            try:
                discard_unfinished(folder / "engine")
            except EngineStoreError as wrong:
                raise RecoveryError(str(wrong)) from wrong
            return
        if known.warehouse != about.warehouse and beside_warehouse:
            shutil.rmtree(folder)
            _lock(folder)
        else:
            msg = (
                f"{folder} keeps the state of another run ({known} instead of {about}): give "
                "--recovery another folder, or bring back the warehouse it belongs to"
            )
            raise RecoveryError(msg)
    engine = folder / "engine"
    if not engine.exists():
        fresh = folder / "engine.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        init_db_dir(fresh, ENGINE_PARTITIONS)
        fresh.rename(engine)
    # Whole or not at all: half a note would make the folder unusable.
    fresh_note = note.with_suffix(".new")
    fresh_note.write_bytes(msgspec.json.encode(about))
    fresh_note.rename(note)


def _lock(folder: Path) -> None:
    """Let no other process use the folder, until this one ends."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "lock"
    file = path.open("ab")
    held = _locks.get(folder)
    if held is not None and os.path.sameopenfile(held.fileno(), file.fileno()):
        file.close()
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        msg = (
            f"{folder} is in use by another run: stop that one first, or give --recovery another "
            "folder"
        )
        raise RecoveryError(msg) from None
    if held is not None:
        held.close()  # of a folder that was deleted since
    _locks[folder] = file
    atexit.register(file.close)


def held_locks() -> list[int]:
    """Descriptors of the locks this process holds: children that get them hold them as well."""
    return [file.fileno() for file in _locks.values()]


def _read(note: Path) -> About:
    try:
        return msgspec.json.decode(note.read_bytes(), type=About)
    except msgspec.DecodeError as wrong:
        msg = f"{note} is damaged ({wrong}): restore the recovery folder, or give another one"
        raise RecoveryError(msg) from None


def recovery_config(folder: Path) -> RecoveryConfig:
    """The engine's store in the folder; one host keeps all of it, so no backup interval."""
    return RecoveryConfig(str(folder / "engine"))
