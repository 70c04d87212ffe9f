"""`tillflow warehouse`: serve a warehouse, keep it small, keep a copy of it."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from infra.warehouse_option import warehouse_option
from serving.upkeep import Upkeep
from serving.warehouse import ServerSettings, WarehouseServer
from sinks.warehouse.address import (
    DEFAULT_PORT,
    Address,
    Target,
    WarehouseError,
    read_tokens,
)
from sinks.warehouse.client import Warehouse
from sinks.warehouse.retention import RULES, kept_days, retain
from sinks.warehouse.upkeep import backup, compact, fold, size

F = TypeVar("F", bound=Callable[..., Any])


class _Days(click.ParamType):  # type: ignore[type-arg]
    """TABLE=DAYS."""

    name = "TABLE=DAYS"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """The name and the number."""
        table, _, days = str(value).partition("=")
        if not table or not days.isdecimal():
            self.fail(f"{value} is not of the form TABLE=DAYS", param, ctx)
        return table, int(days)


def _history(command: F) -> F:
    """The options that say how long history is kept."""
    names = ", ".join(rule.table.name for rule in RULES)
    days = click.option(
        "--days", type=click.IntRange(0), help=f"Days that history is kept ({names})."
    )
    keep = click.option(
        "--keep",
        type=_Days(),
        multiple=True,
        help="Other days for one table, such as dead_letter=90; again for others.",
    )
    export = click.option(
        "--export",
        type=click.Path(path_type=Path, file_okay=False),
        help="Folder that gets what is removed, as Parquet.",
    )
    return days(keep(export(command)))


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except WarehouseError as wrong:
        raise click.ClickException(str(wrong)) from wrong


@click.group()
def warehouse() -> None:
    """Serve a warehouse to flows and dashboards, and look after it."""


@warehouse.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--host", default="127.0.0.1", show_default=True, help="Interface to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Where flows write.",
)
@click.option(
    "--read-port",
    type=click.IntRange(1, 65535),
    help="Where dashboards read, and can do nothing else.  [default: PORT + 1]",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="Tokens for flows, one a line; made when it is not there.  [default: FILE.token]",
)
@click.option(
    "--read-token-file",
    type=click.Path(path_type=Path),
    help="Tokens for dashboards, likewise.  [default: FILE.read-token]",
)
@_history
@click.option(
    "--every-hours",
    type=click.FloatRange(min=0, min_open=True),
    default=24.0,
    show_default=True,
    help="How often history is removed, where --days or --keep say so.",
)
@click.option("--threads", type=click.IntRange(1), help="Threads at most.  [default: all cores]")
@click.option("--memory", help="Memory at most, such as 2GB.  [default: 80% of the machine's]")
def serve(
    file: Path,
    host: str,
    port: int,
    read_port: int | None,
    token_file: Path | None,
    read_token_file: Path | None,
    days: int | None,
    keep: tuple[tuple[str, int], ...],
    export: Path | None,
    every_hours: float,
    threads: int | None,
    memory: str | None,
) -> None:
    """Own FILE and serve it: many flows write and dashboards read at the same moment.

    SIGTERM ends it with everything in the file. After a kill it is simply started again.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    write_file = token_file or file.with_name(file.name + ".token")
    read_file = read_token_file or file.with_name(file.name + ".read-token")
    with _in_words():
        kept = kept_days(days, dict(keep))
        settings = ServerSettings(
            file=file,
            write_tokens=_tokens(write_file),
            read_tokens=_tokens(read_file),
            host=host,
            port=port,
            read_port=read_port or port + 1,
            threads=threads,
            memory=memory,
        )
        server = WarehouseServer(settings)
    try:
        upkeep = Upkeep(server.connection, file, kept, export, every_hours * 3600)
        click.echo(f"{file} is served")
        click.echo(f"  flows write at quack://{host}:{port}, token in {write_file}")
        click.echo(
            f"  dashboards read at quack://{host}:{settings.read_port}, token in {read_file}"
        )
        if host not in ("127.0.0.1", "localhost", "::1"):
            click.echo(
                "  not encrypted: put a proxy with TLS in front (docs/warehouse.md)", err=True
            )
        server.run(stop, upkeep.tend)
    finally:
        server.close()
    click.echo(f"{file} is closed")


def _tokens(path: Path) -> list[str]:
    """The tokens of a file; a file that is not there is made with a new one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nobody else may read it, from its first moment on.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
    return read_tokens(path)


@warehouse.command("retain")
@warehouse_option
@_history
def retain_(
    warehouse: Target, days: int | None, keep: tuple[tuple[str, int], ...], export: Path | None
) -> None:
    """Remove history that is older than its days: cleared alerts, dead letters, ended runs, ...

    Positions, open alerts and running flows are never removed. Ages count from the newest event,
    those of runs from now.
    """
    if days is None and not keep:
        msg = "say how long history is kept: --days, or --keep TABLE=DAYS"
        raise click.UsageError(msg)
    with _in_words():
        kept = kept_days(days, dict(keep))
        with closing(_open(warehouse)) as opened:
            removed = retain(opened, kept, datetime.now(UTC), export)
            fold(opened)
    for table, rows in removed.items():
        click.echo(f"{table}: {rows:,} rows removed")


@warehouse.command("compact")
@warehouse_option
def compact_(warehouse: Target) -> None:
    """Give back disk space: a file is written anew; a served one folds its log in."""
    with _in_words():
        if not isinstance(warehouse, Address):
            _open(warehouse).close()
            before, after = compact(Path(warehouse))
            click.echo(f"{warehouse}: {before:,} bytes before, {after:,} after")
            return
        with closing(_open(warehouse)) as opened:
            was = size(opened)
            fold(opened)
            now = size(opened)
    click.echo(f"{warehouse}: log {was.log:,} bytes before, {now.log:,} after")
    click.echo(f"file {was.file:,} bytes before, {now.file:,} after, {now.used:,} of them used")
    click.echo("free blocks are used again; to give them back, stop the server and compact FILE")


@warehouse.command("backup")
@click.argument("copy", type=click.Path(path_type=Path, dir_okay=False))
@warehouse_option
def backup_(copy: Path, warehouse: Target) -> None:
    """Copy the warehouse as it is at one moment into the new file COPY, also while it is served."""
    with _in_words():
        backup(warehouse, copy)
    click.echo(f"{copy}: {copy.stat().st_size:,} bytes")


@warehouse.command()
@warehouse_option
def status(warehouse: Target) -> None:
    """Whether it answers, how large it is and what is in it; exit code 1 when it does not."""
    with _in_words(), closing(_open(warehouse)) as opened:
        sizes = size(opened)
        click.echo(f"{warehouse} answers, id {opened.identity}")
        click.echo(f"file {sizes.file:,} bytes, {sizes.used:,} of them used; log {sizes.log:,}")
        for name, rows in opened.execute(
            "SELECT table_name, estimated_size FROM duckdb_tables() WHERE NOT internal "
            "AND database_name = current_database() ORDER BY table_name"
        ):
            click.echo(f"{name}: about {rows:,} rows")


def _open(target: Target) -> Warehouse:
    if isinstance(target, Path) and not target.exists():
        msg = f"no warehouse at {target}"
        raise WarehouseError(msg)
    return Warehouse(target, patience=5)
