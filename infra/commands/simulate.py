"""`tillflow simulate`: a chain with its hidden truth, written to a folder or played live."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from infra.commands.simulate_live import live_options, play_live
from sources.simulator import PRESETS, Manifest, clean, settings_from, write
from sources.simulator import simulate as simulate_chain
from sources.simulator.writing import write_chain


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to write to; it is made where it is not there. With --live: for the truth.",
)
@click.option("--preset", type=click.Choice(list(PRESETS)), help="Kind of chain.  [default: tea]")
@click.option("--seed", type=int, help="The same seed and settings write the same files.")
@click.option("--days", type=int, help="How many days.  [default: 7]")
@click.option("--stores", type=int, help="How many shops.  [default: 12]")
@click.option("--skus", type=int, help="How many SKUs.  [default: 400]")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    help="First day.  [default: 2026-03-02]",
)
@click.option("--lateness-hours", type=float, help="No event arrives later.  [default: 24]")
@click.option("--clean", "is_clean", is_flag=True, help="Nothing is lost, late, twice or wrong.")
@click.option(
    "--settings",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAML file of settings; the other options win over it.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="KEY=VALUE",
    help="Any setting, like imperfections.lost_scan_rate=0.02; may be repeated.",
)
@click.option(
    "--write-config",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the chain's configuration alone, as one pool, for `tillflow up --config`.",
)
@live_options
def simulate(
    out: Path | None,
    preset: str | None,
    seed: int | None,
    days: int | None,
    stores: int | None,
    skus: int | None,
    start: datetime | None,
    lateness_hours: float | None,
    is_clean: bool,
    file: Path | None,
    assignments: tuple[str, ...],
    write_config: Path | None,
    live: bool,
    **how: Any,
) -> None:
    """Simulate a chain: events, its configuration, and what was really on the shelves.

    docs/simulator.md describes every setting and every column of the truth. With --live the chain
    is played in real time against a stack that runs (docs/drill.md).
    """
    if not live and (given := sorted(name for name, value in how.items() if value is not None)):
        msg = f"--{given[0]} goes with --live"
        raise click.UsageError(msg)
    if not live and out is None and write_config is None:
        msg = "say where to write with --out FOLDER, or --live to play against a running stack"
        raise click.UsageError(msg)
    try:
        settings = settings_from(
            preset,
            file,
            assignments,
            seed=seed,
            days=days,
            stores=stores,
            skus=skus,
            start=None if start is None else start.date(),
            max_lateness_hours=lateness_hours,
        )
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from None
    if is_clean:
        settings = clean(settings)
    if write_config is not None:
        write_chain(simulate_chain(settings), write_config, one_pool=True)
        click.echo(f"next: tillflow up --config {write_config}")
    if live:
        play_live(settings, out, **how)
        return
    if out is not None:
        _report(write(settings, out), out)


def _report(manifest: Manifest, out: Path) -> None:
    """What was made, where it is and what to do next."""
    settings = manifest.settings
    click.echo(
        f"{settings.preset} chain, seed {settings.seed}: {settings.stores} shops, "
        f"{settings.forward_warehouses} forward and {settings.central_warehouses} central "
        f"warehouses, {settings.skus} SKUs, {settings.days} days from {settings.start}"
    )
    width = max(len(name) for name in manifest.files)
    for name, fact in manifest.files.items():
        rows = "" if fact.rows is None else f"{fact.rows:>11,} rows"
        click.echo(f"  {name:<{width}}  {fact.bytes / 1e6:>9,.2f} MB {rows}".rstrip())
    wrong = sum(manifest.imperfections.values())
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in manifest.imperfections.items())
    click.echo(f"{wrong:,} imperfections" + (f": {kinds}" if kinds else ""))
    click.echo(f"in {out}, with the sizes and hashes in manifest.json")
    movements = out / "stock.movement.v1.jsonl"
    click.echo(
        "next: tillflow run stock "
        f"--source {movements} --config {out / 'chain.yaml'} --warehouse {out / 'shop.duckdb'}"
    )
    click.echo(f"      and compare stock_position with {out / 'truth' / 'recorded.parquet'}")
    click.echo(
        "  or: tillflow run footfall "
        f"--source {out} --config {out / 'chain.yaml'} "
        f"--warehouse {out / 'shop.duckdb'}"
    )
    click.echo(f"      and compare footfall_15m with {out / 'truth' / 'intensity.parquet'}")
