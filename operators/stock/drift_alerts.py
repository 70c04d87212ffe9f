"""`drift` alerts: raised once a difference cannot be lag, cleared when all views agree again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from operators.stock.drift import Difference, Kind, Pair, View
from schemas.alert import Alert
from schemas.instants import format_instant, to_micros

DRIFT = "drift"
REBUILD = "rebuild the gate of this pool from the log: paid holds are missing (docs/holds.md)"
LOOK = "find who wrote it: the log knows no such pair (docs/pool_truth.md)"

# A row of stock_alert, instants in us.
AlertRow = tuple[Any, ...]


class OpenDrift(msgspec.Struct):
    """An alert that is open: since when, and what it last told."""

    alert: str
    opened_at: int
    severity: str
    observed: int
    evidence: str
    action: str


class DriftDesk:
    """Remembers what differs since when, and which alerts are open.

    `lag`: how long what may be lag has to last before it is drift, in microseconds.
    """

    def __init__(self, lag: int, alerts: Iterable[Alert] = ()) -> None:
        self._lag = lag
        self._since: dict[Pair, dict[tuple[View, Kind], int]] = {}
        self._open: dict[Pair, OpenDrift] = {}
        for one in alerts:
            self._open[one.sku, one.place] = OpenDrift(
                one.alert,
                to_micros(one.opened_at),
                one.severity,
                one.observed,
                msgspec.json.encode(one.evidence).decode(),
                one.suggested_action,
            )

    def suspects(self) -> list[Pair]:
        """Pairs to look at again soon: something differs, or an alert is open."""
        return list(dict.fromkeys([*self._since, *self._open]))

    def waiting(self) -> list[Pair]:
        """Pairs of which it is not known yet whether what differs is lag."""
        return [pair for pair in self._since if pair not in self._open]

    def judge(
        self, pair: Pair, differences: Sequence[Difference], now: int
    ) -> tuple[list[Difference], list[AlertRow]]:
        """What of the differences is drift, and what is to be told of it."""
        if not differences:
            self._since.pop(pair, None)
            return [], self._clear(pair, now)
        known = self._since.get(pair, {})
        since = {(one.view, one.kind): known.get((one.view, one.kind), now) for one in differences}
        self._since[pair] = since
        drift = [
            one
            for one in differences
            if one.at_once or since[one.view, one.kind] <= now - self._lag
        ]
        if not drift:
            return [], []
        return drift, self._tell(pair, drift, now)

    def _tell(self, pair: Pair, drift: Sequence[Difference], now: int) -> list[AlertRow]:
        evidence = [_evidence(one, now) for one in drift]
        # Whoever promises by a wrong figure breaks promises; a wrong report only misleads.
        severity = "high" if any(one.view == "redis" for one in drift) else "warning"
        observed = -max(one.units for one in drift)
        told = self._open.get(pair)
        if told is None:
            status, opened_at = "raised", now
            alert = f"{DRIFT}/{pair[0]}@{pair[1]}/{format_instant(now)}"
        else:
            status, opened_at, alert = "updated", told.opened_at, told.alert
            if _reasons(msgspec.json.decode(told.evidence)) == _reasons(evidence):
                return []
        action = _action(pair, drift)
        self._open[pair] = OpenDrift(
            alert, opened_at, severity, observed, msgspec.json.encode(evidence).decode(), action
        )
        return [self._row(pair, status, now, None)]

    def _clear(self, pair: Pair, now: int) -> list[AlertRow]:
        told = self._open.get(pair)
        if told is None:
            return []
        evidence = msgspec.json.decode(told.evidence)
        evidence.append({"kind": "views_agree", "time": format_instant(now)})
        told.evidence, told.observed = msgspec.json.encode(evidence).decode(), 0
        row = self._row(pair, "cleared", now, now)
        del self._open[pair]
        return [row]

    def _row(self, pair: Pair, status: str, now: int, cleared_at: int | None) -> AlertRow:
        told = self._open[pair]
        return (
            told.alert,
            DRIFT,
            status,
            told.severity,
            *pair,
            told.observed,
            0,
            0,
            -told.observed,
            "[]",
            told.evidence,
            told.action,
            told.opened_at,
            now,
            cleared_at,
        )


def _evidence(one: Difference, now: int) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "view": one.view,
        "why": one.why,
        "log": one.expected,
        one.view: one.found,
        "time": format_instant(now),
    }


def _reasons(evidence: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """What an alert is about; growing versions of the same trouble are no news."""
    return [(one["view"], one["kind"]) for one in evidence]


def _action(pair: Pair, drift: Sequence[Difference]) -> str:
    kinds = {one.kind for one in drift}
    if "confirms" in kinds:
        return REBUILD
    if "unknown" in kinds:
        return LOOK
    return f"tillflow drift repair {pair[0]} {pair[1]}"
