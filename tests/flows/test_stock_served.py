"""The stock flow writes into a warehouse that a server owns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from depth import cases
from flow_driver import expected_rows, judged_rows, query, write_chain, write_lines
from warehouse_server import PROGRAM, WRITE_TOKEN, ServedWarehouse

from schemas.chain import Chain


@pytest.mark.deep
def test_two_processes_write_what_one_file_would_have(
    tmp_path: Path, garbled_week: list[bytes], chain: Chain
) -> None:
    """Every row is what the oracles say, and the diary adds up over all writers."""
    lines = garbled_week[: cases(3_000, 8_000)]
    source = write_lines(tmp_path / "week.jsonl", lines)
    config = write_chain(tmp_path / "chain.yaml", chain)
    environ = {**os.environ, "TILLFLOW_WAREHOUSE_TOKEN": WRITE_TOKEN}
    with ServedWarehouse(tmp_path) as server:
        command = [sys.executable, "-c", PROGRAM, "run", "stock", "--processes", "2"]
        command += ["--source", str(source), "--warehouse", str(server.address)]
        command += ["--config", str(config), "--recovery", str(tmp_path / "state")]
        subprocess.run(command, env=environ, check=True)
        server.stop()
    assert judged_rows(server.file) == expected_rows({"week.jsonl": lines}, chain)
    written = sum(bool(line.strip()) for line in lines)
    letters = query(server.file, "SELECT count(*) FROM dead_letter")[0][0]
    ask = (
        "SELECT status, lines, events + dead_letters + others >= lines, dead_letters FROM flow_run"
    )
    assert query(server.file, ask) == [("finished", written, True, letters)]
    parts = query(server.file, "SELECT count(*), sum(applied) FROM flow_run_part")[0]
    assert parts[0] > 1
    assert query(server.file, "SELECT applied FROM flow_run") == [(parts[1],)]
