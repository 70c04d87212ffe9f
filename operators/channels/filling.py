"""What a message says: the places of a template filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from operators.channels.heard import Asked
from operators.journeys.wall import first_zone
from schemas.channels import PLACE, Template
from schemas.instants import DAY_US, SECOND_US, to_datetime

# WeChat's places are named by their kind, and it refuses what is longer (in characters).
LONGEST = {"thing": 20, "name": 10, "phrase": 5, "character_string": 32, "symbol": 5, "letter": 32}


class Outgoing(NamedTuple):
    """A message as a provider gets it."""

    id: str
    address: str
    employee: str
    code: str
    page: str
    text: str
    values: dict[str, str]
    marketing: bool
    # What a desk is to issue; None of messages.
    gift: Asked | None = None


class Given(NamedTuple):
    """The coupon that a message may speak of, valid until an instant (not included)."""

    coupon: str
    gift: str
    until: int | None
    valid_days: int | None


def template_name(asked: Asked) -> str:
    """The template that a message takes."""
    return asked.template or "text"


def given_by(asked: Asked, coupon: str = "", until: int = 0) -> Given:
    """What a decision gives; `until` (ms) as its desk says, 0: as the journey does."""
    if asked.valid_seconds is None:
        return Given(coupon, asked.gift, until * 1000 or None, None)
    length = asked.valid_seconds * SECOND_US
    # The day of an instant that is not included any more is the one before it.
    end = until * 1000 or asked.decided_at + length + SECOND_US
    return Given(coupon, asked.gift, end, length // DAY_US)


def fill(
    asked: Asked,
    template: Template,
    contact: Mapping[str, str],
    address: str,
    employee: str,
    given: Given | None = None,
) -> Outgoing:
    """The message to an address; a field that is not known is empty."""
    fields = _fields(asked, given or given_by(asked)) | {
        f"contact.{name}": value for name, value in contact.items()
    }

    def filled(text: str) -> str:
        return PLACE.sub(lambda place: fields.get(place[1], ""), text)

    return Outgoing(
        asked.id,
        address,
        employee,
        template.code,
        filled(template.page),
        filled(template.text or "{text}"),
        {name: filled(value) for name, value in template.values.items()},
        asked.marketing,
    )


def _fields(asked: Asked, given: Given) -> dict[str, str]:
    until = ""
    if given.until is not None:
        last = to_datetime(given.until - SECOND_US).astimezone(first_zone(asked.zone))
        until = f"{last:%Y-%m-%d}"
    return {
        "text": asked.text,
        "gift": given.gift,
        "coupon": given.coupon,
        "until": until,
        "valid_days": "" if given.valid_days is None else str(given.valid_days),
        "journey": asked.journey,
        "visits": str(asked.visits),
    }


def fitting(name: str, value: str) -> str:
    """A value as WeChat takes it in a place of that name, cut where it would be refused."""
    longest = LONGEST.get(name.rstrip("0123456789"))
    if longest is None or len(value) <= longest:
        return value
    return value[: longest - 1] + "…"
