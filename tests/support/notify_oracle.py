"""Who is told what and when, worked out the slow way: every minute, every alert, every route.

No agenda, no due times: each minute it asks anew of each pair what people know and what they should
know. All times are whole minutes, all zones UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.hooks import Route

RANK = {"critical": 0, "high": 1, "warning": 2}


class State(NamedTuple):
    """One state of an alert in the script."""

    alert: str
    severity: str
    observed: int
    open: bool = True


class Acknowledged(NamedTuple):
    alert: str


class Failed(NamedTuple):
    """A message about the alert reached nobody on the route."""

    alert: str
    route: str


Event = State | Acknowledged | Failed
# (minute, route, kind of message, ((alert, kind), ...))
Said = tuple[int, str, str, tuple[tuple[str, str], ...]]


@dataclass
class _Pair:
    """An alert on a route it was offered to."""

    joined: int
    history: list[tuple[int, str, State]] = field(default_factory=list)
    asked: bool = False
    held: bool = False
    pooled: bool = False
    forced: bool = False
    passed_on: bool = False


@dataclass
class _Line:
    """A route: when it spoke, and its pool."""

    spoke: list[int] = field(default_factory=list)
    pool: list[str] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)


class Oracle:
    """`minute(m, events)` for every minute from 0 on."""

    def __init__(self, routes: list[Route]) -> None:
        self.routes = routes
        self.states: dict[str, State] = {}
        self.judged: dict[str, str] = {}
        self.taken: set[str] = set()
        self.pairs: dict[tuple[str, str], _Pair] = {}
        self.lines = {route.name: _Line() for route in routes}

    def minute(self, now: int, events: list[Event]) -> list[Said]:
        for event in events:
            if isinstance(event, State):
                self._hear(event, now)
            elif isinstance(event, Acknowledged):
                if event.alert in self.states:
                    self.taken.add(event.alert)
            else:
                pair = self.pairs.get((event.alert, event.route))
                state = self.states.get(event.alert)
                route = self._route(event.route)
                if pair is None or state is None or event.alert in self.taken:
                    continue
                if state.open and _after(route, state) is not None:
                    pair.forced = True
        self._pass_on(now)
        said: list[Said] = []
        for route in self.routes:
            said += self._speak(route, now)
        for route in self.routes:
            line = self.lines[route.name]
            if line.pool and min(line.leaves) <= now:
                said += self._release(route, now)
        return said

    def _route(self, name: str) -> Route:
        return next(route for route in self.routes if route.name == name)

    def _hear(self, state: State, now: int) -> None:
        self.states[state.alert] = state
        if state.open and self.judged.get(state.alert) != state.severity:
            self.judged[state.alert] = state.severity
            for route in self.routes:
                if route.only_escalated or state.severity not in route.severities:
                    continue
                if route.hours is not None and not _inside(route.hours, now):
                    continue
                self.pairs.setdefault((state.alert, route.name), _Pair(now))
                if route.stop:
                    break
        for route in self.routes:
            pair = self.pairs.get((state.alert, route.name))
            if pair is None:
                continue
            wanted = self._wanted(route, state, pair)
            if wanted is None:
                pair.held = False
            elif pair.pooled and state.severity == "critical":
                self.lines[route.name].leaves.append(now + self._wait(route, state, pair))

    def _pass_on(self, now: int) -> None:
        for (alert, name), pair in list(self.pairs.items()):
            state, route = self.states[alert], self._route(name)
            if route.escalate is None or pair.passed_on:
                continue
            late = pair.forced or any(
                kind != "cleared"
                and (after := _after(route, told)) is not None
                and now >= at + after
                for at, kind, told in pair.history
            )
            if not late:
                continue
            # The moment has come; whether it is used depends on how things are just now.
            if state.open and alert not in self.taken:
                pair.passed_on = True
                target = self.pairs.setdefault((alert, route.escalate.to), _Pair(now))
                # Once is enough, from whichever route.
                target.asked = all(kind != "escalated" for _, kind, _ in target.history)

    def _wanted(self, route: Route, state: State, pair: _Pair) -> str | None:
        last = pair.history[-1] if pair.history else None
        if not state.open:
            closing = last is not None and last[1] != "cleared" and route.cleared
            return "cleared" if closing else None
        if pair.asked:
            return "escalated"
        if last is None:
            return "raised"
        told = last[2]
        if told.severity != state.severity:
            return "updated"
        moved = abs(told.observed - state.observed)
        worth = route.update_minutes is not None and moved >= route.update_units
        return "updated" if worth else None

    def _ripe(self, route: Route, state: State, pair: _Pair, kind: str, now: int) -> bool:
        if pair.held or kind in ("cleared", "escalated"):
            return True
        if kind == "raised":
            return now >= pair.joined + route.wait_seconds / 60
        at, _, told = pair.history[-1]
        return RANK[state.severity] < RANK[told.severity] or now >= at + (route.update_minutes or 0)

    def _speak(self, route: Route, now: int) -> list[Said]:
        said: list[Said] = []
        line = self.lines[route.name]
        here = [(alert, pair) for (alert, name), pair in self.pairs.items() if name == route.name]
        here.sort(key=lambda each: (RANK[self.states[each[0]].severity], each[0]))
        for alert, pair in here:
            state = self.states[alert]
            kind = self._wanted(route, state, pair)
            if kind is None or pair.pooled or not self._ripe(route, state, pair, kind, now):
                continue
            if _quiet(route, state, now):
                pair.held = True
                continue
            if route.digest is not None:
                window = route.digest.window_minutes
                lately = sum(1 for at in line.spoke if at > now - window)
                if line.pool or lately >= route.digest.over:
                    pair.pooled = True
                    line.pool.append(alert)
                    line.leaves.append(now + self._wait(route, state, pair))
                    continue
            self._tell(pair, state, kind, now)
            line.spoke.append(now)
            said.append((now, route.name, kind, ((alert, kind),)))
        return said

    def _wait(self, route: Route, state: State, pair: _Pair) -> int:
        assert route.digest is not None
        if pair.held:
            return 0
        window = int(route.digest.window_minutes)
        if state.severity == "critical":
            return min(window, int(route.digest.critical_seconds // 60))
        return window

    def _release(self, route: Route, now: int) -> list[Said]:
        line = self.lines[route.name]
        alerts = sorted(
            set(line.pool), key=lambda alert: (RANK[self.states[alert].severity], alert)
        )
        line.pool, line.leaves = [], []
        items = []
        for alert in alerts:
            pair, state = self.pairs[alert, route.name], self.states[alert]
            pair.pooled = False
            kind = self._wanted(route, state, pair)
            if kind is None:
                continue
            if _quiet(route, state, now):
                pair.held = True
                continue
            self._tell(pair, state, kind, now)
            items.append((alert, kind))
        if not items:
            return []
        line.spoke.append(now)
        kind = items[0][1] if len(items) == 1 else "digest"
        return [(now, route.name, kind, tuple(items))]

    def _tell(self, pair: _Pair, state: State, kind: str, now: int) -> None:
        pair.history.append((now, kind, state))
        pair.held = pair.asked = False


def _after(route: Route, state: State) -> float | None:
    return None if route.escalate is None else route.escalate.after(state.severity)


def _quiet(route: Route, state: State, now: int) -> bool:
    quiet = route.quiet is not None and _inside(route.quiet, now)
    return quiet and state.severity not in route.passes


def _inside(hours: str, now: int) -> bool:
    start, end = (int(each[:2]) * 60 + int(each[3:]) for each in hours.split("-"))
    minute = now % 1440
    # Walk from the beginning to the end of the hours, over midnight if need be.
    return (minute - start) % 1440 < (end - start) % 1440
