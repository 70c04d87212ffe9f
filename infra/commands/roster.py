"""`tillflow roster`: the best roster of a week, why there is none, and what holds it back."""

from __future__ import annotations

import csv
import random
import time
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from infra.answers import console, table
from infra.commands.roster_compare import compare
from infra.commands.roster_grades import grades
from infra.commands.roster_publish import publish
from infra.roster_picture import draw
from operators.roster.binding import at_limits, savings
from operators.roster.clash import clashes
from operators.roster.evaluate import Evaluation, evaluate
from operators.roster.need.duties import DutyError
from operators.roster.prepare import PrepareError, prepare
from operators.roster.problem import SLOTS, Problem, clock
from operators.roster.roster import Roster
from operators.roster.solve import Answer, Budget, solve
from operators.roster.waits import Wait, waits
from operators.roster.written import UnreadRoster, from_plain, to_plain
from schemas.roster import RosterFile
from schemas.roster_file import RosterProblem, load_roster

# Clashes are looked for in what is left of the time, and that much longer if need be.
CLASH_S = 10.0
_file = click.argument("file", type=click.Path(path_type=Path))
_seconds = click.option(
    "--seconds", default=60.0, show_default=True, help="How long to look.", type=click.FLOAT
)


@click.group()
def roster() -> None:
    """Rosters of a shop: who works when, at which task, proven to be near the best."""


roster.add_command(compare)
roster.add_command(publish)
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
        answer = _legal_or_why(problem, answer, began + seconds)
    assert answer.evaluation is not None
    click.echo(_headline(answer))
    _tell_costs(answer.evaluation)
    found = list(waits(asked, problem, answer.evaluation.heads))
    _tell_waits(problem, found)
    if out is not None:
        _write(problem, answer, found, out)


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
            answer = _legal_or_why(problem, answer, began + seconds)
        made = answer.roster
    else:
        made = _written(problem, given)
    assert made is not None
    judged = evaluate(problem, made)
    for broken in judged.violations:
        click.echo(f"broken: {broken}")
    _tell_costs(judged)
    click.echo("\nWhat holds it back (how far the bound would fall without the rule):")
    for saving in savings(problem, lambda: seconds - (time.monotonic() - began)):
        if saving.saved > 0:
            click.echo(f"  {saving.rule}: {saving.saved:,.0f}")
        else:
            click.echo(f"  {saving.rule}: nothing")
    for line in at_limits(problem, made):
        click.echo(f"  {line}")
    _tell_waits(problem, list(waits(asked, problem, judged.heads)), every=True)


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


def _legal_or_why(problem: Problem, answer: Answer, until: float) -> Answer:
    """A legal roster where the search for clashes has one; otherwise ends with the clashes."""
    until = max(until, time.monotonic() + CLASH_S)
    found = clashes(problem, lambda: until - time.monotonic())
    if found.roster is not None:
        return replace(answer, roster=found.roster, evaluation=evaluate(problem, found.roster))
    if not found.found:
        msg = "no legal roster was found in this time, and no clash of rules: give --seconds more"
        raise click.ClickException(msg)
    lines = [clash.sentence() for clash in found.found]
    if found.complete:
        lines.append("without the rules named here there is a legal roster")
    raise click.ClickException("there is no legal roster:\n  " + "\n  ".join(lines))


def _headline(answer: Answer) -> str:
    assert answer.evaluation is not None
    gap = answer.gap
    near = "no bound was found in this time" if gap is None else f"within {gap:.2%} of the bound"
    return f"a legal roster of cost {answer.evaluation.total:,}: {near}, {answer.seconds:.1f} s"


def _tell_costs(judged: Evaluation) -> None:
    rows = [{"rule": rule, "cost": f"{cost:,}"} for rule, cost in judged.costs.items()]
    columns = (("rule", lambda one: one["rule"]), (">cost", lambda one: one["cost"]))
    console().print(table("What each rule costs", columns, rows))


def _tell_waits(problem: Problem, found: list[Wait], *, every: bool = False) -> None:
    with_customers = [one for one in found if one.wait_s is not None]
    worst = sorted(with_customers, key=lambda one: -one.cost)
    shown = with_customers if every else worst[:8]
    rows = [_plain_wait(problem, one) for one in shown]
    columns = tuple((name, lambda one, name=name: str(one[name])) for name in _WAIT)
    console().print(table("Waiting" if every else "Where waiting costs most", columns, rows))


_WAIT = ("task", "date", "time", "needed", "heads", "wait_s", "left", "cost")


def _plain_wait(problem: Problem, one: Wait) -> dict[str, object]:
    return {
        "task": one.task,
        "date": problem.days[one.slot // SLOTS],
        "time": clock(one.slot % SLOTS),
        "needed": one.needed,
        "heads": one.heads,
        "wait_s": "" if one.wait_s is None else round(one.wait_s),
        "left": round(one.left, 2),
        "cost": one.cost,
    }


def _write(problem: Problem, answer: Answer, found: list[Wait], out: Path) -> None:
    assert answer.roster is not None
    assert answer.evaluation is not None
    out.mkdir(parents=True, exist_ok=True)
    plain = to_plain(problem, answer.roster) | {
        "cost": answer.evaluation.total,
        "costs": answer.evaluation.costs,
        "bound": None if answer.gap is None else answer.bound,
        "gap": answer.gap,
    }
    encoded = msgspec.json.format(msgspec.json.encode(plain), indent=2)
    (out / "roster.json").write_bytes(encoded + b"\n")
    with (out / "waiting.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _WAIT, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_plain_wait(problem, one) for one in found)
    written = ["roster.json", "waiting.csv"]
    pictures = [out / "roster.svg", out / "roster.png"]
    title = f"{problem.shop}: {_headline(answer)}"
    if draw(problem, answer.roster, title, pictures):
        written += [path.name for path in pictures]
    else:
        click.echo('no picture: matplotlib is missing (pip install "tillflow[demo]")', err=True)
    click.echo(f"{out}: {', '.join(written)}")
