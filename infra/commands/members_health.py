"""`tillflow members health`: who is about to leave, and what says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
import msgspec

from infra.answers import FORMATS, Column, console, field, print_csv, print_json, shown, table
from infra.commands.members_moves import asking
from infra.options import format_option
from infra.warehouse_option import warehouse_option
from operators.members.health.model import BANDS
from sinks.warehouse.address import Target

_BANDS: tuple[Column, ...] = (
    ("band", field("band")),
    (">members", field("members")),
    (">share", lambda one: f"{one['share']:.1%}"),
    (">health, mean", lambda one: f"{one['mean_health']:.0f}"),
    (">spent", lambda one: f"{one['monetary'] / 100:,.2f}"),
    (">changes in 7 days", field("falls_within_7_days")),
)


def _why(one: Mapping[str, Any]) -> str:
    drivers = one["drivers"]
    if isinstance(drivers, str):
        drivers = msgspec.json.decode(drivers)
    return "; ".join(each["why"] for each in drivers[:2])


_MEMBERS: tuple[Column, ...] = (
    ("member", field("member")),
    (">health", field("health")),
    ("segment", field("segment_en")),
    (">spent", lambda one: f"{one['monetary'] / 100:,.2f}"),
    ("last purchase", lambda one: shown(one["last_at"])),
    ("because", _why),
)


@click.command("health")
@click.option("--band", type=click.Choice(BANDS), default=BANDS[0], show_default=True)
@click.option("--limit", type=click.IntRange(0, 10_000), default=20, show_default=True)
@format_option(FORMATS)
@warehouse_option
def health_command(band: str, limit: int, form: str, warehouse: Target) -> None:
    """Members by the band of their health, and those of one band who spend most.

    JSON and CSV have the members of the band alone.
    """
    with asking(warehouse) as queries:
        bands, found = queries.health(), queries.weakest(band, limit)
    if form == "json":
        print_json(found)
    elif form == "csv":
        print_csv(found)
    elif not bands.rows:
        click.echo(
            "no member has a health: make a model with `tillflow members fit`, and run "
            "`tillflow run members` with --health health.json"
        )
    else:
        model = bands.objects()[0]["model"]
        console().print(table(f"Health, by the model of {model}", _BANDS, bands.objects()))
        if found.rows:
            console().print(table(f"{band}: who spends most", _MEMBERS, found.objects()))
