"""What became of messages, told to the log, a file or the warehouse; told twice it is the same."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from schemas.instants import format_instant, to_datetime
from schemas.message_events import MESSAGE_TYPES, MessageOutcome
from schemas.message_tables import MESSAGE_DELIVERY
from sinks.channels.store import Report
from sinks.kafka.events import OutRecord, to_record
from sinks.kafka.producer import Brokers, DeliveryError, TopicWriter
from sinks.warehouse.address import Target, WarehouseError
from sinks.warehouse.client import Warehouse
from sinks.warehouse.statements import bound
from sinks.warehouse.tuple_rows import newest_rows

LOG = logging.getLogger("tillflow.channels")
SOURCE = "tillflow/channels"
TOPICS_WRITTEN = tuple(MESSAGE_TYPES.values())
FORGET = f"DELETE FROM {MESSAGE_DELIVERY.name} WHERE member IN (SELECT unnest(?::VARCHAR[]))"


class Teller(Protocol):
    """Where reports go; False where that is not possible just now, and then they wait."""

    def tell(self, reports: Sequence[Report], erased: Sequence[str]) -> bool:
        """Tell them durably; `erased` are members of whom nothing is to be left."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def outcome(one: Report) -> MessageOutcome:
    """The event of a report."""
    return MessageOutcome(
        message=one.message,
        channel=one.channel,
        member=one.member,
        status=one.status,
        reason=one.reason,
        provider=one.provider,
        provider_id=one.ref,
        provider_code=one.code,
        attempts=one.attempts,
        at=to_datetime(one.at),
    )


def event_id(one: Report) -> str:
    """The same for the same thing, however often it is told."""
    return f"{one.message}#{one.channel}#{one.status}"


def record(one: Report) -> OutRecord:
    """A report as a record of the log."""
    return to_record(
        MESSAGE_TYPES[one.status],
        SOURCE,
        event_id(one),
        format_instant(one.at),
        outcome(one),
        key=one.member,
    )


def row(one: Report) -> tuple[Any, ...]:
    """A report as a row of message_delivery."""
    about = (one.message, one.channel, one.member, one.status, one.reason)
    return (*about, one.provider, one.ref, one.code, one.attempts, one.at, one.at)


class KafkaTeller:
    """The topics message.*.v1."""

    def __init__(self, settings: Brokers) -> None:
        self._writer = TopicWriter(settings)

    def tell(self, reports: Sequence[Report], erased: Sequence[str]) -> bool:
        """On the log when it returns True."""
        try:
            for one in map(record, reports):
                self._writer.write(*one)
            self._writer.flush()
        except DeliveryError as wrong:
            LOG.warning("%s", wrong)
            return False
        return True

    def close(self) -> None:
        """All was flushed."""


class FileTeller:
    """A file of events, one a line."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")

    def tell(self, reports: Sequence[Report], erased: Sequence[str]) -> bool:
        """In the file when it returns."""
        for one in reports:
            event = {
                "specversion": "1.0",
                "id": event_id(one),
                "source": SOURCE,
                "type": MESSAGE_TYPES[one.status],
                "time": format_instant(one.at),
                "data": outcome(one),
            }
            self._file.write(msgspec.json.encode(event) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class WarehouseTeller:
    """The table message_delivery; a file is opened for each time, so that flows can have it."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def tell(self, reports: Sequence[Report], erased: Sequence[str]) -> bool:
        """In the warehouse when it returns True."""
        try:
            warehouse = Warehouse(self._target)
        except WarehouseError as wrong:
            LOG.info("%s", wrong)
            return False
        try:
            with warehouse.transaction():
                if erased:
                    warehouse.write(bound(FORGET, [sorted(erased)]))
                rows = [row(one) for one in reports]
                warehouse.upsert(MESSAGE_DELIVERY, newest_rows(MESSAGE_DELIVERY, rows))
        except WarehouseError as wrong:
            LOG.warning("%s", wrong)
            return False
        finally:
            warehouse.close()
        return True

    def close(self) -> None:
        """Nothing is kept open."""


class Tellers:
    """Several at once: told only when all were."""

    def __init__(self, tellers: Sequence[Teller]) -> None:
        self._tellers = tellers

    def tell(self, reports: Sequence[Report], erased: Sequence[str]) -> bool:
        """Tell all of them."""
        told = [one.tell(reports, erased) for one in self._tellers]
        return all(told)

    def close(self) -> None:
        """Let go of all of them."""
        for one in self._tellers:
            one.close()
