"""One SKU at one place: its figures now, and the facts of the window from which they can be redone.

`base` is where the figures stood before the window (None: nothing had happened), `log` the facts
of the window in order. A fact that is newer than all of them moves the figures on; anything else
(a late one, a second one of the same instant, a correction) has the figures made anew from base
and log once the batch is through.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Container, Sequence
from typing import Any

import msgspec

from operators.stock.alerts import alert_id, alert_row, judge
from operators.stock.facts import Fact, Identity, clock_fact, identity, order_key
from operators.stock.figures import ALWAYS_JUDGE, Figures, copy_figures, move, roll_days, set_level
from operators.stock.rules import DayClock, Rule, StockRules

# Before any event.
NEVER = -(1 << 62)


class SavedPlace(msgspec.Struct, gc=False, array_like=True):
    """A place as a snapshot holds it."""

    place: str
    figures: Figures
    version: int
    tip: int
    corrected_at: int
    base: Figures | None
    log: list[Fact]
    raised: tuple[str, ...]


class Changes:
    """What a batch changed: rows of alerts by id, and ids that never happened after all."""

    __slots__ = ("cleared", "raised", "rows", "withdrawn")

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Any, ...]] = {}
        self.withdrawn: set[str] = set()
        self.raised = 0
        self.cleared = 0


class PlaceState:
    """What the ledger keeps for one SKU at one place.

    `version` counts the facts that touched it. `tip` is the newest instant in base and log,
    `corrected_at` that of corrections. `raised`: ids of alerts raised inside the window. `stale`:
    the figures have to be made anew. `dirty`: its row has changed since rows were last taken.
    """

    __slots__ = (
        "base",
        "clock",
        "corrected_at",
        "dirty",
        "figures",
        "log",
        "place",
        "pool",
        "raised",
        "rule",
        "sku",
        "stale",
        "tip",
        "version",
    )

    def __init__(self, sku: str, place: str, rules: StockRules) -> None:
        self.sku = sku
        self.place = place
        self.pool: str = rules.pool(place)
        self.rule: Rule = rules.rule(sku, place)
        self.clock: DayClock = rules.day_clock(place)
        self.figures = Figures()
        self.version = 0
        self.tip = NEVER
        self.corrected_at = NEVER
        self.base: Figures | None = None
        self.log: list[Fact] = []
        self.raised: tuple[str, ...] = ()
        self.dirty = False
        self.stale = False

    @property
    def as_of(self) -> int:
        """The newest instant of what touched it."""
        return max(self.tip, self.corrected_at)

    def dump(self) -> SavedPlace:
        """The state as a snapshot holds it; figures must not be stale."""
        return SavedPlace(
            self.place,
            self.figures,
            self.version,
            self.tip,
            self.corrected_at,
            self.base,
            self.log,
            self.raised,
        )

    @classmethod
    def restore(
        cls, sku: str, saved: SavedPlace, rules: StockRules, same_rules: bool
    ) -> PlaceState:
        """The state a snapshot held, under the rules of today."""
        state = cls(sku, saved.place, rules)
        state.figures = saved.figures
        state.version = saved.version
        state.tip = saved.tip
        state.corrected_at = saved.corrected_at
        state.base = saved.base
        state.log = saved.log
        state.raised = saved.raised
        if not same_rules:
            for figures in (state.figures, state.base):
                if figures is not None:
                    figures.quiet = ALWAYS_JUDGE
                    set_level(figures, state.rule)
        return state


def put(state: PlaceState, fact: Fact) -> None:
    """Put a fact that cannot simply be appended where it belongs in the log."""
    insort(state.log, fact, key=order_key)
    state.stale = True


def judge_and_note(state: PlaceState, instant: Sequence[Fact], changes: Changes) -> None:
    """Judge the figures after all facts of an instant; note what opened and what was cleared."""
    figures = state.figures
    shortage, record = figures.shortage, figures.record
    for closed in judge(figures, instant, state.rule, state.sku, state.place):
        changes.rows[closed.row[0]] = closed.row
        changes.cleared += 1
    for now, before in ((figures.shortage, shortage), (figures.record, record)):
        if now is not None and now is not before:
            raised = alert_id(now, state.sku, state.place)
            state.raised += (raised,)
            changes.withdrawn.discard(raised)
            changes.raised += 1
            changes.rows[raised] = alert_row(figures, now, state.sku, state.place)


def _replay(
    state: PlaceState, facts: Sequence[Fact], void: Container[Identity], changes: Changes
) -> None:
    """Move the figures on by facts in order, judging at the end of every instant."""
    instant: list[Fact] = []
    for fact in facts:
        if void and identity(fact) in void:
            continue
        if instant and fact.time != instant[0].time:
            judge_and_note(state, instant, changes)
            instant = []
        move(state.figures, fact, state.place, state.rule, state.clock)
        instant.append(fact)
    if instant:
        judge_and_note(state, instant, changes)


def redo(state: PlaceState, void: Container[Identity], rolled_to: int, changes: Changes) -> None:
    """Make the figures anew from base and log; `rolled_to` is when days were last rolled live."""
    open_before = _open_alerts(state)
    raised_before = set(state.raised)
    again = Changes()
    state.raised = ()
    state.figures = Figures() if state.base is None else copy_figures(state.base)
    _replay(state, state.log, void, again)
    roll_on(state, rolled_to, again)
    state.stale = False
    # Most of what was raised just now was known before: only the rest is news.
    fresh: set[str] = set(state.raised) - raised_before
    gone = raised_before.difference(state.raised)
    changes.raised += len(fresh)
    changes.cleared += len((open_before | fresh) - _open_alerts(state) - gone)
    changes.rows.update(again.rows)
    changes.withdrawn.difference_update(fresh)
    changes.withdrawn.update(gone)
    for alert in gone:
        changes.rows.pop(alert, None)


def roll_on(state: PlaceState, now: int, changes: Changes) -> bool:
    """Let live time pass; says whether a business day was closed by it."""
    figures = state.figures
    if not 0 < figures.day_end <= now:
        return False
    roll_days(figures, now, state.rule, state.clock)
    judge_and_note(state, (clock_fact(now, state.sku, state.place),), changes)
    return True


def _open_alerts(state: PlaceState) -> set[str]:
    figures = state.figures
    return {
        alert_id(alert, state.sku, state.place)
        for alert in (figures.shortage, figures.record)
        if alert is not None
    }


def open_rows(state: PlaceState) -> list[tuple[Any, ...]]:
    """The rows of the alerts that are open now."""
    figures = state.figures
    return [
        alert_row(figures, alert, state.sku, state.place)
        for alert in (figures.shortage, figures.record)
        if alert is not None
    ]


def fold(
    state: PlaceState, horizon: int, void: Container[Identity], forget: Callable[[Fact], None]
) -> None:
    """Fold facts older than `horizon` into the base: nothing can reach them any more."""
    log = state.log
    if not log or log[0].time >= horizon:
        return
    newest = log[-1].time
    if newest < horizon and state.clock.day_of(newest)[0] == state.figures.day:
        old, state.log = log, []
        state.base = copy_figures(state.figures)
        state.raised = ()
    else:
        cut = bisect_left(log, horizon, key=_time)
        old, state.log = log[:cut], log[cut:]
        now, raised = state.figures, state.raised
        state.figures, state.raised = state.base or Figures(), ()
        _replay(state, old, void, Changes())
        settled: set[str] = set(state.raised)
        state.base, state.figures = state.figures, now
        state.raised = tuple(alert for alert in raised if alert not in settled)
    for fact in old:
        # What was sent elsewhere is forgotten by the place it left.
        if fact.movement.place == state.place:
            forget(fact)


def _time(fact: Fact) -> int:
    return fact.time
