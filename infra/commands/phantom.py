"""`tillflow phantom`: stock on record that has been silent for improbably long."""

from __future__ import annotations

import click

from flows.watch import PHANTOM as WATCH
from infra.answers import field, shown
from infra.watching import Shown, check_command, watch_command
from operators.stock.phantom.alerts import PHANTOM
from schemas.instants import to_datetime

_SHOWN = Shown(
    alert_type=PHANTOM,
    title="Phantom stock suspected",
    nothing="nothing is silent for improbably long",
    columns=(
        ("sku", field("sku")),
        ("place", field("place")),
        ("silent since", lambda one: shown(to_datetime(one["opened_at"]))),
        (">on record", lambda one: shown(one["silence"]["on_hand"])),
        (">sales expected since", lambda one: shown(one["silence"]["expected_sales"])),
        (">probability", lambda one: f"{one['silence']['probability']:.2g}"),
        ("what to do", field("suggested_action")),
    ),
    finding="silence",
    since="silent_since",
    order=lambda one: one["silence"]["probability"],
)


@click.group()
def phantom() -> None:
    """Stock on record that should have sold long ago and has not: is it there?"""


phantom.add_command(
    check_command(
        WATCH,
        _SHOWN,
        "Go through events and show what is suspected at their end, the least probable first.",
    )
)
phantom.add_command(watch_command(WATCH, PHANTOM))
