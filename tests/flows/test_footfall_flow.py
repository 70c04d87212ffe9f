"""The footfall flow from files to the warehouse, against the oracle, and as its users run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from flow_driver import StartedFlow, last_run, query, wait_until, write_chain, write_lines
from footfall_driver import assert_warehouse, everything, progress, run_cleanly, run_footfall
from footfall_events import arrivals, footfall_chain, render
from footfall_garbage import FOOTFALL_GARBAGE
from footfall_oracle import Expected, assert_same, expected, written
from stock_events import event
from warehouse_server import WRITE_TOKEN, ServedWarehouse

from schemas.chain import Chain
from sinks.warehouse.client import open_reader
from sources.abreast import reader
from sources.simulator import clean, settings_from, write

# So that a short history has many blocks.
BLOCK_BYTES = 16 * 1024


@pytest.fixture(scope="module", name="lines")
def _lines() -> list[bytes]:
    """Days of six shops with all that goes wrong there, garbage, and events of other flows."""
    lines = [render(each) for each in arrivals(5)]
    rng = Random(5)
    for _, garbage in FOOTFALL_GARBAGE.values():
        lines.insert(rng.randrange(len(lines)), garbage)
    lines.insert(1_000, render(event("sold", 1)))
    return lines


@pytest.fixture(scope="module", name="chain")
def _chain() -> Chain:
    return footfall_chain()


@pytest.fixture(scope="module", name="wanted")
def _wanted(lines: list[bytes], chain: Chain) -> Expected:
    """What the oracle makes of them; garbage is not its business, only where it stood."""
    codes = {line: code for code, line in FOOTFALL_GARBAGE.values()}
    found = expected(lines, chain, unread=[*codes, lines[1_000]])
    dead = [(at, codes[line]) for at, line in enumerate(lines, 1) if line in codes]
    return found._replace(dead_letters=sorted(found.dead_letters + dead))


@pytest.fixture(name="options")
def _options(tmp_path: Path, chain: Chain) -> list[object]:
    config = write_chain(tmp_path / "chain.yaml", chain)
    return ["--warehouse", tmp_path / "w.duckdb", "--config", config, "--source"]


@pytest.mark.parametrize("workers", [1, 2])
def test_against_the_oracle(
    tmp_path: Path,
    lines: list[bytes],
    wanted: Expected,
    options: list[object],
    workers: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every row; the diary adds up; run again, nothing changes, not even a version."""
    monkeypatch.setattr(reader, "ABREAST_BYTES", BLOCK_BYTES)
    source = write_lines(tmp_path / "a.jsonl", lines)
    warehouse = tmp_path / "w.duckdb"
    output = run_cleanly(*options, source, "--workers", workers)
    assert_warehouse(warehouse, wanted)
    run = last_run(warehouse)
    assert (run["status"], run["lines"], run["others"]) == ("finished", len(lines), 1)
    assert run["dead_letters"] == len(wanted.dead_letters)
    assert run["applied"] + run["duplicates"] == len(lines) - 1 - run["dead_letters"]
    assert f"dead letters {run['dead_letters']}" in output
    before = everything(warehouse)
    assert "nothing new to read" in run_cleanly(*options, source)
    assert everything(warehouse) == before


def test_as_it_grows(
    tmp_path: Path, lines: list[bytes], chain: Chain, wanted: Expected, options: list[object]
) -> None:
    """Whoever reads in between sees what the oracle sees of it until then."""
    for upto in (1_500, len(lines)):
        part = write_lines(tmp_path / "a.jsonl", lines[:upto])
        run_cleanly(*options, part)
        if upto == 1_500:
            unread = [*(line for _, line in FOOTFALL_GARBAGE.values()), lines[1_000]]
            then = expected(lines[:upto], chain, unread=unread)
            dead = [each for each in wanted.dead_letters if each[0] <= upto]
            assert_warehouse(tmp_path / "w.duckdb", then._replace(dead_letters=dead))
    assert_warehouse(tmp_path / "w.duckdb", wanted)


def test_without_recovery(tmp_path: Path, lines: list[bytes], options: list[object]) -> None:
    """All is read again; the rows are the same in larger versions."""
    source = write_lines(tmp_path / "a.jsonl", lines[:300])
    found = []
    for _ in range(2):
        run_cleanly(*options, source, "--no-recovery")
        found.append(everything(tmp_path / "w.duckdb"))
    assert not (tmp_path / "w.duckdb.footfall.recovery").exists()
    assert [row[:-1] for row in found[0][0]] == [row[:-1] for row in found[1][0]]
    assert all(a[-1] < b[-1] for a, b in zip(found[0][0], found[1][0], strict=True))
    assert found[0][1:] == found[1][1:]


def test_doors_and_tills_in_files_of_their_own(tmp_path: Path, lines: list[bytes]) -> None:
    """Read abreast as a folder: the rows of one file. Run as a module of the engine."""
    (tmp_path / "in").mkdir()
    chain = footfall_chain(apart_hours=1_000.0)
    lines = lines[:1_500]
    for name in (b"store.visit.v1", b"pos.order.v1"):
        write_lines(tmp_path / "in" / f"{name.decode()}.jsonl", [x for x in lines if name in x])
    environment = {
        "TILLFLOW_SOURCE": str(tmp_path / "in"),
        "TILLFLOW_WAREHOUSE": str(tmp_path / "w.duckdb"),
        "TILLFLOW_CONFIG": str(write_chain(tmp_path / "chain.yaml", chain)),
    }
    subprocess.run(
        [sys.executable, "-m", "bytewax.run", "flows.footfall"],
        env={**os.environ, **environment},
        check=True,
        cwd=Path(__file__).parents[2],
    )
    unread = [*(line for _, line in FOOTFALL_GARBAGE.values()), lines[1_000]]
    wanted = expected(lines, chain, unread=unread)
    with closing(open_reader(tmp_path / "w.duckdb")) as warehouse:
        windows, work = written(warehouse)
    assert_same(windows, wanted.windows)
    assert_same(work, wanted.work)


def test_follows_until_it_is_stopped(
    tmp_path: Path, lines: list[bytes], options: list[Any]
) -> None:
    """Lines that are added are counted within a second; SIGTERM ends it, and nothing is lost."""
    source = write_lines(tmp_path / "a.jsonl", lines[:500])
    flow = StartedFlow(tmp_path / "log", *options, source, "--follow", flow="footfall")
    try:
        wait_until(lambda: bool(progress(tmp_path / "w.duckdb")), "nothing was read")
        with source.open("ab") as out:
            out.writelines(line + b"\n" for line in lines[500:1_000])
        flow.signal(signal.SIGTERM)
        ended = flow.wait()
    finally:
        flow.process.kill()
    assert ended.code == 0, ended.output
    assert "stopped after" in ended.output
    run_cleanly(*options, source)
    whole = [*options[:1], tmp_path / "whole.duckdb", *options[2:]]
    run_cleanly(*whole, source)
    assert everything(tmp_path / "w.duckdb")[2] == everything(tmp_path / "whole.duckdb")[2]
    columns = "* EXCLUDE (version)"
    # The clock has closed windows for what was quiet while it followed; that is seen only there.
    rows = f"SELECT {columns} FROM footfall_15m WHERE final = 1 ORDER BY store, start"
    follower = query(tmp_path / "w.duckdb", rows)
    assert set(query(tmp_path / "whole.duckdb", rows)) <= set(follower)


def test_into_a_served_warehouse(
    tmp_path: Path, lines: list[bytes], chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server owns the file; two threads write what one file would have."""
    monkeypatch.setenv("TILLFLOW_WAREHOUSE_TOKEN", WRITE_TOKEN)
    source = write_lines(tmp_path / "a.jsonl", lines[:500])
    arguments = ["--source", source, "--config", write_chain(tmp_path / "chain.yaml", chain)]
    with ServedWarehouse(tmp_path) as server:
        given = [*arguments, "--warehouse", server.address]
        assert "give --recovery FOLDER" in run_footfall(*given).output
        run_cleanly(*given, "--recovery", tmp_path / "state", "--workers", 2)
        server.stop()
    run_cleanly(*arguments, "--warehouse", tmp_path / "own.duckdb")
    assert everything(server.file) == everything(tmp_path / "own.duckdb")


def test_people_and_customers_of_a_simulated_chain(tmp_path: Path) -> None:
    """Without imperfections, every quarter has the people who really came and were served."""
    chain = tmp_path / "chain"
    write(clean(settings_from("tea", days=2, stores=2, skus=20, seed=3)), chain)
    arguments = ["--source", chain, "--config", chain / "chain.yaml"]
    run_cleanly(*arguments, "--warehouse", tmp_path / "w.duckdb")
    truth = f"read_parquet('{chain / 'truth' / 'intensity.parquet'}')"
    both = f"footfall_15m f FULL JOIN {truth} t USING (store, start)"
    figures = 'f.entries, t.entered, f.exits, t."left", f.orders, t.served'
    found = query(tmp_path / "w.duckdb", f"SELECT t.store, {figures} FROM {both}")
    # After closing time, when the truth is over, people go home.
    open_quarters = [row[1:] for row in found if row[0] is not None]
    assert len(open_quarters) > 190
    assert all(row[::2] == row[1::2] for row in open_quarters)
    assert all(row[1] == row[5] == 0 for row in found if row[0] is None)


class TestRefused:
    """One line says what was wrong and what to do."""

    def refused(self, *arguments: object) -> str:
        ended = run_footfall(*arguments)
        assert ended.code != 0
        assert ended.output.startswith(("Error: ", "Usage: "))
        assert "Traceback" not in ended.output
        return ended.output

    def test_nothing_to_read(self, tmp_path: Path) -> None:
        output = self.refused("--source", tmp_path / "no.jsonl", "--warehouse", tmp_path / "w")
        assert "no.jsonl" in output

    def test_neither_or_both(self, tmp_path: Path) -> None:
        assert "--source or --kafka" in self.refused("--warehouse", tmp_path / "w")
        both = ["--source", "a", "--kafka", "b:1", "--warehouse", tmp_path / "w"]
        assert "--source or --kafka" in self.refused(*both)

    def test_wrong_configuration(self, tmp_path: Path) -> None:
        config = tmp_path / "chain.yaml"
        config.write_text("footfall: {hours: [{opens: '25:00'}]}\n")
        source = write_lines(tmp_path / "a.jsonl", [])
        arguments = ["--source", source, "--warehouse", tmp_path / "w", "--config", config]
        assert "footfall.hours[0].opens" in self.refused(*arguments)

    def test_state_of_the_stock_flow(self, tmp_path: Path, options: list[object]) -> None:
        """Two flows never share a recovery folder."""
        source = write_lines(tmp_path / "a.jsonl", [b"x"])
        run_cleanly(*options, source, "--recovery", tmp_path / "r")
        note = tmp_path / "r" / "about.json"
        note.write_text(note.read_text().replace("footfall", "stock"))
        output = self.refused(*options, source, "--recovery", tmp_path / "r")
        assert "keeps the state of another run" in output
