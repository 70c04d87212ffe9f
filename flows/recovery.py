"""The recovery folder of a flow: the engine's store, the shards' journals, and whose they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
from bytewax.recovery import RecoveryConfig, init_db_dir

# The engine's store holds a few rows a shard: more partitions would only cost more files.
ENGINE_PARTITIONS = 2
FORMAT = 1


class About(msgspec.Struct, frozen=True, kw_only=True):
    """What the folder belongs to."""

    format: int
    flow: str
    shards: int
    warehouse: str


class RecoveryError(Exception):
    """The folder does not fit what is to be run; the message says why and what to do."""


def prepare_recovery(folder: Path, about: About, *, beside_warehouse: bool) -> None:
    """Make the folder ready for a run.

    A folder that lies beside its warehouse by default is started afresh when the warehouse is a
    new one: whoever deletes the warehouse wants to begin again.

    Raises:
        RecoveryError: the folder belongs to another warehouse, flow or number of shards.
    """
    note = folder / "about.json"
    if note.exists():
        known = _read(note)
        if known == about:
            return
        if known.warehouse != about.warehouse and beside_warehouse:
            shutil.rmtree(folder)
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


def _read(note: Path) -> About:
    try:
        return msgspec.json.decode(note.read_bytes(), type=About)
    except msgspec.DecodeError as wrong:
        msg = f"{note} is damaged ({wrong}): restore the recovery folder, or give another one"
        raise RecoveryError(msg) from None


def recovery_config(folder: Path) -> RecoveryConfig:
    """The engine's store in the folder; one host keeps all of it, so no backup interval."""
    return RecoveryConfig(str(folder / "engine"))
