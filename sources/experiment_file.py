"""People of an experiment from a CSV or Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from schemas.tables import literal


class ExperimentFileError(Exception):
    """A file cannot be read as what it should be; the message says what is missing."""


def columns_of(path: Path) -> dict[str, str]:
    """The file's columns and their types.

    Raises:
        ExperimentFileError: it is no CSV or Parquet file.
    """
    rows = _ask(path, f"DESCRIBE SELECT * FROM {_relation(path)}")
    return {str(row[0]): str(row[1]) for row in rows}


def read_columns(
    path: Path, texts: Sequence[str], numbers: Sequence[str], instants: Sequence[str] = ()
) -> dict[str, list[object]]:
    """Columns by name: texts as they are, numbers as doubles, instants as microseconds since 1970.

    Raises:
        ExperimentFileError: a column is not there, or does not hold numbers.
    """
    there = columns_of(path)
    wanted = [*texts, *numbers, *instants]
    for name in wanted:
        if name not in there:
            msg = f"{path} has no column `{name}`; it has {', '.join(there)}"
            raise ExperimentFileError(msg)
    parts = [f"{_quoted(name)}::VARCHAR" for name in texts]
    parts += [f"{_quoted(name)}::DOUBLE" for name in numbers]
    parts += [f"epoch_us({_quoted(name)}::TIMESTAMPTZ)" for name in instants]
    rows = _ask(path, f"SELECT {', '.join(parts)} FROM {_relation(path)}")
    return {name: [row[at] for row in rows] for at, name in enumerate(wanted)}


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _relation(path: Path) -> str:
    reader = "read_parquet" if path.suffix == ".parquet" else "read_csv"
    # All lines are looked at: a column of zeros in the first thousands is not one of whole numbers.
    rest = "" if reader == "read_parquet" else ", sample_size = -1"
    return f"{reader}({literal(str(path))}{rest})"


def _ask(path: Path, query: str) -> list[tuple[object, ...]]:
    try:
        with duckdb.connect() as connection:
            # Times without a zone are UTC, on every machine.
            connection.execute("SET TimeZone = 'UTC'")
            rows: list[tuple[object, ...]] = connection.execute(query).fetchall()
            return rows
    except duckdb.Error as error:
        first = str(error).splitlines()[0]
        msg = f"{path} cannot be read: {first}"
        raise ExperimentFileError(msg) from error
