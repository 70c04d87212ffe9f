"""Blocks of whole lines: every line once, with its own number, wherever reading was cut off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operators.stock.decode import RAW_LIMIT, Block
from sources import blocks
from sources.blocks import BlockReader
from sources.files import FilePosition, SourceError, find_files
from sources.partition import PARTITION, BlockSource

Numbered = list[tuple[str, int, bytes]]
Positions = dict[str, FilePosition]

LONGEST_LINE = 4096

# The folder of a test is made once for all examples: each writes all that it reads.
EXAMPLES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

LINES = st.lists(st.sampled_from([b"", b"\r", b"a", b"bb\r", b"x" * 9, b"y" * 30, "深".encode()]))
CONTENT = st.builds(
    lambda lines, end: b"\n".join(lines) + end, LINES, st.sampled_from([b"", b"\n"])
)


def numbered(found: Iterable[Block]) -> Numbered:
    """File, number and text of every line; says so where a block does not count right."""
    lines: Numbered = []
    for block in found:
        parts = block.lines.split(b"\n")
        assert block.total == len(parts)
        lines += [
            (Path(block.origin).name, block.first + at, line) for at, line in enumerate(parts)
        ]
    return lines


def as_split(name: str, content: bytes) -> Numbered:
    """What a file holds: what `split` says, where an end is no line of its own."""
    lines = content.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [(name, number, line) for number, line in enumerate(lines, 1)]


def all_blocks(reader: BlockReader) -> Iterator[Block]:
    while (block := reader.next_block()) is not None:
        yield block


def read_all(source: Path, positions: Positions | None = None) -> Numbered:
    return numbered(all_blocks(BlockReader(str(source), positions)))


def after(source: Path, taken: int) -> Positions:
    """Where a reader stands that was stopped after that many blocks."""
    reader = BlockReader(str(source))
    for _ in range(taken):
        reader.next_block()
    reader.close()
    return reader.positions()


def following(source: Path, positions: Positions | None = None) -> BlockReader:
    return BlockReader(str(source), positions, follow=True)


@pytest.fixture(name="small", params=[1, 7, 64])
def _small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Blocks of a few bytes, so that little files have many."""
    size: int = request.param
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    monkeypatch.setattr(blocks, "LONGEST_LINE", LONGEST_LINE)
    return size


class TestWholeFiles:
    @EXAMPLES
    @given(content=CONTENT)
    def test_same_lines_as_split(self, tmp_path: Path, small: int, content: bytes) -> None:
        """Whatever the size of a block, lines and numbers are those of the file."""
        file = tmp_path / "a.jsonl"
        file.write_bytes(content)
        assert read_all(file) == as_split("a.jsonl", content)

    @EXAMPLES
    @given(content=CONTENT)
    def test_resumes_after_every_block(self, tmp_path: Path, small: int, content: bytes) -> None:
        """Stopped anywhere and taken up again, each line comes once."""
        file = tmp_path / "a.jsonl"
        file.write_bytes(content)
        found = list(all_blocks(BlockReader(str(file))))
        for taken in range(len(found) + 1):
            rest = read_all(file, after(file, taken))
            assert numbered(found[:taken]) + rest == as_split("a.jsonl", content)

    @EXAMPLES
    @given(contents=st.lists(CONTENT, min_size=1, max_size=4), taken=st.integers(0, 9))
    def test_folder_in_order_of_names(
        self, tmp_path: Path, small: int, contents: list[bytes], taken: int
    ) -> None:
        """A folder is read file by file; only `*.jsonl` counts."""
        for old in tmp_path.iterdir():
            old.unlink()
        (tmp_path / "notes.txt").write_bytes(b"not an event\n")
        for number, content in enumerate(contents):
            (tmp_path / f"{number}.jsonl").write_bytes(content)
        reader = BlockReader(str(tmp_path))
        first = [block for _ in range(taken) if (block := reader.next_block()) is not None]
        reader.close()
        rest = read_all(tmp_path, reader.positions())
        assert numbered(first) + rest == [
            line
            for number, content in enumerate(contents)
            for line in as_split(f"{number}.jsonl", content)
        ]

    def test_usual_block_size(self, tmp_path: Path) -> None:
        """A file of several blocks of the usual size, with a last line that has no end."""
        file = tmp_path / "a.jsonl"
        content = b"\n".join(b"%d," % number * 40 for number in range(20_000))
        file.write_bytes(content)
        found = list(all_blocks(BlockReader(str(file))))
        assert len(found) > 3
        assert numbered(found) == as_split("a.jsonl", content)


class TestLongLines:
    def test_longer_than_a_block(self, tmp_path: Path, small: int) -> None:
        """A line may be longer than a block: it comes whole."""
        content = b"a\n" + b"x" * 4000 + b"\nb\n"
        file = tmp_path / "a.jsonl"
        file.write_bytes(content)
        assert read_all(file) == as_split("a.jsonl", content)

    @pytest.mark.parametrize("end", [b"\n", b"\nb", b""])
    @pytest.mark.parametrize("length", [9_000, 100_000])
    def test_longer_than_any_event(
        self, tmp_path: Path, small: int, length: int, end: bytes
    ) -> None:
        """Its beginning goes on, to become a dead letter; the lines after it keep their numbers."""
        file = tmp_path / "a.jsonl"
        file.write_bytes(b"a\n" + b"x" * length + end)
        first, long, *rest = read_all(file)
        assert (first, long[:2]) == (("a.jsonl", 1, b"a"), ("a.jsonl", 2))
        assert rest == [("a.jsonl", 3, b"b")] * end.endswith(b"b")
        assert set(long[2]) == {ord("x")}
        assert LONGEST_LINE <= len(long[2]) <= RAW_LIMIT


class TestGrowingFiles:
    @EXAMPLES
    @given(content=CONTENT, cuts=st.lists(st.integers(0, 100), max_size=4))
    def test_run_by_run(self, tmp_path: Path, small: int, content: bytes, cuts: list[int]) -> None:
        """Read again whenever it has grown, even by half a line: numbers stay those of the file.

        Half a line is read twice, once as far as it went and once as it is: nothing is lost.
        """
        file = tmp_path / "a.jsonl"
        positions: Positions = {}
        last: dict[int, bytes] = {}
        for cut in sorted({min(cut, len(content)) for cut in cuts} | {len(content)}):
            file.write_bytes(content[:cut])
            reader = BlockReader(str(file), positions)
            last |= {number: line for _, number, line in numbered(all_blocks(reader))}
            positions = reader.positions()
        assert last == {number: line for _, number, line in as_split("", content)}
        assert read_all(file, positions) == []

    @EXAMPLES
    @given(content=CONTENT, cuts=st.lists(st.integers(0, 100), max_size=6))
    def test_followed(self, tmp_path: Path, small: int, content: bytes, cuts: list[int]) -> None:
        """Followed byte by byte, every line comes once, as soon as its end is there."""
        file = tmp_path / "a.jsonl"
        file.write_bytes(b"")
        reader = following(file)
        found: Numbered = []
        for cut in sorted({min(cut, len(content)) for cut in cuts} | {len(content)}):
            file.write_bytes(content[:cut])
            for _ in range(2):  # None says that nothing more is there yet
                found += numbered(all_blocks(reader))
            whole = content[: content.rfind(b"\n", 0, cut) + 1]
            assert found == as_split("a.jsonl", whole)

    def test_half_a_line_of_an_earlier_run(self, tmp_path: Path) -> None:
        """What an earlier run took without its end is followed from its start once it grows."""
        file = tmp_path / "a.jsonl"
        file.write_bytes(b"one\ntw")
        positions = after(file, 2)
        reader = following(file, positions)
        assert reader.next_block() is None
        with file.open("ab") as out:
            out.write(b"o")
        assert numbered(all_blocks(reader)) == numbered(all_blocks(reader)) == []
        with file.open("ab") as out:
            out.write(b"\nthree\n")
        assert numbered(all_blocks(reader)) == [
            ("a.jsonl", 2, b"two"),
            ("a.jsonl", 3, b"three"),
        ]

    def test_whole_line_whose_end_comes_later(self, tmp_path: Path) -> None:
        """The end of the last line alone is no new line."""
        file = tmp_path / "a.jsonl"
        file.write_bytes(b"one\ntwo")
        positions = after(file, 2)
        for more in (b"", b"\n", b"\nthree"):
            file.write_bytes(b"one\ntwo" + more)
            assert read_all(file, positions) == [("a.jsonl", 3, b"three")] * (more == b"\nthree")

    def test_new_files_are_found(self, tmp_path: Path) -> None:
        """A folder that is followed may get new files; old ones are not read again."""
        (tmp_path / "b.jsonl").write_bytes(b"1\n")
        reader = following(tmp_path)
        assert numbered(all_blocks(reader)) == [("b.jsonl", 1, b"1")]
        (tmp_path / "a.jsonl").write_bytes(b"2\n")
        (tmp_path / "b.jsonl").write_bytes(b"1\n3\n")
        found = numbered(all_blocks(reader)) + numbered(all_blocks(reader))
        assert sorted(found) == [("a.jsonl", 1, b"2"), ("b.jsonl", 2, b"3")]

    def test_file_that_is_away_for_a_moment(self, tmp_path: Path) -> None:
        """A log that is rotated under the reader comes back as a new file."""
        file = tmp_path / "a.jsonl"
        file.write_bytes(b"one\n")
        reader = following(file)
        assert numbered(all_blocks(reader)) == [("a.jsonl", 1, b"one")]
        file.unlink()
        assert [reader.next_block() for _ in range(3)] == [None] * 3
        file.write_bytes(b"other\n")
        found = numbered(all_blocks(reader)) + numbered(all_blocks(reader))
        assert found == [("a.jsonl", 1, b"other")]


class TestReplacedFiles:
    @pytest.mark.parametrize(
        "content", [b"new\nlines\nhere\nand more\n", b"new\n", b"one\ntwo\nthree\nfOur\n"]
    )
    def test_is_read_from_its_start(self, tmp_path: Path, small: int, content: bytes) -> None:
        """Longer, shorter, or with another byte somewhere: a new file under an old name."""
        file = tmp_path / "a.jsonl"
        file.write_bytes(b"one\ntwo\nthree\nfour\n")
        positions = after(file, 99)
        assert read_all(file, positions) == []
        file.write_bytes(content)
        assert read_all(file, positions) == as_split("a.jsonl", content)

    def test_same_bytes_are_the_same_file(self, tmp_path: Path) -> None:
        """A copy brought back under the name is known, also after years of other files."""
        file, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
        file.write_bytes(b"one\ntwo\n")
        positions = after(file, 9)
        file.unlink()
        other.write_bytes(b"three\n")
        reader = BlockReader(str(tmp_path), positions)
        assert numbered(all_blocks(reader)) == [("b.jsonl", 1, b"three")]
        file.write_bytes(b"one\ntwo\nfour\n")
        assert read_all(tmp_path, reader.positions()) == [("a.jsonl", 3, b"four")]


class TestWhatASourceNames:
    def test_file_folder_and_pattern(self, tmp_path: Path) -> None:
        """Files come in order of their names; a file that is named is taken whatever its ending."""
        names = ["b.jsonl", "a.jsonl", "c.txt"]
        for name in names:
            (tmp_path / name).touch()
        found = {
            source: [path.name for path in find_files(str(tmp_path / source))]
            for source in ("", "?.*", "c.txt")
        }
        assert found == {
            "": ["a.jsonl", "b.jsonl"],
            "?.*": ["a.jsonl", "b.jsonl", "c.txt"],
            "c.txt": ["c.txt"],
        }

    def test_brackets_in_a_name(self, tmp_path: Path) -> None:
        """A file that is there is no pattern."""
        file = tmp_path / "till[1].jsonl"
        file.touch()
        assert find_files(str(file)) == [file]

    @pytest.mark.parametrize("name", ["", "none.jsonl", "*.jsonl"])
    def test_nothing_there(self, tmp_path: Path, name: str) -> None:
        """The message says what was looked for."""
        with pytest.raises(SourceError, match=str(tmp_path / name).replace("*", r"\*")):
            BlockReader(str(tmp_path / name))


class TestPartition:
    def test_one_with_a_fixed_name(self, tmp_path: Path) -> None:
        """The engine never sees a partition come or go, whatever the files are called."""
        source = BlockSource(str(tmp_path), Event())
        assert source.list_parts() == [PARTITION] == ["files"]

    def test_ends_at_the_end(self, tmp_path: Path) -> None:
        """One block at a time, then StopIteration; the snapshot is where the reader stands."""
        file = tmp_path / "a.jsonl"
        file.write_bytes(b"one\n")
        part = BlockSource(str(file), Event()).build_part("read", PARTITION, None)
        start = part.snapshot()
        assert numbered(part.next_batch()) == [("a.jsonl", 1, b"one")]
        end = part.snapshot()
        with pytest.raises(StopIteration):
            part.next_batch()
        assert part.next_awake() is None
        again = BlockSource(str(file), Event()).build_part("read", PARTITION, start)
        assert numbered(again.next_batch()) == [("a.jsonl", 1, b"one")]
        again.close()
        assert again.snapshot() == end
        done = BlockSource(str(file), Event()).build_part("read", PARTITION, end)
        with pytest.raises(StopIteration):
            done.next_batch()

    def test_waits_while_it_follows_and_stops_when_told(self, tmp_path: Path) -> None:
        """A quiet file is looked at again after a while, not in a busy loop."""
        file = tmp_path / "a.jsonl"
        file.write_bytes(b"")
        stop = Event()
        part = BlockSource(str(file), stop, follow=True).build_part("read", PARTITION, None)
        assert list(part.next_batch()) == []
        assert part.next_awake() is not None
        file.write_bytes(b"one\n")
        assert numbered(part.next_batch()) == [("a.jsonl", 1, b"one")]
        assert part.next_awake() is None
        part.close()
        stop.set()
        with pytest.raises(StopIteration):
            part.next_batch()
