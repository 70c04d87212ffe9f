"""SQL expressions of a mapping: read for what they name, refused where they are more than a value.

A mapping may come from somebody else; its expressions may compute with the columns of a row, and
nothing more: no subquery, so no other table and no file of this machine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from schemas.tables import literal, quoted
from sources.importing.fields import Origin, Value
from sources.importing.mapping import Mapping
from sources.importing.problems import MappingError, first_line
from sources.importing.tables import Loaded

_FORBIDDEN = {
    "SUBQUERY": "it contains a subquery; to look something up in another file use lookups",
    "WINDOW": "it looks at other rows (a window function); an expression sees one row",
    "STAR": "it contains *; name the columns",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression of the mapping: where it stands, and its SQL over the columns of a row.

    `names` are the columns it reads, as `(column,)` or `(lookup, column)`; `type` is DuckDB's, once
    it was bound to a file.
    """

    slot: str
    at: int
    sql: str
    text: str
    names: tuple[tuple[str, ...], ...]
    condition: bool = False
    type: str = ""


def expressions(connection: duckdb.DuckDBPyConnection, mapping: Mapping) -> list[Expression]:
    """All expressions of the mapping, in the order of their evaluation.

    Raises:
        MappingError: one is not SQL, or is more than a value of one row.
    """
    found: list[Expression] = []
    for slot, at, text, condition in _written(mapping):
        names = _names(connection, mapping, at, text)
        # The line break ends a trailing comment, which would hide the bracket.
        found.append(Expression(slot, at, f"({text}\n)", text, names, condition))
    for slot, origin in _origins(mapping):
        if origin.column is not None:
            sql = quoted(origin.column)
            found.append(Expression(slot, origin.at, sql, origin.column, ((origin.column,),)))
        elif origin.constant is not None:
            sql = literal(origin.constant)
            found.append(Expression(slot, origin.at, sql, origin.constant, ()))
    for number, column in enumerate(mapping.event.id.key, 1):
        found.append(
            Expression(f"key.{number}", mapping.event.id.at, quoted(column), column, ((column,),))
        )
    return found


def _written(mapping: Mapping) -> Iterator[tuple[str, int, str, bool]]:
    for number, skip in enumerate(mapping.skip, 1):
        yield f"skip.{number}", skip.at, skip.when, True
    for number, refuse in enumerate(mapping.refuse, 1):
        yield f"refuse.{number}", refuse.at, refuse.when, True
    for number, rule in enumerate(mapping.event.kind, 1):
        if rule.when is not None:
            yield f"kind.{number}", rule.at, rule.when, True
    for slot, origin in _origins(mapping):
        if origin.sql is not None:
            yield slot, origin.at, origin.sql, False


def _origins(mapping: Mapping) -> Iterator[tuple[str, Origin]]:
    event = mapping.event
    for name in event.__struct_fields__:
        value = getattr(event, name)
        if isinstance(value, Origin):
            yield name, value
    if event.quantity is not None and event.quantity.factor is not None:
        yield "factor", event.quantity.factor
    if event.time.zone is not None:
        yield "zone", event.time.zone
    for number, rule in enumerate(event.kind, 1):
        if rule.reason is not None:
            yield f"reason.{number}", rule.reason


def values(mapping: Mapping) -> dict[str, Value]:
    """The values of the mapping by their slot; kinds' own reasons are left out."""
    return {slot: each for slot, each in _origins(mapping) if isinstance(each, Value)}


def _names(
    connection: duckdb.DuckDBPyConnection, mapping: Mapping, at: int, text: str
) -> tuple[tuple[str, ...], ...]:
    tree = json.loads(
        connection.execute("SELECT json_serialize_sql(?)", [f"SELECT {text}\n"]).fetchall()[0][0]
    )
    if tree["error"]:
        message = f"the expression {text.strip()!r} is not SQL: {tree['error_message']}"
        raise mapping.error(at, message)
    node = tree["statements"][0]["node"]
    plain = (
        node["type"] == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and node["from_table"]["type"] == "EMPTY"
        and not (node["where_clause"] or node["modifiers"] or node["group_expressions"])
    )
    if not plain:
        raise mapping.error(at, f"the expression {text.strip()!r} must be one value of a row")
    names: list[tuple[str, ...]] = []
    for part in _parts(node["select_list"]):
        kind = part.get("class")
        if kind in _FORBIDDEN:
            message = f"the expression {text.strip()!r} cannot be used: {_FORBIDDEN[kind]}"
            raise mapping.error(at, message)
        if kind == "COLUMN_REF":
            names.append(tuple(part["column_names"]))
    return tuple(dict.fromkeys(names))


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for each in tree.values():
            yield from _parts(each)
    elif isinstance(tree, list):
        for each in tree:
            yield from _parts(each)


def bind(
    connection: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    found: list[Expression],
    loaded: Loaded,
    rows: str,
) -> dict[str, Expression]:
    """The expressions with their types over the relation `rows` of one file, by slot.

    Raises:
        MappingError: a column is not in the file, or DuckDB cannot make sense of an expression.
    """
    bound: dict[str, Expression] = {}
    for each in found:
        try:
            described = connection.execute(
                f"DESCRIBE SELECT __row, {each.sql} AS value FROM {rows}"
            ).fetchall()
        except duckdb.Error as wrong:
            raise _unbound(mapping, each, loaded, wrong) from None
        kind = described[1][1]
        if each.condition and kind != "BOOLEAN":
            message = f"the expression {each.text!r} is {kind}, a when must be true or false"
            raise mapping.error(each.at, message)
        bound[each.slot] = Expression(
            each.slot, each.at, each.sql, each.text, each.names, each.condition, kind
        )
    return bound


def missing_column(name: str, loaded: Loaded) -> str:
    """What to say of a column that a file does not have."""
    columns = ", ".join(loaded.columns) or "none"
    message = f'there is no column "{name}" in {loaded.path}; its columns are {columns}'
    if len(loaded.columns) == 1:
        marks = {";": ";", "\t": "tab", "|": "|"}
        only = next(iter(loaded.columns))
        mark = next((word for mark, word in marks.items() if mark in only), None)
        if mark is not None:
            message += (
                f'; it seems to be separated by {mark}: declare file: {{delimiter: "{mark}"}}'
            )
    return "; ".join([message, *loaded.notes])


def _unbound(
    mapping: Mapping, each: Expression, loaded: Loaded, wrong: duckdb.Error
) -> MappingError:
    for name in each.names:
        known = name[0] in mapping.lookups or loaded.column(name[0]) is not None
        if len(name) == 1 and not known and "not found" in str(wrong):
            hint = missing_column(name[0], loaded)
            if each.text == name[0] and not each.slot.startswith("key."):
                hint += "; for a fixed text write {constant: ...}"
            return mapping.error(each.at, hint)
    return mapping.error(each.at, f"the expression {each.text!r} fails: {first_line(wrong)}")


def failing(
    connection: duckdb.DuckDBPyConnection,
    mapping: Mapping,
    bound: dict[str, Expression],
    rows: str,
) -> MappingError | None:
    """The expression that fails on some row of `rows`, found by trying each alone."""
    for each in bound.values():
        try:
            connection.execute(f"SELECT count({each.sql}) FROM {rows}").fetchall()
        except duckdb.Error as wrong:
            remedy = "TRY_CAST, or number(column) for numbers in text, makes nothing of such rows"
            message = f"the expression {each.text!r} fails on a row: {first_line(wrong)}; {remedy}"
            return mapping.error(each.at, message)
    return None
