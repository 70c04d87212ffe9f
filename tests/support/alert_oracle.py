"""The yardstick of the stock alerts: their episodes by one walk over the final, sorted events.

It starts from the events that the stock oracle left standing and shares nothing else with it: the
figures are carried along event by event here and summed up there, so each also checks the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from stock_oracle import Expected, Fact, Pair, rule_for

from schemas.chain import AlertRule, AlertRules, Chain, StockRule

SEVERITY = {
    "oversell": "critical",
    "stock_out": "high",
    "below_safety_stock": "warning",
    "negative_on_hand": "high",
}


@dataclass(slots=True)
class Alert:
    """What must stand in `stock_alert`, without its id and its words; instants in microseconds."""

    alert_type: str
    severity: str
    sku: str
    place: str
    status: str
    observed: int
    level: int
    clear_level: int
    opened_at: int
    updated_at: int
    cleared_at: int | None = None

    @property
    def shortfall(self) -> int:
        """How far the figure is below the level."""
        return max(0, self.level - self.observed)


class Figures(NamedTuple):
    """What is judged, after one event."""

    time: int
    on_hand: int
    allocated: int
    available: int


class Rung(NamedTuple):
    """One type of alert of a family, as it looks after one event."""

    alert_type: str
    observed: int
    level: int
    clear_level: int
    raised: bool


def expected_alerts(expected: Expected, chain: Chain | None = None) -> list[Alert]:
    """The alerts of a run, by SKU and place, then in the order in which they were opened."""
    chain = chain or Chain()
    alerts = []
    for pair, facts in expected.standing.items():
        rule = rule_for(chain, *pair)
        alerts += alerts_of(pair, figures(pair, facts, rule.floor), rule, chain.stock.alerts)
    return alerts


def open_after(open_type: str | None, family: Sequence[Rung]) -> str | None:
    """The ladder: which type is open after an event. `family` comes with the most severe first.

    A more severe type that holds takes over; the open one stays until its clear level; only then
    are the milder ones judged afresh.
    """
    for rung in family:
        if rung.alert_type == open_type:
            if rung.observed < rung.clear_level:
                return open_type
        elif rung.raised:
            return rung.alert_type
    return None


def families(
    seen: Figures, ever_stocked: bool, rule: StockRule, rules: AlertRules
) -> tuple[list[Rung], list[Rung]]:
    """The families *shortage* and *record* after an event; what is switched off has no rung."""
    available, on_hand = seen.available, seen.on_hand
    shortage = [
        *_rung("oversell", rules.oversell, available, 0, True),
        *_rung("stock_out", rules.stock_out, available, 1, ever_stocked),
    ]
    if rule.safety_stock > 0:
        shortage += _rung(
            "below_safety_stock",
            rules.below_safety_stock,
            available,
            rule.safety_stock,
            ever_stocked,
        )
    record = list(_rung("negative_on_hand", rules.negative_on_hand, on_hand, 0, True))
    return shortage, record


def _rung(
    alert_type: str, rule: AlertRule, observed: int, level: int, may_raise: bool
) -> Iterator[Rung]:
    assert rule.min_demand_rate == 0, "the oracle knows no demand"
    if rule.enabled:
        clear_level = level + max(rule.margin, math.ceil(rule.margin_share * level))
        yield Rung(alert_type, observed, level, clear_level, may_raise and observed < level)


def figures(pair: Pair, facts: Iterable[Fact], floor: int) -> Iterator[Figures]:
    """The figures of one SKU and place after each event, in the order of time."""
    on_hand = allocated = 0
    for fact in facts:
        if fact.data.place == pair[1]:
            match fact.kind:
                case "received" | "restocked" | "transfer_in" | "adjusted":
                    on_hand += fact.quantity
                case "sold" | "transfer_out":
                    on_hand -= fact.quantity
                case "shipped":
                    on_hand -= fact.quantity
                    allocated -= fact.quantity
                case "allocated":
                    allocated += fact.quantity
                case "released":
                    allocated -= fact.quantity
                case "counted":
                    on_hand = fact.quantity
        yield Figures(fact.time, on_hand, allocated, on_hand - allocated - floor)


def alerts_of(
    pair: Pair, walk: Iterable[Figures], rule: StockRule, rules: AlertRules
) -> list[Alert]:
    """The episodes of one SKU and place: at most one alert of a family is open at a time."""
    assert rule.lead_time_days is None, "the oracle knows no demand"
    episodes: list[Alert] = []
    open_alerts: list[Alert | None] = [None, None]
    ever_stocked = False
    for seen in _last_of_each_instant(walk):
        ever_stocked = ever_stocked or seen.available > 0
        for index, family in enumerate(families(seen, ever_stocked, rule, rules)):
            before = open_alerts[index]
            after = _step(before, family, pair, seen.time)
            if after is not None and after is not before:
                episodes.append(after)
            open_alerts[index] = after
    return sorted(episodes, key=lambda alert: alert.opened_at)


def _last_of_each_instant(walk: Iterable[Figures]) -> Iterator[Figures]:
    """What happened at one instant is judged together, once all of it is in the figures."""
    for _, together in groupby(walk, key=lambda seen: seen.time):
        *_, last = together
        yield last


def _step(before: Alert | None, family: Sequence[Rung], pair: Pair, time: int) -> Alert | None:
    """Bring the family's open alert up to one event; answers the one that is open now."""
    open_type = open_after(before.alert_type if before else None, family)
    if before is not None:
        observed = next(r.observed for r in family if r.alert_type == before.alert_type)
        if open_type == before.alert_type:
            if observed != before.observed:
                before.status, before.observed, before.updated_at = "updated", observed, time
            return before
        before.status, before.observed = "cleared", observed
        before.updated_at = before.cleared_at = time
    for rung in family:
        if rung.alert_type == open_type:
            return Alert(
                alert_type=rung.alert_type,
                severity=SEVERITY[rung.alert_type],
                sku=pair[0],
                place=pair[1],
                status="raised",
                observed=rung.observed,
                level=rung.level,
                clear_level=rung.clear_level,
                opened_at=time,
                updated_at=time,
            )
    return None
