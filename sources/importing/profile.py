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
_TYPE_WORDS = {"VARCHAR": "text", "BIGINT": "integer", "INTEGER": "integer", "DOUBLE": "real"}


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
    shown = [name for name in columns if name.lower() in open_columns]
    numeric = _numeric(connection, parts, [name for name in shown if columns[name] == "VARCHAR"])
    asked = [_counts(name, estimated) for name in columns]
    asked += [_range(name, name in numeric) for name in shown]
    figures = connection.execute(f"SELECT {', '.join(asked)} FROM ({parts})").fetchall()[0]
    some = connection.execute(f"SELECT * FROM ({parts}) LIMIT {_EXAMPLE_ROWS}").fetchall()
    found = []
    for place, (name, kind) in enumerate(columns.items()):
        column = ColumnProfile(
            column=name,
            type="text (numbers)" if name in numeric else _TYPE_WORDS.get(kind, kind.lower()),
            shown=name in shown,
            empty=figures[2 * place],
            distinct=figures[2 * place + 1],
            distinct_estimated=estimated,
        )
        if name in shown:
            ranges = 2 * (len(columns) + shown.index(name))
            column.smallest, column.largest = map(_shown, figures[ranges : ranges + 2])
            seen = dict.fromkeys(_shown(row[place]) for row in some if row[place] is not None)
            column.examples = [example for example in seen if example is not None][:_EXAMPLES]
        found.append(column)
    return found


def _numeric(connection: duckdb.DuckDBPyConnection, parts: str, names: list[str]) -> set[str]:
    """Columns whose texts are all numbers; the first rows rule most others out at no cost."""
    for rows in (f"SELECT * FROM ({parts}) LIMIT {_EXAMPLE_ROWS}", parts):
        if names:
            asked = ", ".join(
                f"count({quoted(name)}) > 0 AND count(number({quoted(name)})) = "
                f"count({quoted(name)})"
                for name in names
            )
            are = connection.execute(f"SELECT {asked} FROM ({rows})").fetchall()[0]
            names = [name for name, is_number in zip(names, are, strict=True) if is_number]
    return set(names)


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


def _counts(name: str, estimated: bool) -> str:
    column = quoted(name)
    distinct = f"approx_count_distinct({column})" if estimated else f"count(DISTINCT {column})"
    return f"count(*) - count({column}), {distinct}"


def _range(name: str, numeric: bool) -> str:
    column = quoted(name)
    if numeric:
        # The code 01 is the smallest number, and is shown as 01.
        return f"arg_min({column}, number({column})), arg_max({column}, number({column}))"
    return f"min({column})::VARCHAR, max({column})::VARCHAR"


def _shown(value: object) -> str | None:
    if value is None:
        return None
    text = f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
