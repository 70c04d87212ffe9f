"""What the files hold, column by column, before anything is judged."""

from __future__ import annotations

from decimal import Decimal

import duckdb

from schemas.tables import quoted
from sources.importing.notation import cleaned
from sources.importing.report import ColumnProfile
from sources.importing.tables import Loaded

# Up to here distinct values are counted; beyond, DuckDB estimates them in a fraction of the time.
_COUNTED_ROWS = 200_000
_EXAMPLE_ROWS = 1_000
_EXAMPLES = 3
_LONGEST_SHOWN = 40


def profile(
    connection: duckdb.DuckDBPyConnection, files: list[Loaded], open_columns: set[str]
) -> list[ColumnProfile]:
    """The profile of each column over all files; values are told of `open_columns` (lower case).

    Values of other columns stay out of it: they may be personal data.
    """
    files = [file for file in files if file.columns]
    if not files:
        return []
    columns: dict[str, str] = {}
    for file in files:
        for name, kind in file.columns.items():
            known = file_spelling(name, columns)
            columns[known] = kind if columns.get(known, kind) == kind else "VARCHAR"
    parts = " UNION ALL BY NAME ".join(
        f"SELECT {', '.join(_part(file, name, kind) for name, kind in columns.items())} "
        f"FROM {file.relation}"
        for file in files
    )
    estimated = sum(file.rows for file in files) > _COUNTED_ROWS
    asked = ", ".join(_figures(name, kind, estimated) for name, kind in columns.items())
    figures = connection.execute(f"SELECT {asked} FROM ({parts})").fetchall()[0]
    examples = connection.execute(f"SELECT * FROM ({parts}) LIMIT {_EXAMPLE_ROWS}").fetchall()
    found = []
    for place, (name, kind) in enumerate(columns.items()):
        empty, distinct, numbers, values, low, high, least, most = figures[
            place * 8 : place * 8 + 8
        ]
        is_number = kind == "VARCHAR" and numbers == values and values > 0
        shown = name.lower() in open_columns
        smallest, largest = (least, most) if is_number else (low, high)
        seen = dict.fromkeys(_shown(row[place]) for row in examples if row[place] is not None)
        found.append(
            ColumnProfile(
                column=name,
                type="text (numbers)" if is_number else _TYPE_WORDS.get(kind, kind.lower()),
                shown=shown,
                empty=empty,
                distinct=distinct,
                distinct_estimated=estimated,
                smallest=_shown(smallest) if shown and smallest is not None else None,
                largest=_shown(largest) if shown and largest is not None else None,
                examples=list(seen)[:_EXAMPLES] if shown else [],
            )
        )
    return found


_TYPE_WORDS = {"VARCHAR": "text", "BIGINT": "integer", "INTEGER": "integer", "DOUBLE": "real"}


def file_spelling(name: str, columns: dict[str, str]) -> str:
    """The spelling under which a column is known already, or its own."""
    return next((known for known in columns if known.lower() == name.lower()), name)


def _part(file: Loaded, name: str, kind: str) -> str:
    spelled = file.column(name)
    if spelled is None:
        return f"NULL::{kind} AS {quoted(name)}"
    value = quoted(spelled)
    if file.columns[spelled] == "VARCHAR":
        return f"{cleaned(value)} AS {quoted(name)}"
    return f"{value}::{kind} AS {quoted(name)}"


def _figures(name: str, kind: str, estimated: bool) -> str:
    column = quoted(name)
    distinct = f"approx_count_distinct({column})" if estimated else f"count(DISTINCT {column})"
    number = f"number({column})" if kind == "VARCHAR" else "NULL::BIGINT"
    return (
        f"count(*) - count({column}), {distinct}, count({number}), count({column}), "
        f"min({column})::VARCHAR, max({column})::VARCHAR, "
        # The code 01 is the smallest number, and is shown as 01.
        f"arg_min({column}, {number})::VARCHAR, arg_max({column}, {number})::VARCHAR"
    )


def _shown(value: object) -> str:
    text = f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
