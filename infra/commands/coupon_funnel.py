"""`tillflow coupon funnel`: what became of coupons, from the warehouse or from the log alone."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from infra.answers import (
    FORMATS,
    Column,
    console,
    field,
    print_csv,
    print_json,
    shown,
    table,
)
from infra.commands.coupon_desk import DESK, KAFKA, gaps, read_log, told
from infra.options import format_option, token_file_option
from serving.campaigns import funnel as funnel_of
from serving.queries import Answer, QueryError, open_queries
from sinks.warehouse.address import WarehouseError, parse_target

NOTE = "redemption is of the delivered; what is still valid has not failed; money in minor units"


@click.command()
@click.argument("campaign", required=False)
@DESK
@KAFKA
@click.option("--warehouse", help="What `tillflow run coupons` wrote: DuckDB file or quack://…")
@token_file_option
@click.option("--by-day", is_flag=True, help="A row a day of issue (with --warehouse).")
@format_option(FORMATS)
def funnel(
    campaign: str | None,
    desk: str,
    kafka: str | None,
    warehouse: str | None,
    token_file: Path | None,
    by_day: bool,
    form: str,
) -> None:
    """What became of the coupons of every CAMPAIGN and arm.

    From the warehouse with visits, baskets and messages; from the log what the desk told.
    """
    if warehouse is None:
        _from_log(desk, kafka)
        return
    try:
        token = os.environ.get("TILLFLOW_WAREHOUSE_TOKEN")
        target = parse_target(warehouse, token=token, token_file=token_file)
        with open_queries(target) as queries:
            found = funnel_of(queries, campaign, by_day=by_day)
    except (QueryError, WarehouseError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    tell(found, form)


def tell(found: Answer, form: str) -> None:
    """Funnels, as a table, JSON or CSV."""
    if form == "json":
        print_json(found)
    elif form == "csv":
        print_csv(found)
    elif not found.rows:
        click.echo("no coupons yet: tillflow run coupons reads what became of them")
    else:
        console().print(table("coupons", _columns(found), found.objects(), NOTE))


def _columns(found: Answer) -> list[Column]:
    columns: list[Column] = []
    for name in found.columns:
        if name == "opened" and all(one["opened"] is None for one in found.objects()):
            continue
        if name in ("campaign", "day", "experiment", "arm"):
            columns.append((name, field(name)))
        elif name == "redemption":
            columns.append((">redemption", _redemption))
        elif name == "amount_off":
            columns.append((">money off", _shown(name)))
        elif name != "redeemed_delivered":
            columns.append((f">{name.replace('_', ' ')}", _shown(name)))
    return columns


def _shown(name: str) -> Any:
    return lambda one: shown(one[name])


def _redemption(one: Any) -> str:
    return "" if one["redemption"] is None else f"{one['redemption']:.1%}"


def _from_log(desk: str, kafka: str | None) -> None:
    with told():
        log = read_log(kafka, desk)
    now = int(datetime.now(UTC).timestamp() * 1000)
    rows = []
    groups: dict[tuple[str, str], list[Any]] = {}
    for life in log.lives.coupons.values():
        groups.setdefault((life.campaign, life.arm), []).append(life)
    for (campaign, arm), lives in sorted(groups.items()):
        states = [life.at(now) for life in lives]
        redeemed = states.count("redeemed")
        ended = redeemed + states.count("expired")
        rows.append(
            {
                "campaign": campaign,
                "arm": arm,
                ">issued": str(len(lives)),
                ">redeemed": str(redeemed),
                ">expired": str(states.count("expired")),
                ">still valid": str(len(lives) - ended),
                ">rolled back": str(sum(life.before == "rolled_back" for life in lives)),
                ">redeemed of ended": f"{redeemed / ended:.1%}" if ended else "",
                ">money": f"{sum(life.amount for life in lives if life.state == 'redeemed')}",
            }
        )
    if rows:
        note = "money in minor units; what is still valid has not failed"
        heads = [(head, field(head)) for head in rows[0]]
        console().print(table("coupons", heads, rows, note))
    click.echo(f"{log.events} events{gaps(log)}")
