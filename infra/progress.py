"""How a run goes, on a terminal."""

from __future__ import annotations

import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from schemas.instants import to_datetime
from sinks.warehouse.runs import Counts


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
