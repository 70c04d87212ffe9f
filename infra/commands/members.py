"""`tillflow members`: segments, why a member is where it is, and thresholds from the members."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import click
import msgspec

from infra.answers import FORMATS, Column, console, field, print_csv, print_json, shown, table
from infra.commands.members_fit import fit_command
from infra.commands.members_health import health_command
from infra.commands.members_moves import asking, segments_command, transitions_command
from infra.options import format_option
from infra.warehouse_option import warehouse_option
from operators.members.segments import Measured, by_mean, by_quantile
from schemas.member_events import THRESHOLDS_TYPE
from serving.queries import Answer
from sinks.warehouse.address import Target

F = TypeVar("F", bound=Callable[..., Any])


def _money(name: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda one: "" if one[name] is None else f"{one[name] / 100:,.2f}"


_TRANSITIONS: tuple[Column, ...] = (
    (">", field("number")),
    ("at", field("changed_at")),
    ("from", lambda one: str(one["from_segment"] or "-")),
    ("to", lambda one: str(one["to_segment"] or "-")),
    ("because of", field("cause")),
    ("origin", field("origin")),
    (">visits", field("frequency")),
    (">spent", _money("monetary")),
    (">thresholds", field("thresholds")),
    ("event", field("event")),
)
_DECISIONS: tuple[Column, ...] = (
    ("at", field("decided_at")),
    ("journey", field("journey")),
    ("step", field("step")),
    ("action", lambda one: f"{one['action']} {one['gift'] or ''}".strip()),
    ("decision", field("decision")),
    ("because of", field("reason")),
    ("again at", field("next_at")),
    ("arm", lambda one: "held out" if one["held_out"] else str(one["arm"])),
    ("became", lambda one: str(one["became"] or "")),
)
_FIGURES: tuple[Column, ...] = (("figure", field("figure")), ("value", field("value")))


def _shared(command: F) -> F:
    formats = format_option(FORMATS)
    return warehouse_option(formats(command))


def _machine_form(answer: Answer, form: str) -> bool:
    if form == "json":
        print_json(answer)
    elif form == "csv":
        print_csv(answer)
    return form != "table"


@click.group()
def members() -> None:
    """Members: who they are now, and why."""


members.add_command(fit_command)
members.add_command(health_command)
members.add_command(segments_command)
members.add_command(transitions_command)


@members.command()
@click.argument("member")
@_shared
def why(member: str, warehouse: Target, form: str) -> None:
    """One member: figures, consents, changes of segment with their cause, journeys' decisions."""
    with asking(warehouse) as queries:
        found = queries.why(member)
    if _machine_form(found, form):
        return
    (one,) = found.objects()
    figures = [{"figure": name, "value": value} for name, value in _told(one)]
    console().print(table(f"Member {member}", _FIGURES, figures))
    click.echo()
    if one["transitions"]:
        title = "Changes of segment, the latest first"
        console().print(table(title, _TRANSITIONS, one["transitions"]))
    else:
        click.echo("no change of segment yet")
    if one["decisions"]:
        click.echo()
        title = "What journeys decided, the latest first"
        console().print(table(title, _DECISIONS, one["decisions"]))


def _told(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """A member in words."""
    if one["status"] == "merged":
        yield "status", f"merged: everything counts for {one['survivor']}"
        return
    if one["status"] == "erased":
        yield "status", "erased: nothing is kept"
        return
    if one["segment"] is None:
        yield "segment", "none: no purchase that was not given back"
    else:
        yield "segment", f"{one['segment_en']} {one['segment_zh']}, since {_at(one)}"
        near = "near" if one["recency_near"] else "far"
        yield "recency", f"{near}: last purchase {shown(one['last_at'])}"
        yield "frequency", f"{_level(one['frequency_high'])}: {one['frequency']:,} visits"
        spent = f"{one['monetary'] / 100:,.2f} {one['currency']} on {one['orders']:,} receipts"
        yield "monetary", f"{_level(one['monetary_high'])}: {spent}"
        yield "first purchase", shown(one["first_at"])
        yield "days with a purchase", shown(one["purchase_days"])
        yield "next change by time alone", shown(one["next_change_at"]) or "none"
        if one["health"] is not None:
            yield "health", f"{one['health']} ({one['health_band']}) at {shown(one['health_at'])}"
            why = "; ".join(each["why"] for each in _drivers(one)[:3])
            yield "health because", why
            yield "health changes by time alone", shown(one["health_changes_at"])
        yield "judged by thresholds", f"version {one['thresholds']}"
    for name in ("registered_at", "home_store", "timezone"):
        if one[name] is not None:
            yield name.replace("_", " "), shown(one[name])
    for what, said in one["consents"].items():
        yield f"consent {what}", f"{said['status']} at {said['at']}"


def _drivers(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one["health_drivers"]
    return found


def _at(one: Mapping[str, Any]) -> str:
    return shown(one["segment_since"])


def _level(high: int) -> str:
    return "high" if high else "low"


@members.command()
@click.option("--by", type=click.Choice(("mean", "quantile")), required=True)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="With quantile: the share of members that is to be high.",
)
@click.option("--version", type=click.IntRange(1), help="[default: one more than is in use]")
@warehouse_option
def thresholds(by: str, share: float, version: int | None, warehouse: Target) -> None:
    """Thresholds from the members as they are: an event that puts them in force where it is read.

    Members change segment with the cause `thresholds`, which no journey takes for something that
    somebody did.
    """
    with asking(warehouse) as queries:
        found = [Measured(*row) for row in queries.measured()]
        newest, used = queries.newest()
    number = version or used + 1
    try:
        made = by_mean(found, number) if by == "mean" else by_quantile(found, number, share)
    except ValueError as wrong:
        raise click.ClickException(str(wrong)) from None
    event = {
        "specversion": "1.0",
        "id": f"thresholds-{number}",
        "source": "tillflow/members",
        "type": THRESHOLDS_TYPE,
        "time": newest,
        "data": {**msgspec.structs.asdict(made), "method": by},
    }
    click.echo(msgspec.json.encode(event))
