"""The report of an import: what came in, what went out, and what a person should look at."""

from __future__ import annotations

import msgspec

GAP_LIMIT = 0.01
GAP_RULE = (
    "a place has n days with events among the D days from its first to its last; were they "
    "scattered by chance, a silence of k whole days would be expected (n-1) x C(D-2-k, n-2) / "
    "C(D-2, n-2) times; a silence of 2 days or more is listed when that, times the number of "
    f"places, is less than {GAP_LIMIT}. Days are local"
)


class FileRead(msgspec.Struct):
    """One file: `rows` without its header and blank lines; `encoding` of a text file."""

    file: str
    rows: int
    columns: int
    blank_lines: int = 0
    encoding: str | None = None


class Refused(msgspec.Struct):
    """Rows refused for one reason; the example is one of them, in words."""

    code: str
    rows: int
    example: str


class Skipped(msgspec.Struct):
    """Rows left out by one declared rule."""

    because: str
    rows: int


class Duplicates(msgspec.Struct):
    """Rows that are the same in all columns as one before them.

    `found` counts them whatever became of them; `dropped` those that would have been events, of
    which `across_files` repeat a row of another file.
    """

    found: int
    dropped: int
    across_files: int


class KindCount(msgspec.Struct):
    """Events of one kind and the sum of their quantities."""

    kind: str
    events: int
    units: int


class Quantities(msgspec.Struct):
    """Quantities as the files have them, whatever became of their rows; skipped rows left out."""

    zero: int
    negative: int


class UnknownSkus(msgspec.Struct):
    """Rows whose SKU is in no map or list of known ones; `most` are codes and their rows."""

    rows: int
    codes: int
    most: list[tuple[str, int]]


class Gap(msgspec.Struct):
    """A silence of a place: whole local days without an event, first and last included.

    `expected` is how often chance alone would make one so long, over all places of the import.
    """

    place: str
    first_day: str
    last_day: str
    days: int
    expected: float


class ColumnProfile(msgspec.Struct):
    """One column over all files. Values are shown only where they go into events (`shown`).

    `empty` are rows without a value; `distinct_estimated` when there were too many to count.
    """

    column: str
    type: str
    shown: bool
    empty: int
    distinct: int
    distinct_estimated: bool
    smallest: str | None = None
    largest: str | None = None
    examples: list[str] = []


class Report(msgspec.Struct, kw_only=True):
    """A whole import. Instants are RFC 3339 in UTC; `seconds` is wall-clock time."""

    mapping: str
    source: str
    out: str
    quarantine: str
    files: list[FileRead]
    rows_in: int
    events_out: int
    refused: int
    duplicates_dropped: int
    skipped: int
    refused_by_reason: list[Refused]
    skipped_by_rule: list[Skipped]
    duplicates: Duplicates
    kinds: list[KindCount]
    first_time: str | None
    last_time: str | None
    skus: int
    places: int
    quantities: Quantities
    impossible_times: dict[str, int]
    repeated_hour: int
    unknown_skus: UnknownSkus
    gaps: list[Gap]
    gap_rule: str = GAP_RULE
    columns: list[ColumnProfile]
    warnings: list[str]
    seconds: float = 0.0

    @property
    def balance(self) -> str:
        """The account of rows in words; every row read is in exactly one of its parts."""
        return (
            f"{self.rows_in:,} rows in = {self.events_out:,} events + {self.refused:,} refused + "
            f"{self.duplicates_dropped:,} duplicates dropped + {self.skipped:,} skipped by rule"
        )

    @property
    def balanced(self) -> bool:
        """Whether the account of rows is even; an import that is not writes nothing."""
        parts = self.events_out + self.refused + self.duplicates_dropped + self.skipped
        return self.rows_in == parts
