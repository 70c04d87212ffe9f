"""Suggested transfers as rows of the warehouse and back: pure, no connection in sight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pyarrow as pa

from schemas.alert import Alert
from schemas.instants import to_micros
from schemas.transfer import Side, TransferSuggestion
from schemas.warehouse import STOCK_ALERT, TRANSFER_SUGGESTION

_encode = msgspec.json.Encoder().encode
_SAME = (
    "suggestion",
    "version",
    "status",
    "sku",
    "from_place",
    "to_place",
    "quantity",
    "pack_multiple",
    "mode",
    "expected_lost_sales_avoided",
    "transport_cost",
    "net_benefit",
    "lead_time_h",
    "supersedes",
    "transfer",
)
_INSTANTS = ("needed_by", "not_after", "updated_at")
_LISTS = ("reason_codes", "pegged_orders")
_SIDES = ("donor_before", "donor_after", "taker_before", "taker_after")


def suggestion_row(one: TransferSuggestion) -> dict[str, Any]:
    """A state of a suggestion by the columns' names; instants are datetimes."""
    row: dict[str, Any] = {name: getattr(one, name) for name in (*_SAME, *_INSTANTS)}
    row |= {name: _encode(getattr(one, name)).decode() for name in _LISTS}
    for name in _SIDES:
        side: Side = getattr(one, name)
        who, when = name.split("_")
        row[f"{who}_available_{when}"] = side.available
        row[f"{who}_cover_{when}"] = side.days_of_cover
    row["donor_version"], row["taker_version"] = one.based_on_versions
    return row


def suggestion_of(row: Mapping[str, Any]) -> TransferSuggestion:
    """The state of a suggestion that a row holds."""
    fields: dict[str, Any] = {name: row[name] for name in _SAME}
    fields |= {name: _aware(row[name]) for name in _INSTANTS}
    fields |= {name: msgspec.json.decode(row[name], type=list[str]) for name in _LISTS}
    for name in _SIDES:
        who, when = name.split("_")
        fields[name] = Side(
            available=row[f"{who}_available_{when}"], days_of_cover=row[f"{who}_cover_{when}"]
        )
    return TransferSuggestion(
        **fields, based_on_versions=(row["donor_version"], row["taker_version"])
    )


def suggestion_rows(suggestions: Iterable[TransferSuggestion]) -> pa.Table:
    """Rows of transfer_suggestion, one a state; of copies of one state the last counts."""
    states = {(one.suggestion, one.version): one for one in suggestions}
    return pa.Table.from_pylist(
        [suggestion_row(one) for one in states.values()], schema=TRANSFER_SUGGESTION.arrow()
    )


def transfer_alert_rows(alerts: Iterable[Alert]) -> pa.Table:
    """Rows of stock_alert; of several states of one alert the last counts."""
    newest = {alert.alert: alert for alert in alerts}
    return pa.Table.from_pylist(
        [_alert_row(alert) for alert in newest.values()], schema=STOCK_ALERT.arrow()
    )


def _alert_row(alert: Alert) -> dict[str, Any]:
    row = msgspec.structs.asdict(alert)
    row["claims"] = _encode(alert.claims).decode()
    row["evidence"] = _encode(alert.evidence).decode()
    return row


def _aware(value: datetime | int) -> datetime:
    if isinstance(value, int):
        msg = f"an instant of a row is a datetime, not {value}"
        raise TypeError(msg)
    return value.astimezone(UTC)


def micros(value: datetime) -> int:
    """An instant of a row as the machine counts time."""
    return to_micros(_aware(value))
