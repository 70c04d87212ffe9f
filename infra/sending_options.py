"""What `tillflow hooks` and `tillflow channels` have in common."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from sinks.sqlite import StoreError

F = TypeVar("F", bound=Callable[..., Any])

PATH = click.Path(path_type=Path)
events_option = click.option("--events", type=PATH, help="Instead: a file of events (JSON Lines).")
once_option = click.option(
    "--once", is_flag=True, help="End when all is read and what can be sent is sent."
)
limit_option = click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 10_000)
)


def config_option(of: str, words: str) -> Callable[[F], F]:
    """`--config` of the worker `of` (hooks, channels)."""
    return click.option(
        "--config",
        type=PATH,
        default=Path(f"{of}.yaml"),
        show_default=True,
        envvar=f"TILLFLOW_{of.upper()}_CONFIG",
        help=words,
    )


def store_option(of: str, words: str) -> Callable[[F], F]:
    """`--store` of the worker `of`."""
    return click.option(
        "--store",
        type=PATH,
        default=Path(f"{of}.sqlite"),
        show_default=True,
        envvar=f"TILLFLOW_{of.upper()}_STORE",
        help=words,
    )


def states_option(states: Sequence[str]) -> Callable[[F], F]:
    """`--state`, again and again, given to the command as `states`."""
    choice = click.Choice(states)
    return click.option("--state", "states", multiple=True, type=choice, help="Only those.")


def existing(
    of: str, store: Path, connect: Callable[[Path], sqlite3.Connection]
) -> sqlite3.Connection:
    """A connection to a store that a worker has made.

    Raises:
        StoreError: there is none.
    """
    if not store.exists():
        msg = f"there is no store {store}: tillflow {of} run makes it"
        raise StoreError(msg)
    return connect(store)


def summary(found: Mapping[str, int]) -> str:
    """How many messages there are in each state, in one line."""
    return ", ".join(f"{count} {state}" for state, count in found.items())


def print_messages(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    unread: Iterable[tuple[str, str]],
    total: Mapping[str, int],
) -> None:
    """A table of messages, what could not be read, and the summary."""
    console = Console()
    table = Table(*header)
    for row in rows:
        table.add_row(*row)
    if table.row_count:
        console.print(table)
    for where, why in unread:
        console.print(f"not readable: {where}: {why}", markup=False)
    console.print(summary(total) or "no messages yet")
