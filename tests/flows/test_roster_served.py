"""The roster flow with a served warehouse: it reads windows and rosters there, and writes there."""

from __future__ import annotations

from pathlib import Path

import pytest
from flow_driver import query
from staffing_driver import TODAY, run_cleanly, run_roster, world
from staffing_world import table_rows, windows
from warehouse_server import WRITE_TOKEN, ServedWarehouse

from schemas.footfall_tables import FOOTFALL_15M
from sinks.warehouse.client import Warehouse
from sinks.warehouse.tuple_rows import rows_table


def test_from_and_into_a_served_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others may write and read meanwhile; state has to be told where to lie."""
    monkeypatch.setenv("TILLFLOW_WAREHOUSE_TOKEN", WRITE_TOKEN)
    with ServedWarehouse(tmp_path) as server:
        options = world(tmp_path, server.address)
        warehouse = Warehouse(server.address)
        with warehouse.transaction():
            warehouse.upsert(FOOTFALL_15M, rows_table(FOOTFALL_15M, table_rows(windows(TODAY))))
        warehouse.close()
        assert "give --recovery FOLDER" in run_roster(*options).output
        told = run_cleanly(*options, "--recovery", tmp_path / "state")
        assert "1 raised, 1 cleared" in told
        assert "nothing new" not in run_cleanly(*options, "--recovery", tmp_path / "state")
        server.stop()
    alerts = query(server.file, "SELECT alert, status FROM staffing_alert")
    assert alerts == [("short_staffed/S1/till/2026-11-19T13:00/2026-11-19T04:00:00Z", "cleared")]
    assert query(server.file, "SELECT count(*) FROM staffing_15m") == [(2 * 2 * 24,)]
