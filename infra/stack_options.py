"""Options of the commands about the live stack."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from infra.stack.catalogue import PORTS

F = TypeVar("F", bound=Callable[..., Any])

_PORT = click.IntRange(1, 65535)
_PORT_WORDS = {
    "kafka": "Broker.",
    "controller": "Apache Kafka's own controller.",
    "redis": "Redis.",
    "warehouse": "Warehouse, where flows write.",
    "read": "Warehouse, where dashboards read.",
    "api": "API of holds.",
    "links": "Links by which alerts are acknowledged.",
}
data_option = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("tillflow-data"),
    show_default=True,
    help="Folder of the stack: everything it keeps, its logs and stack.json.",
)


def names_option(known: Sequence[str]) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """The callback of an option whose names come one by one, or with commas between them.

    One that is not known is refused.
    """

    def split(_context: click.Context, _parameter: click.Parameter, given: Any) -> tuple[str, ...]:
        names = [name.strip() for one in given for name in one.split(",")]
        for name in names:
            if name not in known:
                msg = f"{name!r} is none of {', '.join(known)}"
                raise click.BadParameter(msg)
        return tuple(dict.fromkeys(names))

    return split


def ports_options(command: F) -> F:
    """The options of the ports."""
    for name in reversed(PORTS):
        words = f"{_PORT_WORDS[name]}  [default: as last time, else a free one]"
        command = click.option(f"--port-{name}", type=_PORT, help=words)(command)
    return command
