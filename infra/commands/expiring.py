"""`tillflow expiring`: lots that will not be sold before their last day is over."""

from __future__ import annotations

import click

from flows.watch import EXPIRING as WATCH
from infra.answers import field, shown
from infra.watching import Shown, check_command, watch_command
from operators.stock.expiry.alerts import EXPIRING

_SHOWN = Shown(
    alert_type=EXPIRING,
    title="Lots that will not be sold in time",
    nothing="all lots will be sold in time, as sales go",
    columns=(
        ("sku", field("sku")),
        ("place", field("place")),
        ("lot", lambda one: shown(one["lot"]["lot"])),
        ("last day", lambda one: one["lot"]["expires_on"]),
        (">units", lambda one: shown(one["lot"]["units"])),
        (">sold in time", lambda one: shown(one["lot"]["sold_in_time"])),
        (">a day", lambda one: shown(one["lot"]["demand_rate"])),
        ("what to do", field("suggested_action")),
    ),
    finding="lot",
    since="since",
    order=lambda one: (one["lot"]["expires_at"], one["sku"], one["place"]),
)


@click.group()
def expiring() -> None:
    """Lots that will not be sold before their last day is over, as sales go."""


expiring.add_command(
    check_command(
        WATCH,
        _SHOWN,
        "Go through events and show what will be left over, the first to expire first.",
    )
)
expiring.add_command(watch_command(WATCH, EXPIRING))
