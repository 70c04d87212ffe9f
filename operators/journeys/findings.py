"""What is wrong with a journey's file, in words that an operator understands, in two languages."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal, NamedTuple

Level = Literal["error", "warning"]
Path = tuple[str | int, ...]


class Said(NamedTuple):
    """One sentence in English and in Chinese."""

    en: str
    zh: str


class Finding(NamedTuple):
    """Something wrong at a line: an `error` keeps the journey from running."""

    line: int
    level: Level
    code: str
    said: Said

    def shown(self, name: str, language: str = "en") -> str:
        """`file, line 3: error: ...`, or the same in Chinese."""
        if language == "zh":
            level = "错误" if self.level == "error" else "提醒"
            return f"{name} 第 {self.line} 行 {level}：{self.said.zh}"
        return f"{name}, line {self.line}: {self.level}: {self.said.en}"


class WordsError(ValueError):
    """A value that cannot be read; the texts say what to write instead."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said


def nearest(word: str, known: Iterable[str]) -> Said:
    """`; did you mean x?` where one of the known words is close, else nothing."""
    # One of two Chinese letters is as much as half of an English word.
    found = get_close_matches(word, list(known), n=1, cutoff=0.6 if len(word) > 3 else 0.5)
    if not found:
        return Said("", "")
    return Said(f"; did you mean {found[0]}?", f"，是否想写 {found[0]}？")
