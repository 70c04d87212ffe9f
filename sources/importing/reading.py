"""What a file is and how its bytes become text, with messages for the usual mix-ups."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from sources.importing.fields import FileFormat
from sources.importing.problems import InputError

_BLOCK = 1 << 20
_NOT_TABLES = {
    b"PK\x03\x04": "an Excel workbook or a zip archive: save the sheet as CSV UTF-8, or unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV UTF-8",
    b"\x1f\x8b": "packed with gzip: unpack it first",
    b"%PDF": "a PDF: export the table as CSV",
}
_WIDE = ("utf-16", "utf-32", "utf_16", "utf_32")


def file_type(path: Path, declared: FileFormat) -> str:
    """`csv` or `parquet`, as declared or else by the file's first bytes.

    Raises:
        InputError: the file is not there, cannot be opened, or is neither of the two.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as wrong:
        msg = f"{path}: cannot be opened: {wrong.strerror or wrong}"
        raise InputError(msg) from None
    if declared.type != "auto":
        return declared.type
    if head[:4] == b"PAR1" or path.suffix.lower() in (".parquet", ".pq"):
        return "parquet"
    for magic, words in _NOT_TABLES.items():
        if head.startswith(magic):
            msg = f"{path} is {words}"
            raise InputError(msg)
    if b"\0" in head and not declared.encoding[0].lower().startswith(_WIDE):
        hint = "; for a text file declare file: {encoding: utf-16}"
        msg = f"{path} holds zero bytes, so it is no {declared.encoding[0]} text{hint}"
        raise InputError(msg)
    return "csv"


def fitting_encoding(path: Path, declared: FileFormat) -> tuple[str, int | None]:
    """The first declared encoding that fits the whole file, and None.

    When none fits: the last one, and where in the file its first wrong byte is, counted from 0.
    """
    for encoding in declared.encoding:
        wrong_at = _first_wrong_byte(path, encoding)
        if wrong_at is None:
            return encoding, None
    return encoding, wrong_at


def also_reads_as(path: Path, declared: FileFormat) -> str | None:
    """Another usual encoding that fits the whole file, for a hint to the operator."""
    tried = {codecs.lookup(name).name for name in declared.encoding}
    for encoding in ("utf-8", "gb18030"):
        if codecs.lookup(encoding).name not in tried and _first_wrong_byte(path, encoding) is None:
            return encoding
    return None


def _first_wrong_byte(path: Path, encoding: str) -> int | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK)
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as wrong:
                return done - pending + wrong.start
            if not block:
                return None
            done += len(block)


def text_lines(path: Path, encoding: str, errors: str) -> Iterator[str]:
    """The file's lines with their ends as they are, without a byte order mark."""
    with path.open(encoding=encoding, errors=errors, newline="") as file:
        first = True
        for line in file:
            yield line.removeprefix("\ufeff") if first else line
            first = False
