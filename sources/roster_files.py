"""The roster files of a chain's shops, read again when they have changed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from operators.staffing.shop import Shops
from schemas.roster import RosterFile
from schemas.roster_file import RosterProblem, load_roster

LOG = logging.getLogger("tillflow.roster")


class RosterFiles:
    """Files that match patterns, seen from a folder.

    One that cannot be read any more stays as it was, and that is said once: what has been a roster
    should not vanish while somebody edits it.
    """

    def __init__(self, patterns: Sequence[str], folder: Path) -> None:
        self._patterns = patterns
        self._folder = folder
        self._read: dict[Path, tuple[tuple[int, int], RosterFile]] = {}
        self._bad: dict[Path, tuple[int, int]] = {}
        self._shops = Shops()

    def check(self) -> Shops:
        """The shops.

        Raises:
            RosterProblem: a pattern matches nothing, or a file is none.
        """
        for pattern in self._patterns:
            if not list(self._folder.glob(pattern)):
                msg = f"staffing.shops: nothing in {self._folder} matches {pattern!r}"
                raise RosterProblem(msg)
        for path in self._paths():
            load_roster(path)
        return self.shops()

    def shops(self) -> Shops:
        """The shops as the files say now."""
        changed = False
        there = self._paths()
        for path in there:
            try:
                about = path.stat()
                mark = (about.st_mtime_ns, about.st_size)
                known = self._read.get(path)
                if (known is not None and known[0] == mark) or self._bad.get(path) == mark:
                    continue
                self._bad[path] = mark
                self._read[path] = (mark, load_roster(path))
                changed = True
            except (OSError, RosterProblem) as wrong:
                LOG.warning("a roster file stays as it was: %s", wrong)
        for path in self._read.keys() - set(there):
            del self._read[path]
            changed = True
        if changed:
            self._shops = Shops(file for _, file in self._read.values())
        return self._shops

    def _paths(self) -> list[Path]:
        return sorted({path for pattern in self._patterns for path in self._folder.glob(pattern)})
