"""SQLite files in which workers keep what they were asked to do, and who may own one."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple


class Layout(NamedTuple):
    """What is in a store: `command` is whose it is, `tables` are the statements that make it.

    `added` by version: those of them that a store of the version before lacks.
    """

    command: str
    version: int
    tables: tuple[str, ...]
    added: Mapping[int, tuple[str, ...]] = MappingProxyType({})


class StoreError(Exception):
    """The store cannot be used; the message is for the operator."""


def connect(path: Path, layout: Layout) -> sqlite3.Connection:
    """A connection to the store, its tables made when they are not there.

    Raises:
        StoreError: the file is no store, or was made by a newer tillflow.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as wrong:
        msg = f"the store {path} cannot be opened: {wrong}"
        raise StoreError(msg) from None
    try:
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA journal_mode = WAL")
        # A send must not be forgotten by a power failure either.
        connection.execute("PRAGMA synchronous = FULL")
        _prepare(connection, path, layout)
    except sqlite3.DatabaseError as wrong:
        connection.close()
        msg = f"{path} is no store of {layout.command}: {wrong}"
        raise StoreError(msg) from None
    except StoreError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, layout: Layout) -> None:
    with writing(connection):
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > layout.version:
            msg = f"{path} was made by a newer tillflow (store version {version}): upgrade this one"
            raise StoreError(msg)
        if version == layout.version:
            return
        if version == 0:
            statements = layout.tables
        else:
            later = range(version + 1, layout.version + 1)
            statements = tuple(one for number in later for one in layout.added.get(number, ()))
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {layout.version}")


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """Hold the store for one worker: two would send everything twice.

    Raises:
        StoreError: another worker has it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            msg = f"another worker owns {path}: one store has one worker"
            raise StoreError(msg) from None
        yield
