"""`tillflow roster`: the best roster of a week, why there is none, and what holds it back."""

from __future__ import annotations

import random
import time
from pathlib import Path

import click
import msgspec

from infra.commands.roster_compare import compare
from infra.commands.roster_grades import grades
from infra.commands.roster_plan import plan
from infra.commands.roster_publish import publish
from infra.roster_shown import headline, legal_or_why, tell_costs, tell_waits, write_roster
from operators.roster.answer import Budget
from operators.roster.binding import at_limits, savings
from operators.roster.evaluate import evaluate
from operators.roster.need.duties import DutyError
from operators.roster.prepare import PrepareError, prepare
from operators.roster.problem import Problem
from operators.roster.roster import Roster
from operators.roster.solve import solve
from operators.roster.waits import waits
from operators.roster.written import UnreadRoster, from_plain
from schemas.roster import RosterFile
from schemas.roster_file import RosterProblem, load_roster

_file = click.argument("file", type=click.Path(path_type=Path))
_seconds = click.option(
    "--seconds", default=60.0, show_default=True, help="How long to look.", type=click.FLOAT
)


@click.group()
def roster() -> None:
    """Rosters of a shop: who works when, at which task, proven to be near the best."""


roster.add_command(plan)
roster.add_command(publish)
roster.add_command(compare)
roster.add_command(grades)


@roster.command("solve")
@_file
@_seconds
@click.option("--gap", default=0.0, show_default=True, help="Near enough, as a share of the cost.")
@click.option("--workers", default=2, show_default=True, help="Threads.")
@click.option("--seed", default=1, show_default=True, help="Of the search.")
@click.option(
    "--given",
    type=click.Path(path_type=Path),
    help="A roster.json to begin with; the answer is never worse.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the roster's files.")
def solve_command(
    file: Path,
    seconds: float,
    gap: float,
    workers: int,
    seed: int,
    given: Path | None,
    out: Path | None,
) -> None:
    """Make the roster of FILE (YAML): its cost, how far from the bound, waiting by interval."""
    began = time.monotonic()
    asked, problem = _load(file)
    before = None if given is None else _written(problem, given)
    answer = solve(
        problem,
        time.monotonic,
        random.Random(seed),  # noqa: S311 - draws of a search
        Budget(seconds - (time.monotonic() - began), workers, gap, seed),
        before,
        lambda line: click.echo(line, err=True),
    )
    if answer.roster is None:
        answer = legal_or_why(problem, answer, began + seconds)
    assert answer.evaluation is not None
    click.echo(headline(answer))
    tell_costs(answer.evaluation)
    found = list(waits(asked, problem, answer.evaluation.heads))
    tell_waits(problem, found)
    if out is not None:
        click.echo(f"{out}: {', '.join(write_roster(problem, answer, found, out))}")


@roster.command()
@_file
@_seconds
@click.option(
    "--roster",
    "given",
    type=click.Path(path_type=Path),
    help="The roster.json to explain; without it one is made first, in half of the time.",
)
def explain(file: Path, seconds: float, given: Path | None) -> None:
    """What each rule costs in a roster, what holds it back, how long customers wait when."""
    began = time.monotonic()
    asked, problem = _load(file)
    made: Roster | None
    if given is None:
        draws = random.Random(1)  # noqa: S311 - draws of a search
        answer = solve(problem, time.monotonic, draws, Budget(seconds / 2))
        if answer.roster is None:
            answer = legal_or_why(problem, answer, began + seconds)
        made = answer.roster
    else:
        made = _written(problem, given)
    assert made is not None
    judged = evaluate(problem, made)
    for broken in judged.violations:
        click.echo(f"broken: {broken}")
    tell_costs(judged)
    click.echo("\nWhat holds it back (how far the bound would fall without the rule):")
    for saving in savings(problem, lambda: seconds - (time.monotonic() - began)):
        if saving.saved > 0:
            click.echo(f"  {saving.rule}: {saving.saved:,.0f}")
        else:
            click.echo(f"  {saving.rule}: nothing")
    for line in at_limits(problem, made):
        click.echo(f"  {line}")
    tell_waits(problem, list(waits(asked, problem, judged.heads)), every=True)


def _load(file: Path) -> tuple[RosterFile, Problem]:
    try:
        asked = load_roster(file)
        return asked, prepare(asked)
    except (RosterProblem, PrepareError, DutyError, ValueError) as wrong:
        raise click.ClickException(str(wrong)) from wrong


def _written(problem: Problem, path: Path) -> Roster:
    try:
        return from_plain(problem, msgspec.json.decode(path.read_bytes()))
    except (OSError, msgspec.DecodeError, UnreadRoster, KeyError, TypeError) as wrong:
        msg = f"{path} is no roster of this file: {wrong}"
        raise click.ClickException(msg) from wrong
