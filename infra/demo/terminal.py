"""What the demo says on the terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.answers import Column, field, table
from infra.commands.query import ALERT_COLUMNS, broke_floor
from infra.demo.scene import ALERT_WORDS, Row, Scene
from sinks.warehouse.writer import Counts
from sources.importing.report import Report
from sources.opening.run import Completed

# How often the flow says where it is when nobody looks at a terminal.
_SAY_EVERY_SECONDS = 10.0
_SHELVES_SHOWN = 6


class Teller:
    """Says what is being done, how long it took, and what came of it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._status = console.status("")
        self._said_at = 0.0
        self._began = 0.0

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """A step: its name at once, its seconds at its end."""
        self._began = self._said_at = time.monotonic()
        self.console.print(Text(f"\n{what}", style="bold"))
        with self._status:
            yield
        self.console.print(Text(f"  {time.monotonic() - self._began:.1f} s", style="dim"))

    def say(self, text: str) -> None:
        """What is going on inside a step."""
        if self.console.is_terminal:
            self._status.update(Text(text))
        else:
            self.console.print(Text(f"  {text} ...", style="dim"), soft_wrap=True)

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Say again and again for how long something goes on that says nothing itself."""
        over = Event()

        def say_on() -> None:
            while not over.wait(_SAY_EVERY_SECONDS):
                self.say(f"{text}, {time.monotonic() - self._began:.0f} s so far")

        self.say(text)
        teller = Thread(target=say_on, daemon=True)
        teller.start()
        try:
            yield
        finally:
            over.set()
            teller.join()

    def tell(self, text: str) -> None:
        """A line that stays."""
        self.console.print(Text(f"  {text}"))

    def progress(self, counts: Counts) -> None:
        """How far the flow is."""
        now = time.monotonic()
        rate = counts.events / max(now - self._began, 1e-9)
        text = f"{counts.events:,} events, {rate:,.0f}/s, {counts.alerts_raised:,} alerts raised"
        if self.console.is_terminal:
            self._status.update(Text(text))
        elif now - self._said_at >= _SAY_EVERY_SECONDS:
            self._said_at = now
            self.tell(text)


def tell_import(teller: Teller, report: Report) -> None:
    """The import's report in short."""
    teller.tell(report.balance)
    teller.tell(
        f"{report.first_time} to {report.last_time}: {report.skus:,} products, "
        f"{report.places:,} shops"
    )
    for refused in report.refused_by_reason:
        teller.tell(f"  refused {refused.rows:>7,}  {refused.code}: {refused.example}")


def tell_completed(teller: Teller, done: Completed, rule: str) -> None:
    """What was added to the sales."""
    teller.tell(f"the rule: {rule}")
    teller.tell(
        f"{done.shelves:,} shelves with {done.opening_units:,} units to begin with, "
        f"{done.deliveries:,} deliveries of {done.delivered_units:,} units "
        f"({done.late_deliveries:,} late, {done.short_deliveries:,} short), {done.counts:,} counts"
    )
    teller.tell(
        f"added on top: {done.web_orders:,} web orders; on purpose wrong: {done.resent:,} sales "
        f"sent twice, {done.late:,} late, {done.too_late:,} too late, {done.cut:,} lines cut off"
    )
    teller.tell(f"{done.lines:,} events in order of arrival, {done.bytes / 1e6:,.0f} MB")


def tell_run(teller: Teller, run: Row) -> None:
    """What the flow came to."""
    teller.tell(
        f"{run['events']:,} events in {run['seconds']:.1f} s "
        f"({run['events'] / max(run['seconds'], 1e-9):,.0f}/s): {run['applied']:,} applied, "
        f"{run['duplicates']:,} known already, {run['dead_letters']:,} dead letters"
    )
    teller.tell(
        f"{run['alerts_raised']:,} alerts raised, {run['alerts_cleared']:,} cleared on the way"
    )


def tell_scene(teller: Teller, scene: Scene) -> None:
    """What a shop manager wants to see."""
    console = teller.console
    console.print()
    console.print(_headline(scene))
    named = _named(scene)
    if scene.shop is not None:
        title = f"Open alerts of shop {scene.shop}, which has the gravest"
        console.print(_indented(table(title, _alert_columns(scene), scene.shop_alerts)))
    console.print(
        _indented(
            table(
                "What runs out next, among what sells",
                (
                    ("product", named),
                    ("shop", field("place")),
                    (">days of cover", field("days_of_cover")),
                    (">available", field("available")),
                    (">sells a day", field("demand_rate")),
                    (">safety stock", field("safety_stock")),
                ),
                scene.worst_cover,
            )
        )
    )
    if scene.shelf is not None:
        console.print(_indented(_over_the_chain(scene)))
    if scene.dead_letters:
        console.print(
            _indented(
                table(
                    "What could not be used (dead letters)",
                    (
                        ("reason", field("reason_code")),
                        (">count", field("letters")),
                        ("for example", _example),
                    ),
                    scene.dead_letters,
                )
            )
        )


def tell_end(teller: Teller, files: Sequence[tuple[str, Path]], commands: Sequence[str]) -> None:
    """Where everything is, and what to try next."""
    teller.console.print(Text("\nWhere it is", style="bold"))
    width = max(len(what) for what, _ in files)
    for what, path in files:
        teller.tell(f"{what:<{width}}  {path}")
    teller.console.print(Text("\nTry next", style="bold"))
    for command in commands:
        # A command is for copying: never broken into lines.
        teller.console.print(Text(f"  {command}"), soft_wrap=True)


def _headline(scene: Scene) -> Text:
    parts = [f"{count:,} {ALERT_WORDS[name].lower()}" for name, count in scene.open_alerts]
    text = Text()
    text.append(
        f"{scene.positions:,} positions of {scene.skus:,} products in {scene.places:,} shops",
        style="bold",
    )
    text.append(f"; {scene.open_total:,} open alerts")
    return text.append(f" ({', '.join(parts)})" if parts else "")


def _over_the_chain(scene: Scene) -> Table:
    assert scene.shelf is not None
    pool = scene.shelf_pools[0]
    days = pool["days_of_cover"]
    note = (
        f"all {pool['places']:,} shops: {pool['on_hand']:,} on hand, {pool['available']:,} to "
        f"promise, {pool['short']:,} short"
        + ("" if days is None else f", {days:,.1f} days of cover")
    )
    return table(
        f"{scene.name(scene.shelf.sku) or 'SKU'} ({scene.shelf.sku}) over the chain, the first "
        f"{min(_SHELVES_SHOWN, len(scene.shelf_places))} shops by need",
        (
            ("shop", field("place")),
            (">on hand", field("on_hand")),
            (">allocated", field("allocated")),
            (">available", field("available")),
            (">safety stock", field("safety_stock")),
            (">sells a day", field("demand_rate")),
            (">days of cover", field("days_of_cover")),
        ),
        scene.shelf_places[:_SHELVES_SHOWN],
        note,
    )


def _alert_columns(scene: Scene) -> list[Column]:
    columns = dict(ALERT_COLUMNS)
    return [
        ("alert", lambda one: ALERT_WORDS[str(one["alert_type"])]),
        ("product", _named(scene)),
        ("since", lambda one: f"{scene.local(one['opened_at']):%d %b %H:%M}"),
        (">has / level", columns[">has / level"]),
        # It broke when the alert was opened, so the time is there already.
        ("what broke the floor", lambda one: broke_floor(one, timed=False)),
    ]


def _named(scene: Scene) -> Callable[[Mapping[str, Any]], str]:
    def named(one: Mapping[str, Any]) -> str:
        name = scene.name(str(one["sku"]))
        return f"{name} ({one['sku']})" if name else str(one["sku"])

    return named


def _example(letter: Mapping[str, Any]) -> str:
    return f"line {letter['example_position']:,}: {letter['example_reason']}"


def _indented(shown: Table) -> Table:
    grid = Table.grid(padding=(1, 0, 0, 0))
    grid.add_row(shown)
    return grid
