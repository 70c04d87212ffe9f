"""What the members flow says on the log, as records: CloudEvents in binary mode."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from operators.journeys.decisions import Decision
from operators.members.health.watch import Turn
from operators.members.outcome import MembersOutcome
from schemas.instants import format_instant, to_datetime
from schemas.journey_events import MESSAGE_DECIDED_TYPE
from schemas.member_events import (
    HEALTH_CHANGED_TYPE,
    SEGMENT_CHANGED_TYPE,
    HealthChanged,
    SegmentChanged,
)
from schemas.member_tables import MEMBER_TRANSITION
from sinks.kafka.events import DEAD_LETTER_TOPIC, OutRecord, refused_event, to_record
from sinks.members.journey_rows import decided

MEMBERS_SOURCE = "tillflow/members"
TOPICS_WRITTEN = (
    SEGMENT_CHANGED_TYPE,
    HEALTH_CHANGED_TYPE,
    MESSAGE_DECIDED_TYPE,
    DEAD_LETTER_TOPIC,
)


def change_of(row: tuple[Any, ...]) -> SegmentChanged:
    """The change that a row of member_transition holds."""
    values: dict[str, Any] = dict(zip(MEMBER_TRANSITION.names, row, strict=True))
    del values["version"]
    values["changed_at"] = to_datetime(values["changed_at"])
    if values["last_at"] is not None:
        values["last_at"] = to_datetime(values["last_at"])
    return SegmentChanged(**values)


def change_record(row: tuple[Any, ...]) -> OutRecord:
    """A change of segment; its number is part of its id, so that told twice it is once."""
    change = change_of(row)
    return to_record(
        SEGMENT_CHANGED_TYPE,
        MEMBERS_SOURCE,
        f"{change.member}#{change.number}",
        format_instant(row[2]),
        change,
        key=change.member,
        origin=change.origin,
    )


def decision_record(row: tuple[Any, ...]) -> OutRecord:
    """A decision; put off and then done are two events of one message."""
    one = Decision(*row)
    return to_record(
        MESSAGE_DECIDED_TYPE,
        MEMBERS_SOURCE,
        f"{one.id}#{one.decision}",
        format_instant(one.decided_at),
        decided(one),
        key=one.member,
    )


def turn_record(row: tuple[Any, ...]) -> OutRecord:
    """A change of a health's band."""
    one = Turn(*row)
    values = one._asdict() | {"changed_at": to_datetime(one.changed_at)}
    return to_record(
        HEALTH_CHANGED_TYPE,
        MEMBERS_SOURCE,
        f"{one.member}#{one.changed_at}#{one.after}",
        format_instant(one.changed_at),
        HealthChanged(**values),
        key=one.member,
        origin=one.origin,
    )


def records_of(outcome: MembersOutcome) -> Iterator[OutRecord]:
    """What an outcome has to say."""
    yield from map(change_record, outcome.transitions)
    yield from map(decision_record, outcome.decisions)
    yield from map(turn_record, outcome.turns)
    yield from map(refused_event, outcome.refusals)
