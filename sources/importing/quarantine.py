"""The quarantine file: every row that is not an event, why, and what it said."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb

from schemas.tables import quoted
from sources.importing.tables import Loaded

# In front of the file's own columns, with a prefix that no export has, so that the file can be
# put right and imported again as it is.
OWN = ("tillflow_file", "tillflow_row", "tillflow_line", "tillflow_code", "tillflow_reason")
RAW = "tillflow_raw"
_BATCH_ROWS = 10_000


def write_quarantine(connection: duckdb.DuckDBPyConnection, files: list[Loaded], to: Path) -> None:
    """Write refused and duplicate rows as CSV, in the order of the files and their rows.

    The file's own columns follow tillflow's, as they were read; a row that could not be read has
    its text in `tillflow_raw` instead. UTF-8 with a byte order mark, so that spreadsheets show
    Chinese as Chinese.
    """
    columns: dict[str, str] = {}
    for file in files:
        for name in file.columns:
            columns.setdefault(name.lower(), name)
    place = {lower: number for number, lower in enumerate(columns)}
    with to.open("w", encoding="utf-8-sig", newline="") as written:
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow([*OWN, RAW, *columns.values()])
        for number, file in enumerate(files, 1):
            raw = {row: broken.raw for row, broken in file.broken}
            places = [place[name.lower()] for name in file.columns]
            reader = connection.execute(_rows_sql(number, file))
            while batch := reader.fetchmany(_BATCH_ROWS):
                writer.writerows(
                    _line(str(file.path), raw, row, places, len(columns)) for row in batch
                )


def _rows_sql(number: int, file: Loaded) -> str:
    own = "".join(f", f.{quoted(name)}::VARCHAR" for name in file.columns)
    return (
        f'SELECT m."row", m.line_in_file, m.code, m.words{own} FROM movements m '
        f'LEFT JOIN {file.relation} f ON f.__row = m."row" WHERE m.file = {number} '
        "AND m.fate IN ('refused', 'duplicate') ORDER BY m.\"row\""
    )


def _line(
    path: str, raw: dict[int, str], row: tuple[Any, ...], places: list[int], width: int
) -> list[Any]:
    number, line, code, words, *values = row
    own: list[Any] = [None] * width
    for place, value in zip(places, values, strict=True):
        own[place] = value
    return [path, number, line, code, words, raw.get(number), *own]
