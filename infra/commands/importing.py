"""`tillflow import`: exports of tills and ERP systems become clean events."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
import msgspec
from rich.console import Console

from infra.problems import problems_told
from sources.importing.mapping import load_mapping, shipped_mappings
from sources.importing.problems import ImportProblem
from sources.importing.run import import_files, replacing, require_writable
from sources.importing.show import shown

_FILE = click.Path(path_type=Path)


def _list(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted or context.resilient_parsing:
        return
    for name in shipped_mappings():
        click.echo(f"{name}  {load_mapping(name).title}")
    context.exit()


@click.command("import")
@click.argument("mapping")
@click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE...")
@click.option("--out", required=True, type=_FILE, help="Where the events go, as JSON lines.")
@click.option("--quarantine", type=_FILE, help="Where refused rows go; beside --out unless said.")
@click.option("--report", type=_FILE, help="Write the report as JSON, too.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list,
    help="The mappings that come with tillflow.",
)
def import_(
    mapping: str, files: tuple[Path, ...], out: Path, quarantine: Path | None, report: Path | None
) -> None:
    """Turn CSV or Parquet FILEs into stock.movement.v1 events as MAPPING says.

    MAPPING is a YAML file or the name of a shipped one. Dirty rows go to quarantine with a reason
    each and do not fail the import; a broken mapping or an unreadable file does, and then nothing
    is written.
    """
    console = Console()
    with problems_told(ImportProblem):
        require_writable((out, *([report] if report else [])), files)
        told = partial(click.echo, err=True)
        done = import_files(load_mapping(mapping), files, out, quarantine, say=told)
        if report is not None:
            with replacing(report) as part:
                part.write_bytes(msgspec.json.format(msgspec.json.encode(done)) + b"\n")
    console.print(shown(done))
