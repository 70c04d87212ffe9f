"""The demo from end to end: data, import, supply, flow, and what came of it."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec

from flows.ready import default_recovery
from flows.runner import prepare, run_here, run_processes
from flows.settings import StockSettings, load_chain
from infra.demo.chain import demo_chain, write_chain
from infra.demo.data import TRANSACTIONS, product_names
from infra.demo.page import page
from infra.demo.picture import draw
from infra.demo.scene import Origin, Scene, read_scene
from infra.demo.terminal import Teller, tell_completed, tell_end, tell_import, tell_run, tell_scene
from sources.importing.mapping import load_mapping
from sources.importing.run import import_files
from sources.opening.rule import SupplyRule
from sources.opening.run import complete
from sources.simulator import Settings, settings_from, write

MAPPING = "completejourney"
# The chain that is simulated where there is no data: small enough to be through in seconds.
SIMULATED = {
    "preset": "groceries",
    "days": 14,
    "stores": 8,
    "skus": 300,
    "start": date(2026, 3, 2),
}
# One writes the warehouse as well; more would wait for it.
PROCESSES = 2
WORTH_PROCESSES_BYTES = 50_000_000


class DemoStopped(Exception):
    """Somebody stopped the demo."""


class Made(NamedTuple):
    """What the demo made."""

    scene: Scene
    page: Path
    picture: Path | None


class _Files:
    """The demo's files in its folder."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.events = out / "events.jsonl"
        self.sales = out / "sales.jsonl"
        self.quarantine = out / "quarantine.csv"
        self.report = out / "import.json"
        self.chain = out / "chain.yaml"
        self.warehouse = out / "warehouse.duckdb"
        self.index = out / "index.html"
        self.picture = out / "stock.png"

    def clear(self) -> None:
        """Take away what an earlier demo left: this one begins anew."""
        self.out.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(default_recovery(self.warehouse), ignore_errors=True)
        for file in (
            *(self.events, self.sales, self.quarantine, self.report, self.chain),
            *(self.warehouse, Path(f"{self.warehouse}.wal"), self.index, self.picture),
        ):
            file.unlink(missing_ok=True)


def tell_story(
    out: Path, data: Path | None, teller: Teller, simulated: Settings | None = None
) -> Made:
    """Run the demo into a folder; without `data` a chain is simulated.

    Raises:
        DemoStopped: it was stopped by a signal while the flow ran.
    """
    began = time.monotonic()
    files = _Files(out)
    files.clear()
    origin = _simulate(files, teller, simulated) if data is None else _real(files, data, teller)
    settings = StockSettings(
        source=str(files.events),
        warehouse=files.warehouse,
        config=files.chain,
        recovery=default_recovery(files.warehouse),
    )
    with teller.step("The flow: movements to live positions and alerts (tillflow run stock)"):
        prepare(settings)
        with _signals_kept():
            _run(settings, files.events.stat().st_size, teller)
    with teller.step("A page of it"):
        teller.say("reading the warehouse")
        scene = read_scene(files.warehouse, files.events, origin)
        files.index.write_text(page(scene), encoding="utf-8", newline="\n")
        drawn = draw(scene, files.picture)
    tell_run(teller, scene.run)
    if scene.run["status"] != "finished":
        msg = f"the flow was {scene.run['status']}; what it had done by then is in {out}"
        raise DemoStopped(msg)
    tell_scene(teller, scene)
    teller.console.print(f"\nall of it took {time.monotonic() - began:.0f} s")
    _tell_end(files, scene, drawn, teller)
    return Made(scene, files.index, files.picture if drawn else None)


def _real(files: _Files, data: Path, teller: Teller) -> Origin:
    mapping = load_mapping(MAPPING)
    with teller.step(f"Importing a year of real till lines (tillflow import {MAPPING})"):
        report = import_files(
            mapping, [data / TRANSACTIONS], files.sales, files.quarantine, say=teller.say
        )
        files.report.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
        tell_import(teller, report)
    rule = SupplyRule()
    with teller.step("Supplying what the data lacks: opening stock and deliveries"):
        completed = complete(files.sales, files.events, rule, say=teller.say)
        # Every line of it is among the events now.
        files.sales.unlink()
        write_chain(demo_chain(completed.places, rule.zone), files.chain)
        tell_completed(teller, completed, rule.in_words)
    return Origin(
        title="A grocery chain's stock, live",
        data="The sales are real: the till lines of 2,469 households in a grocery chain in 2017 "
        "(The Complete Journey, by dunnhumby), a sample of what its shops sold.",
        rule=f"The rule: {rule.in_words}",
        names=product_names(data),
        zone=rule.zone,
        imported=report,
        completed=completed,
    )


def _simulate(files: _Files, teller: Teller, simulated: Settings | None) -> Origin:
    settings = simulated or settings_from(**SIMULATED)  # type: ignore[arg-type]
    with teller.step("Simulating a chain (tillflow simulate)"):
        teller.say(f"{settings.stores} shops, {settings.skus} SKUs, {settings.days} days")
        manifest = write(settings, files.out / "simulated")
        (files.out / "simulated" / "stock.movement.v1.jsonl").replace(files.events)
        shutil.copy(files.out / "simulated" / "chain.yaml", files.chain)
        movements = sum(manifest.movements.values())
        wrong = sum(manifest.imperfections.values())
        teller.tell(f"{movements:,} movements, {wrong:,} imperfections of tills and people")
    return Origin(
        title="A simulated chain's stock, live",
        data=f"Everything here is simulated: {settings.stores} shops, {settings.days} days, seed "
        f"{settings.seed}.",
        rule="",
        names={},
        zone=load_chain(files.chain).timezone,
        imported=None,
        completed=None,
    )


def _run(settings: StockSettings, size: int, teller: Teller) -> None:
    """Run the flow as two processes of a cluster where there are cores for them.

    A small source is through before a second process has started.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    processes = min(cores or 1, PROCESSES)
    if processes < PROCESSES or size < WORTH_PROCESSES_BYTES:
        run_here(settings, report=teller.progress)
        return
    with teller.waiting(f"{processes} processes at work on {size / 1e6:,.0f} MB of events"):
        run_processes(settings, processes=processes)


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Give signals and the garbage collector back: the flow sets them for a process of its own."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    thresholds = gc.get_threshold()
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
        gc.set_threshold(*thresholds)


def _tell_end(files: _Files, scene: Scene, drawn: bool, teller: Teller) -> None:
    found = [
        ("page", files.index),
        *([("picture", files.picture)] if drawn else []),
        ("warehouse", files.warehouse),
        ("events", files.events),
        ("chain", files.chain),
        *([("refused rows", files.quarantine)] if scene.origin.imported else []),
    ]
    shelf = scene.shelf
    warehouse = f"--warehouse {files.warehouse}"
    commands = [
        f"tillflow query alerts {f'--place {scene.shop} ' if scene.shop else ''}{warehouse}",
        f"tillflow query position {shelf.sku} {warehouse}" if shelf else "tillflow query --help",
        f"tillflow run stock --source {files.events} --config {files.chain} {warehouse}"
        "  # again: nothing new, nothing changes",
    ]
    tell_end(teller, found, commands)
    if not drawn and shelf is not None:
        teller.console.print("\n(no picture: matplotlib is not installed, see the extra `demo`)")
