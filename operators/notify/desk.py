"""The desk: reads alerts as they change and says which messages leave when.

Time comes in as an argument of every call. `hear`, `acknowledge` and `give_up` change what is
known; `tick` returns what is to be said by now; `next_due` is when to ask again.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Literal

from operators.notify.case import Case, Item, Kind, Message, MessageKind, RouteState, Thread, Told
from operators.notify.notice import Notice
from operators.notify.routing import Way, Zones, matching
from operators.notify.telling import earliest_due, wanted
from schemas.hooks import Route
from schemas.instants import MINUTE_US, SECOND_US

Heard = Literal["new", "known", "stale"]
_Entry = tuple[int, str, str]  # when, alert, route
_Due = tuple[int, Case, str, Thread]
PASS_ON, SPEAK = 0, 1


class Desk:
    """All alerts that are open or were lately, and what each route was told of them."""

    def __init__(self, routes: Sequence[Route], zones: Zones, *, stale_us: int) -> None:
        self._ways = [Way(route, zones) for route in routes]
        self._by_name = {way.route.name: way for way in self._ways}
        self._stale_us = stale_us
        self.cases: dict[str, Case] = {}
        self.routes: dict[str, RouteState] = {name: RouteState() for name in self._by_name}
        self._agendas: tuple[list[_Entry], list[_Entry]] = ([], [])
        self.changed_cases: set[str] = set()
        self.changed_routes: set[str] = set()

    def restore(self, cases: Iterable[Case], routes: Iterable[tuple[str, RouteState]]) -> None:
        """Take up what was known; routes that are no longer configured are let go."""
        for name, state in routes:
            if name in self._by_name:
                self.routes[name] = state
                if self._by_name[name].route.digest is None and state.pool:
                    state.pool_due = 0
        for case in cases:
            self.cases[case.id] = case
            for name, thread in case.threads.items():
                if thread.due is not None:
                    self._put(thread.due, SPEAK, case, name)
                if thread.escalate_at is not None:
                    self._put(thread.escalate_at, PASS_ON, case, name)

    def hear(self, notice: Notice, now: int) -> Heard:
        """Take in one state of an alert. One that was read before changes nothing."""
        case = self.cases.get(notice.alert)
        fresh = now - notice.updated_at <= self._stale_us
        if case is None:
            if now - notice.updated_at > 2 * self._stale_us:
                return "stale"  # as after `forget`: a long history is not kept in memory
            case = self.cases[notice.alert] = Case(notice, [notice.state])
        else:
            if not case.take_in(notice):
                return "known"
            reopened = notice.open and not case.open
            case.notice = notice
            if reopened:
                self._reopen(case, now)
        self.changed_cases.add(notice.alert)
        if notice.open and fresh and case.judged != notice.severity:
            case.judged = notice.severity
            for way in matching(self._ways, notice, now):
                case.threads.setdefault(way.route.name, Thread())
        for name, thread in case.threads.items():
            self._plan(case, name, thread, now)
        return "new" if fresh or case.threads else "stale"

    def acknowledge(self, alert: str, now: int) -> bool:
        """Somebody takes care of an alert: it is not passed on any more. False for unknown ones."""
        case = self.cases.get(alert)
        if case is None:
            return False
        if case.acknowledged_at is None:
            case.acknowledged_at = now
            self.changed_cases.add(alert)
        return True

    def give_up(self, route: str, alerts: Iterable[str], now: int) -> None:
        """A message may not have reached anybody: what can be passed on is passed on at once."""
        for alert in alerts:
            case = self.cases.get(alert)
            thread = case.threads.get(route) if case is not None else None
            if case is None or thread is None or thread.passed_on or not case.open:
                continue
            if self._passes_on_after(route, case) is not None:
                thread.escalate_at = now
                self._put(now, PASS_ON, case, route)
                self.changed_cases.add(alert)

    def tick(self, now: int) -> list[Message]:
        """What is to be said by now, gravest first among what is due at the same time."""
        for due, case, name, thread in self._pop(PASS_ON, now):
            if thread.escalate_at == due:
                self._pass_on(case, name, thread, now)
        speaking = sorted(
            self._pop(SPEAK, now), key=lambda each: (each[0], each[1].notice.rank, each[1].id)
        )
        messages = [
            message
            for due, case, name, thread in speaking
            if thread.due == due and (message := self._speak(case, name, thread, now)) is not None
        ]
        for name, state in self.routes.items():
            if state.pool_due is not None and state.pool_due <= now:
                messages += self._release(name, state, now)
        return messages

    def next_due(self) -> int | None:
        """When `tick` may have something to say, if nothing else happens before."""
        dues = [state.pool_due for state in self.routes.values() if state.pool_due is not None]
        dues += [agenda[0][0] for agenda in self._agendas if agenda]
        return min(dues, default=None)

    def forget(self, now: int) -> list[str]:
        """Let go of what is over so long that a replay of it would be stale; returns the ids."""
        gone = [
            alert
            for alert, case in self.cases.items()
            if now - case.notice.updated_at > 2 * self._stale_us
            and (not case.open or not case.threads)
            and all(thread.due is None and not thread.pooled for thread in case.threads.values())
        ]
        for alert in gone:
            del self.cases[alert]
            self.changed_cases.discard(alert)
        return gone

    def _reopen(self, case: Case, now: int) -> None:
        """An alert that was cleared is open after all: whoever was told so is told anew."""
        case.judged, case.acknowledged_at = "", None
        case.threads = {name: each for name, each in case.threads.items() if not each.done}
        for name, thread in case.threads.items():
            thread.passed_on = thread.alarmed = False
            thread.escalate_at = None
            if thread.told is not None:
                self._await_care(case, name, thread, now)

    def _plan(self, case: Case, name: str, thread: Thread, now: int) -> None:
        """Set when a thread speaks after a new state."""
        if name not in self._by_name:
            return
        route = self._by_name[name].route
        kind = wanted(case, thread, route)
        if kind is None:
            thread.due = None
            thread.held = False
            thread.done = thread.done or not case.open
            return
        if thread.pooled:
            if case.notice.severity == "critical":
                self._hasten(name, thread, case, now)
            return
        if thread.held:
            # Quiet hours put it off: it stays so, unless the alert became one that passes them.
            if self._by_name[name].quiet_until(case.notice, now) is None:
                self._due(case, name, thread, now)
            return
        self._due(case, name, thread, earliest_due(kind, case, thread, route, now))

    def _due(self, case: Case, name: str, thread: Thread, due: int) -> None:
        if thread.due != due:
            thread.due = due
            self._put(due, SPEAK, case, name)

    def _put(self, due: int, what: int, case: Case, name: str) -> None:
        heapq.heappush(self._agendas[what], (due, case.id, name))

    def _pop(self, what: int, now: int) -> list[_Due]:
        """What an agenda has up to now; entries whose thread was planned anew are stale."""
        agenda = self._agendas[what]
        popped: list[_Due] = []
        while agenda and agenda[0][0] <= now:
            due, alert, name = heapq.heappop(agenda)
            case = self.cases.get(alert)
            thread = case.threads.get(name) if case is not None else None
            if case is not None and thread is not None and name in self._by_name:
                popped.append((due, case, name, thread))
        return popped

    def _pass_on(self, case: Case, name: str, thread: Thread, now: int) -> None:
        """Nobody acknowledged in time: the next route is told."""
        thread.escalate_at = None
        self.changed_cases.add(case.id)
        escalate = self._by_name[name].route.escalate
        if escalate is None or not case.open or case.acknowledged_at is not None:
            return
        thread.passed_on = True
        target = case.threads.setdefault(escalate.to, Thread())
        if target.alarmed:
            return  # by another route: once is enough
        target.asked = True
        target.done = False
        if not target.pooled:
            self._due(case, escalate.to, target, now)

    def _speak(self, case: Case, name: str, thread: Thread, now: int) -> Message | None:
        """One thread whose time has come: a message, the pool, or later."""
        way = self._by_name[name]
        thread.due = None
        self.changed_cases.add(case.id)
        kind = wanted(case, thread, way.route)
        if kind is None:
            return None
        until = way.quiet_until(case.notice, now)
        if until is not None:
            thread.held = True
            self._due(case, name, thread, until)
            return None
        state = self.routes[name]
        digest = way.route.digest
        if digest is not None:
            window = round(digest.window_minutes * MINUTE_US)
            state.said = [at for at in state.said if at > now - window]
            if state.pool or len(state.said) >= digest.over:
                thread.pooled = True
                state.pool.append(case.id)
                self._hasten(name, thread, case, now)
                return None
        item = self._tell(case, name, thread, kind, now)
        return self._message(name, kind, (item,), now)

    def _hasten(self, name: str, thread: Thread, case: Case, now: int) -> None:
        """The digest leaves as early as the alert in it that can wait least."""
        digest = self._by_name[name].route.digest
        if digest is None:
            return
        wait = round(digest.window_minutes * MINUTE_US)
        if thread.held:
            wait = 0
        elif case.notice.severity == "critical":
            wait = min(wait, round(digest.critical_seconds * SECOND_US))
        state = self.routes[name]
        state.pool_due = min(now + wait, state.pool_due or now + wait)
        self.changed_routes.add(name)

    def _release(self, name: str, state: RouteState, now: int) -> list[Message]:
        """The digest of a route: everything in its pool, as it is by now."""
        pool = [self.cases[alert] for alert in state.pool if alert in self.cases]
        state.pool, state.pool_due = [], None
        self.changed_routes.add(name)
        items = []
        for case in sorted(pool, key=lambda case: (case.notice.rank, case.id)):
            thread = case.threads.get(name, Thread(done=True))
            thread.pooled = False
            self.changed_cases.add(case.id)
            kind = wanted(case, thread, self._by_name[name].route)
            if kind is None:
                continue
            until = self._by_name[name].quiet_until(case.notice, now)
            if until is not None:
                thread.held = True
                self._due(case, name, thread, until)
            else:
                items.append(self._tell(case, name, thread, kind, now))
        if not items:
            return []
        kind_said: MessageKind = items[0].kind if len(items) == 1 else "digest"
        return [self._message(name, kind_said, tuple(items), now)]

    def _tell(self, case: Case, name: str, thread: Thread, kind: Kind, now: int) -> Item:
        notice = case.notice
        thread.told = Told(notice.state, notice.severity, notice.observed, now)
        thread.held = thread.asked = False
        thread.done = kind == "cleared"
        thread.alarmed = thread.alarmed or kind == "escalated"
        if kind != "cleared" and not thread.passed_on:
            self._await_care(case, name, thread, now)
        return Item(kind, notice)

    def _await_care(self, case: Case, name: str, thread: Thread, now: int) -> None:
        """From now on somebody should acknowledge, or it is passed on."""
        minutes = self._passes_on_after(name, case)
        if minutes is not None:
            at = now + round(minutes * MINUTE_US)
            if thread.escalate_at is None or at < thread.escalate_at:
                thread.escalate_at = at
                self._put(at, PASS_ON, case, name)

    def _message(self, name: str, kind: MessageKind, items: tuple[Item, ...], now: int) -> Message:
        state = self.routes[name]
        if self._by_name[name].route.digest is not None:
            state.said.append(now)
            self.changed_routes.add(name)
        return Message(name, kind, items, now)

    def _passes_on_after(self, name: str, case: Case) -> float | None:
        way = self._by_name.get(name)
        if way is None or way.route.escalate is None or case.acknowledged_at is not None:
            return None
        return way.route.escalate.after(case.notice.severity)
