"""`tillflow transfers`: what should move where, what became of it, and the answers of people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from flows.recovery import RecoveryError
from flows.settings import SettingsError, StockSettings, kafka_settings, load_chain
from infra.answers import FORMATS, Column, console, field, print_csv, print_json, shown, table
from infra.commands.transfer_answers import accept, reject
from infra.options import (
    BROKERS,
    config_option,
    create_topics_option,
    epoch_option,
    format_option,
    kafka_option,
    token_file_option,
    workers_option,
)
from infra.transfer_options import at_option, open_table, time_of
from infra.warehouse_option import warehouse_option
from operators.stock.transfers.facts import TransferBatch
from operators.stock.transfers.history import shard_from
from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.state import OPEN, SHIPPED
from schemas.transfer import TransferSuggestion
from schemas.warehouse import TRANSFER_SUGGESTION
from serving.queries import Answer
from sinks.transfers.table import open_list
from sinks.warehouse.address import Target, WarehouseError
from sinks.warehouse.transfer_rows import suggestion_row

F = TypeVar("F", bound=Callable[..., Any])

STATUSES = ("proposed", "accepted", "shipped", "executed", "rejected", "expired", "superseded")
MINOR = 100


def _money(name: str) -> Callable[[Any], str]:
    return lambda one: f"{one[name] / MINOR:,.2f}"


def _from_to(who: str) -> Callable[[Any], str]:
    return lambda one: f"{one[f'{who}_available_before']:,} > {one[f'{who}_available_after']:,}"


_COLUMNS: tuple[Column, ...] = (
    ("sku", field("sku")),
    ("from", field("from_place")),
    ("to", field("to_place")),
    (">move", field("quantity")),
    ("why", lambda one: ", ".join(one["reason_codes"]).replace("_", " ")),
    (">giver has", _from_to("donor")),
    (">taker has", _from_to("taker")),
    (">saves", lambda one: f"{one['expected_lost_sales_avoided']:,.1f}"),
    (">costs", _money("transport_cost")),
    (">worth", _money("net_benefit")),
    ("needed by", lambda one: shown(one["needed_by"])[:16]),
    ("status", field("status")),
    ("suggestion", field("suggestion")),
)


def _shared(command: F) -> F:
    """The options of every command that shows suggestions."""
    return warehouse_option(format_option(FORMATS)(command))


_limit = click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many at most."
)


def _show(found: Sequence[TransferSuggestion], form: str, title: str, limit: int) -> None:
    names = tuple(TRANSFER_SUGGESTION.names)
    rows = [suggestion_row(one) for one in found[:limit]]
    for row, one in zip(rows, found, strict=False):
        row |= {"reason_codes": one.reason_codes, "pegged_orders": one.pegged_orders}
    answer = Answer(names, [tuple(row[name] for name in names) for row in rows])
    if form == "json":
        print_json(answer)
    elif form == "csv":
        print_csv(answer)
    elif not found:
        click.echo("no transfers")
    else:
        worth = sum(one.net_benefit for one in found) / MINOR
        saved = sum(one.expected_lost_sales_avoided for one in found)
        units = sum(one.quantity for one in found)
        note = (
            f"{len(found):,} transfers of {units:,} units, to save {saved:,.0f} sales, worth "
            f"{worth:,.2f}; accept with: tillflow transfers accept SUGGESTION"
        )
        if len(found) > limit:
            note += f"; the first {limit:,}, --limit shows more"
        console().print(table(title, _COLUMNS, answer.objects(), note))


@click.group()
def transfers() -> None:
    """Transfers between places: suggestions, and the answers to them."""


@transfers.command()
@config_option()
@at_option
@_limit
@_shared
def plan(config: Path | None, at: str | None, limit: int, warehouse: Target, form: str) -> None:
    """Plan once from the positions of a warehouse, keep the suggestions there and show them.

    Open suggestions stand where they are still good; nothing is promised twice.
    """
    with open_table(warehouse) as found:
        rules = TransferRules(load_chain(config))
        now = time_of(at, found)
        shard = shard_from(found.states(), rules)
        urgent = shard.apply([TransferBatch(0, list(found.positions()))], now)
        for outcome in (*urgent, shard.plan_all(now)):
            found.write(outcome)
        open_now = found.current(statuses=OPEN)
    _show(open_now, form, "Transfers that would pay", limit)


@transfers.command("list")
@click.option(
    "--status",
    type=click.Choice([*STATUSES, "all"]),
    multiple=True,
    help="Of these statuses; may be repeated.  [default: proposed, accepted, shipped]",
)
@_limit
@_shared
def list_(status: tuple[str, ...], limit: int, warehouse: Target, form: str) -> None:
    """Suggestions as they are now: promises at risk first, then what is worth most."""
    wanted = status or (*OPEN, SHIPPED)
    try:
        with open_list(warehouse) as found:
            there = found.current(statuses=() if "all" in wanted else wanted)
    except WarehouseError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    _show(there, form, "Transfers", limit)


@transfers.command()
@kafka_option(f"{BROKERS}.", required=True)
@click.option(
    "--warehouse",
    required=True,
    type=click.Path(path_type=Path),
    envvar="TILLFLOW_WAREHOUSE",
    help="DuckDB file of its own, or quack://HOST:PORT (token in TILLFLOW_WAREHOUSE_TOKEN).",
)
@token_file_option
@config_option()
@click.option(
    "--recovery",
    type=click.Path(path_type=Path),
    help="Folder for state and progress; without it the next run starts anew.",
)
@create_topics_option
@workers_option("Worker threads.")
@epoch_option(10.0)
def run(
    kafka: str,
    warehouse: Path,
    token_file: Path | None,
    config: Path | None,
    recovery: Path | None,
    create_topics: bool,
    workers: int,
    epoch_seconds: float,
) -> None:
    """Suggest transfers as positions change, until stopped: it goes on where it was."""
    from flows.engine_run import EXPECTED  # noqa: PLC0415 (the engine is only needed here)
    from flows.transfers import transfer_settings  # noqa: PLC0415
    from flows.transfers_runner import run_transfers  # noqa: PLC0415

    try:
        settings = transfer_settings(
            StockSettings(
                kafka=kafka_settings(kafka),
                create_topics=create_topics,
                warehouse=warehouse,
                warehouse_token_file=token_file,
                config=config,
                recovery=recovery,
                epoch_seconds=epoch_seconds,
            )
        )
        load_chain(config)
        run_transfers(settings, workers=workers)
    except (SettingsError, RecoveryError, *EXPECTED) as wrong:
        raise click.ClickException(str(wrong)) from wrong


transfers.add_command(accept)
transfers.add_command(reject)
