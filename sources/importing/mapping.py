"""The declared mapping: which columns of a shop's export say what of a stock movement.

`docs/import.md` explains it to operators; here are its parts, their defaults and their checks.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar, Literal

import msgspec

from sources.importing.declared import Part, load
from sources.importing.fields import Event, FileFormat, Numbers, Value, Zone, refuse
from sources.importing.problems import MappingError, nearest

SHIPPED = Path(__file__).resolve().parent.parent / "mappings"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_CODE = re.compile(r"[a-z][a-z0-9_]*")


class CodeMap(Part, frozen=True):
    """Codes and what they stand for, inline or from two columns of a file.

    `missing`: what becomes of a code that is not there: the row is refused, the code is kept as it
    is, or the field stays empty.
    """

    values: dict[str, str] = msgspec.field(default_factory=dict)
    file: str | None = None
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    format: FileFormat = FileFormat()
    missing: Literal["refuse", "keep", "empty"] = "refuse"

    def __post_init__(self) -> None:
        """Inline or from a file."""
        if bool(self.values) == (self.file is not None):
            refuse("a map has either values or a file")
        if self.file is not None and (self.from_ is None or self.to is None):
            refuse("a map from a file needs from and to: the columns of the code and its meaning")


class Lookup(Part, frozen=True):
    """Another file with one row a key; expressions read its columns as `name.column`.

    `on`: the column of the imported rows that holds the key; of the same name unless said.
    """

    file: str
    key: str
    on: str | None = None
    format: FileFormat = FileFormat()


class Known(Part, frozen=True):
    """The codes that exist: a list, or a column of a file."""

    values: tuple[str, ...] = ()
    file: str | None = None
    column: str | None = None
    format: FileFormat = FileFormat()

    def __post_init__(self) -> None:
        """Inline or from a file."""
        if bool(self.values) == (self.file is not None):
            refuse("say either values or a file")
        if self.file is not None and self.column is None:
            refuse("a file needs column: the one that holds the codes")


class KnownCodes(Part, frozen=True):
    """What is known; a code that is not among them refuses its row."""

    sku: Known | None = None
    place: Known | None = None


class SkipRule(Part, frozen=True):
    """Rows that are left out on purpose, such as subtotals; they are counted."""

    when: str
    because: str


class RefuseRule(Part, frozen=True):
    """Rows that go to quarantine by a rule of the shop."""

    when: str
    code: str
    because: str

    def __post_init__(self) -> None:
        """A code that programs can sort by."""
        if not _CODE.fullmatch(self.code):
            refuse(f'code "{self.code}" must be small letters, digits and _ (like not_goods)')


class Mapping(Part, frozen=True):
    """A whole mapping. `path` is the file it came from; files it names are found beside it."""

    source: str
    timezone: Zone
    event: Event
    title: str = ""
    file: FileFormat = FileFormat()
    numbers: Numbers = Numbers()
    maps: dict[str, CodeMap] = msgspec.field(default_factory=dict)
    lookups: dict[str, Lookup] = msgspec.field(default_factory=dict)
    known: KnownCodes = KnownCodes()
    skip: tuple[SkipRule, ...] = ()
    refuse: tuple[RefuseRule, ...] = ()
    duplicates: Literal["drop", "keep"] | None = None
    sort: Literal["time", "input"] = "time"
    path: str = ""

    undeclared: ClassVar[frozenset[str]] = frozenset({"at", "path"})

    def __post_init__(self) -> None:
        """Names that SQL and the contract can bear."""
        if not 1 <= len(self.source) <= 200:
            refuse("source must be 1 to 200 characters")
        if self.event.id.key and self.duplicates == "keep":
            refuse("duplicates: keep cannot be: rows of one key are one movement")
        for name in (*self.maps, *self.lookups):
            if not _NAME.fullmatch(name):
                refuse(f'"{name}" must be letters, digits and _ to serve as a name')

    @property
    def name(self) -> str:
        """The name it is called by in reports and messages."""
        return Path(self.path).name or self.source

    @property
    def drops_duplicates(self) -> bool:
        """Whether rows that are the same in all columns are one movement."""
        return bool(self.event.id.key) or self.duplicates == "drop"

    @property
    def constant_zone(self) -> str | None:
        """The zone of times without an offset, where it is the same for all rows."""
        zone = self.event.time.zone
        if zone is None:
            return self.timezone.name
        return zone.constant if zone.map is None else None

    def error(self, at: int, message: str) -> MappingError:
        """A MappingError at a line of this mapping."""
        return MappingError(self.name, at, message)


def shipped_mappings() -> dict[str, Path]:
    """The mappings that come with tillflow: name -> file."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.yaml"))}


def load_mapping(name_or_path: str | Path) -> Mapping:
    """A shipped mapping by its name, or one from a YAML file.

    Raises:
        MappingError: there is none of that name, or it is broken; names the line and a remedy.
    """
    path = Path(name_or_path)
    if not path.is_file():
        shipped = shipped_mappings()
        if str(name_or_path) not in shipped:
            hint = nearest(str(name_or_path), shipped)
            names = ", ".join(shipped)
            message = f"there is no such file, and no shipped mapping of that name{hint}"
            raise MappingError(str(name_or_path), 0, f"{message} (shipped: {names})")
        path = shipped[str(name_or_path)]
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        raise MappingError(str(path), 0, f"cannot be read: {wrong}") from None
    return read_mapping(text, path)


def read_mapping(text: str, path: Path = Path("mapping.yaml")) -> Mapping:
    """A mapping from its YAML text; `path` is where the files it names are looked for.

    Raises:
        MappingError: as for `load_mapping`.
    """
    mapping = msgspec.structs.replace(load(text, Mapping, path.name), path=str(path))
    for field in msgspec.structs.fields(Event):
        value = getattr(mapping.event, field.name)
        for each in (value, getattr(value, "factor", None), getattr(value, "zone", None)):
            if isinstance(each, Value) and each.map is not None and each.map not in mapping.maps:
                hint = nearest(each.map, mapping.maps) or ": add it under maps"
                raise mapping.error(each.at, f'there is no map "{each.map}"{hint}')
    return mapping
