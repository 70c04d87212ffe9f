"""The SQLite file of the channels worker."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sinks import sqlite
from sinks.sending.store import POSITION, REFUSED, REQUEST
from sinks.sqlite import Layout

# A message is ready, sending (written down before its request leaves), doubt (it left and was not
# answered), accepted, delivered, failed, unknown, or erased (only its id is kept, so that it is
# never sent). `later` are the channels that are tried when this one cannot; `doubted`: an earlier
# request may have arrived after all; `left_at`: when the first of such requests left.
# `gift` has, of a coupon that was to be issued: until when it is valid (milliseconds, not
# included), or why the desk does not issue it as things are.
_GIFT = """
    CREATE TABLE gift (
      message TEXT PRIMARY KEY, member TEXT NOT NULL, until INTEGER NOT NULL DEFAULT 0,
      reason TEXT NOT NULL DEFAULT ''
    ) WITHOUT ROWID
    """
_TABLES = (
    POSITION,
    """
    CREATE TABLE message (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, decision TEXT NOT NULL,
      member TEXT NOT NULL, channel TEXT NOT NULL, later TEXT NOT NULL, state TEXT NOT NULL,
      due_at INTEGER, attempts INTEGER NOT NULL DEFAULT 0, asked INTEGER NOT NULL DEFAULT 0,
      left_at INTEGER NOT NULL DEFAULT 0, doubted INTEGER NOT NULL DEFAULT 0,
      ref TEXT NOT NULL DEFAULT '', answer TEXT NOT NULL DEFAULT '',
      changed_at INTEGER NOT NULL, not_after INTEGER NOT NULL, body BLOB NOT NULL
    )
    """,
    """
    CREATE INDEX message_waiting ON message (channel, due_at)
      WHERE state IN ('ready', 'sending', 'doubt', 'accepted')
    """,
    "CREATE INDEX message_of ON message (member)",
    """
    CREATE TABLE report (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL, channel TEXT NOT NULL,
      member TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL, provider TEXT NOT NULL,
      ref TEXT NOT NULL, code TEXT NOT NULL, attempts INTEGER NOT NULL, at INTEGER NOT NULL
    )
    """,
    """
    CREATE TABLE consent (
      member TEXT NOT NULL, purpose TEXT NOT NULL, channel TEXT NOT NULL, at INTEGER NOT NULL,
      strictness INTEGER NOT NULL, status TEXT NOT NULL, PRIMARY KEY (member, purpose, channel)
    ) WITHOUT ROWID
    """,
    "CREATE TABLE erased (member TEXT PRIMARY KEY, told INTEGER NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE credit (
      member TEXT NOT NULL, template TEXT NOT NULL, left INTEGER NOT NULL,
      PRIMARY KEY (member, template)
    ) WITHOUT ROWID
    """,
    "CREATE TABLE credit_event (id TEXT PRIMARY KEY) WITHOUT ROWID",
    """
    CREATE TABLE credit_use (
      message TEXT PRIMARY KEY, member TEXT NOT NULL, template TEXT NOT NULL,
      last INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    REQUEST,
    REFUSED,
    _GIFT,
)

LAYOUT = Layout("tillflow channels", 2, _TABLES, {2: (_GIFT,)})


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the store, its tables made when they are not there.

    Raises:
        StoreError: the file is no store, or was made by a newer tillflow.
    """
    return sqlite.connect(path, LAYOUT)
