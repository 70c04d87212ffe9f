"""What the transfers flow says on the log, as records: CloudEvents in binary mode."""

from __future__ import annotations

from collections.abc import Iterator

from operators.stock.transfers.shard import TransferOutcome
from schemas.alert import ALERT_TYPE, Alert
from schemas.instants import utc_text
from schemas.transfer import (
    TRANSFER_DECISION_TYPE,
    TRANSFER_SUGGESTION_TYPE,
    TransferDecision,
    TransferSuggestion,
)
from sinks.kafka.events import DEAD_LETTER_TOPIC, OutRecord, refused_event, to_record

TRANSFERS_SOURCE = "tillflow/transfers"
TOPICS_WRITTEN = (TRANSFER_SUGGESTION_TYPE, ALERT_TYPE, DEAD_LETTER_TOPIC)


def records_of(outcome: TransferOutcome) -> Iterator[OutRecord]:
    """What an outcome has to say; alerts first, for somebody waits for them."""
    yield from map(alert_record, outcome.alerts)
    yield from map(suggestion_record, outcome.suggestions)
    yield from map(refused_event, outcome.refusals)


def suggestion_record(one: TransferSuggestion) -> OutRecord:
    """A state of a suggestion; its id is the suggestion's with the version."""
    return to_record(
        TRANSFER_SUGGESTION_TYPE,
        TRANSFERS_SOURCE,
        f"{one.suggestion}#{one.version}",
        utc_text(one.updated_at),
        one,
        key=one.sku,
    )


def alert_record(alert: Alert) -> OutRecord:
    """A state of an alert about a transfer."""
    at = utc_text(alert.updated_at)
    return to_record(
        ALERT_TYPE,
        TRANSFERS_SOURCE,
        f"{alert.alert}#{alert.status}#{at}#{alert.observed}",
        at,
        alert,
        key=f"{alert.sku}@{alert.place}",
    )


def decision_record(decision: TransferDecision, source: str) -> OutRecord:
    """What somebody answered; the same answer at the same time is the same event."""
    at = utc_text(decision.decided_at)
    return to_record(
        TRANSFER_DECISION_TYPE,
        source,
        f"{decision.suggestion}#{decision.decision}#{at}",
        at,
        decision,
        key=decision.sku,
    )
