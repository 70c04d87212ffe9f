"""Movements per second and peak memory of the stock flow, beside its own plain driver and a floor.

Whole processes over the same file, in turn (A B C A B C ...), medians:

    python -m bench.stock                 # 10,000 pairs, then 1,000,000 pairs, then a resume
    python -m bench.stock --runs 3 --movements 500000

`flow` runs on Bytewax into DuckDB without and with recovery, `plain` the same operators and sink
in a loop, `floor` decodes every line and updates a dict. Peers of other projects were measured on
the same work and machine in the study that chose the engine; they are quoted in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.processes import Cost, measure, median
from sources.simulator.bulk import write_bulk

SEED = 20260302
PLAIN = (
    "import sys; from pathlib import Path; from flows.process import prepare_process; "
    "prepare_process(); from flows.plain import run_plain; "
    "from flows.settings import StockSettings; "
    "run_plain(StockSettings(source=sys.argv[1], warehouse=Path(sys.argv[2])))"
)
CLI = "import sys; from infra.cli import main; main(sys.argv[1:])"
COLD_START = "from flows import runner, plain"


def commands(source: Path, folder: Path) -> dict[str, list[str]]:
    """What is measured, by name; each writes into `folder`, which is empty at its start."""
    run = [sys.executable, "-c", CLI, "run", "stock", "--source", str(source)]
    run += ["--warehouse", str(folder / "warehouse.duckdb")]
    return {
        "floor (decode + dict)": [sys.executable, "-m", "bench.floor", str(source)],
        "plain driver": [
            sys.executable,
            "-c",
            PLAIN,
            str(source),
            str(folder / "warehouse.duckdb"),
        ],
        "flow, no recovery": [*run, "--no-recovery"],
        "flow, recovery": run,
    }


def compare(source: Path, movements: int, runs: int, folder: Path) -> dict[str, Cost]:
    """The median cost of each command over interleaved runs."""
    names = list(commands(source, folder))
    costs: dict[str, list[Cost]] = {name: [] for name in names}
    for number in range(runs):
        for name in names:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            costs[name].append(measure(commands(source, folder)[name]))
            print(
                f"  run {number + 1}/{runs}  {name:22s}"
                f"{movements / costs[name][-1].wall_s:>12,.0f}/s",
                file=sys.stderr,
            )
    return {name: median(found) for name, found in costs.items()}


def show(title: str, costs: dict[str, Cost], movements: int, start: Cost) -> None:
    """Print a table; `steady` leaves the start of an empty process out of the time."""
    print(f"\n{title}")
    print(f"{'':24s}{'movements/s':>12s}{'steady/s':>12s}{'CPU us each':>12s}{'peak MB':>10s}")
    for name, cost in costs.items():
        steady = movements / max(cost.wall_s - start.wall_s, 1e-9)
        print(
            f"{name:24s}{movements / cost.wall_s:>12,.0f}{steady:>12,.0f}"
            f"{cost.cpu_s / movements * 1e6:>12.2f}{cost.peak_mb:>10,.0f}"
        )


def resume(source: Path, folder: Path) -> float:
    """Seconds of a second run over the same file: state is loaded, nothing new is read."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    command = commands(source, folder)["flow, recovery"]
    measure(command)
    began = time.perf_counter()
    measure(command)
    return time.perf_counter() - began


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--movements", type=int, default=2_000_000)
    parser.add_argument("--pairs", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    given = parser.parse_args(arguments)
    start = median([measure([sys.executable, "-c", COLD_START]) for _ in range(3)])
    figures: dict[str, object] = {"start_s": start.wall_s}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        source = Path(place) / "movements.jsonl"
        rates = {}
        for pairs in given.pairs:
            print(f"{given.movements:,} movements over {pairs:,} pairs", file=sys.stderr)
            write_bulk(source, given.movements, pairs, seed=SEED)
            costs = compare(source, given.movements, given.runs, folder)
            show(f"{given.movements:,} movements, {pairs:,} pairs", costs, given.movements, start)
            flow, plain = costs["flow, no recovery"], costs["plain driver"]
            print(f"flow / plain driver: {plain.wall_s / flow.wall_s:.0%}")
            memory = costs["flow, recovery"].peak_mb - start.peak_mb
            print(
                f"memory: {memory * 2**20 / pairs:,.0f} bytes a pair, its window's events included"
            )
            rates[pairs] = given.movements / flow.wall_s
            figures[str(pairs)] = {
                name: [cost.wall_s, cost.cpu_s, cost.peak_mb] for name, cost in costs.items()
            }
        if len(rates) > 1:
            print(
                f"\nrate at {max(rates):,} pairs / at {min(rates):,}: "
                f"{rates[max(rates)] / rates[min(rates)]:.2f}"
            )
        seconds = resume(source, folder)
        print(f"resume with {given.pairs[-1]:,} pairs: {seconds:.1f} s")
        figures["resume_s"] = seconds
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
