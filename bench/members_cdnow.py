"""CDNOW through the members flow: do frequency, recency and T come out as published?

    python -m bench.members_cdnow --data FOLDER

The folder holds `CDNOW_sample.txt` (master id, sample id, date, CDs, dollars) and
`cdnow_customers_summary.csv` (ID, frequency, recency, T in weeks until 1997-09-30), as published
with the package `lifetimes`. The log goes through `tillflow run members` as files do, once in the
order of time and once shuffled with duplicates; all of it until the end of the calibration.
"""

from __future__ import annotations

import csv
import json
import tempfile
import time
from contextlib import closing
from datetime import date
from pathlib import Path
from random import Random
from typing import NamedTuple

import click
from click.testing import CliRunner

from infra.cli import main as tillflow
from sinks.warehouse.client import open_reader

END = date(1997, 9, 30)
CONFIG = "members: {monetary_days: 400, late_days: 400, currency: USD, least_amount: 0}\n"
# The published figures have two decimals.
HALF_A_DIGIT = 0.005 + 1e-9


class Customer(NamedTuple):
    """Repeat days, weeks from the first to the last one, weeks from the first one to the end."""

    frequency: int
    recency: float
    weeks: float


def published(folder: Path) -> dict[str, Customer]:
    """The figures that come with the data."""
    with (folder / "cdnow_customers_summary.csv").open(encoding="utf-8") as file:
        return {
            f"{int(row['ID']):04d}": Customer(
                int(row["frequency"]), float(row["recency"]), float(row["T"])
            )
            for row in csv.DictReader(file)
        }


def events(folder: Path) -> list[str]:
    """The transactions until the end of the calibration as lines of `pos.order.v1`."""
    found = []
    text = (folder / "CDNOW_sample.txt").read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines()):
        _, member, day, items, dollars = line.split()
        on = date(int(day[:4]), int(day[4:6]), int(day[6:]))
        if on > END:
            continue
        at = f"{on}T12:00:00+08:00"
        data = {
            "store": "cdnow",
            "order": f"o{number}",
            "opened_at": at,
            "items": int(items),
            "amount": round(float(dollars) * 100),
            "currency": "USD",
            "service_seconds": 0,
            "member": member,
        }
        head = {"specversion": "1.0", "id": f"e{number}", "source": "cdnow", "type": "pos.order.v1"}
        found.append((at, json.dumps({**head, "time": at, "data": data})))
    return [line for _, line in sorted(found)]


def computed(lines: list[str]) -> tuple[dict[str, Customer], float]:
    """What the flow makes of them, and how long it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "a.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "chain.yaml").write_text(CONFIG, encoding="utf-8")
        warehouse = folder / "w.duckdb"
        options = ["--source", folder / "a.jsonl", "--config", folder / "chain.yaml"]
        words = ["run", "members", *map(str, options), "--warehouse", str(warehouse)]
        began = time.perf_counter()
        result = CliRunner().invoke(tillflow, words, catch_exceptions=False)
        took = time.perf_counter() - began
        assert result.exit_code == 0, result.output
        with closing(open_reader(warehouse)) as reader:
            rows = reader.execute(
                "SELECT member, purchase_days - 1, date_diff('day', first_at, last_at) / 7.0, "
                "date_diff('day', first_at, ?::TIMESTAMPTZ) / 7.0 FROM member_state",
                [f"{END}T12:00:00+08:00"],
            ).fetchall()
    return {row[0]: Customer(*row[1:]) for row in rows}, took


def differing(found: dict[str, Customer], wanted: dict[str, Customer]) -> list[str]:
    """Who differs, and how."""
    wrong = [f"{name}: missing or too many" for name in sorted(found.keys() ^ wanted.keys())]
    for name in sorted(found.keys() & wanted.keys()):
        mine, right = found[name], wanted[name]
        near = all(abs(a - b) <= HALF_A_DIGIT for a, b in zip(mine[1:], right[1:], strict=True))
        if mine.frequency != right.frequency or not near:
            wrong.append(f"{name}: {mine} instead of {right}")
    return wrong


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
def main(data: Path) -> None:
    """Compare, customer by customer."""
    wanted, lines = published(data), events(data)
    rng = Random(1)
    mixed = [*lines, *rng.sample(lines, len(lines) // 5)]
    rng.shuffle(mixed)
    wrong = 0
    for what, given in (("in order", lines), ("shuffled, a fifth twice", mixed)):
        found, took = computed(given)
        differ = differing(found, wanted)
        wrong += len(differ)
        same = len(wanted) - len(differ)
        click.echo(f"{what}: {same:,} of {len(wanted):,} customers as published, {took:.1f} s")
        for one in differ[:10]:
            click.echo(f"  {one}")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
