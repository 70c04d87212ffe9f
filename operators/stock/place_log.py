"""Moves a place along its log: facts put where they belong, figures made anew, the old folded."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Container, Iterable, Sequence
from typing import Any, cast

from operators.stock.alerts import alert_id, alert_row, judge
from operators.stock.facts import (
    Fact,
    Occurrence,
    Record,
    clock_fact,
    occurrence,
    order_key,
    unpack_fact,
)
from operators.stock.figures import Figures, move, roll_days
from operators.stock.kept_lines import Entry
from operators.stock.place import NEVER, PlaceState, time_of


class Changes:
    """What a batch changed: rows of alerts by id, and ids that never happened after all."""

    __slots__ = ("cleared", "raised", "rows", "withdrawn")

    def __init__(self) -> None:
        self.rows: dict[str, tuple[Any, ...]] = {}
        self.withdrawn: set[str] = set()
        self.raised = 0
        self.cleared = 0


# Where everything begins.
NOTHING = Figures().save()


def put(state: PlaceState, record: Record) -> None:
    """Put a fact that cannot simply be appended where it belongs in the log, a loosened one."""
    log = cast("list[Record]", state.log)
    insort(log, record, key=_order_of)
    state.facts += 1
    state.oldest = time_of(log[0])
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
    state: PlaceState, facts: Iterable[Fact], void: Container[Occurrence], changes: Changes
) -> None:
    """Move the figures on by facts in order, judging at the end of every instant."""
    instant: list[Fact] = []
    for fact in facts:
        if void and occurrence(fact) in void:
            continue
        if instant and fact.time != instant[0].time:
            judge_and_note(state, instant, changes)
            instant = []
        move(state, fact, state.place, state.rule, state.clock)
        instant.append(fact)
    if instant:
        judge_and_note(state, instant, changes)


def redo(state: PlaceState, void: Container[Occurrence], rolled_to: int, changes: Changes) -> None:
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


def fold(state: PlaceState, horizon: int, void: Container[Occurrence], rolled_to: int) -> None:
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
    cut = bisect_left(log, horizon, key=time_of)
    state.log = list[Entry](log[cut:])
    state.oldest = time_of(log[cut]) if cut < len(log) else NEVER
    now, raised = state.copy(), state.raised
    state.take(NOTHING if state.base is None else state.base)
    state.raised = ()
    _replay(state, map(unpack_fact, log[:cut]), void, Changes())
    state.base = state.save()
    settled: set[str] = set(state.raised)
    state.load(now)
    state.raised = tuple(alert for alert in raised if alert not in settled)


def _order_of(record: Record) -> tuple[int, bool, int, str, str]:
    return order_key(unpack_fact(record))
