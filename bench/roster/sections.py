"""Instance files of others: sections with a heading, comma-separated lines, comments."""

from __future__ import annotations

from pathlib import Path

MARK = "SECTION_"


class UnreadInstance(Exception):
    """A file is not an instance of the kind that was asked for; the message says where."""


def sections(path: Path, wanted: tuple[str, ...]) -> dict[str, list[list[str]]]:
    """The fields of each line, by section; sections that are wanted have to be there.

    Raises:
        UnreadInstance: a line stands before any section, or a section is missing.
    """
    found: dict[str, list[list[str]]] = {}
    lines: list[list[str]] | None = None
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = text.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith(MARK):
            lines = found.setdefault(line.removeprefix(MARK), [])
        elif lines is None:
            msg = f"{path.name}:{number}: {line!r} stands before the first {MARK}... line"
            raise UnreadInstance(msg)
        else:
            lines.append([field.strip() for field in line.split(",")])
    missing = [name for name in wanted if name not in found]
    if missing:
        msg = f"{path.name}: no section {MARK}{missing[0]}: is it an instance of another kind?"
        raise UnreadInstance(msg)
    return found
