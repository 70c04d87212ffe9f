"""`tillflow drift` compares events with a warehouse and repairs it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner
from msgspec.structs import asdict
from stock_events import event

from infra.cli import main
from operators.stock.drift_alerts import DRIFT
from serving.drift import WarehouseView
from sinks.warehouse.client import Warehouse


def test_the_commands_compare_events_with_a_warehouse_and_repair(tmp_path: Path) -> None:
    source, file = tmp_path / "events.jsonl", tmp_path / "shop.duckdb"
    events = [event("received", 10, 1), event("sold", 3, 2)]
    source.write_text("".join(json.dumps(one) + "\n" for one in events))
    runner = CliRunner()
    done = runner.invoke(
        main, ["run", "stock", "--source", str(source), "--warehouse", str(file), "--no-recovery"]
    )
    assert done.exit_code == 0, done.output
    views = ["--source", str(source), "--warehouse", str(file), "--lag-seconds", "0.2"]
    done = runner.invoke(main, ["drift", "check", *views])
    assert (done.exit_code, done.output) == (0, "no drift in 1 pairs\n")
    warehouse = Warehouse(file)
    warehouse.write("UPDATE stock_position SET on_hand = 9")
    warehouse.close()
    done = runner.invoke(main, ["drift", "check", "--tell", "--format", "json", *views])
    assert done.exit_code == 1
    [found] = json.loads(done.stdout)["drift"]
    assert (found["view"], found["kind"], found["units"]) == ("duckdb", "figures", 2)
    done = runner.invoke(main, ["drift", "repair", found["sku"], found["place"], *views])
    assert done.exit_code == 0, done.output
    with WarehouseView(file) as rows:
        [row] = rows.read([(found["sku"], found["place"])]).values()
        assert asdict(row)["on_hand"] == 7
        assert rows.open_alerts(DRIFT) == []
    assert runner.invoke(main, ["drift", "check", *views]).exit_code == 0
    done = runner.invoke(main, ["drift", "repair", "none", "such", *views])
    assert done.exit_code == 1
    assert "nothing to repair it with" in done.output
