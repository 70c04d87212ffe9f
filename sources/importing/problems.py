"""What can stop an import, as a tree; each message says what is wrong, where and what to do.

ImportProblem           nothing was written; the message is meant for the operator
├── MappingError        the mapping: its YAML, a name in it, one of its SQL expressions
└── InputError          a file: missing, not of the declared format, without rows that can be read

A dirty row is none of these: it goes to quarantine and the import goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ImportProblem(Exception):
    """The import cannot go on; the message is for the operator."""


class MappingError(ImportProblem):
    """The mapping is broken at a line of its file."""

    def __init__(self, where: str, line: int, message: str) -> None:
        self.line = line
        super().__init__(f"{where}, line {line}: {message}" if line else f"{where}: {message}")


class InputError(ImportProblem):
    """A file cannot be read as what it is declared to be."""


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` when one of the known names is close, else nothing."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f'; did you mean "{by_lower[found[0]]}"?' if found else ""


def first_line(error: Exception) -> str:
    """The first line of DuckDB's message; the rest repeats the statement."""
    return str(error).strip().split("\n", 1)[0]
