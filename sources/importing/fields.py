"""The parts of a mapping that say which column means what, and how a file is written."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import ClassVar, Literal
from zoneinfo import available_timezones

import msgspec

from schemas.movement import KINDS
from sources.importing.declared import Part
from sources.importing.problems import nearest

ALL_COLUMNS = "*"
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def refuse(message: str) -> None:
    """What a part says when its values do not go together."""
    raise ValueError(message)


@cache  # it walks a tree of files
def iana_zones() -> frozenset[str]:
    """All IANA zones; `localtime` is left out, for it is another one on every machine."""
    return frozenset(available_timezones() - {"localtime"})


def known_zone(name: str) -> str:
    """The name, when IANA knows it.

    Raises:
        ValueError: no such zone; names the nearest.
    """
    zones = iana_zones()
    if name not in zones:
        hint = nearest(name, zones) or "; IANA names look like Asia/Shanghai"
        refuse(f'there is no time zone "{name}"{hint}')
    return name


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return _DATE.fullmatch(text) is not None


class Zone(Part, frozen=True):
    """An IANA zone."""

    shorthand: ClassVar[str] = "name"
    name: str

    def __post_init__(self) -> None:
        """Only zones that exist."""
        known_zone(self.name)


class FileFormat(Part, frozen=True):
    """How a file of rows is written.

    `encoding`: the first that fits the whole file is taken. `empty`: texts that stand for nothing.
    `columns`: the names, for a file without a header. `skip_lines`: lines above the header.
    """

    type: Literal["auto", "csv", "parquet"] = "auto"
    encoding: tuple[str, ...] = ("utf-8",)
    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    columns: tuple[str, ...] = ()
    skip_lines: int = 0
    empty: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Encodings exist, marks are single characters, names come from one place."""
        for encoding in self.encoding:
            try:
                b" ".decode(encoding)
            except UnicodeDecodeError:
                continue  # one byte is half a character of UTF-16
            except LookupError:
                refuse(f'there is no encoding "{encoding}" (utf-8, gb18030, latin-1 are some)')
        if len(self.delimiter_mark) != 1 or self.delimiter_mark in '"\r\n':
            refuse(f'delimiter must be one character or the word tab, not "{self.delimiter}"')
        if len(self.quote) > 1:
            refuse(f'quote must be one character, or empty for none, not "{self.quote}"')
        if self.header and self.columns:
            refuse("columns names the columns of a file without a header: add header: false")
        if not self.header and not self.columns:
            refuse("without a header the names are needed: add columns: [first, second, ...]")
        if self.skip_lines < 0:
            refuse("skip_lines cannot be below 0")

    @property
    def delimiter_mark(self) -> str:
        """The delimiter itself."""
        return "\t" if self.delimiter == "tab" else self.delimiter


class Numbers(Part, frozen=True):
    """How numbers are written in text columns."""

    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", "'", " "] = ""

    def __post_init__(self) -> None:
        """Two different marks."""
        if self.decimal == self.thousands:
            refuse(f'decimal and thousands cannot both be "{self.decimal}"')


class Origin(Part, frozen=True):
    """Where a value comes from: exactly one of a column, a constant and an SQL expression."""

    shorthand: ClassVar[str] = "column"
    column: str | None = None
    constant: str | None = None
    sql: str | None = None

    def __post_init__(self) -> None:
        """Exactly one."""
        given = [each for each in (self.column, self.constant, self.sql) if each is not None]
        if len(given) != 1:
            refuse("say where it comes from by exactly one of column, constant and sql")


class Value(Origin, frozen=True):
    """An origin, and a code map that it is looked up in."""

    map: str | None = None


class ZoneValue(Value, frozen=True):
    """A zone: written plainly it is the same for all rows."""

    shorthand: ClassVar[str] = "constant"

    def __post_init__(self) -> None:
        """A constant must exist; others are judged row by row."""
        super().__post_init__()
        if self.constant is not None and self.map is None:
            known_zone(self.constant)


class Factor(Value, frozen=True):
    """Units in one of what the file counts: written plainly it is the same for all rows."""

    shorthand: ClassVar[str] = "constant"


class Quantity(Origin, frozen=True):
    """What was counted, and how many base units one of it is (a pack of 12)."""

    factor: Factor | None = None


class Time(Origin, frozen=True):
    """When it happened.

    `formats`: strptime formats, `iso`, `epoch_seconds` or `epoch_milliseconds`; the first that fits
    is taken; not needed for columns that are times already. `zone`: the zone of times without an
    offset, the mapping's `timezone` unless said. `repeated_hour`: which of the two is meant when
    clocks go back. `not_before`, `not_after`: local dates that no row can be outside of.
    """

    formats: tuple[str, ...] = ()
    zone: ZoneValue | None = None
    not_before: str = "2000-01-01"
    not_after: str | None = None
    repeated_hour: Literal["first", "second", "refuse"] = "first"

    def __post_init__(self) -> None:
        """Dates are dates."""
        super().__post_init__()
        for day in (self.not_before, self.not_after):
            if day is not None and not _is_date(day):
                refuse(f'"{day}" is not a date like 2020-01-31')


class Day(Origin, frozen=True):
    """A date; `formats` as for a time."""

    formats: tuple[str, ...] = ()


class KindRule(Part, frozen=True):
    """The kind of the rows for which `when` holds; the first rule that holds counts.

    `negate` turns the sign of the quantity, for files that write returns below 0.
    """

    shorthand: ClassVar[str] = "is"
    is_: str = msgspec.field(name="is")
    when: str | None = None
    negate: bool = False
    reason: Origin | None = None

    def __post_init__(self) -> None:
        """A kind of the contract."""
        if self.is_ not in KINDS:
            hint = nearest(self.is_, KINDS) or f"; kinds are {', '.join(KINDS)}"
            refuse(f'"{self.is_}" is not a kind of movement{hint}')


class Id(Part, frozen=True):
    """What makes a row this row, over all exports of this source.

    `key`: columns that are together different for every movement. `content`: no such columns; the
    id is a digest of these columns (`*`: all) and the number of the row among those of its file
    that are the same in them.
    """

    key: tuple[str, ...] = ()
    content: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """One of the two."""
        if bool(self.key) == bool(self.content):
            refuse("say either key: [columns] or content: [columns] (or content: '*')")


class Event(Part, frozen=True):
    """Which column says what of a movement."""

    kind: tuple[KindRule, ...]
    sku: Value
    place: Value
    time: Time
    quantity: Quantity | None = None
    id: Id = Id(content=(ALL_COLUMNS,))
    order: Value | None = None
    line: Value | None = None
    lot: Value | None = None
    expires_on: Day | None = None
    from_place: Value | None = None
    to_place: Value | None = None
    transfer: Value | None = None
    reason: Value | None = None
    device: Value | None = None
    device_seq: Value | None = None
    corrects: Value | None = None
    subject: Value | None = None
    sequence: Value | None = None
    correlationid: Value | None = None

    def __post_init__(self) -> None:
        """Rules that can be reached, and a quantity for the kinds that have one."""
        if not self.kind:
            refuse("kind needs at least one rule")
        for rule in self.kind[:-1]:
            if rule.when is None:
                refuse(f"the rules after the {rule.is_} rule without a when are never reached")
        if self.quantity is None and any(rule.is_ != "corrected" for rule in self.kind):
            refuse('needs the key "quantity"')
