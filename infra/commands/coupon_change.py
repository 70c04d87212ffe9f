"""`tillflow coupon change`: from one campaign to another, who got it and how well it went."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from infra.answers import console, field, table
from infra.campaign_files import case_in, receivers_in
from infra.options import token_file_option
from operators.members.coupons.diagnosis.change import Group, change, groups
from operators.members.coupons.diagnosis.facts import share


@click.command("change")
@click.argument("before")
@click.argument("after")
@click.option(
    "--warehouse",
    help="Instead of files: what flows wrote (DuckDB file or quack://…); both are names.",
)
@token_file_option
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table")
def change_command(
    before: str, after: str, warehouse: str | None, token_file: Path | None, form: str
) -> None:
    """Split the change of redemption from campaign BEFORE to AFTER: who got it, and how it went.

    Files: receivers as JSON Lines, as for `diagnose`. By name, groups are the segments then.
    """
    sides = [_groups(one, warehouse, token_file) for one in (before, after)]
    found = change(*sides)
    if form == "json":
        encoded = msgspec.json.encode(found)
        sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")
        return
    rows: list[dict[str, Any]] = []
    for group in sorted({**sides[0], **sides[1]}):
        row: dict[str, Any] = {"group": group or "(none)"}
        for head, side in zip(("before", "after"), sides, strict=True):
            members, redeemed = side.get(group, (0, 0))
            total = sum(many for many, _ in side.values())
            row[f">{head}"] = members
            row[f">{head}, share"] = f"{share(members, total):.1%}"
            row[f">{head}, redeemed"] = f"{redeemed / members:.1%}" if members else "-"
        rows.append(row)
    heads = [(head, field(head)) for head in rows[0]]
    console().print(table("Delivered and redeemed, by group", heads, rows))
    click.echo(found.words)


def _groups(name: str, warehouse: str | None, token_file: Path | None) -> dict[str, Group]:
    if warehouse is not None:
        receivers = case_in(warehouse, token_file, name, None).receivers
    else:
        path = Path(name)
        if not path.is_file():
            msg = f"{name} is no file of receivers: for a campaign by its name say --warehouse"
            raise click.UsageError(msg)
        receivers = receivers_in(path)
    found = groups(receivers)
    if not found:
        msg = f"{name} was delivered to nobody, so nobody could redeem it"
        raise click.ClickException(msg)
    return found
