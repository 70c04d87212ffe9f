"""The engine's dress: when it flushes, ticks, keeps and takes up state."""

from __future__ import annotations

import json

import pytest
from word_shard import START, WAIT, Desk

from operators.engine import system_clock
from schemas.instants import to_datetime


class TestFlush:
    def test_after_a_quiet_moment_at_once(self) -> None:
        """The first rows do not wait, nor those after a pause."""
        desk = Desk()
        assert desk.hears("a") == ["a"]
        assert desk.logic.notify_at() is None
        desk.now += WAIT
        assert desk.hears("b") == ["b"]

    def test_in_a_busy_moment_after_a_while(self) -> None:
        """More of the same waits together, and the engine knows until when."""
        desk = Desk()
        desk.hears("a")
        desk.now += 1
        assert desk.hears("b") == []
        assert desk.hears("c") == []
        assert desk.logic.notify_at() == to_datetime(START + WAIT)
        desk.now = START + WAIT - 1
        assert desk.rings() == []
        desk.now += 1
        assert desk.rings() == ["b", "c"]
        assert desk.rings() == []
        assert desk.logic.notify_at() is None
        assert desk.hears("d") == []  # the next while has begun

    def test_too_many_do_not_wait(self) -> None:
        """Full is full, whatever the clock says."""
        desk = Desk()
        desk.hears("a")
        desk.machine.most_waiting = 2
        assert desk.hears("b") == []
        assert desk.hears("c") == ["b", "c"]

    def test_what_must_be_known_at_once(self) -> None:
        """Comes out with its batch, before what waits."""
        desk = Desk()
        assert desk.hears("a", "B", "C") == ["B", "C", "a"]
        assert desk.hears("d", "E") == ["E"]

    def test_end_of_input(self) -> None:
        """What waits is handed out, and the state stays for the next run."""
        desk = Desk()
        desk.hears("a")
        desk.hears("b")
        assert desk.logic.on_eof() == (["b"], False)
        assert desk.logic.on_eof() == ([], False)
        assert desk.machine.kept == ["a", "b"]


class TestTime:
    def test_is_told_when_due(self) -> None:
        """In live running the clock acts on the state, once, and the journal knows."""
        desk = Desk(live=True)
        desk.hears("a")
        desk.machine.next_tick = START + 5
        assert desk.logic.notify_at() == to_datetime(START + 5)
        desk.now = START + 4
        assert desk.rings() == []
        desk.now = START + 6
        assert desk.rings() == [f"tick {START + 6}"]
        assert desk.rings() == []
        assert desk.logic.notify_at() is None
        again = Desk(desk.logic.snapshot(), journals=desk.journals)
        assert again.machine.kept == ["a", f"tick {START + 6}"]

    def test_whichever_is_first(self) -> None:
        """Rows that wait and time that passes share the engine's one timer."""
        desk = Desk(live=True)
        desk.hears("a")
        desk.machine.next_tick = START + 2 * WAIT
        desk.hears("b")
        assert desk.logic.notify_at() == to_datetime(START + WAIT)
        desk.now = START + WAIT
        assert desk.rings() == ["b"]
        assert desk.logic.notify_at() == to_datetime(START + 2 * WAIT)
        desk.hears("c")
        desk.now = START + 2 * WAIT
        assert desk.rings() == [f"tick {desk.now}", "c"]

    def test_of_a_backfill_is_that_of_its_events(self) -> None:
        """Without `live` nothing is due."""
        desk = Desk()
        desk.hears("a")
        desk.machine.next_tick = START
        assert desk.logic.notify_at() is None
        assert desk.rings() == []

    def test_system_clock(self) -> None:
        """Microseconds, and not before this was written."""
        assert system_clock() > 1_700_000_000_000_000


class TestState:
    def test_none_is_kept(self) -> None:
        """Bytewax asks for snapshots also in a run without recovery."""
        desk = Desk(keep_state=False, journaled=False)
        desk.hears("a")
        assert desk.logic.snapshot() is None
        assert Desk(None, journaled=False).machine.kept == []

    def test_as_a_whole(self) -> None:
        """Without a journal the snapshot holds the state, rows that wait included."""
        desk = Desk(journaled=False)
        desk.hears("a")
        desk.hears("b")
        snapshot = desk.logic.snapshot()
        assert snapshot == ("dump", 7, b'[["a", "b"], ["b"]]')
        again = Desk(snapshot, journaled=False)
        assert again.logic.notify_at() is not None
        assert again.rings() == ["b"]

    def test_in_the_journal(self) -> None:
        """A mark is all that the engine keeps; what came after it is forgotten."""
        desk = Desk()
        desk.hears("a")
        desk.hears("b")
        desk.hears("c")
        snapshot = desk.logic.snapshot()
        assert snapshot == ("journal", 1, (3, 0, 4))  # base, flush of "a", "b", "c"
        desk.hears("d")
        desk.logic.snapshot()
        again = Desk(snapshot, journals=desk.journals)
        assert again.machine.kept == ["a", "b", "c"]
        assert again.machine.waits == ["b", "c"]
        assert again.hears("e") == ["b", "c", "e"]
        third = Desk(again.logic.snapshot(), journals=desk.journals)
        assert third.machine.kept == ["a", "b", "c", "e"]
        assert third.machine.waits == []

    def test_new_base(self) -> None:
        """Where the entries outgrow the base, the snapshot starts over from one."""
        desk = Desk()
        desk.hears("a")
        desk.journals[3].most_entries = 2
        desk.hears("b")
        assert desk.logic.snapshot() == ("journal", 1, (3, 1, 1))
        desk.hears("c")
        snapshot = desk.logic.snapshot()
        assert snapshot == ("journal", 1, (3, 1, 2))
        assert Desk(snapshot, journals=desk.journals).machine.kept == ["a", "b", "c"]

    def test_from_snapshot_to_journal(self) -> None:
        """A state that was kept whole goes on in a journal."""
        before = Desk(journaled=False)
        before.hears("a")
        desk = Desk(before.logic.snapshot())
        assert desk.logic.snapshot() == before.logic.snapshot()
        desk.hears("b")
        snapshot = desk.logic.snapshot()
        assert snapshot is not None
        assert snapshot[0] == "journal"
        assert Desk(snapshot, journals=desk.journals).machine.kept == ["a", "b"]

    def test_journal_without_a_folder(self) -> None:
        """The message says which setting is missing."""
        desk = Desk()
        desk.hears("a")
        with pytest.raises(ValueError, match="TILLFLOW_RECOVERY"):
            Desk(desk.logic.snapshot(), journaled=False)

    def test_plain_values(self) -> None:
        """Classes in the store would tie it to the paths of modules."""
        desk = Desk()
        desk.hears("a")
        assert json.loads(json.dumps(desk.logic.snapshot())) == ["journal", 1, [3, 0, 2]]
