"""What both benchmarks of rosters share: options, a run, and the table."""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from operators.roster.patterns.cover import Cover, Maker
from operators.roster.patterns.search import Found, PatternSearch

# Budgets that the table shows of one run, in seconds, beside its own.
BUDGETS = (10.0, 60.0)


@dataclass(frozen=True, slots=True)
class Line:
    """An instance's line of the table."""

    name: str
    known: int | None
    known_bound: int | None
    found: Found
    broken: int
    cost: int


def options(description: str | None) -> argparse.ArgumentParser:
    """What both commands are told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the instances")
    parser.add_argument("--instances", nargs="*", help="some of them; all without")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each instance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--stop-at-known", action="store_true", help="end at the best known cost")
    parser.add_argument("--wall", action="store_true", help="wall time, not CPU seconds")
    return parser


def run(
    name: str, maker: Maker, cover: Cover, given: argparse.Namespace, known: int | None
) -> Found:
    """Solves an instance and tells its course.

    Raises:
        SystemExit: somebody has no legal pattern.
    """
    tell(f"{name}:")
    clock = time.monotonic if given.wall else time.process_time
    search = PatternSearch(maker, cover, clock, random.Random(given.seed), tell)
    found = search.run(given.seconds, known if given.stop_at_known else None)
    if found is None:
        msg = f"{name}: somebody has no legal shifts at all: check the instance"
        raise SystemExit(msg)
    return found


def table(lines: Iterable[Line], given: argparse.Namespace) -> None:
    """Ours against the best known, by time."""
    budgets = [seconds for seconds in BUDGETS if seconds < given.seconds]
    head = ["instance", "best known", "its bound", "our bound"]
    head += [f"{seconds:g} s" for seconds in [*budgets, given.seconds]]
    head += ["above best known", "broken rules", "last better after"]
    tell("")
    tell(f"| {' | '.join(head)} |")
    tell("|---" * len(head) + "|")
    for line in lines:
        found = line.found
        costs = [
            next((cost for at, cost in reversed(found.course) if at <= seconds), None)
            for seconds in budgets
        ]
        above = "" if line.known is None else f"{line.cost / line.known - 1:+.1%}"
        # No cost is below nothing: a bound that is says no more.
        bound = None if found.bound is None or found.bound <= 0 else found.bound
        cells = [line.name, line.known, line.known_bound, bound, *costs, line.cost]
        cells += [above, line.broken, f"{found.course[-1][0]:.1f} s"]
        tell(f"| {' | '.join('' if cell is None else str(cell) for cell in cells)} |")
    kind = "wall" if given.wall else "CPU"
    tell(f"{kind} seconds; load at the end {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def tell(line: str) -> None:
    """Writes a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
