"""Of who is erased the store keeps that they are, and nothing else, whatever comes later."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from operators.channels.heard import Asked, Credit, Gone, Heard, Said
from schemas.channels import COUPONS
from sinks.channels.outbox import Outbox
from sinks.channels.store import Store

LATER: tuple[Heard, ...] = (
    Said("m1", "marketing", "sms", "withdrawn", 5, 2),
    Credit("e#1", "m1", "tmpl", 3),
)
ABOUT = ("message", "report", "consent", "credit", "credit_use", "gift")


GIFT = Asked(
    id="d1",
    member="m1",
    journey="j",
    decided_at=1,
    not_after=100,
    marketing=True,
    channels=(),
    zone="UTC",
    action="give",
    entry="e",
)


def kept(path: Path) -> list[tuple[str, int]]:
    """In which tables the member still is, and how often."""
    with sqlite3.connect(path) as run:
        found = [
            (table, run.execute(f"SELECT count(*) FROM {table} WHERE member = 'm1'").fetchone()[0])
            for table in ABOUT
        ]
    return [(table, count) for table, count in found if count]


@pytest.mark.parametrize("first", [True, False])
def test_what_is_heard_after_the_erasure(tmp_path: Path, *, first: bool) -> None:
    """A consent or a subscription may be read later than the erasure that came after it."""
    path = tmp_path / "channels.sqlite"
    store = Store(path)
    gone = Gone(("m1",))
    heard = (*LATER, gone) if first else (gone, *LATER)
    store.commit(heard, [], [], ["sms"], 1)
    store.commit(LATER, [], [], ["sms"], 2)
    assert kept(path) == []
    store.close()


def test_a_gift_that_is_issued_while_its_member_is_erased(tmp_path: Path) -> None:
    path = tmp_path / "channels.sqlite"
    store = Store(path)
    outbox = Outbox(path, COUPONS, "desk")
    store.commit([GIFT], [], [], [COUPONS], 1)
    one = outbox.next(1)
    assert one is not None
    store.commit([Gone(("m1",))], [], [], [COUPONS], 2)
    outbox.accepted(one, "ref", "", "", 3, ask_at=None, until=50)
    assert kept(path) == []
    assert store.reports() == []
    outbox.close()
    store.close()
