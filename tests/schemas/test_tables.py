"""One definition makes the DDL, the comments and the Arrow schema: DuckDB agrees with all three."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest

from schemas.tables import Column, Table
from schemas.warehouse import TABLES, VIEWS

VALUES: dict[str, Any] = {
    "text": "a",
    "integer": 7,
    "real": 0.5,
    "instant": 1_795_400_000_000_000,
    "json": "[1]",
    "bytes": b"\x00\xff",
}


def all_ddl() -> list[str]:
    tables = [statement for table in TABLES for statement in table.ddl()]
    return tables + [statement for view in VIEWS for statement in view.ddl()]


@pytest.fixture
def database() -> Any:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for statement in all_ddl():
        connection.execute(statement)
    yield connection
    connection.close()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_row_of_the_arrow_schema_goes_in_and_comes_out(table: Table, database: Any) -> None:
    rows = pa.table(
        [
            pa.array([VALUES[column.type]], type=field.type)
            for column, field in zip(table.columns, table.arrow(), strict=True)
        ],
        schema=table.arrow(),
    )
    database.register("incoming", rows)
    database.execute(f'INSERT INTO "{table.name}" SELECT * FROM incoming')
    back = database.execute(f'SELECT * FROM "{table.name}"').to_arrow_table()
    assert back.column_names == table.names
    assert [field.type for field in back.schema if field.type != pa.string()] == [
        field.type for field in table.arrow() if field.type != pa.string()
    ]
    assert back.to_pylist() == rows.to_pylist()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_keys_comments_and_nulls(table: Table, database: Any) -> None:
    found = database.execute(
        "SELECT column_name, comment, is_nullable FROM duckdb_columns() WHERE table_name = ? "
        "ORDER BY column_index",
        [table.name],
    ).fetchall()
    assert found == [
        (column.name, column.full_comment, column.nullable) for column in table.columns
    ]
    [(key,)] = database.execute(
        "SELECT constraint_column_names FROM duckdb_constraints() "
        "WHERE table_name = ? AND constraint_type = 'PRIMARY KEY'",
        [table.name],
    ).fetchall()
    assert tuple(key) == table.primary_key
    assert set(table.primary_key) <= set(table.names)
    assert table.version is None or table.version in table.names


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_column_of_a_view_has_a_comment(view: Any, database: Any) -> None:
    found = database.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ? "
        "ORDER BY column_index",
        [view.name],
    ).fetchall()
    assert found == list(view.column_comments)


def test_making_the_tables_again_changes_nothing(database: Any) -> None:
    for statement in all_ddl():
        database.execute(statement)


def test_names_and_comments_with_quotes_are_spelled_right() -> None:
    table = Table("it's", 'a "t"', ("k'",), (Column("k'", "text", "don't", "pcs"),))
    connection = duckdb.connect()
    for statement in table.ddl():
        connection.execute(statement)
    assert connection.execute(
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'it''s'"
    ).fetchall() == [("don't [pcs]",)]
