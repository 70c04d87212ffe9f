"""What people can be told of: one state of an alert or of a suggested transfer."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from operators.inbox import Unreadable
from schemas.alert import ALERT_TYPE, Alert
from schemas.instants import format_instant, to_micros
from schemas.staffing import STAFFING_ALERT_TYPE, StaffingAlert
from schemas.transfer import TRANSFER_SUGGESTION_TYPE, TransferSuggestion

Status = Literal["raised", "updated", "cleared"]

# Gravest first; what is not listed would come last.
SEVERITY_RANK: dict[str, int] = {"critical": 0, "high": 1, "warning": 2}


class Notice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One state of something open; instants in microseconds since 1970 UTC.

    `more` is what texts may show besides: claims, evidence, the other place of a transfer.
    """

    alert: str
    type: str
    status: Status
    severity: str
    sku: str
    place: str
    observed: int
    level: int
    clear_level: int
    shortfall: int
    opened_at: int
    updated_at: int
    cleared_at: int | None = None
    action: str = ""
    claims: list[dict[str, Any]] = []
    evidence: list[dict[str, Any]] = []
    more: dict[str, Any] = {}

    @property
    def state(self) -> str:
        """What tells this state from the others of the same alert."""
        return f"{self.status}#{format_instant(self.updated_at)}#{self.observed}"

    @property
    def open(self) -> bool:
        """Whether somebody should still do something."""
        return self.status != "cleared"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return SEVERITY_RANK.get(self.severity, len(SEVERITY_RANK))


_ALERT = msgspec.json.Decoder(Alert)
_STAFFING = msgspec.json.Decoder(StaffingAlert)
_SUGGESTION = msgspec.json.Decoder(TransferSuggestion)


def notice_of(event_type: str, data: bytes | msgspec.Raw) -> Notice | None:
    """The notice an event carries; None for events of other types.

    Raises:
        Unreadable: the type is right and the content is not.
    """
    try:
        if event_type == ALERT_TYPE:
            return notice_of_alert(_ALERT.decode(data))
        if event_type == TRANSFER_SUGGESTION_TYPE:
            return notice_of_suggestion(_SUGGESTION.decode(data))
        if event_type == STAFFING_ALERT_TYPE:
            return notice_of_staffing(_STAFFING.decode(data))
    except (msgspec.DecodeError, TypeError) as wrong:
        # TypeError: an instant without an offset
        msg = f"this is no {event_type}: {wrong}"
        raise Unreadable(msg) from None
    return None


def notice_of_alert(alert: Alert) -> Notice:
    """An alert as people are told of it."""
    return Notice(
        alert=alert.alert,
        type=alert.alert_type,
        status=alert.status,
        severity=alert.severity,
        sku=alert.sku,
        place=alert.place,
        observed=alert.observed,
        level=alert.level,
        clear_level=alert.clear_level,
        shortfall=alert.shortfall,
        opened_at=to_micros(alert.opened_at),
        updated_at=to_micros(alert.updated_at),
        cleared_at=to_micros(alert.cleared_at) if alert.cleared_at is not None else None,
        action=alert.suggested_action,
        claims=alert.claims,
        evidence=alert.evidence,
    )


def notice_of_suggestion(suggestion: TransferSuggestion) -> Notice:
    """A suggested transfer: open while it is proposed, of interest to the place that gives.

    `observed` is the quantity that is asked for, so that another quantity is worth an update.
    """
    updated_at = to_micros(suggestion.updated_at)
    proposed = suggestion.status == "proposed"
    return Notice(
        alert=f"transfer_suggestion/{suggestion.suggestion}",
        type="transfer_suggestion",
        status=("raised" if suggestion.version <= 1 else "updated") if proposed else "cleared",
        severity="high" if suggestion.pegged_orders else "warning",
        sku=suggestion.sku,
        place=suggestion.from_place,
        observed=suggestion.quantity,
        level=0,
        clear_level=0,
        shortfall=0,
        opened_at=updated_at,
        updated_at=updated_at,
        cleared_at=None if proposed else updated_at,
        action=suggestion.reason_codes[0] if suggestion.reason_codes else "",
        more={
            "to_place": suggestion.to_place,
            "quantity": suggestion.quantity,
            "outcome": suggestion.status,
            "orders": suggestion.pegged_orders,
        },
    )


def notice_of_staffing(alert: StaffingAlert) -> Notice:
    """A roster off the need: `sku` is the task, so that a route may take some of them.

    `observed` is heads times quarters of an hour; `more` is what the words are made of.
    """
    return Notice(
        alert=alert.alert,
        type=alert.alert_type,
        status=alert.status,
        severity=alert.severity,
        sku=alert.task,
        place=alert.store,
        observed=alert.amount,
        level=alert.level,
        clear_level=alert.clear_level,
        shortfall=alert.heads if alert.alert_type == "short_staffed" else 0,
        opened_at=to_micros(alert.opened_at),
        updated_at=to_micros(alert.updated_at),
        cleared_at=to_micros(alert.cleared_at) if alert.cleared_at is not None else None,
        action=alert.reason,
        more={
            "task": alert.task,
            "stretch": f"{alert.day} {alert.starts}-{alert.ends}",
            "heads": alert.heads,
            "measure": alert.measure or "",
            "off": alert.off,
            "since": alert.since or "",
            "reason": alert.reason,
            "proposals": msgspec.to_builtins(alert.proposals),
        },
    )
