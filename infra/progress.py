"""How a run goes, on a terminal; and what it came to, at its end."""

from __future__ import annotations

import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from schemas.instants import to_datetime
from sinks.warehouse.address import Target
from sinks.warehouse.client import open_reader
from sinks.warehouse.writer import Counts


class Progress:
    """One line on standard error: events, rate, how far the stream is, alerts, dead letters."""

    def __init__(self) -> None:
        self._live = Live(console=Console(stderr=True), refresh_per_second=4, transient=True)
        self._live.start()
        self._began = time.monotonic()
        self._last = (self._began, 0)

    def __call__(self, counts: Counts) -> None:
        """Show the counts."""
        now = time.monotonic()
        at, events = self._last
        rate = (counts.events - events) / (now - at) if now > at else 0.0
        self._last = (now, counts.events)
        newest = counts.newest_event
        behind = ""
        if newest is not None:
            lag = time.time() - newest / 1e6
            shown = f"{lag:.1f} s" if lag < 120 else f"{to_datetime(newest):%Y-%m-%d %H:%M}"
            behind = f"  {'lag' if lag < 120 else 'at'} {shown}"
        self._live.update(
            Text(
                f"{counts.events:,} events  {rate:,.0f}/s{behind}  "
                f"alerts +{counts.alerts_raised:,} -{counts.alerts_cleared:,}  "
                f"dead letters {counts.dead_letters:,}"
            )
        )

    def close(self) -> None:
        """Take the line away."""
        self._live.stop()


def print_summary(warehouse: Target, run: str) -> None:
    """Print what a run came to, from its row in flow_run."""
    reader = open_reader(warehouse)
    try:
        row = reader.execute(
            "SELECT status, lines, events, others, applied, duplicates, dead_letters, "
            "alerts_raised, alerts_cleared, epoch(updated_at - started_at) "
            "FROM flow_run WHERE run = ?",
            [run],
        ).fetchone()
        held = reader.execute(
            "SELECT count(*), (SELECT count(*) FROM stock_alert WHERE status <> 'cleared') "
            "FROM stock_position"
        ).fetchone()
    finally:
        reader.close()
    assert held is not None
    positions, open_alerts = held
    if row is None:
        print(f"nothing new to read; {warehouse} holds {positions:,} positions")
        return
    status, lines, events, others, applied, duplicates, dead, raised, cleared, seconds = row
    print(f"{status} after {seconds:.1f} s: {lines:,} lines, {events / max(seconds, 1e-9):,.0f}/s")
    print(f"  events       {events:,}  (other flows' {others:,})")
    print(f"  applied      {applied:,}  (known already {duplicates:,})")
    print(f"  dead letters {dead:,}")
    print(f"  alerts       {raised:,} raised, {cleared:,} cleared; {open_alerts:,} open now")
    print(f"  positions    {positions:,} in {warehouse}")
