"""Columns of a CSV or Parquet file, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from schemas.tables import literal


class ColumnError(Exception):
    """A file cannot be read as what it should be; the message says what is missing."""


def columns_of(path: Path) -> dict[str, str]:
    """The file's columns and their types.

    Raises:
        ColumnError: it is no CSV or Parquet file.
    """
    rows = _ask(path, f"DESCRIBE SELECT * FROM {_relation(path)}")
    return {str(row[0]): str(row[1]) for row in rows}


def read_columns(
    path: Path, texts: Sequence[str], numbers: Sequence[str], instants: Sequence[str] = ()
) -> dict[str, list[object]]:
    """Columns by name: texts as they are, numbers as doubles, instants as microseconds since 1970.

    Raises:
        ColumnError: a column is not there, or does not hold numbers.
    """
    wanted = [*texts, *numbers, *instants]
    demand(path, wanted)
    parts = [f"{_quoted(name)}::VARCHAR" for name in texts]
    parts += [f"{_quoted(name)}::DOUBLE" for name in numbers]
    parts += [f"epoch_us({_quoted(name)}::TIMESTAMPTZ)" for name in instants]
    rows = _ask(path, f"SELECT {', '.join(parts)} FROM {_relation(path)}")
    return {name: [row[at] for row in rows] for at, name in enumerate(wanted)}


def demand(path: Path, wanted: Sequence[str]) -> None:
    """Refuse a file that lacks a column.

    Raises:
        ColumnError: it does, or is no CSV or Parquet file.
    """
    there = columns_of(path)
    for name in wanted:
        if name not in there:
            msg = f"{path} has no column `{name}`; it has {', '.join(there)}"
            raise ColumnError(msg)


def read_days(
    path: Path, member: str, amount: str | None, at: str, of: str | None, zone: str
) -> tuple[NDArray[np.object_], NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Purchases: members, amounts, days since 1970 in a zone, and the days that refunds are of.

    Without a column of amounts each is 1.

    Raises:
        ColumnError: a column is not there, or does not hold what it should.
    """
    demand(path, [name for name in (member, amount, at, of) if name])
    day, back = _quoted(at), _quoted(of) if of else "NULL"
    worth = _quoted(amount) if amount else "1"
    query = (
        f"SELECT {_quoted(member)}::VARCHAR AS member, {worth}::DOUBLE AS amount, "
        f"epoch({day}::TIMESTAMPTZ::DATE)::BIGINT // 86400 AS day, "
        f"epoch(coalesce({back}::TIMESTAMPTZ, {day}::TIMESTAMPTZ)::DATE)::BIGINT // 86400 AS of "
        f"FROM {_relation(path)} WHERE member IS NOT NULL"
    )
    try:
        with duckdb.connect() as connection:
            connection.execute(f"SET TimeZone = {literal(zone)}")
            found = connection.execute(query).fetchnumpy()
    except duckdb.Error as error:
        raise _refused(path, error) from error
    for name, column in (("amount", amount or "1"), ("day", at)):
        holes = np.ma.getmaskarray(found[name])
        if holes.any():
            msg = (
                f"{path} has {int(holes.sum())} rows without `{column}`: leave them out, or fill it"
            )
            raise ColumnError(msg)
    return (
        np.asarray(found["member"]),
        np.asarray(found["amount"], dtype=np.float64),
        np.asarray(found["day"], dtype=np.int64),
        np.asarray(found["of"], dtype=np.int64),
    )


def _refused(path: Path, error: duckdb.Error) -> ColumnError:
    return ColumnError(f"{path} cannot be read: {str(error).splitlines()[0]}")


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
        raise _refused(path, error) from error
