"""Reads what the channels worker hears: from Kafka, a file of JSON Lines, or a warehouse."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from operators.channels.heard import (
    TOPICS,
    Asked,
    Gone,
    Heard,
    Said,
    heard_in_line,
    heard_in_record,
)
from operators.inbox import Batch
from operators.members.member import STRICTNESS
from schemas.instants import parse_instant, to_micros
from sources import inboxes
from sources.inboxes import Positions
from sources.kafka.settings import KafkaSettings

LOG = logging.getLogger("tillflow.channels")
GROUP = "tillflow-channels"

# A message that is too late is not asked for; of members who wait for one, what they said.
MESSAGES = (
    "SELECT message, member, journey, decided_at, not_after, message_class, channels, zone, "
    "first_available, text, template, gift, valid_seconds, visits, action, entry, experiment, "
    "arm FROM message WHERE decision = 'go' AND action IN ('send', 'give') AND held_out = 0 "
    "AND not_after >= now() ORDER BY decided_at, action, message"
)
CONSENTS = (
    "SELECT member, consents FROM member_state WHERE member IN (SELECT member FROM message "
    "WHERE decision = 'go' AND action = 'send' AND not_after >= now())"
)
ERASED = "SELECT member FROM member_state WHERE status = 'erased'"


class KafkaInbox(inboxes.KafkaInbox[Heard]):
    """The topics of decisions, consents, erasures and subscriptions."""

    def __init__(self, settings: KafkaSettings, positions: Positions) -> None:
        super().__init__(settings, GROUP, positions, TOPICS, heard_in_record)


class FileInbox(inboxes.FileInbox[Heard]):
    """A file of events, one a line, that may grow while it is read."""

    def __init__(self, path: Path, positions: Positions) -> None:
        super().__init__(path, positions, heard_in_line)


class WarehouseInbox:
    """The tables `message` and `member_state` of a warehouse file, while no flow writes it."""

    def __init__(self, path: Path, every_seconds: float = 5.0) -> None:
        self._path = path
        self._every = every_seconds
        self._next = 0.0
        self._seen: set[Heard] = set()
        self._looked = False
        if not path.exists():
            msg = f"no warehouse at {path}: run the members flow with --journeys first"
            raise ValueError(msg)

    def read(self, timeout: float) -> Batch[Heard]:
        """What is there and was not yet given; consents come before the messages they are for."""
        left = self._next - time.monotonic()
        if left > 0:
            time.sleep(min(left, timeout))
        if time.monotonic() < self._next:
            return Batch([], [], [])
        self._next = time.monotonic() + self._every
        fresh = [one for one in self._rows() if one not in self._seen]
        self._seen.update(fresh)
        return Batch(fresh, [], [])

    def _rows(self) -> list[Heard]:
        try:
            connection = duckdb.connect(str(self._path), read_only=True)
        except duckdb.IOException as wrong:
            LOG.info("%s cannot be read just now: %s", self._path, str(wrong).partition("\n")[0])
            return []
        try:
            connection.execute("SET TimeZone = 'UTC'")
            gone = [Gone((member,)) for (member,) in connection.execute(ERASED).fetchall()]
            said = [
                one
                for member, consents in connection.execute(CONSENTS).fetchall()
                for one in _said(member, consents)
            ]
            asked = [_asked(row) for row in connection.execute(MESSAGES).fetchall()]
        except duckdb.CatalogException as wrong:
            msg = f"{self._path} has no messages: run the members flow with --journeys first"
            raise ValueError(msg) from wrong
        finally:
            connection.close()
        self._looked = True
        return [*gone, *said, *asked]

    def ended(self) -> bool:
        """Whether the tables were looked at."""
        return self._looked

    def close(self) -> None:
        """Nothing is kept open: the file belongs to the flow that writes it."""


def _said(member: str, consents: str) -> list[Said]:
    found: dict[str, dict[str, str]] = msgspec.json.decode(consents)
    said = []
    for key, one in found.items():
        purpose, _, channel = key.partition("/")
        status = one["status"]
        at = parse_instant(one["at"])
        said.append(Said(member, purpose, channel, status, at, STRICTNESS.get(status, 0)))
    return said


def _asked(row: tuple[Any, ...]) -> Asked:
    name, member, journey, decided_at, not_after, purpose, channels, zone, first, *said = row
    text, template, gift, valid_seconds, visits, action, entry, experiment, arm = said
    return Asked(
        id=name,
        member=member,
        journey=journey,
        decided_at=to_micros(decided_at),
        not_after=to_micros(not_after),
        marketing=purpose != "service",
        channels=tuple(msgspec.json.decode(channels, type=list[str])),
        zone=zone,
        first_available=bool(first),
        text=text,
        template=template,
        gift=gift or "",
        valid_seconds=valid_seconds,
        visits=visits,
        action=action,
        entry=entry,
        experiment=experiment,
        arm=arm,
    )
