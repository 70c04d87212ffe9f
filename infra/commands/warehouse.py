"""`tillflow warehouse`: serve a warehouse, keep it small, keep a copy of it."""

from __future__ import annotations

import os
import secrets
import signal
import threading
from pathlib import Path

import click

from serving.warehouse import ServerSettings, WarehouseServer
from sinks.warehouse.address import (
    DEFAULT_PORT,
    WarehouseError,
    read_tokens,
)


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
    envvar="TILLFLOW_WAREHOUSE_TOKEN_FILE",
    show_envvar=True,
    help="Tokens for flows, one a line; made when it is not there.  [default: FILE.token]",
)
@click.option(
    "--read-token-file",
    type=click.Path(path_type=Path),
    help="Tokens for dashboards, likewise.  [default: FILE.read-token]",
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
    try:
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
    except WarehouseError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    try:
        click.echo(f"{file} is served")
        click.echo(f"  flows write at quack://{host}:{port}, token in {write_file}")
        click.echo(
            f"  dashboards read at quack://{host}:{settings.read_port}, token in {read_file}"
        )
        if host not in ("127.0.0.1", "localhost", "::1"):
            click.echo(
                "  not encrypted: put a proxy with TLS in front (docs/warehouse.md)", err=True
            )
        server.run(stop)
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
