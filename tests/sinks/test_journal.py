"""The journal gives back exactly what was there at a mark, or says that it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sinks import journal as module
from sinks.journal import HEADER, MARKS_TO_KEEP, FileJournal, JournalError

Mark = tuple[int, int]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def begun(folder: Path, base: bytes = b"base", *entries: bytes) -> FileJournal:
    journal = FileJournal(folder, "stock-07")
    journal.rebase(base)
    for entry in entries:
        journal.append(entry)
    return journal


def reread(folder: Path, mark: Mark, name: str = "stock-07") -> list[bytes]:
    return FileJournal(folder, name).read(*mark)


class TestReading:
    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        base=st.binary(),
        entries=st.lists(st.binary(), max_size=6),
        rest=st.lists(st.binary(), max_size=3),
    )
    def test_gives_back_what_was_marked(
        self, tmp_path: Path, base: bytes, entries: list[bytes], rest: list[bytes]
    ) -> None:
        """Base first, then the entries up to the mark, whatever was written after it."""
        folder = tmp_path / "state"
        journal = begun(folder, base, *entries)
        mark = journal.mark()
        for entry in rest:
            journal.append(entry)
        journal.mark()
        assert reread(folder, mark) == [base, *entries]
        for path in folder.iterdir():
            path.unlink()

    def test_cuts_off_what_came_after_the_mark(self, tmp_path: Path) -> None:
        """What is appended after a crash takes the place of what the crash undid."""
        journal = begun(tmp_path, b"base", b"one")
        mark = journal.mark()
        journal.append(b"lost in the crash")
        journal.mark()
        again = FileJournal(tmp_path, "stock-07")
        assert again.read(*mark) == [b"base", b"one"]
        again.append(b"two")
        assert reread(tmp_path, again.mark()) == [b"base", b"one", b"two"]

    def test_nothing_is_written_before_the_mark(self, tmp_path: Path) -> None:
        """Appending is free; the mark pays."""
        journal = begun(tmp_path, b"base", b"one" * 1000)
        assert [path.stat().st_size for path in tmp_path.iterdir()] == [0]
        assert journal.mark() == (1, 2 * HEADER + 4 + 3000)
        assert [path.stat().st_size for path in tmp_path.iterdir()] == [2 * HEADER + 3004]

    def test_much_is_written_before_the_mark(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It need not wait in memory; without the mark it does not count."""
        monkeypatch.setattr(module, "MOST_PENDING_BYTES", 2 * (HEADER + 10))
        journal = begun(tmp_path, b"base")
        mark = journal.mark()
        (path,) = tmp_path.iterdir()
        for number in range(5):
            journal.append(b"entry %4d" % number)
        assert path.stat().st_size == mark[1] + 4 * (HEADER + 10)
        assert reread(tmp_path, mark) == [b"base"]
        again = FileJournal(tmp_path, "stock-07")
        again.read(*mark)
        again.append(b"another")
        assert reread(tmp_path, again.mark()) == [b"base", b"another"]

    def test_spilled_or_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was written early and what was written at the mark are one after the other."""
        monkeypatch.setattr(module, "MOST_PENDING_BYTES", 30)
        entries = [bytes([65 + number]) * number for number in range(1, 12)]
        journal = begun(tmp_path, b"base", *entries)
        journal.mark()
        journal.append(b"last")
        assert reread(tmp_path, journal.mark()) == [b"base", *entries, b"last"]

    def test_long_ones_are_packed(self, tmp_path: Path) -> None:
        """They come back as they were, take less room, and weigh what they are."""
        lines = b'{"kind": "sold", "quantity": 1}' * 1000
        journal = begun(tmp_path, lines, lines, b"short")
        mark = journal.mark()
        assert mark[1] < len(lines)
        assert reread(tmp_path, mark) == [lines, lines, b"short"]

    def test_mark_with_nothing_new(self, tmp_path: Path) -> None:
        """The same mark again."""
        journal = begun(tmp_path)
        assert journal.mark() == journal.mark()

    def test_journals_of_one_folder_are_apart(self, tmp_path: Path) -> None:
        """Shards share a folder, and a name may be the beginning of another."""
        names = ["stock-0", "stock-0.1", "stock-01"]
        marks = []
        for name in names:
            journal = FileJournal(tmp_path, name)
            journal.rebase(name.encode())
            journal.rebase(name.encode())
            marks.append(journal.mark())
        assert marks == [(2, mark[1]) for mark in marks]
        assert [reread(tmp_path, mark, name) for name, mark in zip(names, marks, strict=True)] == [
            [name.encode()] for name in names
        ]


class TestGenerations:
    def test_old_ones_stay_for_some_marks(self, tmp_path: Path) -> None:
        """The engine may ask for a mark of the old generation until later ones are committed."""
        journal = begun(tmp_path, b"one")
        first = journal.mark()
        journal.rebase(b"two")
        for _ in range(MARKS_TO_KEEP):
            journal.mark()
            assert len(files(tmp_path)) == 2
        journal.mark()
        assert files(tmp_path) == ["stock-07.00000002.journal"]
        with pytest.raises(JournalError, match="is missing"):
            reread(tmp_path, first)

    def test_back_to_the_old_one(self, tmp_path: Path) -> None:
        """A crash between rebase and commit: the newer generation is undone."""
        journal = begun(tmp_path, b"one", b"entry")
        mark = journal.mark()
        journal.rebase(b"two")
        journal.mark()
        again = FileJournal(tmp_path, "stock-07")
        assert again.read(*mark) == [b"one", b"entry"]
        assert files(tmp_path) == ["stock-07.00000001.journal"]
        again.rebase(b"other two")
        assert reread(tmp_path, again.mark()) == [b"other two"]

    def test_old_ones_of_an_earlier_run_go_too(self, tmp_path: Path) -> None:
        """What an earlier run had no time to remove."""
        journal = begun(tmp_path, b"one")
        journal.mark()
        journal.rebase(b"two")
        again = FileJournal(tmp_path, "stock-07")
        again.read(*journal.mark())
        assert len(files(tmp_path)) == 2
        for _ in range(MARKS_TO_KEEP + 1):
            again.mark()
        assert files(tmp_path) == ["stock-07.00000002.journal"]

    def test_begun_anew_over_leftovers(self, tmp_path: Path) -> None:
        """Killed before the first commit: the engine knows of no journal, but files are there."""
        begun(tmp_path, b"left over").mark()
        journal = begun(tmp_path, b"anew")
        assert reread(tmp_path, journal.mark()) == [b"anew"]
        for _ in range(MARKS_TO_KEEP):
            journal.mark()
        assert files(tmp_path) == ["stock-07.00000002.journal"]

    def test_base_is_wanted_when_entries_outweigh_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Once they weigh more than the base, and at least the least that pays."""
        monkeypatch.setattr(module, "SMALLEST_REBASE_BYTES", 100)
        journal = begun(tmp_path, b"x" * 10)
        journal.append(b"y" * 80)
        assert not journal.wants_base()
        journal.append(b"y" * 20)
        assert journal.wants_base()
        journal.rebase(b"x" * 1000)
        assert not journal.wants_base()
        journal.append(b"y" * 980)
        assert not journal.wants_base()
        journal.append(b"y" * 20)
        assert journal.wants_base()
        mark = journal.mark()
        again = FileJournal(tmp_path, "stock-07")
        again.read(*mark)
        assert again.wants_base()


class TestDamage:
    @pytest.mark.parametrize(
        ("at", "place"),
        [(0, 0), (5, 0), (HEADER, 0), (HEADER + 3, 0), (HEADER + 4, 12), (3 * HEADER - 1, 12)],
    )
    def test_wrong_byte(self, tmp_path: Path, at: int, place: int) -> None:
        """The message says which file and where in it: in the frame that begins there."""
        mark = begun(tmp_path, b"base", b"an entry").mark()
        [path] = tmp_path.iterdir()
        data = bytearray(path.read_bytes())
        data[at] ^= 0x40
        path.write_bytes(data)
        with pytest.raises(JournalError, match=f"{path.name} is damaged at byte {place}: restore"):
            reread(tmp_path, mark)

    def test_damage_after_the_mark_does_not_matter(self, tmp_path: Path) -> None:
        """A torn write of the crash itself lies beyond the mark."""
        mark = begun(tmp_path, b"base", b"an entry").mark()
        [path] = tmp_path.iterdir()
        path.write_bytes(path.read_bytes() + b"\xff\x00torn")
        assert reread(tmp_path, mark) == [b"base", b"an entry"]
        assert path.stat().st_size == mark[1]

    @pytest.mark.parametrize("cut", [1, HEADER, 10_000])
    def test_too_short(self, tmp_path: Path, cut: int) -> None:
        """An older copy of the file was brought back, without the rest of the folder."""
        mark = begun(tmp_path, b"base", b"an entry").mark()
        [path] = tmp_path.iterdir()
        path.write_bytes(path.read_bytes()[:-cut])
        with pytest.raises(JournalError, match=rf"has \d+ bytes, .* counts on {mark[1]}"):
            reread(tmp_path, mark)

    def test_missing(self, tmp_path: Path) -> None:
        """The whole file is not there."""
        with pytest.raises(JournalError, match=r"stock-07\.00000003\.journal is missing"):
            reread(tmp_path, (3, 100))
