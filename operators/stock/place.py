"""One SKU at one place: its figures now, and the facts of the window from which they can be redone.

`base` is where the figures stood before the window (None: nothing had happened), `log` the facts
of the window in order. A fact that is newer than all of them moves the figures on; anything else
(a late one, a second one of the same instant, a correction) has the figures made anew from base
and log once the batch is through.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Container, Iterable, Sequence
from operator import attrgetter
from typing import Any, cast

import msgspec

from operators.stock.alerts import alert_id, alert_row, judge
from operators.stock.facts import (
    Fact,
    Identity,
    Record,
    clock_fact,
    identity,
    order_key,
    unpack_fact,
)
from operators.stock.figures import ALWAYS_JUDGE, Figures, SavedFigures, move, roll_days, set_level
from operators.stock.kept_lines import Entry, KeptLines
from operators.stock.rules import DayClock, Rule, StockRules

# Before any event.
NEVER = -(1 << 62)

# What of a place is a number, and so has a column in operators.stock.places.
NUMBERS = (
    "on_hand",
    "allocated",
    "quarantined",
    "in_transit",
    "day",
    "day_end",
    "today",
    "days",
    "mean",
    "square",
    "level",
    "stocked",
    "quiet",
    "oldest",
    "tip",
    "facts",
    "corrections",
    "corrected_at",
    "held_seq",
)


class SavedPlace(msgspec.Struct, gc=False, array_like=True):
    """A place as a snapshot holds it."""

    place: str
    figures: SavedFigures
    base: SavedFigures | None
    tip: int
    folded: int
    corrections: int
    corrected_at: int
    log: list[Record]
    raised: tuple[str, ...]
    held_seq: int = 0


class Changes:
    """What a batch changed: rows of alerts by id, and ids that never happened after all."""

    __slots__ = ("cleared", "raised", "rows", "withdrawn")

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Any, ...]] = {}
        self.withdrawn: set[str] = set()
        self.raised = 0
        self.cleared = 0


class PlaceState(Figures):
    """What the ledger keeps for one SKU at one place: its figures, and how they came about.

    `base` is where the figures stood before the window; `log` are the facts of the window in order,
    from the instant `oldest` to the instant `tip`, and `facts` is how many there have been in all.
    `corrections`, the last of them at `corrected_at`, took back facts. `raised`: ids of alerts
    raised inside the window. `held_seq`: number of the last confirmed hold among its facts.
    `kept`: where spans of the log lead to. `stale`: the figures have to be made anew. `number`: see
    operators.stock.places.
    """

    __slots__ = (
        "base",
        "clock",
        "corrected_at",
        "corrections",
        "facts",
        "held_seq",
        "kept",
        "log",
        "number",
        "oldest",
        "place",
        "raised",
        "rule",
        "sku",
        "stale",
        "tip",
    )

    def __init__(self, sku: str, place: str, rules: StockRules, kept: KeptLines) -> None:
        super().__init__()
        self.sku = sku
        self.place = place
        self.rule: Rule = rules.rule(sku, place)
        self.clock: DayClock = rules.day_clock(place)
        # Plain values: a base is made for nearly every fact, and looked at for hardly any.
        self.base: SavedFigures | None = None
        self.oldest = NEVER
        self.tip = NEVER
        self.facts = 0
        self.corrections = 0
        self.corrected_at = NEVER
        self.log: list[Entry] = []
        self.kept = kept
        self.raised: tuple[str, ...] = ()
        self.held_seq = 0
        self.stale = False
        self.number = -1

    def load_numbers(self, numbers: Sequence[int]) -> None:
        """Take up what `numbers_of` gave."""
        (
            self.on_hand,
            self.allocated,
            self.quarantined,
            self.in_transit,
            self.day,
            self.day_end,
            self.today,
            self.days,
            self.mean,
            self.square,
            self.level,
            stocked,
            self.quiet,
            self.oldest,
            self.tip,
            self.facts,
            self.corrections,
            self.corrected_at,
            self.held_seq,
        ) = numbers
        self.stocked = bool(stocked)

    def has_more(self) -> bool:
        """Whether there is anything beside numbers and the log."""
        return (
            self.base is not None
            or self.orders is not None
            or self.recent is not None
            or self.shortage is not None
            or self.record is not None
            or self.raised != ()
        )

    def dump(self) -> SavedPlace:
        """The state as a snapshot holds it; figures must not be stale."""
        log = list(self.kept.records(self.log))
        return SavedPlace(
            self.place,
            self.save(),
            self.base,
            self.tip,
            self.facts - len(log),
            self.corrections,
            self.corrected_at,
            log,
            self.raised,
            self.held_seq,
        )

    @classmethod
    def restore(
        cls, sku: str, saved: SavedPlace, rules: StockRules, same_rules: bool, kept: KeptLines
    ) -> PlaceState:
        """The state a snapshot held, under the rules of today."""
        state = cls(sku, saved.place, rules, kept)
        state.load(saved.figures)
        state.base = saved.base
        state.tip = saved.tip
        state.facts = saved.folded + len(saved.log)
        state.corrections = saved.corrections
        state.corrected_at = saved.corrected_at
        state.log = list(saved.log)
        if saved.log:
            state.oldest = _time_of(saved.log[0])
        state.raised = saved.raised
        state.held_seq = saved.held_seq
        if not same_rules:
            state.take_new_rule()
        return state

    def take_new_rule(self) -> None:
        """Judge anew by the rule of today."""
        self.quiet = ALWAYS_JUDGE
        set_level(self, self.rule)
        if self.base is not None:
            base = Figures()
            base.load(self.base)
            base.quiet = ALWAYS_JUDGE
            set_level(base, self.rule)
            self.base = base.save()


# The numbers of a place, in the order of NUMBERS.
numbers_of: Callable[[PlaceState], tuple[int, ...]] = attrgetter(*NUMBERS)

# Where everything begins.
NOTHING = Figures().save()


def put(state: PlaceState, record: Record) -> None:
    """Put a fact that cannot simply be appended where it belongs in the log, a loosened one."""
    log = cast("list[Record]", state.log)
    insort(log, record, key=_order_of)
    state.facts += 1
    state.oldest = _time_of(log[0])
    state.stale = True


def judge_and_note(state: PlaceState, instant: Sequence[Fact], changes: Changes) -> None:
    """Judge the figures after all facts of an instant; note what opened and what was cleared."""
    shortage, record = state.shortage, state.record
    for closed in judge(state, instant, state.rule, state.sku, state.place):
        changes.rows[closed.row[0]] = closed.row
        changes.cleared += 1
    for now, before in ((state.shortage, shortage), (state.record, record)):
        if now is not None and now is not before:
            raised = alert_id(now, state.sku, state.place)
            state.raised += (raised,)
            changes.withdrawn.discard(raised)
            changes.raised += 1
            changes.rows[raised] = alert_row(state, now, state.sku, state.place)


def _replay(
    state: PlaceState, facts: Iterable[Fact], void: Container[Identity], changes: Changes
) -> None:
    """Move the figures on by facts in order, judging at the end of every instant."""
    instant: list[Fact] = []
    for fact in facts:
        if void and identity(fact) in void:
            continue
        if instant and fact.time != instant[0].time:
            judge_and_note(state, instant, changes)
            instant = []
        move(state, fact, state.place, state.rule, state.clock)
        instant.append(fact)
    if instant:
        judge_and_note(state, instant, changes)


def redo(state: PlaceState, void: Container[Identity], rolled_to: int, changes: Changes) -> None:
    """Make the figures anew from base and log; `rolled_to` is when days were last rolled live."""
    open_before = open_alerts(state)
    raised_before = set(state.raised)
    again = Changes()
    state.raised = ()
    state.take(NOTHING if state.base is None else state.base)
    _replay(state, map(unpack_fact, state.kept.records(state.log)), void, again)
    roll_on(state, rolled_to, again)
    state.stale = False
    # Most of what was raised just now was known before: only the rest is news.
    fresh: set[str] = set(state.raised) - raised_before
    gone = raised_before.difference(state.raised)
    changes.raised += len(fresh)
    changes.cleared += len((open_before | fresh) - open_alerts(state) - gone)
    changes.rows.update(again.rows)
    changes.withdrawn.difference_update(fresh)
    changes.withdrawn.update(gone)
    for alert in gone:
        changes.rows.pop(alert, None)


def roll_on(state: PlaceState, now: int, changes: Changes) -> bool:
    """Let live time pass; says whether a business day was closed by it."""
    if not 0 < state.day_end <= now:
        return False
    roll_days(state, now, state.rule, state.clock)
    judge_and_note(state, (clock_fact(now, state.sku, state.place),), changes)
    return True


def open_alerts(state: PlaceState) -> set[str]:
    """Ids of the alerts that are open now."""
    return {
        alert_id(alert, state.sku, state.place)
        for alert in (state.shortage, state.record)
        if alert is not None
    }


def open_rows(state: PlaceState) -> list[tuple[Any, ...]]:
    """The rows of the alerts that are open now."""
    return [
        alert_row(state, alert, state.sku, state.place)
        for alert in (state.shortage, state.record)
        if alert is not None
    ]


def all_older(state: PlaceState, horizon: int, rolled_to: int) -> bool:
    """Whether all facts are older than `horizon`, and live time has closed no day since."""
    return rolled_to <= state.tip < horizon


def fold(state: PlaceState, horizon: int, void: Container[Identity], rolled_to: int) -> None:
    """Fold facts older than `horizon` into the base: nothing can reach them any more.

    Where all of them are (`all_older`) the figures as they stand are the new base; else the log has
    to be loosened.
    """
    if not state.log or state.oldest >= horizon:
        return
    if all_older(state, horizon, rolled_to):
        state.kept.let_go(state.log)
        state.log = []
        state.oldest = NEVER
        state.raised = ()
        state.base = state.copy()
        return
    log = cast("list[Record]", state.log)
    cut = bisect_left(log, horizon, key=_time_of)
    state.log = list[Entry](log[cut:])
    state.oldest = _time_of(log[cut]) if cut < len(log) else NEVER
    now, raised = state.copy(), state.raised
    state.take(NOTHING if state.base is None else state.base)
    state.raised = ()
    _replay(state, map(unpack_fact, log[:cut]), void, Changes())
    state.base = state.save()
    settled: set[str] = set(state.raised)
    state.load(now)
    state.raised = tuple(alert for alert in raised if alert not in settled)


def _time_of(record: Record) -> int:
    return unpack_fact(record).time


def _order_of(record: Record) -> tuple[int, bool, int, str, str]:
    return order_key(unpack_fact(record))
