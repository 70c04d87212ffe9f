"""What a process that runs a flow needs: a clean stop on signals, a quiet garbage collector."""

from __future__ import annotations

import gc
import signal
from threading import Event

# State is millions of small objects without cycles. Looking through them for cycles again and
# again would cost more than the flow; the counts keep it to once in hundreds of thousands.
GC_THRESHOLDS = (200_000, 50, 1_000)


def prepare_process() -> Event:
    """Set the collector and catch SIGTERM and SIGINT; the event is set when the flow should end."""
    gc.set_threshold(*GC_THRESHOLDS)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
