"""Answers of the warehouse on standard output: a table for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from serving.queries import Answer

FORMATS = ("table", "json", "csv")
# Where standard output is no terminal there is no width to keep to.
_WIDE = 200
_STYLES = {"critical": "bold red", "high": "red", "warning": "yellow"}

# A column of a table: its heading, and the text of an object.
Column = tuple[str, Callable[[Mapping[str, Any]], str]]


def console() -> Console:
    """Standard output; as wide as it needs where it is no terminal."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, markup=False)


def print_json(answer: Answer) -> None:
    """A list of objects; instants are RFC 3339 with an offset."""
    encoded = msgspec.json.encode([_machine(one) for one in answer.objects()])
    sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")


def print_csv(answer: Answer) -> None:
    """A header and a line a row; what is structured is JSON in one field."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    for one in answer.objects():
        writer.writerow(
            msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value
            for value in _machine(one).values()
        )


def table(
    title: str, columns: Sequence[Column], objects: Sequence[Mapping[str, Any]], note: str = ""
) -> Table:
    """A table for people; texts of the data are never read as markup."""
    shown = Table(
        title=Text(title, style="bold"),
        title_justify="left",
        caption=Text(note, style="dim") if note else None,
        caption_justify="left",
        box=None,
        pad_edge=False,
    )
    for heading, _ in columns:
        is_number = heading.startswith(">")
        shown.add_column(heading.lstrip(">"), justify="right" if is_number else "left")
    for one in objects:
        style = _STYLES.get(str(one.get("severity")), "")
        cells = [text(one) for _, text in columns]
        shown.add_row(Text(cells[0], style=style), *(Text(cell) for cell in cells[1:]))
    return shown


def field(name: str) -> Callable[[Mapping[str, Any]], str]:
    """The text of a field: whole numbers with separators, instants to the second."""
    return lambda one: shown(one[name])


def shown(value: object) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"
    return str(value)


def _machine(one: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in one.items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        # The bytes as they came may be no text: what is none is shown as an escape.
        return value.decode("utf-8", "backslashreplace")
    return value
