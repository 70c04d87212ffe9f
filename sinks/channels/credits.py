"""Consents to single messages (WeChat): each is counted once and used up once.

All of it happens inside a transaction of the caller's.
"""

from __future__ import annotations

import sqlite3
from typing import Literal

from operators.channels.heard import Credit

Taken = Literal["none", "one", "last"]


def add(run: sqlite3.Connection, credit: Credit) -> None:
    """Count what a member allowed, or that it refused; an event that came before is none."""
    new = run.execute("INSERT OR IGNORE INTO credit_event VALUES (?)", [credit.event]).rowcount
    if not new:
        return
    if credit.granted == 0:
        forget(run, credit.member, credit.template)
        return
    run.execute(
        "INSERT INTO credit VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET left = left + excluded.left",
        [credit.member, credit.template, credit.granted],
    )


def take(run: sqlite3.Connection, message: str, member: str, template: str) -> Taken:
    """Use up one for a message, the same one however often it is tried."""
    row = run.execute("SELECT last FROM credit_use WHERE message = ?", [message]).fetchone()
    if row is not None:
        return "last" if row[0] else "one"
    left = run.execute(
        "UPDATE credit SET left = left - 1 WHERE member = ? AND template = ? AND left > 0 "
        "RETURNING left",
        [member, template],
    ).fetchone()
    if left is None:
        return "none"
    last = int(left[0] == 0)
    run.execute("INSERT INTO credit_use VALUES (?, ?, ?, ?)", [message, member, template, last])
    return "last" if last else "one"


def give_back(run: sqlite3.Connection, message: str) -> None:
    """A message that surely never left has used up none."""
    row = run.execute(
        "DELETE FROM credit_use WHERE message = ? RETURNING member, template", [message]
    ).fetchone()
    if row is not None:
        run.execute("UPDATE credit SET left = left + 1 WHERE member = ? AND template = ?", row)


def forget(run: sqlite3.Connection, member: str, template: str, message: str = "") -> None:
    """The provider (about a message) or the member says that there is none left."""
    run.execute("DELETE FROM credit_use WHERE message = ?", [message])
    run.execute("UPDATE credit SET left = 0 WHERE member = ? AND template = ?", [member, template])


def was_last(run: sqlite3.Connection, message: str) -> bool:
    """Whether a message has used up the last one: the provider refuses a second request then."""
    row = run.execute("SELECT last FROM credit_use WHERE message = ?", [message]).fetchone()
    return row is not None and bool(row[0])
