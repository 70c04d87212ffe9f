"""Which row is which: ids that stay the same from export to export, and rows that are there twice.

A digest is over the columns as the file has them, each as its length in bytes, a colon and its
text (`-` for nothing), in the order of the columns' names: two rows have the same one only when
they are the same in all of them.
"""

from __future__ import annotations

import duckdb

from schemas.tables import literal, quoted
from sources.importing.checks import CONFLICT, DUPLICATE
from sources.importing.expressions import Expression
from sources.importing.fields import ALL_COLUMNS
from sources.importing.mapping import Mapping
from sources.importing.notation import text_of
from sources.importing.tables import Loaded

# 32 of the 64 digits of SHA-256: 128 bits, so that even 10^15 rows hardly share one.
_DIGEST_DIGITS = 32


def digest(loaded: Loaded, names: tuple[str, ...] = (ALL_COLUMNS,)) -> str:
    """SQL of the SHA-256 of these columns of a row, as hexadecimal text."""
    if names == (ALL_COLUMNS,):
        chosen = list(loaded.columns)
    else:
        chosen = [loaded.column(name) or name for name in names]
    parts = []
    for name in sorted(chosen, key=str.lower):
        text = f"{quoted(name)}::VARCHAR"
        parts.append(f"coalesce(strlen({text})::VARCHAR || ':' || {text}, '-')")
    return f"sha256(concat({', '.join(parts)}))"


def likeness(loaded: Loaded) -> str:
    """SQL of a quick number that equal rows share; rows that share it are compared in full."""
    names = sorted(loaded.columns, key=str.lower)
    return f"hash({', '.join(quoted(name) for name in names)})"


def id_sql(mapping: Mapping, bound: dict[str, Expression]) -> str:
    """SQL of the id over a row; NULL when a part of its key is empty."""
    if not mapping.event.id.key:
        occurrence = "row_number() OVER (PARTITION BY __digest ORDER BY __row)"
        return f"left(__digest, {_DIGEST_DIGITS}) || '-' || {occurrence}"
    parts = []
    for number in range(1, len(mapping.event.id.key) + 1):
        each = bound[f"key.{number}"]
        text = text_of(each.sql, each.type)
        # So that the keys (a:b, c) and (a, b:c) do not meet.
        parts.append(f"replace(replace({text}, '%', '%25'), ':', '%3A')")
    return " || ':' || ".join(parts)


def settle_repeats(
    connection: duckdb.DuckDBPyConnection, mapping: Mapping, files: list[Loaded]
) -> int:
    """Find rows that are there twice and say so in `movements`.

    Of rows with one id the first stays: one that is the same in all columns is its duplicate, one
    that is not is refused. Where the mapping drops duplicates, so is any row that is the same as
    one before it.

    Returns:
        How many rows are the same in all columns as one before them, whatever became of them.
    """
    connection.execute(
        """
        CREATE TABLE repeated AS
          SELECT file, row FROM movements WHERE likeness IN
            (SELECT likeness FROM movements GROUP BY likeness HAVING count(*) > 1)
          UNION
          SELECT file, row FROM movements WHERE fate = 'event' AND id IN
            (SELECT id FROM movements WHERE fate = 'event' GROUP BY id HAVING count(*) > 1)
        """
    )
    connection.execute("CREATE TABLE twins (file INTEGER, row BIGINT, digest VARCHAR)")
    for number, loaded in enumerate(files, 1):
        if loaded.columns:
            connection.execute(
                f"INSERT INTO twins SELECT {number}, __row, {digest(loaded)} FROM "
                f"{loaded.relation} WHERE __row IN (SELECT row FROM repeated WHERE file = {number})"
            )
    if mapping.drops_duplicates:
        _mark(connection, files, "digest", DUPLICATE, "true")
    _mark(connection, files, "id", DUPLICATE, "digest = first_digest")
    _mark(connection, files, "id", CONFLICT, "digest <> first_digest")
    found = connection.execute(
        "SELECT coalesce(sum(n - 1), 0)::BIGINT FROM "
        "(SELECT count(*) AS n FROM twins GROUP BY digest)"
    ).fetchall()
    return int(found[0][0])


def _mark(
    connection: duckdb.DuckDBPyConnection,
    files: list[Loaded],
    by: str,
    code: str,
    when: str,
) -> None:
    names = " ".join(
        f"WHEN {number} THEN {literal(str(loaded.path))}" for number, loaded in enumerate(files, 1)
    )
    place = f"'row ' || first_row || ' of ' || CASE first_file {names} END"
    words = f"'the same in all columns as ' || {place}"
    if code == CONFLICT:
        words = f"{place} || ' has the same id, ' || id || ', and other values'"
    fate = "duplicate" if code == DUPLICATE else "refused"
    connection.execute(
        f"""
        UPDATE movements SET fate = '{fate}', code = '{code}', words = found.words,
          first_file = found.first_file
        FROM (
          SELECT file, row, first_file, {words} AS words FROM (
            SELECT m.file, m.row, m.id, digest,
              first_value(m.file) OVER same AS first_file,
              first_value(m.row) OVER same AS first_row,
              first_value(digest) OVER same AS first_digest,
              row_number() OVER same AS n
            FROM movements m JOIN twins USING (file, row)
            WHERE fate = 'event'
            WINDOW same AS (PARTITION BY {by} ORDER BY m.file, m.row)
          ) WHERE n > 1 AND {when}
        ) found
        WHERE movements.file = found.file AND movements.row = found.row
        """
    )
