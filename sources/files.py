"""Which files a source names, how far each was read, and what is said where there are none."""

from __future__ import annotations

from glob import glob
from pathlib import Path

PARQUET = ".parquet"
SUFFIXES = (".jsonl", PARQUET)

# offset, lines, fingerprint of the file's start and of what stands before the offset
FilePosition = tuple[int, int, int]


class SourceError(Exception):
    """There is nothing to read where the source should be."""


def find_files(source: str) -> list[Path]:
    """The files a source names, in order of their names.

    Raises:
        SourceError: there are none; the message says what was looked for.
    """
    path = Path(source)
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES)
        if not found:
            msg = f"{source} holds no *.jsonl or *.parquet file: give a file of events or a folder"
            raise SourceError(msg)
        return found
    if path.exists():
        return [path]
    found = sorted(Path(name) for name in glob(source))
    if not found:
        msg = f"{source} is not there: give a file of events (JSON Lines or Parquet) or a folder"
        raise SourceError(msg)
    return found
