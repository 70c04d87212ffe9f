"""The SQLite file of the hooks worker."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sinks import sqlite
from sinks.sending.store import POSITION, REFUSED, REQUEST
from sinks.sqlite import Layout

# A message is ready, sending, sent, unknown, undeliverable or folded (a later one says it, too).
# A state of an alert is told on a route once, by one message.
_TABLES = (
    POSITION,
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
    REQUEST,
    REFUSED,
    """
    CREATE TABLE acknowledgement (
      alert TEXT PRIMARY KEY, by TEXT NOT NULL, at INTEGER NOT NULL,
      applied INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID
    """,
)

LAYOUT = Layout("tillflow hooks", 1, _TABLES)


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the store, its tables made when they are not there.

    Raises:
        StoreError: the file is no store, or was made by a newer tillflow.
    """
    return sqlite.connect(path, LAYOUT)
