"""`tillflow coupon`: why a campaign went as it did, and what other thresholds would give away."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from infra.answers import console, field, table
from infra.campaign_files import case_in, receivers_in
from infra.campaign_told import Case
from infra.commands.coupon_change import change_command
from infra.commands.coupon_desk import erase, issue, lint, publish, rebuild_command, show
from infra.commands.coupon_funnel import funnel
from infra.options import token_file_option
from operators.members.coupons.diagnosis.facts import Campaign, Receiver
from operators.members.coupons.diagnosis.next_journey import next_journey
from operators.members.coupons.diagnosis.replay import RESPONSES, Replayed, replay
from operators.members.coupons.diagnosis.report import Diagnosis, diagnose
from schemas.journey_rules import CHANNELS
from schemas.lined_yaml import LinedYaml, NoBools
from sources.columns import ColumnError, read_columns

_margin = click.option(
    "--margin",
    required=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="What is left of a basket after its goods are paid, such as 0.3.",
)
_people = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def coupon() -> None:
    """Coupons: their file and their desk, why a campaign went so, thresholds on real baskets."""


for _command in (lint, publish, issue, show, erase, rebuild_command, funnel, change_command):
    coupon.add_command(_command)


@coupon.command("diagnose")
@click.argument("campaign")
@click.argument("receivers", type=_people, required=False)
@click.option("--control", type=_people, help="Members who by chance did not get it; same layout.")
@click.option(
    "--warehouse",
    help="Instead of files: what flows wrote (DuckDB file or quack://…); CAMPAIGN is a name.",
)
@token_file_option
@click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), help="With --warehouse: issued on that day."
)
@_margin
@click.option("--once", is_flag=True, help="It is over, and looked at for the first time.")
@click.option(
    "--journey",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the next experiment as the file of a journey.",
)
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table")
def diagnose_command(
    campaign: str,
    receivers: Path | None,
    control: Path | None,
    warehouse: str | None,
    token_file: Path | None,
    day: dt.datetime | None,
    margin: float,
    once: bool,
    journey: Path | None,
    form: str,
) -> None:
    """Diagnose CAMPAIGN, by its name from the warehouse, or from files; see docs/coupons.md.

    Files: CAMPAIGN is YAML, RECEIVERS are JSON Lines. From the warehouse the control is who was
    held out.
    """
    if warehouse is not None:
        if receivers is not None or control is not None:
            msg = "--warehouse says who got it and who did not: leave the files out"
            raise click.UsageError(msg)
        case = case_in(warehouse, token_file, campaign, day)
    elif receivers is None:
        msg = "say --warehouse, where it knows the campaign, or the files CAMPAIGN RECEIVERS"
        raise click.UsageError(msg)
    else:
        read = _campaign(Path(campaign)), receivers_in(receivers)
        case = Case(*read, receivers_in(control) if control else [])
        if not case.receivers:
            msg = f"{receivers} is empty: nobody received it, so there is nothing to diagnose"
            raise click.ClickException(msg)
    found = diagnose(
        case.campaign,
        case.receivers,
        margin,
        control=case.control,
        once=once,
        tills=case.tills,
        shelves=case.shelves,
    )
    if journey is not None:
        _write_journey(journey, found, case.receivers)
    if form == "json":
        encoded = msgspec.json.encode(found)
        sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")
        return
    _tell(found)


@coupon.command("replay")
@click.argument("file", type=_people)
@click.option("--basket", default="basket", show_default=True, help="Column: units of currency.")
@click.option("--offer", "offers", multiple=True, required=True, help="THRESHOLD-OFF: 280-50.")
@_margin
def replay_command(file: Path, basket: str, offers: tuple[str, ...], margin: float) -> None:
    """Replay offers on the baskets in FILE (CSV or Parquet), a basket a row."""
    try:
        amounts = read_columns(file, [], [basket])[basket]
    except ColumnError as error:
        raise click.ClickException(str(error)) from error
    baskets = [round(100 * one) for one in amounts if isinstance(one, float) and one > 0]
    if not baskets:
        msg = f"{file}: no baskets above 0 in `{basket}`"
        raise click.ClickException(msg)
    _tell_replayed(replay(baskets, [_offer(one) for one in offers], margin))


def _offer(text: str) -> tuple[int, int]:
    threshold, _, off = text.partition("-")
    try:
        found = round(100 * float(threshold)), round(100 * float(off))
    except ValueError as error:
        msg = f"--offer {text}: write THRESHOLD-OFF, such as 280-50"
        raise click.UsageError(msg) from error
    return found


def _write_journey(path: Path, found: Diagnosis, receivers: Sequence[Receiver]) -> None:
    text = next_journey(found, receivers, CHANNELS)
    if text is None:
        msg = f"nothing to write to {path}: nobody of them bought, so no experiment can be sized"
        raise click.ClickException(msg)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as wrong:
        msg = f"cannot write {path}: {wrong.strerror}"
        raise click.ClickException(msg) from wrong


def _campaign(path: Path) -> Campaign:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: {getattr(error, 'strerror', None) or 'not readable as UTF-8 text'}"
        raise click.ClickException(msg) from error
    # Its `off:` would be the key `false` to YAML 1.1.
    lined = LinedYaml(text, str(path), click.ClickException, NoBools)
    read: Campaign = lined.convert(lined.data, Campaign, ())
    if read.threshold < 1:
        lined.refuse(("threshold",), "from so many minor units on, 1 or more: 28000 is 280.00")
    if not 1 <= read.off <= read.threshold:
        lined.refuse(("off",), f"1 to {read.threshold} minor units: no more than the threshold")
    if read.valid_to < read.valid_from:
        lined.refuse(("valid_to",), f"it ends before it begins on {read.valid_from}")
    return read


def _tell(found: Diagnosis) -> None:
    rows: list[dict[str, Any]] = [
        {"stage": one.name, ">members": one.members, ">of the stage before": f"{one.kept:.1%}"}
        for one in found.funnel.stages
    ]
    title = f"{found.campaign.name}: redeemed {found.funnel.redemption:.1%} of the delivered"
    console().print(table(title, [(head, field(head)) for head in rows[0]], rows))
    click.echo(f"most are lost at: {found.worst.name} ({1 - found.worst.kept:.0%})\n")
    click.echo("causes:" if found.causes else "causes: none of those that are looked for")
    for one in found.causes:
        click.echo(f"  {one.code}: {one.words}")
    click.echo("not causes:")
    for one in found.reasons:
        if not one.holds and one.figure is not None:
            click.echo(f"  {one.code}: {one.words}")
    if lacking := [one for one in found.reasons if one.figure is None]:
        click.echo("not known:")
        for one in lacking:
            click.echo(f"  {one.code}: {one.words.removeprefix('not known: ')}")
    if found.replayed:
        click.echo()
        _tell_replayed(found.replayed)
    click.echo(f"\n{found.judged.words}")
    if found.next_test:
        click.echo(f"next: {found.next_test.words}")


def _tell_replayed(found: tuple[Replayed, ...] | list[Replayed]) -> None:
    low, middle, high = (f">margin if {part:.0%} fill up" for part in RESPONSES)
    rows = [
        {
            "offer": f"{one.threshold / 100:.0f}-{one.off / 100:.0f}",
            ">deadweight": f"{one.deadweight:.1%}",
            ">near miss": f"{one.near_miss:.1%}",
            ">given away": f"{one.given_away / 100:,.0f}",
            low: f"{one.gains[0] / 100:+,.0f}",
            middle: f"{one.gains[1] / 100:+,.0f}",
            high: f"{one.gains[2] / 100:+,.0f}",
            ">extra visits to break even": _visits(one),
        }
        for one in found
    ]
    note = "per 1,000 baskets; what members really do shows only against a control"
    title = "offers on real baskets"
    console().print(table(title, [(head, field(head)) for head in rows[0]], rows, note))


def _visits(one: Replayed) -> str:
    return "never" if one.break_even_visits is None else f"{one.break_even_visits:,.0f}"
