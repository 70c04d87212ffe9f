"""A warehouse table described once; from it come the DDL, the comments and the Arrow schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

ColumnType = Literal["text", "integer", "real", "instant", "json", "bytes"]

_DUCKDB: dict[ColumnType, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "real": "DOUBLE",
    "instant": "TIMESTAMPTZ",
    "json": "JSON",
    "bytes": "BLOB",
}
_ARROW: dict[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "real": pa.float64(),
    "instant": pa.timestamp("us", "UTC"),
    "json": pa.string(),
    "bytes": pa.binary(),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `unit` is what one of it is (`units`, `days`), empty for names and texts.

    `added`: warehouses of before do not have it, and get it when a flow next opens them.
    """

    name: str
    type: ColumnType
    comment: str
    unit: str = ""
    nullable: bool = False
    added: bool = False

    @property
    def full_comment(self) -> str:
        """The comment with its unit, as the warehouse shows it."""
        return f"{self.comment} [{self.unit}]" if self.unit else self.comment


@dataclass(frozen=True, slots=True)
class Table:
    """One table; rows are upserted by `primary_key`.

    `version` names the column that decides between two rows of one key: the row with the smaller
    one is never written over the larger. Without it the last row wins.
    """

    name: str
    comment: str
    primary_key: tuple[str, ...]
    columns: tuple[Column, ...]
    version: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [column.name for column in self.columns]

    def arrow(self) -> pa.Schema:
        """The Arrow schema of a batch of rows."""
        return pa.schema(
            [
                pa.field(column.name, _ARROW[column.type], nullable=column.nullable)
                for column in self.columns
            ]
        )

    def ddl(self) -> list[str]:
        """The statements that make the table and say what is in it; harmless when it is there."""
        lines = [
            f"{quoted(column.name)} {_DUCKDB[column.type]}{'' if column.nullable else ' NOT NULL'}"
            for column in self.columns
        ]
        key = ", ".join(quoted(name) for name in self.primary_key)
        lines.append(f"PRIMARY KEY ({key})")
        body = ",\n  ".join(lines)
        name = quoted(self.name)
        return [
            f"CREATE TABLE IF NOT EXISTS {name} (\n  {body}\n)",
            *(
                f"ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {quoted(column.name)} "
                f"{_DUCKDB[column.type]}"
                for column in self.columns
                if column.added
            ),
            f"COMMENT ON TABLE {name} IS {literal(self.comment)}",
            *(
                f"COMMENT ON COLUMN {name}.{quoted(column.name)} IS {literal(column.full_comment)}"
                for column in self.columns
            ),
        ]


@dataclass(frozen=True, slots=True)
class View:
    """A view over tables, with a comment for every column."""

    name: str
    comment: str
    select: str
    column_comments: tuple[tuple[str, str], ...]

    def ddl(self) -> list[str]:
        """The statements that make the view anew and say what is in it."""
        name = quoted(self.name)
        return [
            f"CREATE OR REPLACE VIEW {name} AS {self.select}",
            f"COMMENT ON VIEW {name} IS {literal(self.comment)}",
            *(
                f"COMMENT ON COLUMN {name}.{quoted(column)} IS {literal(text)}"
                for column, text in self.column_comments
            ),
        ]


def quoted(name: str) -> str:
    """A name as SQL spells it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL spells it."""
    return "'" + text.replace("'", "''") + "'"
