"""`tillflow members segments` and `transitions`: how many are where, and who moved; pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from infra.answers import FORMATS, Column, console, field, print_csv, print_json, table
from infra.members_picture import draw_segments, draw_transitions, over_time
from infra.options import format_option
from infra.warehouse_option import warehouse_option
from serving.members import MemberQueries, open_member_queries
from serving.queries import QueryError
from sinks.warehouse.address import Target

_picture = click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also draw it: a file that ends in .svg or .png.",
)
_SEGMENTS: tuple[Column, ...] = (
    ("segment", lambda one: str(one["segment_en"] or "(never bought)")),
    ("", field("segment_zh")),
    (">members", field("members")),
    (">share", lambda one: f"{one['share']:.1%}"),
    (">spent", lambda one: "" if one["monetary"] is None else f"{one['monetary'] / 100:,.2f}"),
    (">visits, mean", field("mean_frequency")),
    (">days silent, median", field("median_silent_days")),
    (">came in 7 days", field("came_within_7_days")),
)
_TRANSITIONS: tuple[Column, ...] = (
    ("from", lambda one: str(one["from_segment"] or "-")),
    ("to", lambda one: str(one["to_segment"] or "-")),
    ("because of", field("cause")),
    (">changes", field("changes")),
    (">members", field("members")),
)


@contextmanager
def asking(warehouse: Target) -> Iterator[MemberQueries]:
    """Questions on members; what is wrong is told in a line."""
    try:
        with open_member_queries(warehouse) as queries:
            yield queries
    except QueryError as wrong:
        raise click.ClickException(str(wrong)) from None


def _drawn(done: bool, picture: Path) -> None:
    if not done:
        msg = "a picture needs matplotlib: pip install 'tillflow[demo]'"
        raise click.ClickException(msg)
    click.echo(f"picture: {picture}", err=True)


@click.command("segments")
@_picture
@format_option(FORMATS)
@warehouse_option
def segments_command(picture: Path | None, form: str, warehouse: Target) -> None:
    """Members by segment, the most valuable first."""
    with asking(warehouse) as queries:
        found = queries.segments()
        days = queries.changes_by_day() if picture else []
    rows = found.objects()
    if form == "json":
        print_json(found)
    elif form == "csv":
        print_csv(found)
    elif not rows:
        click.echo("no members yet: tillflow run members --source EVENTS --warehouse ...")
    else:
        console().print(table("Members by segment", _SEGMENTS, rows))
    if picture:
        if not days:
            msg = "nobody has bought anything yet: there is nothing to draw"
            raise click.ClickException(msg)
        now = {str(one["segment"]): int(one["members"]) for one in rows if one["segment"]}
        _drawn(draw_segments(now, over_time(days), picture), picture)


@click.command("transitions")
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True)
@_picture
@format_option(FORMATS)
@warehouse_option
def transitions_command(days: int, picture: Path | None, form: str, warehouse: Target) -> None:
    """Who moved from which segment to which in the last days of events, and why."""
    with asking(warehouse) as queries:
        found = queries.transitions(days)
    rows = found.objects()
    if form == "json":
        print_json(found)
    elif form == "csv":
        print_csv(found)
    elif not rows:
        click.echo(f"no change of segment in {days} days")
    else:
        title = f"Changes of segment in the last {days} days of events"
        console().print(table(title, _TRANSITIONS, rows))
    if picture and rows:
        steps = [
            (one["from_segment"], one["to_segment"], str(one["cause"]), int(one["changes"]))
            for one in rows
        ]
        _drawn(draw_transitions(steps, f"Changes of segment in {days} days", picture), picture)
