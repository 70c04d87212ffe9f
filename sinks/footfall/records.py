"""What the footfall flow says on the log, as records: CloudEvents in binary mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operators.footfall.shard import FootfallOutcome
from schemas.footfall import FOOTFALL_WINDOW_TYPE, FootfallWindow
from schemas.footfall_tables import FOOTFALL_15M
from schemas.instants import to_datetime, utc_text
from sinks.kafka.events import DEAD_LETTER_TOPIC, OutRecord, refused_event, to_record

FOOTFALL_SOURCE = "tillflow/footfall"
TOPICS_WRITTEN = (FOOTFALL_WINDOW_TYPE, DEAD_LETTER_TOPIC)


def window_of(row: tuple[Any, ...]) -> FootfallWindow:
    """The window that a row of footfall_15m holds."""
    values: dict[str, Any] = dict(zip(FOOTFALL_15M.names, row, strict=True))
    values["start"] = to_datetime(values["start"])
    values["final"] = bool(values["final"])
    if values["as_of"] is not None:
        values["as_of"] = to_datetime(values["as_of"])
    return FootfallWindow(**values)


def window_record(window: FootfallWindow) -> OutRecord:
    """A version of a window; its time is when the newest event in it happened, or its begin."""
    start = utc_text(window.start)
    at = window.as_of or window.start
    return to_record(
        FOOTFALL_WINDOW_TYPE,
        FOOTFALL_SOURCE,
        f"{window.store}@{start}#{window.version}",
        utc_text(at),
        window,
        key=window.store,
    )


def records_of(outcome: FootfallOutcome) -> Iterator[OutRecord]:
    """What an outcome has to say."""
    for row in outcome.windows:
        yield window_record(window_of(row))
    yield from map(refused_event, outcome.refusals)
