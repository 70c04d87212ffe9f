"""Killed at any moment and resumed, the flow leaves the warehouse of a run that nobody killed."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from flow_driver import (
    StartedFlow,
    Tables,
    progress,
    query,
    results,
    run_cleanly,
    split_evenly,
    wait_until,
    write_chain,
    write_lines,
)
from stock_events import event, random_history, render, render_lines
from stock_garbage import GARBAGE_KINDS

from schemas.chain import Chain

# The history arrives in so many files; while one is read the process is killed.
PARTS = 14
# Kills that find the flow alive. One that comes too late does not count, and is tried again.
KILLS = 13
KILLS_OF_PROCESSES = 4
MOST_ATTEMPTS = 3
# So that a short history has many blocks, and a journal many generations.
SIZES = {"sources.blocks.BLOCK_BYTES": 64 * 1024, "sinks.journal.SMALLEST_REBASE_BYTES": 16 * 1024}


@pytest.fixture(scope="module", name="parts")
def _parts() -> list[Sequence[bytes]]:
    """12,000 movements with all that is difficult in them, and garbage."""
    lines = render_lines(random_history(7, 12_000, skus=60), 7)
    rng = Random(7)
    for _, garbage in GARBAGE_KINDS.values():
        lines.insert(rng.randrange(len(lines)), garbage)
    return list(split_evenly(lines, PARTS))


class Undisturbed(NamedTuple):
    """What a run comes to that nobody kills, and how long it takes to start and to work."""

    results: Tables
    start_s: float
    work_s: float


class Scene:
    """A folder of events, its warehouse and the command that reads the one into the other."""

    def __init__(self, folder: Path, chain: Chain, *more: object) -> None:
        self.events = folder / "events"
        self.events.mkdir()
        self.warehouse = folder / "w.duckdb"
        self.log = folder / "log"
        config = write_chain(folder / "chain.yaml", chain)
        self.options = ["--source", self.events, "--config", config, "--warehouse", self.warehouse]
        self.options += more

    def arrives(self, number: int, part: Sequence[bytes]) -> None:
        """The next file of events is there."""
        write_lines(self.events / f"{number:02d}.jsonl", part)

    def starts(self) -> StartedFlow:
        """The flow runs in a process of its own."""
        return StartedFlow(self.log, *self.options, sizes=SIZES)

    def has_moved(self, flow: StartedFlow) -> Callable[[], bool]:
        """Whether the flow has made progress durable since now, or has ended."""
        before = progress(self.warehouse)
        return lambda: not flow.alive() or progress(self.warehouse) != before

    def runs(self) -> None:
        """The flow runs to the end."""
        ended = self.starts().wait()
        assert ended.code == 0, ended.output

    def timed(self) -> float:
        """How long a whole run takes, in seconds."""
        began = time.monotonic()
        self.runs()
        return time.monotonic() - began


@pytest.fixture(name="undisturbed", scope="module")
def _undisturbed(
    tmp_path_factory: pytest.TempPathFactory, parts: list[Sequence[bytes]], chain: Chain
) -> Undisturbed:
    """All files read in one go."""
    scene = Scene(tmp_path_factory.mktemp("undisturbed"), chain)
    for number, part in enumerate(parts):
        scene.arrives(number, part)
    whole_s = scene.timed()
    start_s = scene.timed()  # there is nothing new to read
    return Undisturbed(results(scene.warehouse), start_s, max(whole_s - start_s, 0.1))


def run_to_the_end(scene: Scene, arriving: Iterator[tuple[int, Sequence[bytes]]]) -> None:
    """Let all files arrive and read them."""
    for number, part in arriving:
        scene.arrives(number, part)
    scene.runs()


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "epoch_seconds"), [(1, 0.2), (2, 0.1)])
def test_killed_process(
    tmp_path: Path,
    chain: Chain,
    parts: list[Sequence[bytes]],
    undisturbed: Undisturbed,
    workers: int,
    epoch_seconds: float,
) -> None:
    """Kill, resume, kill: while it starts, reads, writes or resumes, wherever the dice fall."""
    scene = Scene(tmp_path, chain, "--workers", workers, "--epoch-seconds", epoch_seconds)
    rng = Random(workers)
    part_s = undisturbed.work_s / PARTS
    arriving = enumerate(parts)
    hits = 0
    for attempt in range(MOST_ATTEMPTS * KILLS):
        for number, part in islice(arriving, 3 if attempt % 3 == 0 else 0):
            scene.arrives(number, part)
        flow = scene.starts()
        if attempt % 3 == 0:  # when part of it is durable and part of it is not
            wait_until(scene.has_moved(flow), "no progress was made")
            time.sleep(rng.uniform(0, part_s))
        else:
            time.sleep(rng.uniform(0, undisturbed.start_s + 2 * part_s))
        flow.process.kill()
        ended = flow.wait()
        assert ended.code in (0, -signal.SIGKILL), ended.output
        hits += ended.code != 0
        if hits == KILLS:
            break
    assert hits >= KILLS // 2
    run_to_the_end(scene, arriving)
    assert results(scene.warehouse) == undisturbed.results
    statuses = [status for (status,) in query(scene.warehouse, "SELECT status FROM flow_run")]
    # A run that was killed before it wrote anything has no row; none may still be called running.
    assert {"finished"} <= set(statuses) <= {"interrupted", "finished"}


@pytest.mark.slow
def test_killed_processes_of_a_cluster(
    tmp_path: Path, chain: Chain, parts: list[Sequence[bytes]], undisturbed: Undisturbed
) -> None:
    """One of two processes, or the one that started them: all of them end, and a run resumes."""
    scene = Scene(tmp_path, chain, "--processes", 2, "--epoch-seconds", 0.2)
    rng = Random(3)
    scene.arrives(0, parts[0])
    longest_s = scene.timed()
    arriving = enumerate(parts[1:], 1)
    hits = 0
    for victim in islice(cycle((0, None, 1)), MOST_ATTEMPTS * KILLS_OF_PROCESSES):
        for number, part in islice(arriving, 3):
            scene.arrives(number, part)
        flow = scene.starts()
        children = started_processes(flow)
        time.sleep(rng.uniform(0.4, 1.0) * longest_s)
        with suppress(ProcessLookupError):
            os.kill(flow.pid if victim is None else children[victim], signal.SIGKILL)
        hits += flow.wait().code != 0
        wait_until(partial(all_ended, children), "its processes still run")
        if hits == KILLS_OF_PROCESSES:
            break
    assert hits >= KILLS_OF_PROCESSES // 2
    run_to_the_end(scene, arriving)
    assert results(scene.warehouse) == undisturbed.results


def started_processes(flow: StartedFlow) -> list[int]:
    """The two processes of a cluster, as soon as they are there."""
    wait_until(lambda: len(flow.children()) == 2, "two processes were not started")
    return flow.children()


def all_ended(pids: Sequence[int]) -> bool:
    """Whether none of the processes is there any more, unless as a zombie."""
    for pid in pids:
        with suppress(FileNotFoundError):
            status = Path(f"/proc/{pid}/stat").read_text()
            if status.rpartition(")")[2].split()[0] != "Z":
                return False
    return True


def test_alert_that_nobody_remembers(tmp_path: Path, chain: Chain) -> None:
    """What a killed run raised is gone if the blocks that come again show that it never was.

    The recovery folder is put back to before two short runs, as it stands when the process is
    killed after rows were written and before their epoch was committed; then the file grows, so
    that the replay is cut into other blocks.
    """
    scene = Scene(tmp_path, chain)
    recovery = scene.warehouse.with_name(scene.warehouse.name + ".recovery")
    arrivals = [event("received", 5, 0), event("received", 1, -9), event("sold", 6, 10)]
    arrivals.append(event("received", 5, 5))
    for number in range(len(arrivals)):
        if number == 3:
            shutil.rmtree(recovery)
            shutil.copytree(tmp_path / "kept", recovery)
        scene.arrives(0, [render(one) for one in arrivals[: number + 1]])
        run_cleanly(*scene.options)
        if number == 0:
            shutil.copytree(recovery, tmp_path / "kept")
    assert query(scene.warehouse, "SELECT on_hand, version FROM stock_position") == [(5, 4)]
    assert query(scene.warehouse, "SELECT alert FROM stock_alert") == []
