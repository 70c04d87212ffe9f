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


def template_name(asked: Asked) -> str:
    """The template that a message takes."""
    return asked.template or "text"


def fill(
    asked: Asked, template: Template, contact: Mapping[str, str], address: str, employee: str
) -> Outgoing:
    """The message to an address; a field that is not known is empty."""
    fields = _fields(asked) | {f"contact.{name}": value for name, value in contact.items()}

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


def _fields(asked: Asked) -> dict[str, str]:
    until, days = "", ""
    if asked.valid_seconds is not None:
        end = asked.decided_at + asked.valid_seconds * SECOND_US
        until = f"{to_datetime(end).astimezone(first_zone(asked.zone)):%Y-%m-%d}"
        days = str(asked.valid_seconds * SECOND_US // DAY_US)
    return {
        "text": asked.text,
        "gift": asked.gift,
        "until": until,
        "valid_days": days,
        "journey": asked.journey,
        "visits": str(asked.visits),
    }


def fitting(name: str, value: str) -> str:
    """A value as WeChat takes it in a place of that name, cut where it would be refused."""
    longest = LONGEST.get(name.rstrip("0123456789"))
    if longest is None or len(value) <= longest:
        return value
    return value[: longest - 1] + "…"
