"""`tillflow experiment journey`: whether a running journey works, from what flows wrote."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import click

from flows.settings import SettingsError, load_chain
from infra.experiment_shown import print_json, print_readout
from infra.experiment_stored import store
from infra.options import format_option
from infra.roll_out import RollOut
from infra.warehouse_option import warehouse_option
from operators.journeys.amend import AmendError
from operators.journeys.program import Program, SplitArms
from operators.members.experiments.decide import Decision, decide
from operators.members.experiments.definition import SLOTS, Experiment
from operators.members.experiments.people import people
from operators.members.experiments.ratio import Split
from operators.members.experiments.readout import Metric, Readout, Rules, Scale, compared, read
from operators.members.experiments.results import Look, Told
from schemas.chain import Chain
from serving.journey_outcomes import Outcome, outcomes
from serving.queries import QueryError, open_queries
from sinks.warehouse.address import Target
from sources.journeys import JourneyFileError, load_journeys

HELD, TREATED = "held out", "treated"
BOUGHT = Metric("bought", Scale.RATE)
OPTED_OUT = Metric("opted_out", Scale.RATE, higher_is_better=False)
_DAY = timedelta(days=1)


@click.command("journey")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@warehouse_option
@click.option("--config", type=click.Path(path_type=Path), help="The chain's configuration (YAML).")
@click.option("--experiment", "wanted", help="Which one, where the journey has several.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, min_open=True),
    help="What is left of a basket after its goods are paid: margin less coupons is the goal.",
)
@click.option(
    "--within",
    type=click.FloatRange(0, 365, min_open=True),
    help="Days after it that count.  [default: those of its goal, else 14]",
)
@click.option("--alpha", default=0.05, show_default=True, type=click.FloatRange(0.0001, 0.5))
@click.option("--planned", default=5_000, show_default=True, help="Members at the narrowest.")
@click.option("--once", is_flag=True, help="Looked at once, at a number that was fixed before.")
@click.option("--min-per-arm", default=100, show_default=True)
@click.option("--reduce", is_flag=True, help="Decide on the figures with variance reduction.")
@click.option("--store", "stored", is_flag=True, help="Keep it in experiment_result, too.")
@click.option("--roll-out", is_flag=True, help="Write a clearly better arm into FILE.")
@format_option()
def journey_command(
    file: Path,
    warehouse: Target,
    config: Path | None,
    wanted: str | None,
    margin: float | None,
    within: float | None,
    alpha: float,
    planned: int,
    once: bool,
    min_per_arm: int,
    reduce: bool,
    stored: bool,
    roll_out: bool,
    form: str,
) -> None:
    """Did the journey in FILE work: its holdout and its arms, by what members did after it.

    Reads what `run members --journeys` and `run coupons` wrote. A member counts from its first
    message or gift, or from where that was held back, when its days are over.
    """
    try:
        chain = load_chain(config)
        (program,) = load_journeys(file, chain)
    except (SettingsError, JourneyFileError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    split = _split(program, wanted)
    held = _held(program, chain)
    if split is None and not held:
        msg = f"{program.name} has neither a holdout nor a split: nobody can say what it brought"
        raise click.ClickException(msg)
    goal_days = 14.0 if program.goal is None else program.goal / 86_400_000_000
    window = timedelta(days=within or goal_days)
    name = "" if split is None else split.name
    try:
        with open_queries(warehouse) as queries:
            found, open_, newest = outcomes(queries, program.name, program.version, name, window)
    except QueryError as wrong:
        raise click.ClickException(str(wrong)) from wrong
    rules = Rules(alpha=alpha, planned=planned, once=once, min_per_arm=min_per_arm, reduce=reduce)
    notes = f"{len(found):,} members, each for {window / _DAY:g} days after it"
    if open_:
        notes += f"; {open_:,} more whose days are not over"
    answer, decision, told = _read(split, held, found, margin, rules)
    if form == "json":
        print_json(answer, decision, told)
    else:
        print_readout(answer, decision, told, notes)
    if stored:
        look = Look(program.name, program.version, name, newest, window)
        store(warehouse, look, answer, decision, told)
    if split is None:
        return
    next_ = RollOut(split, answer, decision)
    if not (roll_out and next_.due):
        if form != "json" and next_.words is not None:
            click.echo(f"  {next_.words}")
        return
    try:
        next_.write(file, chain)
    except (AmendError, OSError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    click.echo(f"rolled out in {file}: flows that run live take it up by themselves", err=True)


def _read(
    split: Experiment | None,
    held: int,
    found: list[Outcome],
    margin: float | None,
    rules: Rules,
) -> tuple[Readout, Decision, list[Told]]:
    goal = Metric("spent" if margin is None else "margin", Scale.MONEY)
    several = sum(_mixed(one) for one in found)
    counted = [(arm, one) for one in found if (arm := _arm(one, split)) is not None]
    arms = [*([HELD] if held else []), *(split.arms if split else [TREATED])]
    figures = people(
        [arm for arm, _ in counted],
        {
            goal: [_worth(one, margin) for _, one in counted],
            BOUGHT: [float(one.orders > 0) for _, one in counted],
            OPTED_OUT: [float(one.opted_out) for _, one in counted],
        },
        before=[float(one.before) for _, one in counted],
    )
    seen = [one.exposed_at for _, one in counted]
    days = (max(seen) - min(seen)) / _DAY if seen else 0.0
    phases = _phases(Counter(arm for arm, _ in counted), split, held)
    answer = read(arms, goal, figures.metrics, phases, days, rules, (OPTED_OUT,), several)
    pairs = [(one.arm, one.against) for one in answer.comparisons]
    told: list[Told] = [
        (one, of, compared(one, of, pairs, answer.looked_alpha, rules))
        for one, of in ((one, figures.metrics[one.name]) for one in (goal, BOUGHT, OPTED_OUT))
    ]
    return answer, decide(answer), told


def _split(program: Program, wanted: str | None) -> Experiment | None:
    there = {
        one.experiment.name: one.experiment for one in program.nodes if isinstance(one, SplitArms)
    }
    if wanted is not None:
        if wanted not in there:
            known = ", ".join(there) or "none"
            msg = f"{program.name} has no experiment {wanted}; there is {known}"
            raise click.UsageError(msg)
        return there[wanted]
    if len(there) > 1:
        msg = f"{program.name} has several experiments, say --experiment: {', '.join(there)}"
        raise click.UsageError(msg)
    return next(iter(there.values()), None)


def _held(program: Program, chain: Chain) -> int:
    """Slots of the journey's holdout and the chain's together, which are drawn apart."""
    everywhere = round(chain.journeys.holdout * 100)
    return SLOTS - round((SLOTS - program.holdout) * (SLOTS - everywhere) / SLOTS)


def _mixed(one: Outcome) -> bool:
    return len(one.arms) > 1 or (one.held_out and one.treated)


def _arm(one: Outcome, split: Experiment | None) -> str | None:
    """The arm that a member counts in; None: in several, or it went past the split."""
    if _mixed(one):
        return None
    if one.held_out:
        return HELD
    if split is None:
        return TREATED
    return one.arms[0] if one.arms and one.arms[0] in split.arms else None


def _worth(one: Outcome, margin: float | None) -> float:
    """Units of currency: what was paid, or what is left of it when goods and coupons are paid."""
    if margin is None:
        return one.spent / 100
    return (margin * (one.spent + one.off) - one.off) / 100


def _phases(counts: Counter[str], split: Experiment | None, held: int) -> list[Split]:
    """The planned splits: held out or not, and the arms among those who were not."""
    phases: list[Split] = []
    kept = counts.get(HELD, 0)
    if held:
        rest = sum(counts.values()) - kept
        phases.append(({HELD: kept, TREATED: rest}, {HELD: held, TREATED: SLOTS - held}))
    if split is not None:
        phases.append(({arm: counts[arm] for arm in split.arms}, split.phase.shares()))
    return phases
