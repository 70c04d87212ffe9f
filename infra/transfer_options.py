"""What the commands about transfers share: the table they open, and the time they take it to be."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from flows.settings import SettingsError
from schemas.instants import parse_instant, to_micros
from sinks.transfers.table import TransferTable
from sinks.warehouse.address import Address, Target, WarehouseError
from sinks.warehouse.client import Warehouse

at_option = click.option(
    "--at",
    help="The time it is (RFC 3339 with an offset).  [default: that of the newest event there is]",
)


@contextmanager
def open_table(warehouse: Target) -> Iterator[TransferTable]:
    """The table of suggestions, open for writing."""
    if not isinstance(warehouse, Address) and not Path(warehouse).exists():
        msg = f"no warehouse at {warehouse}: run a flow first (tillflow run stock)"
        raise click.ClickException(msg)
    try:
        opened = Warehouse(warehouse, patience=5)
        try:
            yield TransferTable(opened)
        finally:
            opened.close()
    except (WarehouseError, SettingsError) as wrong:
        raise click.ClickException(str(wrong)) from wrong


def time_of(at: str | None, found: TransferTable) -> int:
    """The time that suggestions are made and answered at, in us."""
    if at is not None:
        try:
            return parse_instant(at)
        except ValueError as wrong:
            raise click.BadParameter(str(wrong), param_hint="--at") from None
    newest = found.newest()
    if newest is None:
        msg = "the warehouse holds no positions yet: run the stock flow first"
        raise click.ClickException(msg)
    return to_micros(newest)
