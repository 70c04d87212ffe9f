"""Gifts of journeys in the store: whether they were issued, and what messages may say of them.

All of it happens inside a transaction of the caller's, or only reads.
"""

from __future__ import annotations

import sqlite3
from typing import Literal, NamedTuple

import msgspec

from operators.channels.filling import Given, given_by
from operators.channels.heard import Asked
from schemas.channels import COUPONS

# Why a gift is kept that no desk was ever asked for.
NO_DESK = "no_desk"
# What is noted of a message that waits for its gift.
WAITS = "gift"
NO_DESK_WORDS = "no coupon desk is configured: say `coupons:` in channels.yaml"
_ASKED = msgspec.msgpack.Decoder(Asked)


class Gift(NamedTuple):
    """What a message speaks of; `waits`: it is not issued yet, `refused`: it never will be."""

    state: Literal["none", "waits", "given", "refused"]
    given: Given | None = None


def gift_of(run: sqlite3.Connection, asked: Asked) -> Gift:
    """The newest gift that the journey gave its member before a message, of the same entry."""
    if asked.action == "give" or not asked.entry:
        return Gift("none")
    rows = run.execute(
        "SELECT m.id, m.body, m.state, g.until, g.reason FROM message m "
        "LEFT JOIN gift g ON g.message = m.id WHERE m.member = ? AND m.channel = ?",
        [asked.member, COUPONS],
    )
    found = []
    for name, body, state, until, reason in rows:
        one = _ASKED.decode(body)
        same = (one.journey, one.entry) == (asked.journey, asked.entry)
        if same and one.decided_at <= asked.decided_at:
            found.append((one.decided_at, name, one, state, until or 0, reason))
    if not found:
        return Gift("none")
    _, name, one, state, until, reason = max(found, key=lambda each: each[:2])
    given = given_by(one, name, until)
    if state == "accepted":
        return Gift("given", given)
    if state == "failed":
        return Gift("refused", given)
    # Whoever has no desk issues coupons elsewhere: nothing is to be waited for.
    return Gift("none" if reason == NO_DESK else "waits", given)


def issued(run: sqlite3.Connection, message: str, member: str, until: int) -> None:
    """The desk has issued it; valid until an instant (ms, not included; 0: not known)."""
    run.execute("INSERT OR REPLACE INTO gift VALUES (?, ?, ?, '')", [message, member, until])


def keep(run: sqlite3.Connection, message: str, member: str, reason: str) -> None:
    """The desk does not issue it as things are."""
    run.execute("INSERT OR REPLACE INTO gift VALUES (?, ?, 0, ?)", [message, member, reason])


def settled(run: sqlite3.Connection, member: str, now: int) -> None:
    """Messages that waited for the member's gift wait no longer."""
    run.execute(
        "UPDATE message SET due_at = ? WHERE member = ? AND state = 'ready' AND answer = ?",
        [now, member, WAITS],
    )


def told(run: sqlite3.Connection, message: str) -> bool:
    """Whether it was told already that it was not issued."""
    row = run.execute("SELECT reason FROM gift WHERE message = ?", [message]).fetchone()
    return row is not None and row[0] not in ("", NO_DESK)
