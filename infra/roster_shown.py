"""What commands say of a roster that was made, and the files they write of it."""

from __future__ import annotations

import csv
import time
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from infra.answers import console, table
from infra.roster_picture import draw
from operators.roster.answer import Answer
from operators.roster.clash import clashes
from operators.roster.evaluate import Evaluation, evaluate
from operators.roster.problem import SLOTS, Problem, clock
from operators.roster.waits import Wait
from operators.roster.written import to_plain

# Clashes are looked for in what is left of the time, and that much longer if need be.
CLASH_S = 10.0
_WAIT = ("task", "date", "time", "needed", "heads", "wait_s", "left", "cost")


def legal_or_why(problem: Problem, answer: Answer, until: float) -> Answer:
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


def headline(answer: Answer) -> str:
    """The cost, and how near the bound it is."""
    assert answer.evaluation is not None
    gap = answer.gap
    near = "no bound was found in this time" if gap is None else f"within {gap:.2%} of the bound"
    return f"a legal roster of cost {answer.evaluation.total:,}: {near}, {answer.seconds:.1f} s"


def tell_costs(judged: Evaluation) -> None:
    """Cost by rule."""
    rows = [{"rule": rule, "cost": f"{cost:,}"} for rule, cost in judged.costs.items()]
    columns = (("rule", lambda one: one["rule"]), (">cost", lambda one: one["cost"]))
    console().print(table("What each rule costs", columns, rows))


def tell_waits(problem: Problem, found: list[Wait], *, every: bool = False) -> None:
    """Where customers wait, the dearest first; or every interval."""
    with_customers = [one for one in found if one.wait_s is not None]
    worst = sorted(with_customers, key=lambda one: -one.cost)
    shown = with_customers if every else worst[:8]
    rows = [_plain_wait(problem, one) for one in shown]
    columns = tuple((name, lambda one, name=name: str(one[name])) for name in _WAIT)
    console().print(table("Waiting" if every else "Where waiting costs most", columns, rows))


def write_roster(problem: Problem, answer: Answer, found: list[Wait], out: Path) -> list[str]:
    """roster.json, waiting.csv and the pictures into a folder; the names of what was written."""
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
    title = f"{problem.shop}: {headline(answer)}"
    if draw(problem, answer.roster, title, pictures):
        written += [path.name for path in pictures]
    else:
        click.echo('no picture: matplotlib is missing (pip install "tillflow[demo]")', err=True)
    return written


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
