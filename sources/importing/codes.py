"""Code maps, lookups and known codes of a mapping as DuckDB tables with one row a code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from schemas.tables import quoted
from sources.importing.expressions import Expression, missing_column
from sources.importing.fields import FileFormat
from sources.importing.mapping import Mapping
from sources.importing.notation import cleaned, text_of
from sources.importing.problems import InputError
from sources.importing.tables import Loaded, load_file


def map_table(name: str) -> str:
    """The table of a code map: `code`, `value`."""
    return f"map_{name}"


def known_table(field: str) -> str:
    """The table of the codes that exist for a field: `code`."""
    return f"known_{field}"


def lookup_table(name: str) -> str:
    """The table of a lookup: `code` and `fields`, a struct of the columns that are read."""
    return f"lookup_{name}"


def make_code_tables(
    connection: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    found: Iterable[Expression],
    beside: Path,
) -> None:
    """Make the tables; files are looked for beside the mapping, then in the folder `beside`.

    Raises:
        MappingError: a file is not there, lacks a column, or says two things of one code.
        InputError: a file cannot be read throughout.
    """
    tables = _Tables(connection, mapping, beside)
    for name, codes in mapping.maps.items():
        table = map_table(name)
        if codes.file is None:
            tables.inline(table, codes.values)
            continue
        file = tables.load(table, codes.file, codes.format, codes.at)
        tables.fill(table, file, file.text(codes.from_ or ""), file.text(codes.to or ""))
    for field, known in (("sku", mapping.known.sku), ("place", mapping.known.place)):
        if known is None:
            continue
        table = known_table(field)
        if known.file is None:
            tables.inline(table, dict.fromkeys(known.values, ""))
            continue
        file = tables.load(table, known.file, known.format, known.at)
        tables.fill(table, file, file.text(known.column or ""), "''")
    names = {name for each in found for name in each.names}
    for name, lookup in mapping.lookups.items():
        file = tables.load(lookup_table(name), lookup.file, lookup.format, lookup.at)
        wanted = [part[1] for part in sorted(names) if part[0] == name and len(part) > 1]
        columns = [
            f"{quoted(field)} := {file.clean(field)}"
            for field in dict.fromkeys([*wanted, lookup.key])
        ]
        fields = f"struct_pack({', '.join(columns)})"
        tables.fill(lookup_table(name), file, file.text(lookup.key), fields)


@dataclass(frozen=True, slots=True)
class _CodeFile:
    """A file of codes; `at` is the line of the mapping that names it."""

    mapping: Mapping
    at: int
    loaded: Loaded
    declared: FileFormat

    def _spelled(self, column: str) -> str:
        spelled = self.loaded.column(column)
        if spelled is None:
            raise self.mapping.error(self.at, missing_column(column, self.loaded))
        return spelled

    def clean(self, column: str) -> str:
        """SQL of a column; texts without white space around them."""
        spelled = self._spelled(column)
        is_text = self.loaded.columns[spelled] == "VARCHAR"
        return cleaned(quoted(spelled), self.declared.empty) if is_text else quoted(spelled)

    def text(self, column: str) -> str:
        """SQL of a column as text."""
        return text_of(self.clean(column), self.loaded.columns[self._spelled(column)])


@dataclass(frozen=True, slots=True)
class _Tables:
    connection: duckdb.DuckDBPyConnection
    mapping: Mapping
    beside: Path

    def load(self, table: str, file: str, declared: FileFormat, at: int) -> _CodeFile:
        folders = dict.fromkeys([Path(self.mapping.path).parent, self.beside])
        path = next((folder / file for folder in folders if (folder / file).exists()), None)
        if path is None:
            places = " and ".join(str(folder) for folder in folders)
            raise self.mapping.error(at, f'the file "{file}" is not there; looked in {places}')
        loaded = load_file(self.connection, path, declared, f"file_{table}")
        if loaded.broken:
            _, first = loaded.broken[0]
            msg = f"{path}, line {first.line}: {first.words}; codes must be readable as a whole"
            raise InputError(msg)
        return _CodeFile(self.mapping, at, loaded, declared)

    def inline(self, table: str, values: dict[str, str]) -> None:
        rows = pa.table(
            {
                "code": pa.array(list(values), pa.string()),
                "value": pa.array(list(values.values()), pa.string()),
            }
        )
        self.connection.register("importing_codes", rows)
        self.connection.execute(f"CREATE TABLE {table} AS SELECT * FROM importing_codes")
        self.connection.unregister("importing_codes")

    def fill(self, table: str, file: _CodeFile, code: str, value: str) -> None:
        self.connection.execute(
            f"CREATE TABLE {table} AS SELECT DISTINCT * "
            f"FROM (SELECT {code}, {value} FROM {file.loaded.relation}) AS read(code, value) "
            "WHERE code IS NOT NULL AND value IS NOT NULL"
        )
        twice = self.connection.execute(
            f"SELECT code, list(value::VARCHAR ORDER BY value::VARCHAR) FROM {table} "
            "GROUP BY code HAVING count(*) > 1 ORDER BY code LIMIT 1"
        ).fetchone()
        if twice is not None:
            known, (one, other, *_) = twice
            message = f'{file.loaded.path} says two things of "{known}": {one} and {other}'
            raise self.mapping.error(file.at, f"{message}; keep one row for each code")
