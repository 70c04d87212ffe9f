"""`tillflow roster grades`: from work in the warehouse to proposals; nothing is written."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

from click.testing import CliRunner, Result

from infra.cli import main
from schemas.footfall_tables import EMPLOYEE_WORK_15M
from sinks.warehouse.client import Warehouse
from sinks.warehouse.tuple_rows import rows_table

SHOP = """
shop: S1
first_day: 2026-12-04
tasks: {till: {service_s: 90}}
employees:
  - {name: quick, skills: {till: 2}}
  - {name: slow, skills: {till: 3}}
  - {name: usual, skills: {till: 3}}
need: []
"""


def grades(folder: Path, *more: str) -> Result:
    words = ["roster", "grades", "--warehouse", str(folder / "w.duckdb"), *more]
    return CliRunner().invoke(main, words)


def test_from_work_to_proposals(tmp_path: Path) -> None:
    rng = Random(2)
    rows = []
    for name, pace in (("quick", 1.3), ("slow", 0.75), ("usual", 1.0), ("guest", 1.0)):
        for quarter in range(200):
            orders = rng.randint(3, 6)
            taken = sum(rng.uniform(40, 80) for _ in range(orders)) / pace
            start = 1_796_000_000_000_000 + quarter * 900_000_000
            what = (orders, orders, taken, orders * 60.0, orders)
            rows.append(("S1", start, name, "till", "2026-12-04T10:00+08:00", "2026-12-04", *what))
    warehouse = Warehouse(tmp_path / "w.duckdb")
    warehouse.upsert(EMPLOYEE_WORK_15M, rows_table(EMPLOYEE_WORK_15M, rows))
    warehouse.close()
    (tmp_path / "shop.yaml").write_text(SHOP)
    (tmp_path / "chain.yaml").write_text("staffing: {shops: [shop.yaml]}\n")
    told = grades(tmp_path, "--config", str(tmp_path / "chain.yaml"), "--format", "json")
    assert told.exit_code == 0, told.output
    found = {one["employee"]: (one["present"], one["proposed"]) for one in json.loads(told.output)}
    assert found == {"guest": ("", 3), "quick": (2, 6), "slow": (3, 0), "usual": (3, 3)}
    shown = grades(tmp_path, "--store", "S1", "--config", str(tmp_path / "chain.yaml"))
    assert "2 of 4 would change; nothing was written" in shown.output
    none = grades(tmp_path, "--store", "S9")
    assert none.exit_code == 1
    assert "nobody has done enough work" in none.output
