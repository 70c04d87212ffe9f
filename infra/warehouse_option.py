"""The option `--warehouse` of commands: a file, or the address of a served warehouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sinks.warehouse.address import Address, WarehouseError, parse_target

F = TypeVar("F", bound=Callable[..., Any])

_TOKEN = "tillflow.warehouse.token"  # noqa: S105 (a name, no token)
_TOKEN_FILE = "tillflow.warehouse.token_file"  # noqa: S105


def warehouse_option(command: F) -> F:
    """Add `--warehouse`, given to the command as a path or an address with its token.

    The token comes from TILLFLOW_WAREHOUSE_TOKEN or from a file, never from the command line,
    where every user of the machine could read it.
    """
    token = click.option(
        "--warehouse-token",
        envvar="TILLFLOW_WAREHOUSE_TOKEN",
        hidden=True,
        expose_value=False,
        is_eager=True,
        callback=_keep(_TOKEN),
    )
    token_file = click.option(
        "--token-file",
        type=click.Path(path_type=Path),
        envvar="TILLFLOW_WAREHOUSE_TOKEN_FILE",
        show_envvar=True,
        expose_value=False,
        is_eager=True,
        callback=_keep(_TOKEN_FILE),
        help="Token for a served warehouse (or TILLFLOW_WAREHOUSE_TOKEN).",
    )
    warehouse = click.option(
        "--warehouse",
        default="warehouse.duckdb",
        envvar="TILLFLOW_WAREHOUSE",
        show_default=True,
        show_envvar=True,
        callback=_target,
        help="DuckDB file, or quack://HOST:PORT.",
    )
    return warehouse(token_file(token(command)))


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(context: click.Context, _parameter: click.Parameter, value: Any) -> None:
        context.meta[name] = value

    return keep


def _target(context: click.Context, _parameter: click.Parameter, value: str) -> Path | Address:
    meta = context.meta
    try:
        return parse_target(value, token=meta.get(_TOKEN), token_file=meta.get(_TOKEN_FILE))
    except WarehouseError as wrong:
        raise click.ClickException(str(wrong)) from wrong
