"""Addresses of members, from a file that only this worker reads: never in a topic, table or log."""

from __future__ import annotations

import csv
import threading
import time
from pathlib import Path

from schemas.channels_file import ChannelsProblem

# A file that is written anew is read anew, looked at no more often than this.
LOOK_SECONDS = 1.0


class Contacts:
    """A CSV file with a header: `member` and one column for each kind of address.

    Read anew when it changes, so that who is taken out of it has no address any more.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._look_at = 0.0
        self._columns: tuple[str, ...] = ()
        self._rows: dict[str, tuple[str, ...]] = {}
        self.of("")

    def of(self, member: str) -> dict[str, str]:
        """The columns of a member, empty where nothing is known.

        Raises:
            ChannelsProblem: the file cannot be read or has no column `member`.
        """
        with self._lock:
            if time.monotonic() >= self._look_at:
                self._refresh()
                self._look_at = time.monotonic() + LOOK_SECONDS
            row = self._rows.get(member)
        return dict(zip(self._columns, row, strict=True)) if row is not None else {}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that there are."""
        return self._columns

    def __len__(self) -> int:
        return len(self._rows)

    def _refresh(self) -> None:
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamp:
                return
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file)
                columns = tuple(name.strip() for name in next(reader, []))
                rows = [tuple(cell.strip() for cell in row) for row in reader if row]
        except (OSError, UnicodeDecodeError, csv.Error) as wrong:
            why = getattr(wrong, "strerror", None) or wrong
            msg = f"contacts {self._path} cannot be read: {why}"
            raise ChannelsProblem(msg) from None
        if "member" not in columns:
            msg = f"contacts {self._path}: the first line must name the columns, `member` is one"
            raise ChannelsProblem(msg)
        at = columns.index("member")
        for number, row in enumerate(rows, 2):
            if len(row) != len(columns):
                msg = f"contacts {self._path}: row {number} has {len(row)} cells of {len(columns)}"
                raise ChannelsProblem(msg)
        self._columns, self._stamp = columns, stamp
        self._rows = {row[at]: row for row in rows}
