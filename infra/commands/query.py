"""`tillflow query`: ready answers from the warehouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from infra.answers import FORMATS, Column, console, field, print_csv, print_json, shown, table
from infra.commands.coupon_funnel import tell as tell_funnel
from infra.options import format_option
from infra.warehouse_option import warehouse_option
from serving.campaigns import funnel
from serving.queries import ALERT_TYPES, SELLING_DAYS, Answer, Queries, QueryError, open_queries
from sinks.warehouse.address import Target

F = TypeVar("F", bound=Callable[..., Any])

_PLACES: tuple[Column, ...] = (
    ("place", field("place")),
    ("pool", field("pool")),
    (">on hand", field("on_hand")),
    (">allocated", field("allocated")),
    (">quarantined", field("quarantined")),
    (">in transit", field("in_transit")),
    (">available", field("available")),
    (">safety stock", field("safety_stock")),
    (">a day", field("demand_rate")),
    (">days of cover", field("days_of_cover")),
    ("as of", field("as_of")),
)
_POOLS: tuple[Column, ...] = (
    ("pool", field("pool")),
    (">places", field("places")),
    (">on hand", field("on_hand")),
    (">allocated", field("allocated")),
    (">in transit", field("in_transit")),
    (">available", field("available")),
    (">short", field("short")),
    (">safety stock", field("safety_stock")),
    (">a day", field("demand_rate")),
    (">days of cover", field("days_of_cover")),
    ("as of", field("as_of")),
)
_COVER: tuple[Column, ...] = (
    ("sku", field("sku")),
    ("place", field("place")),
    (">days of cover", field("days_of_cover")),
    (">available", field("available")),
    (">a day", field("demand_rate")),
    (">safety stock", field("safety_stock")),
    (">in transit", field("in_transit")),
    ("as of", field("as_of")),
)
_REASONS: tuple[Column, ...] = (
    ("reason", field("reason_code")),
    (">dead letters", field("letters")),
)
_RUNS: tuple[Column, ...] = (
    ("started", field("started_at")),
    ("flow", field("flow")),
    ("status", field("status")),
    (">seconds", lambda one: f"{(one['updated_at'] - one['started_at']).total_seconds():,.1f}"),
    (">events", field("events")),
    (">applied", field("applied")),
    (">known already", field("duplicates")),
    (">dead letters", field("dead_letters")),
    (">alerts raised", field("alerts_raised")),
    (">cleared", field("alerts_cleared")),
    ("source", field("source")),
)


def broke_floor(alert: Mapping[str, Any], *, timed: bool = True) -> str:
    """The claim (or event) that broke the floor, in words."""
    breaker = alert["broke_floor"]
    if breaker is None:
        return ""
    what = str(breaker.get("claim") or breaker.get("kind", "")).replace("_", " ")
    units, order, time = (breaker.get(name) for name in ("quantity", "order", "time"))
    what += f" of {units:,}" if units is not None else ""
    what += f", order {order}" if order else ""
    # Whole seconds are enough for a person.
    what += f", {time[:19].replace('T', ' ')}Z" if timed and time else ""
    return what


ALERT_COLUMNS: tuple[Column, ...] = (
    ("severity", field("severity")),
    ("alert", lambda one: str(one["alert_type"]).replace("_", " ")),
    ("sku", field("sku")),
    ("place", field("place")),
    ("since", field("opened_at")),
    (">has / level", lambda one: f"{one['observed']:,} / {one['level']:,}"),
    ("what broke the floor", broke_floor),
    ("what to do", field("suggested_action")),
)


def _letter_columns() -> tuple[Column, ...]:
    return (
        ("reason", field("reason_code")),
        ("where", lambda one: f"{one['source']}, line {one['position']:,}"),
        ("event", lambda one: str(one["event_id"] or "(unreadable)")),
        ("why, and what to do", field("reason")),
    )


def _shared(command: F) -> F:
    """The options that every question has."""
    formats = format_option(FORMATS)
    return warehouse_option(formats(command))


_limit = click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="How many at most."
)


@contextmanager
def _questions(warehouse: Target) -> Iterator[Queries]:
    try:
        with open_queries(warehouse) as queries:
            yield queries
    except QueryError as wrong:
        raise click.ClickException(str(wrong)) from None


def _answer(
    answer: Answer, form: str, title: str, columns: Sequence[Column], empty: str, note: str = ""
) -> None:
    if form == "json":
        print_json(answer)
    elif form == "csv":
        print_csv(answer)
    elif not answer.rows:
        click.echo(empty)
    else:
        console().print(table(title, columns, answer.objects(), note))


@click.group()
def query() -> None:
    """Ready answers from the warehouse, as a table, JSON or CSV."""


@query.command()
@click.argument("sku")
@click.option("--pool", "only_pools", is_flag=True, help="Only the totals of the pools.")
@_shared
def position(sku: str, only_pools: bool, warehouse: Target, form: str) -> None:
    """A SKU over the chain: every place, those that need attention first, and the pools."""
    with _questions(warehouse) as queries:
        if not only_pools:
            _answer(queries.places(sku), form, f"SKU {sku}, place by place", _PLACES, "")
        if only_pools or form == "table":
            if not only_pools:
                click.echo()
            _answer(queries.pools(sku), form, f"SKU {sku}, the pools", _POOLS, "")


@query.command()
@click.option(
    "--open/--all", "only_open", default=True, show_default=True, help="With cleared ones or not."
)
@click.option("--type", "alert_type", type=click.Choice(ALERT_TYPES), help="Of one type only.")
@click.option("--place", help="Of one place only.")
@click.option("--sku", help="Of one SKU only.")
@_limit
@_shared
def alerts(
    only_open: bool,
    alert_type: str | None,
    place: str | None,
    sku: str | None,
    limit: int,
    warehouse: Target,
    form: str,
) -> None:
    """Alerts, worst first: severity, then how much is missing; with the evidence."""
    with _questions(warehouse) as queries:
        found = queries.alerts(
            only_open=only_open, alert_type=alert_type, place=place, sku=sku, limit=limit
        )
    what = "open alerts" if only_open else "alerts"
    columns = list(ALERT_COLUMNS)
    if not only_open:
        columns.insert(5, ("cleared", field("cleared_at")))
    note = f"the first {limit:,}; --limit shows more" if len(found.rows) == limit else ""
    _answer(found, form, what.capitalize(), columns, f"no {what}", note)


@query.command()
@click.option(
    "--least-rate",
    type=click.FloatRange(0),
    default=0.1,
    show_default=True,
    help="Units a day from which on something counts as selling.",
)
@click.option("--place", help="Of one place only.")
@_limit
@_shared
def cover(least_rate: float, place: str | None, limit: int, warehouse: Target, form: str) -> None:
    """The worst days of cover among what sells (and had an event within 28 days)."""
    with _questions(warehouse) as queries:
        found = queries.cover(least_rate=least_rate, place=place, limit=limit)
    note = (
        f"what sells {least_rate:g} a day or more and had an event in the {SELLING_DAYS} days "
        "before the newest one"
    )
    _answer(found, form, "Worst days of cover", _COVER, "nothing sells at this rate", note)


@query.command("dead-letters")
@click.option("--reason", help="Of one reason only (its code), as many as --limit says.")
@_limit
@_shared
def dead_letters(reason: str | None, limit: int, warehouse: Target, form: str) -> None:
    """What could not be used: counts by reason, and examples with file and line.

    JSON and CSV have one row a reason; with --reason one row a dead letter, with its bytes.
    """
    with _questions(warehouse) as queries:
        reasons = queries.dead_letter_reasons()
        if reason is None and form != "table":
            _answer(reasons, form, "", (), "")
            return
        if reason is None:
            examples = queries.dead_letters(each=3, limit=limit)
        else:
            examples = queries.dead_letters(reason=reason, limit=limit)
    if reason is None:
        _answer(reasons, form, "Dead letters by reason", _REASONS, "no dead letters")
        if not reasons.rows:
            return
        click.echo()
    _answer(examples, form, "Examples" if reason is None else "Dead letters", _letter_columns(), "")


@query.command()
@click.option("--campaign", help="Of one campaign only.")
@click.option("--by-day", is_flag=True, help="A row a day of issue.")
@_shared
def coupons(campaign: str | None, by_day: bool, warehouse: Target, form: str) -> None:
    """What became of coupons: issued, delivered, visited, over the threshold, redeemed."""
    with _questions(warehouse) as queries:
        found = funnel(queries, campaign, by_day=by_day)
    tell_funnel(found, form)


@query.command()
@_limit
@_shared
def runs(limit: int, warehouse: Target, form: str) -> None:
    """Runs of flows, the latest first."""
    with _questions(warehouse) as queries:
        _answer(queries.runs(limit=limit), form, "Runs", _RUNS, "no flow has run yet")


@query.command()
@_shared
def summary(warehouse: Target, form: str) -> None:
    """What is in the warehouse: positions, open alerts, dead letters, the newest event."""
    columns: tuple[Column, ...] = (
        ("figure", lambda one: "" if one["of"] else str(one["figure"]).replace("_", " ")),
        ("of", lambda one: str(one["of"] or "").replace("_", " ")),
        (">value", lambda one: shown(one["value"])),
    )
    with _questions(warehouse) as queries:
        _answer(queries.summary(), form, str(warehouse), columns, "")
