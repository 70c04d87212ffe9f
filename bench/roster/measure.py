"""How near the bound rosters of made-up shops come in a time: `python -m bench.roster.measure`.

Times are CPU seconds of this process, unless `--wall` is said: on a machine that others use, wall
time says more about them. Two free cores give up to two CPU seconds a second.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time

from bench.roster.shop import shop
from operators.roster.answer import Budget
from operators.roster.prepare import prepare
from operators.roster.solve import solve

# A CPU second may take so long on a busy machine.
STRETCH = 20.0


def main() -> None:
    """Solve one shop and tell its course."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=10)
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--gap", type=float, default=0.01)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--wall", action="store_true")
    given = options.parse_args()
    clock = time.monotonic if given.wall else time.process_time
    began = clock()
    problem = prepare(shop(given.people, given.seed))
    _tell(f"{given.people} people: prepared in {clock() - began:.1f} s")
    answer = solve(
        problem,
        clock,
        random.Random(given.seed),
        Budget(given.seconds, 2, given.gap, given.seed, 1.0 if given.wall else STRETCH),
        told=_tell,
    )
    if answer.evaluation is None:
        _tell("no legal roster found")
        return
    gap = "no bound" if answer.gap is None else f"gap {answer.gap:.2%}"
    _tell(
        f"cost {answer.evaluation.total:,}, {gap}, {answer.seconds:.1f} s, {answer.parts} parts, "
        f"load {os.getloadavg()[0]:.1f}; {answer.evaluation.costs}"
    )


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
