"""`tillflow experiment`: read an experiment from a file of people, and plan one."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import click

from infra.commands.experiment_journey import journey_command
from infra.experiment_picture import draw
from infra.experiment_shown import print_json, print_readout
from infra.experiment_stored import store
from infra.options import format_option
from infra.warehouse_option import warehouse_option
from operators.members.experiments.decide import decide
from operators.members.experiments.looks import looks
from operators.members.experiments.people import PeopleError, people
from operators.members.experiments.readout import Metric, Rules, Scale, compared, read
from operators.members.experiments.results import Look, Told
from operators.members.experiments.sequence import members_needed
from schemas.instants import to_datetime
from sinks.warehouse.address import Target
from sources.columns import ColumnError, columns_of, read_columns

# Kevin Hillstrom's e-mail challenge of 2008 (MineThatData): 64,000 customers, three arms.
HILLSTROM = {"segment", "visit", "conversion", "spend", "history"}

_DAY_US = 86_400_000_000
# Percent by which shares may miss 100: three of 33.3% do.
_ROUNDED = 0.5


@click.group()
def experiment() -> None:
    """Experiments: read what they showed, plan how many members they need."""


experiment.add_command(journey_command)


@experiment.command("read")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--arm", "arm_column", help="Column of the arm.")
@click.option("--control", help="The arm that the others are measured against.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    help="COLUMN[:rate|money|number[:lower]]; the first one is the goal. `lower` is better.",
)
@click.option("--guardrail", "guards", multiple=True, help="As --metric; add `:keep` to lose none.")
@click.option("--before", help="Column of a figure from before, to reduce the variance by.")
@click.option("--reduce", is_flag=True, help="Decide on the figures with variance reduction.")
@click.option("--member", help="Column of the member, where one may have several rows.")
@click.option("--exposed-at", help="Column of the instant of exposure.")
@click.option("--share", "shares", multiple=True, help="ARM=PERCENT as planned.  [default: even]")
@click.option("--alpha", default=0.05, show_default=True, type=click.FloatRange(0.0001, 0.5))
@click.option("--planned", default=5_000, show_default=True, help="Members at the narrowest.")
@click.option("--once", is_flag=True, help="Looked at once, at a number that was fixed before.")
@click.option("--min-days", default=7.0, show_default=True, help="Needs --exposed-at.")
@click.option("--min-per-arm", default=100, show_default=True)
@click.option("--worthwhile", type=float, help="The least gain that matters: points or currency.")
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    help="Draw the goal look by look (PNG, SVG or PDF); needs --exposed-at.",
)
@click.option("--store", "stored", is_flag=True, help="Keep it in experiment_result, too.")
@click.option("--experiment", "name", help="Its name there; needs --store and --exposed-at.")
@warehouse_option
@format_option()
def read_command(
    file: Path,
    arm_column: str | None,
    control: str | None,
    metrics: tuple[str, ...],
    guards: tuple[str, ...],
    before: str | None,
    reduce: bool,
    member: str | None,
    exposed_at: str | None,
    shares: tuple[str, ...],
    alpha: float,
    planned: int,
    once: bool,
    min_days: float,
    min_per_arm: int,
    worthwhile: float | None,
    picture: Path | None,
    stored: bool,
    name: str | None,
    warehouse: Target,
    form: str,
) -> None:
    """Read FILE (CSV or Parquet), one row a member: its arm and what it did.

    A file of the layout of Hillstrom's e-mail challenge needs no options.
    """
    if picture and (member or not exposed_at):
        msg = "--picture needs --exposed-at, and one row a member"
        raise click.UsageError(msg)
    if (stored or name) and not (stored and name and exposed_at):
        msg = "--store needs --experiment, its name, and --exposed-at, which says how far it went"
        raise click.UsageError(msg)
    try:
        if arm_column is None and set(columns_of(file)) >= HILLSTROM:
            arm_column, control = "segment", control or "No E-Mail"
            metrics = metrics or ("visit:rate", "conversion:rate", "spend:money")
            before = before or "history"
        if arm_column is None or not metrics:
            msg = f"say --arm and --metric; {file} has the columns {', '.join(columns_of(file))}"
            raise click.UsageError(msg)
        wanted = [_metric(one) for one in metrics]
        guarded = [_metric(one) for one in guards]
        numbers = [one.name for one in (*wanted, *guarded)] + ([before] if before else [])
        texts = [arm_column] + ([member] if member else [])
        columns = read_columns(file, texts, numbers, [exposed_at] if exposed_at else [])
        figures = cast(dict[str, list[float | None]], columns)
        of = cast(list[str | None], columns[arm_column])
        found = people(
            of,
            {one: figures[one.name] for one in (*wanted, *guarded)},
            members=cast(list[str], columns[member]) if member else None,
            before=figures[before] if before else None,
        )
    except (ColumnError, PeopleError) as error:
        raise click.ClickException(str(error)) from error
    arms = _arms(sorted(found.counts), control)
    days, notes = min_days, ""
    instants: list[int] = []
    if exposed_at:
        instants = cast(list[int], [one for one in columns[exposed_at] if one is not None])
        days = (max(instants) - min(instants)) / _DAY_US if instants else 0.0
    else:
        notes = "how long it ran is not in the file (--exposed-at): whole weeks are on you"
    rules = Rules(
        alpha=alpha,
        planned=planned,
        min_days=min_days,
        min_per_arm=min_per_arm,
        worthwhile=None if worthwhile is None else _worth(wanted[0], worthwhile),
        once=once,
        reduce=reduce,
    )
    split = (found.counts, _shares(arms, shares))
    answer = read(arms, wanted[0], found.metrics, [split], days, rules, guarded, found.multiple)
    pairs = [(one.arm, one.against) for one in answer.comparisons]
    told: list[Told] = [
        (
            one,
            found.metrics[one.name],
            compared(one, found.metrics[one.name], pairs, answer.looked_alpha, rules),
        )
        for one in (*wanted, *guarded)
    ]
    decision = decide(answer)
    if picture and exposed_at:
        _draw(wanted[0], arms, rules, of, figures[wanted[0].name], columns[exposed_at], picture)
    if form == "json":
        print_json(answer, decision, told)
    else:
        print_readout(answer, decision, told, notes)
    if stored and name:
        if not instants:
            msg = f"nothing is stored: no row of {file} has an instant in {exposed_at}"
            raise click.ClickException(msg)
        look = Look("", "", name, to_datetime(max(instants)))
        store(warehouse, look, answer, decision, told)


@experiment.command("size")
@click.argument("rate", type=click.FloatRange(0, 100, min_open=True, max_open=True))
@click.argument("wanted", type=click.FloatRange(0, 100, min_open=True, max_open=True))
@click.option("--power", default=0.8, show_default=True, type=click.FloatRange(0.5, 0.99))
@click.option("--alpha", default=0.05, show_default=True, type=click.FloatRange(0.0001, 0.5))
def size(rate: float, wanted: float, power: float, alpha: float) -> None:
    """Members an arm needs to tell WANTED percent from RATE percent."""
    try:
        needed = members_needed(rate / 100, wanted / 100, alpha=alpha, power=power)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{needed:,} members in each arm, for one look at the end")


def _draw(
    goal: Metric,
    arms: list[str],
    rules: Rules,
    of: list[str | None],
    values: list[float | None],
    instants: list[object],
    to: Path,
) -> None:
    times = 100 if goal.scale is Scale.MONEY else 1
    seen = [
        (at, str(arm), times * (value or 0))
        for at, arm, value in zip(instants, of, values, strict=True)
        if isinstance(at, int)
    ]
    if not draw(goal, arms[0], looks(seen, arms, rules), rules.planned, to):
        msg = "a picture needs matplotlib: pip install 'tillflow[demo]'"
        raise click.ClickException(msg)


def _metric(text: str) -> Metric:
    name, *rest = text.split(":")
    scales = {one.value: one for one in Scale}
    scale, lower, keep = Scale.NUMBER, False, False
    for word in rest:
        if word in scales:
            scale = scales[word]
        elif word == "lower":
            lower = True
        elif word == "keep":
            keep = True
        else:
            msg = f"{text}: `{word}` is none of rate, money, number, lower, keep"
            raise click.UsageError(msg)
    return Metric(name, scale, not lower, keep)


def _arms(there: list[str], control: str | None) -> list[str]:
    if control is None or control not in there:
        msg = f"say --control: the arms are {', '.join(there)}"
        raise click.UsageError(msg)
    if len(there) < 2:
        msg = f"{control} is the only arm: there is nothing to compare it with"
        raise click.UsageError(msg)
    return [control, *(one for one in there if one != control)]


def _shares(arms: list[str], given: tuple[str, ...]) -> dict[str, int]:
    """Parts of the plan; even ones where none is given."""
    if not given:
        return dict.fromkeys(arms, 1)
    shares = {}
    for one in given:
        arm, _, percent = one.rpartition("=")
        try:
            shares[arm] = round(float(percent.rstrip("%")) * 100)
        except ValueError as error:
            msg = f"--share {one}: write ARM=PERCENT"
            raise click.UsageError(msg) from error
    if set(arms) - set(shares):
        msg = f"--share: nothing is said of {', '.join(set(arms) - set(shares))}"
        raise click.UsageError(msg)
    total = sum(shares.values()) / 100
    if abs(total - 100) > _ROUNDED or min(shares.values()) < 0:
        msg = f"--share: they make {total:g}%, they must make 100%"
        raise click.UsageError(msg)
    return shares


def _worth(goal: Metric, value: float) -> float:
    return {Scale.RATE: value / 100, Scale.MONEY: value * 100}.get(goal.scale, value)
