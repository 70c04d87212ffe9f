"""Where campaigns and their receivers are read from: files, or a warehouse by their name."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import click
import msgspec

from infra.campaign_told import Case, case_of
from operators.members.coupons.diagnosis.facts import Receiver
from serving.queries import QueryError, open_queries
from sinks.warehouse.address import WarehouseError, parse_target


def case_in(
    warehouse: str, token_file: Path | None, campaign: str, day: dt.datetime | None
) -> Case:
    """A campaign as a warehouse knows it.

    Raises:
        click.ClickException: it cannot be opened, or knows too little.
    """
    try:
        token = os.environ.get("TILLFLOW_WAREHOUSE_TOKEN")
        target = parse_target(warehouse, token=token, token_file=token_file)
        with open_queries(target) as queries:
            return case_of(queries, campaign, day.date() if day is not None else None)
    except (QueryError, WarehouseError) as wrong:
        raise click.ClickException(str(wrong)) from wrong


def receivers_in(path: Path) -> list[Receiver]:
    """The receivers of a file, one a line.

    Raises:
        click.ClickException: a line is of another form, with its number.
    """
    found = []
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                found.append(msgspec.json.decode(line, type=Receiver))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                msg = f"{path}, line {number}: {error}"
                raise click.ClickException(msg) from error
    return found
