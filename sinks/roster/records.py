"""What the roster flow says on the log, as records: CloudEvents in binary mode."""

from __future__ import annotations

from collections.abc import Iterator

from operators.staffing.outcome import StaffingOutcome
from schemas.instants import utc_text
from schemas.staffing import STAFFING_ALERT_TYPE, StaffingAlert
from sinks.kafka.events import DEAD_LETTER_TOPIC, OutRecord, refused_event, to_record

ROSTER_SOURCE = "tillflow/roster"
TOPICS_WRITTEN = (STAFFING_ALERT_TYPE, DEAD_LETTER_TOPIC)


def alert_record(alert: StaffingAlert) -> OutRecord:
    """A state of an alert; the same state of the same look is the same event."""
    at = utc_text(alert.updated_at)
    return to_record(
        STAFFING_ALERT_TYPE,
        ROSTER_SOURCE,
        f"{alert.alert}#{alert.status}#{at}#{alert.amount}",
        at,
        alert,
        key=alert.store,
    )


def records_of(outcome: StaffingOutcome) -> Iterator[OutRecord]:
    """What an outcome has to say."""
    yield from map(alert_record, outcome.alerts)
    yield from map(refused_event, outcome.refusals)
