"""What the channels worker hears: decisions, consents, erasures and subscriptions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import msgspec

from operators.inbox import Unreadable
from operators.members.member import STRICTNESS
from operators.records import Record
from schemas.instants import parse_instant, to_micros
from schemas.journey_events import MESSAGE_DECIDED_TYPE, MessageDecided
from schemas.member_events import CONSENT_TYPE, ERASED_TYPE, ConsentChanged, Erased
from schemas.message_events import SUBSCRIPTION_TYPE, Subscription

TOPICS = (MESSAGE_DECIDED_TYPE, CONSENT_TYPE, ERASED_TYPE, SUBSCRIPTION_TYPE)
STRUCTURED = "application/cloudevents+json"


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to be done once: a message sent, or a gift given; instants in microseconds.

    Of one `entry` of a member into a journey, messages speak of the gift that came before them.
    """

    id: str
    member: str
    journey: str
    decided_at: int
    not_after: int
    marketing: bool
    channels: tuple[str, ...]
    zone: str
    first_available: bool = True
    text: str = ""
    template: str = ""
    gift: str = ""
    valid_seconds: int | None = None
    visits: int = 0
    action: Literal["send", "give"] = "send"
    entry: str = ""
    experiment: str = ""
    arm: str = ""


class Said(NamedTuple):
    """A member allowed or forbade something; of one instant the stricter word counts."""

    member: str
    purpose: str
    channel: str
    status: str
    at: int
    strictness: int


class Gone(NamedTuple):
    """Ids of a person who is to be forgotten."""

    members: tuple[str, ...]


class Credit(NamedTuple):
    """Messages of a template that a member allowed; none: refused. `event` tells it from others."""

    event: str
    member: str
    template: str
    granted: int


Heard = Asked | Said | Gone | Credit


class _Event(msgspec.Struct):
    type: str = ""
    id: str = ""
    source: str = ""
    time: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")


_EVENT = msgspec.json.Decoder(_Event)


def heard_in_line(raw: bytes) -> Heard | None:
    """What an event of structured JSON says; None for events of other types.

    Raises:
        Unreadable: it is no event, or not what its type promises.
    """
    try:
        event = _EVENT.decode(raw)
    except msgspec.DecodeError as wrong:
        msg = f"this is no CloudEvent: {wrong}"
        raise Unreadable(msg) from None
    return _heard(event)


def heard_in_record(record: Record, topic: str) -> Heard | None:
    """What a record of the log says, in either mode of CloudEvents.

    Raises:
        Unreadable: as for `heard_in_line`.
    """
    if record.value is None:
        return None
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    kind, content = headers.get("ce_type"), headers.get("content-type", "")
    if content.startswith(STRUCTURED) or (kind is None and b'"specversion"' in record.value):
        return heard_in_line(record.value)
    name, source, time = (headers.get(f"ce_{part}", "") for part in ("id", "source", "time"))
    return _heard(_Event(kind or topic, name, source, time, msgspec.Raw(record.value)))


def asked_of(one: MessageDecided) -> Asked | None:
    """The message or gift of a decision; None where there is none."""
    if one.decision != "go" or one.action not in ("send", "give") or one.held_out:
        return None
    return Asked(
        id=one.message,
        member=one.member,
        journey=one.journey,
        decided_at=to_micros(one.decided_at),
        not_after=to_micros(one.not_after),
        marketing=one.message_class != "service",
        action=one.action,
        entry=one.entry,
        experiment=one.experiment,
        arm=one.arm,
        channels=tuple(one.channels),
        zone=one.zone,
        first_available=one.first_available,
        text=one.text,
        template=one.template,
        gift=one.gift or "",
        valid_seconds=one.valid_seconds,
        visits=one.visits,
    )


def _decided(event: _Event) -> Heard | None:
    return asked_of(_data(event, MessageDecided))


def _consent(event: _Event) -> Heard | None:
    said = _data(event, ConsentChanged)
    at = _time(event)
    return Said(said.member, said.purpose, said.channel, said.status, at, STRICTNESS[said.status])


def _erased(event: _Event) -> Heard | None:
    return Gone(tuple(_data(event, Erased).members))


def _subscribed(event: _Event) -> Heard | None:
    said = _data(event, Subscription)
    credits = said.credits if said.status == "granted" else 0
    return Credit(f"{event.source}#{event.id}", said.member, said.template, credits)


_READERS: dict[str, Callable[[_Event], Heard | None]] = {
    MESSAGE_DECIDED_TYPE: _decided,
    CONSENT_TYPE: _consent,
    ERASED_TYPE: _erased,
    SUBSCRIPTION_TYPE: _subscribed,
}


def _heard(event: _Event) -> Heard | None:
    read = _READERS.get(event.type)
    return read(event) if read is not None else None


def _time(event: _Event) -> int:
    try:
        return parse_instant(event.time)
    except ValueError as wrong:
        raise Unreadable(str(wrong)) from None


def _data(event: _Event, kind: type[Any]) -> Any:
    try:
        return msgspec.json.decode(event.data, type=kind)
    except msgspec.DecodeError as wrong:
        msg = f"this is no {event.type}: {wrong}"
        raise Unreadable(msg) from None
