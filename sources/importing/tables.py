"""Files as DuckDB relations: all columns as they are in the file, plus `__row` and `__line`.

`__row` counts the rows of a file from 1, without its header; `__line` is the line of a text file
that the row begins in. CSV columns are all text; Parquet keeps its types and is read in place.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import duckdb
import pyarrow as pa

from schemas.tables import literal, quoted
from sources.importing.csv_records import Broken, CsvText, Plain, Record
from sources.importing.fields import FileFormat
from sources.importing.notation import WHITE
from sources.importing.problems import InputError, first_line
from sources.importing.reading import (
    also_reads_as,
    file_type,
    fitting_encoding,
    text_lines,
)

OWN_COLUMNS = ("__row", "__line")
# Names that later stages add; a column of a file that is called so gets a number.
_RESERVED = {*OWN_COLUMNS, "__likeness", "__digest"}
# Rows handed to DuckDB at a time: big enough for its vectors, small enough for a few MB.
_BATCH_ROWS = 50_000
_REPLACED = "\ufffd"


@dataclass(slots=True)
class Loaded:
    """One file as a relation. `columns`: name -> DuckDB type, in the file's order."""

    path: Path
    relation: str
    type: str
    columns: dict[str, str]
    rows: int = 0
    blank_lines: int = 0
    encoding: str | None = None
    broken: list[tuple[int, Broken]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def column(self, name: str) -> str | None:
        """The file's spelling of a column; names are the same whatever their case."""
        lower = name.lower()
        return next((known for known in self.columns if known.lower() == lower), None)


def load_file(
    connection: duckdb.DuckDBPyConnection, path: Path, declared: FileFormat, relation: str
) -> Loaded:
    """Make the file readable as `relation`.

    Raises:
        InputError: the file cannot be opened, or is not what it is declared to be.
    """
    if file_type(path, declared) == "parquet":
        return _parquet(connection, path, relation)
    return _csv(connection, path, declared, relation)


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path, relation: str) -> Loaded:
    # A downloaded "sales[1].parquet" is one file; DuckDB would take its name for a pattern.
    name = "".join(f"[{mark}]" if mark in "*?[" else mark for mark in str(path))
    scan = f"read_parquet({literal(name)}, file_row_number=true, hive_partitioning=false)"
    try:
        connection.execute(
            f"CREATE VIEW {relation} AS SELECT * EXCLUDE (file_row_number), "
            f"file_row_number + 1 AS __row, NULL::BIGINT AS __line FROM {scan}"
        )
        rows = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]
    except duckdb.Error as wrong:
        msg = f"{path} cannot be read as Parquet: {first_line(wrong)}"
        raise InputError(msg) from None
    return Loaded(path, relation, "parquet", _types(connection, relation), rows)


def _types(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    described = connection.execute(f"DESCRIBE {relation}").fetchall()
    return {name: kind for name, kind, *_ in described if name not in OWN_COLUMNS}


def _csv(
    connection: duckdb.DuckDBPyConnection, path: Path, declared: FileFormat, relation: str
) -> Loaded:
    encoding, wrong_at = fitting_encoding(path, declared)
    damaged = wrong_at is not None
    lines = text_lines(path, encoding, "replace" if damaged else "strict")
    text = CsvText(
        islice(lines, declared.skip_lines, None),
        declared.delimiter_mark,
        declared.quote,
        declared.skip_lines + 1,
    )
    header = _header(path, text, declared)
    names = _distinct(header)
    renamed = [
        f'a second column "{was.strip(WHITE)}" is called "{name}" here'
        for was, name in zip(header, names, strict=True)
        if was.strip(WHITE) not in ("", name)
    ]
    columns = ", ".join(f"{quoted(name)} VARCHAR" for name in names)
    separator = ", " if names else ""
    connection.execute(f"CREATE TABLE {relation} ({columns}{separator}__row BIGINT, __line BIGINT)")
    loaded = Loaded(path, relation, "csv", dict.fromkeys(names, "VARCHAR"), encoding=encoding)
    loaded.notes += [f"{path}: {each}" for each in renamed]
    if not names:
        loaded.notes.append(f"{path} is empty: it has no header and no rows")
        return loaded
    _Rows(connection, loaded, damaged).read(text)
    if not loaded.rows:
        loaded.notes.append(f"{path} has a header and no rows")
    if damaged:
        other = also_reads_as(path, declared)
        hint = (
            f"; the whole file fits {other}: declare file: {{encoding: {other}}}" if other else ""
        )
        loaded.notes.append(f"{path} is not {encoding} throughout (first at byte {wrong_at}){hint}")
    return loaded


def _header(path: Path, text: CsvText, declared: FileFormat) -> list[str]:
    if not declared.header:
        return list(declared.columns)
    while (record := text.record()) is not None:
        if isinstance(record, Broken):
            msg = f"{path}, line {record.line}: the header cannot be read: {record.words}"
            raise InputError(msg)
        if any(value.strip(WHITE) for value in record.values):
            return record.values
    return []


def _distinct(values: list[str]) -> list[str]:
    """Names of a header: a blank one is called by its place, a second one gets a number."""
    names: list[str] = []
    taken = set(_RESERVED)
    for place, value in enumerate(values, 1):
        stem = name = value.strip(WHITE) or f"column_{place}"
        number = 2
        while name.lower() in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name.lower())
        names.append(name)
    return names


class _Rows:
    """Hands the records of a text to DuckDB, and sorts out those that are no rows."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, loaded: Loaded, damaged: bool
    ) -> None:
        self._connection = connection
        self._loaded = loaded
        self._damaged = damaged
        self._width = len(loaded.columns)
        self._values: list[list[str]] = []
        self._places: list[tuple[int, int]] = []

    def read(self, text: CsvText) -> None:
        """Read all of the text."""
        for batch in text.batches():
            if isinstance(batch, Plain) and self._is_clean(batch.rows):
                first, count = self._loaded.rows + 1, len(batch.rows)
                self._values += batch.rows
                self._places += zip(
                    range(first, first + count), range(batch.line, batch.line + count), strict=True
                )
                self._loaded.rows += count
            else:
                for record in _one_by_one(batch):
                    self._add(record)
            if len(self._values) >= _BATCH_ROWS:
                self._insert()
        self._insert()

    def _is_clean(self, rows: list[list[str]]) -> bool:
        return not self._damaged and set(map(len, rows)) == {self._width} and all(map(any, rows))

    def _add(self, record: Record | Broken) -> None:
        loaded = self._loaded
        if isinstance(record, Record):
            values = record.values
            if not any(values):
                loaded.blank_lines += 1
                return
            # Some exports end each line with the delimiter; values that are not there say nothing.
            while len(values) > self._width and not values[-1]:
                values.pop()
            record = self._judged(record)
        loaded.rows += 1
        if isinstance(record, Broken):
            loaded.broken.append((loaded.rows, record))
        else:
            self._values.append(record.values)
            self._places.append((loaded.rows, record.line))

    def _judged(self, record: Record) -> Record | Broken:
        values = record.values
        if len(values) != self._width:
            words = f"the row has {len(values)} values, the header has {self._width} columns"
            return Broken(record.line, "ragged_row", words, _as_line(values))
        if self._damaged and any(_REPLACED in value for value in values):
            words = f"the row has bytes that are not {self._loaded.encoding} text"
            return Broken(record.line, "bad_encoding", words, _as_line(values))
        return record

    def _insert(self) -> None:
        if not self._values:
            return
        columns = [pa.array(values, pa.string()) for values in zip(*self._values, strict=True)]
        columns += [pa.array(places, pa.int64()) for places in zip(*self._places, strict=True)]
        table = pa.Table.from_arrays(columns, names=[*self._loaded.columns, *OWN_COLUMNS])
        self._connection.register("importing_batch", table)
        self._connection.execute(
            f"INSERT INTO {self._loaded.relation} SELECT * FROM importing_batch"
        )
        self._connection.unregister("importing_batch")
        self._values.clear()
        self._places.clear()


def _one_by_one(batch: Plain | list[Record | Broken]) -> Iterator[Record | Broken]:
    if isinstance(batch, Plain):
        return (Record(batch.line + n, values) for n, values in enumerate(batch.rows))
    return iter(batch)


def _as_line(values: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()
