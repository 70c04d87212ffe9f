"""Classical shift-scheduling instances: `python -m bench.roster.classical --data DIR`.

The folder has `Instance1.txt` and so on, and `best_known.csv` with the columns instance,
best_upper_bound and lower_bound. Seconds are CPU seconds of this process unless `--wall` is said.
"""

from __future__ import annotations

import csv
from pathlib import Path

from bench.roster.benchmark import Line, options, run, table, tell
from bench.roster.classical_judge import judge
from bench.roster.classical_model import daily_problem, days_of
from bench.roster.classical_read import read_classical
from operators.roster.daily.maker import DailyMaker

Known = dict[str, tuple[int | None, int | None]]


def main() -> None:
    """Solve the instances and print the table."""
    given = options(__doc__).parse_args()
    known = best_known(given.data / "best_known.csv")
    paths = given.data.glob("Instance*.txt")
    numbers = sorted((path.stem.removeprefix("Instance") for path in paths), key=int)
    lines = []
    for number in given.instances or numbers:
        instance = read_classical(given.data / f"Instance{number}.txt")
        maker = DailyMaker(daily_problem(instance))
        cost, bound = known.get(number, (None, None))
        found = run(instance.name, maker, maker.cover, given, cost)
        verdict = judge(instance, days_of(instance, found.patterns))
        for what in verdict.broken:
            tell(f"  broken: {what}")
        lines.append(Line(number, cost, bound, found, len(verdict.broken), verdict.cost))
    table(lines, given)


def best_known(path: Path) -> Known:
    """Best known cost and lower bound by instance; nothing where there is no such file."""
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["instance"]: (_number(row["best_upper_bound"]), _number(row["lower_bound"]))
            for row in csv.DictReader(file)
        }


def _number(text: str) -> int | None:
    return int(text) if text else None


if __name__ == "__main__":
    main()
