"""`tillflow journey`: check, explain, compare, test and simulate journeys; sends nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
import msgspec

from flows.settings import SettingsError, load_chain
from infra.journey_shown import print_days, print_summaries
from infra.journey_simulation import NothingToReplayError, simulated
from operators.journeys.compile import Read
from operators.journeys.diff import diff
from operators.journeys.explain import explain
from operators.journeys.gift_lint import lint_gifts
from operators.journeys.program import Program
from operators.journeys.summary import summarise
from operators.journeys.trial import try_out
from schemas.chain import Chain
from schemas.coupons_file import CouponsProblem, load_coupons
from schemas.instants import format_instant
from sources.files import SourceError
from sources.health import load_health
from sources.journeys import JourneyFileError, journey_files, read_files

F = TypeVar("F", bound=Callable[..., Any])
_config = click.option(
    "--config", type=click.Path(path_type=Path), help="The chain's configuration (YAML)."
)
_coupons = click.option(
    "--coupons",
    type=click.Path(path_type=Path),
    help="Coupons that journeys give (YAML).  [default: journeys.coupons of the chain]",
)
_language = click.option(
    "--language", type=click.Choice(("en", "zh")), default="en", show_default=True
)
_files = click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path)
)


def _told(config: Path | None) -> Chain:
    try:
        return load_chain(config)
    except SettingsError as wrong:
        raise click.ClickException(str(wrong)) from wrong


def _book(coupons: Path | None, config: Path | None, chain: Chain) -> Path | None:
    """The file of coupons: the given one, or that of the chain."""
    if coupons is None and config is not None and chain.journeys.coupons is not None:
        return config.parent / chain.journeys.coupons
    return coupons


def _reads(files: tuple[Path, ...], chain: Chain, coupons: Path | None = None) -> list[Read]:
    """Each file with all that is wrong with it; with a file of coupons also with its gifts."""
    try:
        reads = read_files(journey_files(files), chain)
        if coupons is not None:
            book = load_coupons(coupons)
            today = datetime.now(ZoneInfo(book.timezone)).date()
            lint_gifts(reads, book, coupons.name, today)
    except (CouponsProblem, JourneyFileError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    return reads


def _programs(
    files: tuple[Path, ...], chain: Chain, language: str = "en", coupons: Path | None = None
) -> list[Program]:
    """What can be run of the files; says what is wrong and ends where anything is."""
    reads = _reads(files, chain, coupons)
    broken = False
    for read in reads:
        for one in sorted(read.source.findings, key=lambda one: (one.line, one.code)):
            if one.level == "error":
                click.echo(one.shown(read.source.name, language), err=True)
                broken = True
    if broken:
        sys.exit(1)
    return [read.program for read in reads if read.program is not None]


@click.group()
def journey() -> None:
    """Journeys of members as files: nothing is sent by any of these."""


@journey.command("lint")
@_files
@_config
@_coupons
@_language
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
def lint_command(
    files: tuple[Path, ...],
    config: Path | None,
    coupons: Path | None,
    language: str,
    strict: bool,
) -> None:
    """What is wrong with journeys, line by line; ends with 1 where there are errors."""
    chain = _told(config)
    reads = _reads(files, chain, _book(coupons, config, chain))
    errors = warnings = 0
    for read in reads:
        for one in sorted(read.source.findings, key=lambda one: (one.line, one.code)):
            click.echo(one.shown(read.source.name, language))
            errors += one.level == "error"
            warnings += one.level == "warning"
    summary = f"{len(reads)} journeys, {errors} errors, {warnings} warnings"
    if language == "zh":
        summary = f"{len(reads)} 个旅程，{errors} 处错误，{warnings} 处提醒"
    click.echo(summary)
    if errors or (strict and warnings):
        sys.exit(1)


@journey.command("explain")
@_files
@_config
@_coupons
@_language
def explain_command(
    files: tuple[Path, ...], config: Path | None, coupons: Path | None, language: str
) -> None:
    """Journeys in sentences."""
    chain = _told(config)
    programs = _programs(files, chain, language, _book(coupons, config, chain))
    for number, program in enumerate(programs):
        if number:
            click.echo()
        title = f": {program.title}" if program.title else ""
        click.echo(f"{program.name} ({program.version}){title}")
        for sentence in explain(program, language):
            click.echo(f"  {sentence}")


@journey.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@_config
@_language
def diff_command(old: Path, new: Path, config: Path | None, language: str) -> None:
    """What changes from file OLD to file NEW, in sentences."""
    chain = _told(config)
    (before,), (after,) = (_programs((path,), chain, language) for path in (old, new))
    for line in diff(before, after, language):
        click.echo(line)


@journey.command("test")
@_files
@_config
def test_command(files: tuple[Path, ...], config: Path | None) -> None:
    """Run the tests in journeys' files; ends with 1 where one fails or there is none."""
    chain = _told(config)
    reads = _reads(files, chain)
    passed = failed = 0
    for read in reads:
        for finding in read.source.findings:
            if finding.level == "error":
                click.echo(finding.shown(read.source.name), err=True)
                failed += 1
        if read.program is None:
            continue
        for one in read.tests:
            tried = try_out(one, read.program, chain)
            click.echo(f"{'FAILED' if tried.wrong else 'passed'}  {read.program.name}: {one.name}")
            for line in tried.wrong:
                click.echo(f"        {line}")
            failed += bool(tried.wrong)
            passed += not tried.wrong
    click.echo(f"{passed} passed, {failed} failed")
    if failed or not passed:
        sys.exit(1)


@journey.command("simulate")
@_files
@click.option(
    "--source", required=True, help="File of events (JSON Lines or Parquet), folder, or pattern."
)
@click.option("--weeks", default=4.0, show_default=True, type=click.FloatRange(0.01, 520))
@_config
@_coupons
@click.option("--health", type=click.Path(path_type=Path), help="Model of `members fit`.")
@click.option("--daily", is_flag=True, help="Day by day, too.")
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table")
def simulate_command(
    files: tuple[Path, ...],
    source: str,
    weeks: float,
    config: Path | None,
    coupons: Path | None,
    health: Path | None,
    daily: bool,
    form: str,
) -> None:
    """What journeys would have done in the last weeks of events.

    All of the history before that is read for the figures. Nothing is sent.
    """
    chain = _told(config)
    programs = _programs(files, chain, coupons=_book(coupons, config, chain))
    try:
        model = load_health(health, programs)
        replay, start, refused = simulated(source, chain, tuple(programs), 7 * weeks, model)
    except (SourceError, NothingToReplayError) as wrong:
        raise click.ClickException(str(wrong)) from wrong
    found = summarise(
        [one.name for one in programs],
        replay.decisions,
        replay.moves,
        replay.turned(),
        ZoneInfo(chain.timezone),
    )
    if form == "json":
        encoded = msgspec.json.encode(found)
        sys.stdout.write(msgspec.json.format(encoded, indent=2).decode() + "\n")
        return
    click.echo(f"from {format_instant(start)} to {format_instant(replay.now)}; nothing was sent")
    print_summaries(found)
    if daily:
        print_days(found)
    if refused:
        click.echo(f"{refused} events were refused: tillflow run members puts them in dead_letter")
