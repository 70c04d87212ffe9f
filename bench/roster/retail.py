"""Retail instances, 15 minutes and several tasks: `python -m bench.roster.retail --data DIR`.

The folder has the files as they come, named number_days_people_tasks. Seconds are CPU seconds of
this process unless `--wall` is said.
"""

from __future__ import annotations

from bench.roster.benchmark import Line, options, run, table, tell
from bench.roster.retail_judge import judge
from bench.roster.retail_model import activity_problem, shifts_of
from bench.roster.retail_read import read_retail
from operators.roster.activities.maker import ActivityMaker

# Costs after ten minutes in the article that brought the instances (Qu and Curtois, 2020).
REFERENCES = {"1_7_10_1": 383, "10_7_20_3": 193}


def main() -> None:
    """Solve the instances and print the table."""
    given = options(__doc__).parse_args()
    names = sorted(
        (path.stem for path in given.data.glob("*_*_*_*.txt")),
        key=lambda name: int(name.split("_")[0]),
    )
    lines = []
    for name in given.instances or names:
        instance = read_retail(given.data / f"{name}.txt")
        maker = ActivityMaker(activity_problem(instance))
        known = REFERENCES.get(name)
        found = run(name, maker, maker.cover, given, known)
        verdict = judge(instance, shifts_of(instance, found.patterns))
        for what in verdict.broken[:5]:
            tell(f"  broken: {what}")
        lines.append(Line(name, known, None, found, len(verdict.broken), verdict.cost))
    table(lines, given)


if __name__ == "__main__":
    main()
