"""Journeys on disk: files and folders of them, read and checked together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from operators.journeys.compile import Read, read_journey
from operators.journeys.findings import Finding, Said
from operators.journeys.lint import lint
from operators.journeys.program import Program
from operators.journeys.reading import Source
from schemas.chain import Chain
from sources.files import SourceError

SUFFIXES = (".yaml", ".yml")


class JourneyFileError(SourceError):
    """Journeys cannot be read or run; the message says which and what to do."""


def journey_files(given: Iterable[Path]) -> list[Path]:
    """The files that are meant: themselves, and all YAML files of folders.

    Raises:
        JourneyFileError: one is not there, or a folder has none.
    """
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            inside = sorted(each for each in path.iterdir() if each.suffix in SUFFIXES)
            if not inside:
                msg = f"{path} holds no journey: give a folder with *.yaml files"
                raise JourneyFileError(msg)
            found += inside
        elif path.exists():
            found.append(path)
        else:
            msg = f"{path} is not there: give a journey's file, or a folder of them"
            raise JourneyFileError(msg)
    return list(dict.fromkeys(found))


def read_files(paths: Sequence[Path], chain: Chain) -> list[Read]:
    """Each file with all that is wrong with it, alone and among the others."""
    reads = [_read(path, chain) for path in paths]
    lint(reads, chain)
    return reads


def load_journeys(given: Path | None, chain: Chain) -> tuple[Program, ...]:
    """The programs of a file or a folder; none where none is given.

    Raises:
        JourneyFileError: a file has errors; names the first of each.
    """
    reads = [] if given is None else read_files(journey_files([given]), chain)
    wrong = [
        next(one for one in read.source.findings if one.level == "error").shown(read.source.name)
        for read in reads
        if read.source.broken
    ]
    if wrong:
        msg = "\n".join([*wrong, "see `tillflow journey lint` for all of them"])
        raise JourneyFileError(msg)
    return tuple(read.program for read in reads if read.program is not None)


def _read(path: Path, chain: Chain) -> Read:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        source = Source(str(path), "")
        why = getattr(wrong, "strerror", None) or "it is no UTF-8 text"
        said = Said(
            f"it cannot be read: {why}; save it as UTF-8", f"无法读取（{why}），请存为 UTF-8"
        )
        source.findings.append(Finding(1, "error", "unreadable", said))
        return Read(source, None, [])
    return read_journey(text, str(path), chain)
