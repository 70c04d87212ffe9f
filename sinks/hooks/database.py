"""The SQLite file of the hooks worker: tables, connections, and who may own it."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = 1

# Positions are the next offset (byte, for a file) of what is read: with the states, never apart.
# A message is ready, sending, sent, unknown, undeliverable or folded (a later one says it, too).
# A state of an alert is told on a route once, by one message.
_TABLES = (
    """
    CREATE TABLE position (
      topic TEXT NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, part)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE alert_case (alert TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID
    """,
    """
    CREATE TABLE route_state (route TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID
    """,
    """
    CREATE TABLE message (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, route TEXT NOT NULL,
      channel TEXT NOT NULL, kind TEXT NOT NULL, rank INTEGER NOT NULL, made_at INTEGER NOT NULL,
      state TEXT NOT NULL, due_at INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
      changed_at INTEGER NOT NULL, answer TEXT NOT NULL DEFAULT '',
      noticed INTEGER NOT NULL DEFAULT 1,
      body BLOB NOT NULL
    )
    """,
    """
    CREATE INDEX message_waiting ON message (channel, state, due_at)
      WHERE state IN ('ready', 'sending')
    """,
    """
    CREATE INDEX message_unnoticed ON message (noticed) WHERE noticed = 0
    """,
    """
    CREATE TABLE told (
      alert TEXT NOT NULL, state TEXT NOT NULL, route TEXT NOT NULL, message TEXT NOT NULL,
      PRIMARY KEY (alert, state, route)
    ) WITHOUT ROWID
    """,
    """
    CREATE INDEX told_by ON told (message)
    """,
    """
    CREATE TABLE request (channel TEXT NOT NULL, at INTEGER NOT NULL)
    """,
    """
    CREATE TABLE refused (
      topic TEXT NOT NULL, part INTEGER NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL,
      raw BLOB NOT NULL, PRIMARY KEY (topic, part, at)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE acknowledgement (
      alert TEXT PRIMARY KEY, by TEXT NOT NULL, at INTEGER NOT NULL,
      applied INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID
    """,
)


class StoreError(Exception):
    """The store cannot be used; the message is for the operator."""


def connect(path: Path) -> sqlite3.Connection:
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
        _prepare(connection, path)
    except sqlite3.DatabaseError as wrong:
        connection.close()
        msg = f"{path} is no store of tillflow hooks: {wrong}"
        raise StoreError(msg) from None
    except StoreError:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    with writing(connection):
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > VERSION:
            msg = f"{path} was made by a newer tillflow (store version {version}): upgrade this one"
            raise StoreError(msg)
        if version == 0:
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")


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
