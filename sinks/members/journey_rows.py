"""Decisions and runs of journeys as rows of the warehouse and as events: pure."""

from __future__ import annotations

from typing import Any

import msgspec

from operators.journeys.decisions import WEIGHT, Decision, Moved
from schemas.instants import to_datetime
from schemas.journey_events import MessageDecided

Row = tuple[Any, ...]


def message_row(one: Decision) -> Row:
    """The row of a decision."""
    return (
        one.id,
        one.member,
        one.journey,
        one.journey_version,
        one.entry,
        one.step,
        one.action,
        one.decision,
        one.reason,
        one.decided_at,
        one.first_due,
        one.next_at,
        one.not_after,
        one.message_class,
        msgspec.json.encode(one.channels).decode(),
        int(one.first_available),
        one.text,
        one.template,
        one.gift,
        one.valid_seconds,
        msgspec.json.encode(dict(one.tags)).decode(),
        int(one.held_out),
        one.experiment,
        one.arm,
        one.zone,
        one.segment,
        one.visits,
        one.spent,
        WEIGHT[one.decision],
    )


def run_row(one: Moved) -> Row:
    """The row of where a member stands."""
    return (
        one.member,
        one.journey,
        one.journey_version,
        one.entry,
        one.status,
        one.reason,
        one.step,
        one.entered_at,
        one.at,
        one.next_at,
        int(one.held_out),
        one.experiment,
        one.arm,
        int(one.regret),
        one.at,
    )


def decided(one: Decision) -> MessageDecided:
    """The event of a decision."""
    values = one._asdict()
    values["message"] = values.pop("id")
    for name in ("decided_at", "first_due", "next_at", "not_after"):
        if values[name] is not None:
            values[name] = to_datetime(values[name])
    values["channels"], values["tags"] = list(one.channels), dict(one.tags)
    return MessageDecided(**values)
