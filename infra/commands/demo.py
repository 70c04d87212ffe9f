"""`tillflow demo`: real transactions to live stock and alerts, with a page to look at."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from rich.console import Console

from flows.engine_run import EXPECTED
from flows.recovery import RecoveryError
from flows.runner import FlowError
from infra.demo.data import PACKAGE, find_data
from infra.demo.story import DemoStopped, tell_story
from infra.demo.terminal import Teller
from infra.problems import problems_told
from sources.importing.problems import ImportProblem

_WIDTH = 120


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo-out"),
    show_default=True,
    help="Folder to write to; what an earlier demo left there is replaced.",
)
@click.option("--simulate", is_flag=True, help="Simulate a chain even where the real data is.")
def demo(out: Path, simulate: bool) -> None:
    """A year of a real grocery chain: import, live stock, alerts, and a page to look at.

    docs/demo.md says which parts are real and by which rule the others are added.
    """
    # Where nobody looks at a terminal there is no width to keep to, but tables want one.
    width = None if sys.stdout.isatty() else _WIDTH
    teller = Teller(Console(width=width, highlight=False, markup=False))
    with problems_told(ImportProblem, *EXPECTED, FlowError, RecoveryError, DemoStopped):
        data = None if simulate else find_data()
        if data is None and not simulate:
            teller.console.print(
                f"The package with the real data ({PACKAGE}) is not installed, so a chain is "
                "simulated."
            )
        tell_story(out, data, teller)
