"""A part of a source tells once that it has read up, and is else what it was."""

from __future__ import annotations

from datetime import datetime
from threading import Event
from typing import Any

import pytest

from operators.records import NewFiles, ReadUp
from operators.stock.decode import Block
from sources.abreast.partition import AbreastSource
from sources.marked.partition import MarkedSource


class Counting:
    """A part of three batches, the second of them empty, that has read up with the second."""

    def __init__(self) -> None:
        self.batches = [["a", "b"], [], ["c"]]
        self.handed = 0
        self.closed = False

    def next_batch(self) -> list[str]:
        if self.handed == len(self.batches):
            raise StopIteration
        self.handed += 1
        return self.batches[self.handed - 1]

    def next_awake(self) -> datetime | None:
        return None

    def snapshot(self) -> Any:
        return ("at", self.handed)

    def close(self) -> None:
        self.closed = True

    def read_up(self) -> bool:
        return self.handed >= 2


class Counted:
    def __init__(self) -> None:
        self.part = Counting()
        self.resumed: Any = None

    def list_parts(self) -> list[str]:
        return ["one"]

    def build_part(self, step_id: str, for_part: str, resume_state: Any) -> Counting:
        self.resumed = resume_state
        return self.part


def test_marks_once_after_what_there_was() -> None:
    source = Counted()
    marked = MarkedSource[str](source)
    assert marked.list_parts() == ["one"]
    part = marked.build_part("read", "one", ("at", 7))
    assert source.resumed == ("at", 7)
    assert list(part.next_batch()) == ["a", "b"]
    assert list(part.next_batch()) == [ReadUp("one")]
    assert part.snapshot() == ("at", 2)
    assert list(part.next_batch()) == ["c"]
    assert part.next_awake() is None
    with pytest.raises(StopIteration):
        part.next_batch()
    part.close()
    assert source.part.closed


def test_files_that_are_followed(tmp_path: Any) -> None:
    """The mark comes after the last block that was there, and what is added comes after it."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"{}\n" * 3)
    source = MarkedSource(AbreastSource(str(path), Event(), follow=True))
    part = source.build_part("read", "files", None)
    found: list[Block | ReadUp | NewFiles] = []
    while not any(isinstance(one, ReadUp) for one in found):
        found += part.next_batch()
    first, mark = found
    assert isinstance(first, Block)
    assert (first.total, mark) == (3, ReadUp("files"))
    with path.open("ab") as file:
        file.write(b"{}\n")
    more: list[Block | ReadUp | NewFiles] = []
    while not more:
        more += part.next_batch()
    (later,) = more
    assert isinstance(later, Block)
    assert later.first == 4
    part.close()


def test_news_come_with_the_first_part_alone() -> None:
    class Two(Counted):
        def list_parts(self) -> list[str]:
            return ["b", "a"]

    told = iter([None, NewFiles((1,)), None])
    marked = MarkedSource[str](Two(), lambda: next(told))
    other = marked.build_part("step", "b", None)
    assert list(other.next_batch()) == ["a", "b"]
    first = MarkedSource[str](Two(), lambda: next(told)).build_part("step", "a", None)
    assert list(first.next_batch()) == ["a", "b"]
    assert list(first.next_batch()) == [NewFiles((1,)), ReadUp("a")]
    assert list(first.next_batch()) == ["c"]
