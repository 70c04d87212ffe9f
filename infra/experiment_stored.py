"""`--store` of experiments: a read-out into the warehouse, for dashboards."""

from __future__ import annotations

from collections.abc import Sequence

import click

from operators.members.experiments.decide import Decision
from operators.members.experiments.readout import Readout
from operators.members.experiments.results import Look, Told, result_rows
from sinks.members.results import store_results
from sinks.warehouse.address import Target, WarehouseError


def store(
    target: Target, look: Look, found: Readout, decision: Decision, told: Sequence[Told]
) -> None:
    """Write it and say so on standard error, for the read-out itself is on standard output.

    Raises:
        click.ClickException: the warehouse cannot be written.
    """
    rows = result_rows(look, found, decision, told)
    try:
        store_results(target, rows)
    except WarehouseError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    click.echo(f"stored: {len(rows)} rows of experiment_result in {target}", err=True)
