"""`oversell_risk`: a till sold what was held, no place has room, and these orders lose. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from schemas.alert import Alert, AlertType, Severity
from schemas.instants import format_instant, to_micros
from sinks.redis.model import PlaceAvailable, Replaced

RISK: AlertType = "oversell_risk"
SEVERITY: Severity = "critical"
ACTION = (
    "bring goods here before the orders below are picked, or tell their customers; what is held "
    "and unpaid may be released"
)
CLAIMS_SHOWN = 20


def judge(
    before: Alert | None,
    sku: str,
    place: str,
    replaced: Replaced,
    row: PlaceAvailable | None,
    now: datetime,
) -> Alert | None:
    """The alert's next state, or None where nothing has changed.

    It is opened by holds that fit nowhere, and stays until claims no longer exceed what is there:
    a loser that is paid meanwhile is still a loser.
    """
    if before is None:
        if not replaced.lost or replaced.shortfall <= 0:
            return None
        return _alert(sku, place, replaced, row, now)
    if replaced.shortfall <= 0:
        return msgspec.structs.replace(
            before,
            status="cleared",
            observed=0,
            shortfall=0,
            evidence=[*before.evidence[:1], _evidence(row, now)],
            updated_at=now,
            cleared_at=now,
        )
    claims = _claims(replaced) or before.claims
    if replaced.shortfall == before.shortfall and claims == before.claims:
        return None
    return msgspec.structs.replace(
        before,
        status="updated",
        observed=-replaced.shortfall,
        shortfall=replaced.shortfall,
        claims=claims,
        evidence=[*before.evidence[:1], _evidence(row, now)],
        updated_at=now,
    )


def _alert(
    sku: str, place: str, replaced: Replaced, row: PlaceAvailable | None, now: datetime
) -> Alert:
    return Alert(
        alert=f"{RISK}/{sku}@{place}/{format_instant(to_micros(now))}",
        alert_type=RISK,
        status="raised",
        severity=SEVERITY,
        sku=sku,
        place=place,
        observed=-replaced.shortfall,
        level=0,
        clear_level=0,
        shortfall=replaced.shortfall,
        claims=_claims(replaced),
        evidence=[_evidence(row, now)],
        suggested_action=ACTION,
        opened_at=now,
        updated_at=now,
    )


def _claims(replaced: Replaced) -> list[dict[str, Any]]:
    """The unpaid holds that lose, youngest first."""
    return [
        {
            "claim": "hold",
            "id": lost.reservation,
            "reservation": lost.reservation,
            "order": lost.order,
            "quantity": lost.quantity,
            "broke_floor": False,
        }
        for lost in replaced.lost[:CLAIMS_SHOWN]
    ]


def _evidence(row: PlaceAvailable | None, now: datetime) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": "position", "time": format_instant(to_micros(now))}
    if row is not None:
        found |= {"on_hand": row.on_hand, "held": row.held, "version": row.version}
    return found
