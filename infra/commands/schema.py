"""`tillflow schema`: the contract as files, or one of them on standard output."""

from __future__ import annotations

from pathlib import Path

import click

from schemas.export import files


@click.group()
def schema() -> None:
    """The contract as JSON Schema and DDL."""


@schema.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("schemas/json"),
    show_default=True,
    help="Folder for the files.",
)
def export(out: Path) -> None:
    """Write one JSON Schema file an event type, the chain's configuration, and the DDL."""
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (out / name).write_text(text, encoding="utf-8")
        click.echo(out / name)


@schema.command()
@click.argument("name", type=click.Choice(sorted(files())))
def show(name: str) -> None:
    """Print one of the files."""
    click.echo(files()[name], nl=False)
