"""Reads what the channels worker hears: from Kafka, a file of JSON Lines, or a warehouse."""

from __future__ import annotations

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
from operators.members.member import STRICTNESS
from schemas.instants import parse_instant, to_micros
from sources import inboxes
from sources.inboxes import Positions
from sources.kafka.settings import KafkaSettings

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


class WarehouseInbox(inboxes.WarehouseInbox[Heard]):
    """The tables `message` and `member_state`; consents come before the messages they are for."""

    def __init__(self, path: Path, every_seconds: float = 5.0) -> None:
        super().__init__(path, every_seconds)
        self._seen: set[Heard] = set()
        if not path.exists():
            msg = f"no warehouse at {path}: run the members flow with --journeys first"
            raise ValueError(msg)

    def _fresh(self, connection: duckdb.DuckDBPyConnection) -> list[Heard]:
        try:
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
        found: tuple[Heard, ...] = (*gone, *said, *asked)
        fresh = [one for one in found if one not in self._seen]
        self._seen.update(fresh)
        return fresh


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
