"""Alerts of one SKU at one place: raised below a level, cleared above it by a margin.

Two families, each with at most one open alert: *shortage* asks who gets the goods (oversell, then
stock-out, then below safety stock: the graver one replaces the milder), *record* asks whether the
figure on record can be true (negative on hand).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from operators.stock.effects import DEMAND, ORDERED
from operators.stock.facts import Fact, describe
from operators.stock.figures import ALWAYS_JUDGE, Figures, OpenAlert
from operators.stock.rules import Rule
from schemas.chain import AlertRule
from schemas.instants import format_instant

OVERSELL = "oversell"
STOCK_OUT = "stock_out"
BELOW_SAFETY_STOCK = "below_safety_stock"
NEGATIVE_ON_HAND = "negative_on_hand"

# Gravest first: a graver one replaces a milder one of the same family.
SHORTAGES: tuple[str, ...] = (OVERSELL, STOCK_OUT, BELOW_SAFETY_STOCK)
SEVERITY: dict[str, str] = {
    OVERSELL: "critical",
    NEGATIVE_ON_HAND: "high",
    STOCK_OUT: "high",
    BELOW_SAFETY_STOCK: "warning",
}
ACTION: dict[str, str] = {
    OVERSELL: "serve the oldest claims; move the newest to another place of the pool or tell them",
    NEGATIVE_ON_HAND: "count the shelf and look for a receipt or return that was not recorded",
    STOCK_OUT: "stop selling here and bring goods from another place or the supplier",
    BELOW_SAFETY_STOCK: "replenish, or move stock from a place with more cover",
}
# Enough to see who competes; the reservation and movement logs hold the rest.
CLAIMS_SHOWN = 20


class Closed(NamedTuple):
    """An alert that has just been cleared, with the figures as they were at that moment."""

    alert: OpenAlert
    cleared_by: Fact
    row: tuple[Any, ...]


def judge(
    figures: Figures, instant: Sequence[Fact], rule: Rule, sku: str, place: str
) -> list[Closed]:
    """Judge the figures after all facts of one instant (1 or more); opens and closes alerts.

    Facts of one instant are judged together: an export with whole days only must not raise an
    alert because the day's sales were written before its receipt.
    """
    available = figures.on_hand - figures.allocated - rule.floor
    closed: list[Closed] = []
    calm = max(figures.level, 1)
    if available > 0:
        figures.stocked = True
    if (
        available >= calm
        and figures.on_hand >= 0
        and figures.shortage is None
        and figures.record is None
    ):
        figures.recent = None
        # With less than nothing allocated, on hand may run out unseen by this bound.
        figures.quiet = calm + rule.floor if figures.allocated >= 0 else ALWAYS_JUDGE
        return closed
    figures.quiet = ALWAYS_JUDGE
    claiming = [fact for fact in instant if is_claim(fact)]
    if claiming:
        figures.recent = [*(figures.recent or []), *claiming][-CLAIMS_SHOWN:]
    # The claim that took the last unit names the alert, rather than whatever else came with it.
    fact = claiming[-1] if claiming else instant[-1]
    _judge_shortage(figures, available, fact, rule, sku, place, closed)
    _judge_record(figures, fact, rule, sku, place, closed)
    return closed


def _judge_shortage(
    figures: Figures,
    available: int,
    fact: Fact,
    rule: Rule,
    sku: str,
    place: str,
    closed: list[Closed],
) -> None:
    held = _gravest(figures, available, rule)
    alert = figures.shortage
    if alert is not None:
        alert.level = level = _level(alert.type, figures)
        alert.clear_level = level + _margin(_settings(rule, alert.type), level)
        graver = held is not None and SHORTAGES.index(held) < SHORTAGES.index(alert.type)
        if graver or available >= alert.clear_level:
            figures.shortage = None
            closed.append(_close(figures, alert, available, fact, sku, place))
        else:
            _observe(alert, available, fact)
            return
    if held is not None:
        figures.shortage = _open(held, available, fact, figures, rule)


def _judge_record(
    figures: Figures, fact: Fact, rule: Rule, sku: str, place: str, closed: list[Closed]
) -> None:
    alert = figures.record
    if alert is not None:
        if figures.on_hand >= alert.clear_level:
            figures.record = None
            closed.append(_close(figures, alert, figures.on_hand, fact, sku, place))
        else:
            _observe(alert, figures.on_hand, fact)
    elif figures.on_hand < 0 and rule.alerts.negative_on_hand.enabled:
        figures.record = _open(NEGATIVE_ON_HAND, figures.on_hand, fact, figures, rule)


def _gravest(figures: Figures, available: int, rule: Rule) -> str | None:
    """The gravest shortage whose level is undercut.

    A place that never had any of a SKU is not out of it: only an oversell can be raised there.
    """
    for shortage in SHORTAGES:
        settings = _settings(rule, shortage)
        if (
            settings.enabled
            and available < _level(shortage, figures)
            and (figures.stocked or shortage == OVERSELL)
            and figures.demand_rate >= settings.min_demand_rate
        ):
            return shortage
    return None


def _settings(rule: Rule, alert_type: str) -> AlertRule:
    settings: AlertRule = getattr(rule.alerts, alert_type)
    return settings


def _level(alert_type: str, figures: Figures) -> int:
    """An alert is raised when its figure is below this."""
    if alert_type == BELOW_SAFETY_STOCK:
        return figures.level
    return 1 if alert_type == STOCK_OUT else 0


def _margin(settings: AlertRule, level: int) -> int:
    return max(settings.margin, math.ceil(round(settings.margin_share * level, 6)))


def _open(alert_type: str, observed: int, fact: Fact, figures: Figures, rule: Rule) -> OpenAlert:
    level = _level(alert_type, figures)
    return OpenAlert(
        type=alert_type,
        opened_by=fact,
        changed_by=fact,
        observed=observed,
        level=level,
        clear_level=level + _margin(_settings(rule, alert_type), level),
    )


def _observe(alert: OpenAlert, observed: int, fact: Fact) -> None:
    if observed != alert.observed:
        alert.observed = observed
        alert.changed_by = fact


def _close(
    figures: Figures, alert: OpenAlert, observed: int, fact: Fact, sku: str, place: str
) -> Closed:
    _observe(alert, observed, fact)
    return Closed(alert, fact, alert_row(figures, alert, sku, place, fact))


def alert_id(alert: OpenAlert, sku: str, place: str) -> str:
    """The id of an alert: what, where, since when."""
    return f"{alert.type}/{sku}@{place}/{format_instant(alert.opened_by.time)}"


def alert_row(
    figures: Figures, alert: OpenAlert, sku: str, place: str, cleared_by: Fact | None = None
) -> tuple[Any, ...]:
    """A row of `stock_alert` (columns of schemas.warehouse.STOCK_ALERT, instants in us)."""
    opened_at = alert.opened_by.time
    updated_at = cleared_by.time if cleared_by is not None else alert.changed_by.time
    if cleared_by is not None:
        status = "cleared"
    else:
        status = "raised" if updated_at == opened_at else "updated"
    evidence = [describe(alert.opened_by)]
    last = cleared_by or alert.changed_by
    if last is not alert.opened_by and last != alert.opened_by:
        evidence.append(describe(last))
    return (
        alert_id(alert, sku, place),
        alert.type,
        status,
        SEVERITY[alert.type],
        sku,
        place,
        alert.observed,
        alert.level,
        alert.clear_level,
        max(0, alert.level - alert.observed),
        msgspec.json.encode(claims(figures, alert)).decode(),
        msgspec.json.encode(evidence).decode(),
        ACTION[alert.type],
        opened_at,
        updated_at,
        cleared_by.time if cleared_by is not None else None,
    )


def is_claim(fact: Fact) -> bool:
    """Whether the fact takes units for a customer."""
    kind = fact.movement.__class__
    return kind in DEMAND or kind in ORDERED


def claims(figures: Figures, alert: OpenAlert) -> list[dict[str, Any]]:
    """Who competes for the units: what took them lately, newest first, and the open orders.

    `broke_floor` marks the claim that opened the alert; where a count or an adjustment did,
    none is marked and the evidence names it.
    """
    found: list[dict[str, Any]] = []
    recent = list(figures.recent or [])
    opened_by = alert.opened_by
    if is_claim(opened_by) and opened_by not in recent:
        recent.insert(0, opened_by)
    shown: set[str] = set()
    for fact in reversed(recent):
        claim = describe(fact)
        claim["claim"] = "allocation" if fact.movement.__class__ in ORDERED else "sale"
        claim["broke_floor"] = fact == opened_by
        if fact.movement.order is not None:
            shown.add(fact.movement.order)
        found.append(claim)
    for order, (units, since) in reversed((figures.orders or {}).items()):
        if len(found) >= CLAIMS_SHOWN:
            break
        if order not in shown:
            found.append(
                {
                    "claim": "allocation",
                    "order": order or None,
                    "quantity": units,
                    "time": format_instant(since),
                    "broke_floor": False,
                }
            )
    return found
