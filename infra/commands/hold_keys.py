"""`tillflow holds keys`: keys of the hold API."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from serving.holds.keys import SCOPES, KeysError, Scope, load_keys, new_key, revoke_key

KEYS_FILE = click.option(
    "--keys",
    "file",
    type=click.Path(path_type=Path),
    default=Path("api_keys.yaml"),
    show_default=True,
    envvar="TILLFLOW_HOLDS_KEYS",
    help="Keys of the API (YAML, hashes only).",
)


@click.group()
def keys() -> None:
    """Keys of the hold API; servers that run follow the file."""


@keys.command()
@KEYS_FILE
@click.option("--channel", required=True, help="Who holds with it, such as mini-program.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(SCOPES),
    help="What it may do; again for others.",
)
@click.option("--rate", default=100.0, show_default=True, help="Requests a second.")
@click.option("--burst", default=200.0, show_default=True, help="Requests at once.")
def new(file: Path, channel: str, scopes: tuple[str, ...], rate: float, burst: float) -> None:
    """Make a key: it is shown this once, the file gets its hash."""
    if rate <= 0 or burst < 1:
        msg = "--rate must be above 0 and --burst at least 1"
        raise click.UsageError(msg)
    try:
        key, made = new_key(
            file, channel, cast("list[Scope]", list(scopes)), rate=rate, burst=burst
        )
    except (KeysError, OSError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    click.echo(
        f"key {made.id} of channel {channel} is in {file}; keep it, it is not shown again:",
        err=True,
    )
    click.echo(key)


@keys.command("list")
@KEYS_FILE
def list_(file: Path) -> None:
    """The keys of the file, without what is secret."""
    try:
        found = load_keys(file).keys
    except KeysError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    for key in found:
        since = "" if key.created_at is None else f"{key.created_at:%Y-%m-%d}"
        click.echo(
            f"{key.id}  {key.channel}  {','.join(key.scopes)}  {key.rate:g}/s burst "
            f"{key.burst:g}  {since}"
        )


@keys.command()
@KEYS_FILE
@click.argument("key_id")
def revoke(file: Path, key_id: str) -> None:
    """Take a key out of the file: it is refused within a second."""
    try:
        gone = revoke_key(file, key_id)
    except (KeysError, OSError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    click.echo(f"key {gone.id} of channel {gone.channel} is revoked")
