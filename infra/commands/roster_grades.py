"""`tillflow roster grades`: grades that the work itself suggests; proposed, not imposed."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from flows.settings import SettingsError, load_chain
from infra.answers import console, table
from infra.options import config_option, format_option
from infra.warehouse_option import warehouse_option
from operators.roster.grades import Proposed, Scale, paces, proposals
from schemas.roster import RosterFile
from schemas.roster_file import RosterProblem
from sinks.roster.work import read_work
from sinks.warehouse.address import Target
from sinks.warehouse.client import WarehouseError, open_reader
from sources.roster_files import RosterFiles


@click.command()
@config_option("The chain's configuration (YAML): its roster files have the present grades.")
@click.option("--store", help="One store only.")
@click.option(
    "--days",
    type=click.IntRange(1, 400),
    default=56,
    show_default=True,
    help="How far back from the newest work.",
)
@click.option(
    "--middle",
    type=click.IntRange(0, 10),
    default=3,
    show_default=True,
    help="The grade of the usual pace of a task.",
)
@click.option(
    "--step",
    type=click.FloatRange(0.01, 1.0),
    default=0.1,
    show_default=True,
    help="How much faster a grade is than the one below.",
)
@format_option()
@warehouse_option
def grades(
    config: Path | None,
    store: str | None,
    days: int,
    middle: int,
    step: float,
    form: str,
    warehouse: Target,
) -> None:
    """Everybody's pace at each task beside the grade they have, and the grade it suggests.

    From employee_work_15m; each pace is shrunk to that of the task's people by how little is known
    of it. Nothing is written: who grades people decides.
    """
    try:
        present = {} if config is None else _present(config)
        reader = open_reader(warehouse)
        try:
            work = list(read_work(reader, days, store))
        finally:
            reader.close()
    except (SettingsError, RosterProblem, WarehouseError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    found = proposals(paces(work), present, Scale(middle, step))
    if not found:
        msg = (
            "nobody has done enough work with an expected time (30 orders in 8 quarters of an "
            "hour): run tillflow run footfall over more days"
        )
        raise click.ClickException(msg)
    rows = [_plain(one) for one in found]
    if form == "json":
        encoded = msgspec.json.format(msgspec.json.encode(rows), indent=2)
        sys.stdout.write(encoded.decode() + "\n")
        return
    columns = tuple((name, lambda one, name=name: str(one[name])) for name in rows[0])
    console().print(table("Grades the work suggests", columns, rows))
    changes = sum(one.change for one in found)
    click.echo(f"{changes} of {len(found)} would change; nothing was written")


def _present(config: Path) -> dict[tuple[str, str], int]:
    chain = load_chain(config)
    shops = RosterFiles(chain.staffing.shops, config.parent).check()
    files: list[RosterFile] = [file for name in shops.names for file in shops.files(name)]
    return {
        (who.name, task): grade
        for file in files
        for who in file.employees
        for task, grade in who.skills.items()
    }


def _plain(one: Proposed) -> dict[str, Any]:
    pace = one.pace
    low, high = (math.exp(pace.pace + side * 1.2816 * pace.sd) for side in (-1, 1))
    return {
        "employee": pace.employee,
        "task": pace.task,
        "orders": pace.orders,
        "seen": f"{math.exp(pace.seen):.2f}",
        "pace": f"{math.exp(pace.pace):.2f}",
        "80%": f"{low:.2f}-{high:.2f}",
        "present": "" if one.present is None else one.present,
        "proposed": one.grade,
        "why": one.why,
    }
