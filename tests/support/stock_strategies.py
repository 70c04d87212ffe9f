"""Histories of movements for hypothesis: few names, so that events meet, repeat and contradict."""

from __future__ import annotations

from typing import Any

from depth import cases
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from stock_events import (
    NOON,
    ZONES_MINUTES,
    Event,
    correction,
    elsewhere,
    event,
    instant_text,
    random_history,
    render,
    render_lines,
)
from stock_garbage import GARBAGE, GARBAGE_KINDS

from schemas.instants import HOUR_US, MINUTE_US, parse_instant
from schemas.movement import KINDS

__all__ = [
    "BRIEF",
    "GARBAGE",
    "GARBAGE_KINDS",
    "PATIENT",
    "consistent_histories",
    "correction",
    "event",
    "histories",
    "movements",
    "random_history",
    "render",
    "render_lines",
    "renderings",
    "replayed",
    "shuffled",
    "wide_histories",
]

# On a busy machine an example may take long for no reason of its own.
PATIENT = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=cases(40, 200)
)
# For what holds or breaks by one or two events: a history costs more to make up than to judge.
BRIEF = settings(PATIENT, max_examples=cases(20, 80))

SKUS = ("TEA", "CUP")
PLACES = ("S1", "S2", "深圳仓")
SOURCES = ("till-1", "wms")
MOVING_KINDS = tuple(kind for kind in KINDS if kind != "corrected")

# Half hours make ties and hit a horizon of whole hours exactly; the rest falls between them.
_STEP_MINUTES = 30
_JITTERS_US = (0, 0, 0, 1, -1, 999_999)
_ACTIONS = ("move",) * 6 + ("repeat", "correct", "correct", "correct_unknown", "contradict")


@st.composite
def movements(
    draw: st.DrawFn, *, span_hours: int = 24, ids: st.SearchStrategy[str] | None = None
) -> Event:
    """One movement of any kind but `corrected`, up to `span_hours` after noon."""
    kind = draw(st.sampled_from(MOVING_KINDS))
    place = draw(st.sampled_from(PLACES))
    data: dict[str, Any] = {}
    if kind == "transfer_out":
        data["to_place"] = draw(st.sampled_from([other for other in PLACES if other != place]))
    if kind == "transfer_in" and draw(st.booleans()):
        data["from_place"] = draw(st.sampled_from([other for other in PLACES if other != place]))
    at = draw(_minutes(span_hours))
    return event(
        kind,
        draw(_quantities(kind)),
        at,
        sku=draw(st.sampled_from(SKUS)),
        place=place,
        id=draw(ids or st.sampled_from("abcdefgh")),
        source=draw(st.sampled_from(SOURCES)),
        zone_minutes=draw(st.sampled_from(ZONES_MINUTES)),
        recorded_at=draw(st.sampled_from((None, None, at, at + 5, at + 600))),
        **data,
    )


@st.composite
def histories(
    draw: st.DrawFn,
    *,
    min_size: int = 0,
    max_size: int = 24,
    span_hours: int = 24,
    contradictions: bool = True,
) -> list[Event]:
    """Movements with repeats and corrections in any order of arrival.

    Without `contradictions` no two events share an identity but differ in content.
    """
    events: list[Event] = []
    taken: set[tuple[str, str, str]] = set()
    for number in range(draw(st.integers(min_size, max_size))):
        action = draw(st.sampled_from(_ACTIONS)) if events else "move"
        if action == "move" or (action == "contradict" and not contradictions):
            made = draw(movements(span_hours=span_hours))
            if not contradictions and _identity(made) in taken:
                made = {**made, "id": f"e{number}"}
        else:
            made = draw(_answers(draw(st.sampled_from(events)), action, number, span_hours))
        taken.add(_identity(made))
        events.append(made)
    return draw(st.permutations(events)) if draw(st.booleans()) else events


def consistent_histories(*, max_size: int = 24, span_hours: int = 40) -> st.SearchStrategy[Any]:
    """Histories whose rows may not depend on the order of arrival, with a horizon of 48 hours."""
    return histories(max_size=max_size, span_hours=span_hours, contradictions=False)


@st.composite
def wide_histories(draw: st.DrawFn, *, max_size: int = 24, span_hours: int = 200) -> list[Event]:
    """Histories much wider than the horizon, most of it in order of time, some far too late."""
    events = draw(histories(max_size=max_size, span_hours=span_hours))
    delays = st.sampled_from((0, 0, 0, 1, 24, 47, 48, 49, 96))
    arrival = {index: _span_us(each) + draw(delays) * HOUR_US for index, each in enumerate(events)}
    return [events[index] for index in sorted(arrival, key=lambda index: arrival[index])]


def shuffled(events: list[Event]) -> st.SearchStrategy[list[Event]]:
    """The same events in any other order of arrival."""
    return st.permutations(events)


@st.composite
def replayed(draw: st.DrawFn, events: list[Event]) -> list[Event]:
    """The same events with a stretch delivered again, the way it happens after a crash."""
    start = draw(st.integers(0, len(events)))
    end = draw(st.integers(start, len(events)))
    return events[:end] + events[start:]


def renderings(events: list[Event]) -> st.SearchStrategy[list[bytes]]:
    """The events as lines: other key order, spaces, unknown fields, blank lines in between."""
    return st.integers(0, 2**32).map(lambda seed: render_lines(events, seed))


def _identity(of: Event) -> tuple[str, str, str]:
    return of["data"]["sku"], of["source"], of["id"]


@st.composite
def _answers(draw: st.DrawFn, to: Event, action: str, number: int, span_hours: int) -> Event:
    """An event that has to do with one that is there already."""
    if action == "repeat":
        return elsewhere(to, draw(st.sampled_from(ZONES_MINUTES)))
    if action == "contradict":
        if draw(st.booleans()):
            return {**to, "data": to["data"] | {"line": f"L{number}"}}
        at = draw(_minutes(span_hours))
        return {**to, "time": instant_text(NOON + round(at * MINUTE_US))}
    taking = correction(
        to, draw(_minutes(span_hours)), id=f"e{number}", place=draw(st.sampled_from(PLACES))
    )
    if action == "correct_unknown":
        taking["data"]["corrects"] = f"never-{number}"
    return taking


def _quantities(kind: str) -> st.SearchStrategy[int]:
    if kind == "counted":
        return st.integers(0, 9)
    if kind == "adjusted":
        return st.integers(-9, 9).filter(bool)
    return st.integers(1, 20 if kind == "received" else 9)


def _minutes(span_hours: int) -> st.SearchStrategy[float]:
    steps = st.integers(0, span_hours * 60 // _STEP_MINUTES)
    return st.builds(
        lambda step, jitter: step * _STEP_MINUTES + jitter / MINUTE_US,
        steps,
        st.sampled_from(_JITTERS_US),
    )


def _span_us(of: Event) -> int:
    return parse_instant(of["time"]) - NOON
