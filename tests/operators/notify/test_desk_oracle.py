"""The desk against the slow way of working it out: same messages at the same minutes."""

from __future__ import annotations

import msgspec
from depth import cases
from hypothesis import example, given, settings
from hypothesis import strategies as st
from notify_oracle import Acknowledged, Event, Failed, Oracle, Said, State

from operators.notify.case import Case, Message, RouteState
from operators.notify.desk import Desk
from operators.notify.notice import Notice
from operators.notify.routing import Zones
from schemas.alert import Severity
from schemas.hooks import Digest, Escalate, Route
from schemas.instants import DAY_US, MINUTE_US

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "warning")
ALERTS = tuple("abcd")
Script = list[tuple[int, Event]]

hours = st.sampled_from([None, "00:10-00:40", "00:30-01:10", "23:50-00:20"])
some_severities = st.sets(st.sampled_from(SEVERITIES), min_size=1).map(tuple)
digests = st.none() | st.builds(
    Digest,
    over=st.integers(1, 3),
    window_minutes=st.integers(1, 20).map(float),
    critical_seconds=st.sampled_from([0.0, 60.0, 180.0]),
)
minutes = st.one_of(st.none(), *[st.integers(1, most).map(float) for most in (4, 8, 25)])


@st.composite
def route_lists(draw: st.DrawFn) -> list[Route]:
    count = draw(st.integers(1, 3))
    names = ["first", "second", "third"][:count]
    routes = []
    for at, name in enumerate(names):
        following = names[at + 1 :]
        escalate = None
        if len(following) > 0 and draw(st.booleans()):
            escalate = Escalate(
                to=draw(st.sampled_from(following)),
                critical=draw(minutes),
                high=draw(minutes),
                warning=draw(minutes),
            )
        routes.append(
            Route(
                name=name,
                channel="c",
                severities=draw(some_severities),
                hours=draw(hours),
                stop=draw(st.booleans()),
                only_escalated=at > 0 and draw(st.booleans()),
                quiet=draw(hours),
                passes=draw(some_severities),
                wait_seconds=draw(st.sampled_from([0.0, 120.0])),
                update_minutes=draw(minutes),
                update_units=draw(st.integers(1, 3)),
                cleared=draw(st.booleans()),
                digest=draw(digests),
                escalate=escalate,
            )
        )
    return routes


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    script: Script = []
    closed: set[str] = set()
    at = 0
    for _ in range(draw(st.integers(1, 30))):
        at += draw(st.sampled_from([0, 0, 1, 1, 2, 3, 5, 9]))
        alert = draw(st.sampled_from(ALERTS))
        what = draw(st.integers(0, 9))
        if what == 0:
            script.append((at, Acknowledged(alert)))
        elif what == 1:
            script.append((at, Failed(alert, draw(st.sampled_from(["first", "second", "third"])))))
        elif alert not in closed:
            # Mostly the same severity for an alert, as it is in life.
            severity: str = SEVERITIES[ord(alert) % 3]
            if draw(st.integers(0, 2)) == 0:
                severity = draw(st.sampled_from(SEVERITIES))
            still_open = what > 2 or alert not in {
                event.alert for _, event in script if isinstance(event, State)
            }
            script.append((at, State(alert, severity, draw(st.integers(-4, 0)), still_open)))
            if not still_open:
                closed.add(alert)
    return script


@given(route_lists(), scripts())
@settings(max_examples=cases(60, 300), deadline=None)
def test_the_same_messages_at_the_same_minutes(routes: list[Route], script: Script) -> None:
    assert _desk_says(routes, script) == _oracle_says(routes, script)


@given(route_lists(), scripts(), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_a_restart_between_any_minutes_changes_nothing(
    routes: list[Route], script: Script, every: int
) -> None:
    assert _desk_says(routes, script, restart_every=every) == _desk_says(routes, script)


@given(route_lists(), scripts())
@settings(max_examples=30, deadline=None)
def test_a_replay_says_nothing_again(routes: list[Route], script: Script) -> None:
    desk = _desk(routes)
    end = _end(script)
    said = [message.id for message in _run(desk, script, end)]
    assert len(set(said)) == len(said)
    for minute, event in script:
        if isinstance(event, State):
            assert desk.hear(_notice(event, minute, script), end * MINUTE_US) == "known"
    quiet_desk = _desk(routes)
    _run(quiet_desk, script, end)
    for minute in range(end, end + 300):
        now = minute * MINUTE_US
        assert _as_said(desk.tick(now), minute) == _as_said(quiet_desk.tick(now), minute)


@given(route_lists(), scripts())
@example([Route(name="first", channel="c")], [(0, State("a", "high", -1))])
@settings(max_examples=30, deadline=None)
def test_it_is_enough_to_ask_when_something_is_due(routes: list[Route], script: Script) -> None:
    """Between events the desk need not be asked before `next_due`."""
    desk = _desk(routes)
    said: list[Said] = []
    end = _end(script)
    now = 0
    for minute in [*sorted({at for at, _ in script}), end]:
        while (due := desk.next_due()) is not None and due < minute * MINUTE_US:
            assert due > now or due == 0
            now = due
            said += _as_said(desk.tick(now), now // MINUTE_US)
        now = minute * MINUTE_US
        _hear(desk, script, minute)
        said += _as_said(desk.tick(now), minute)
    assert sorted(said) == sorted(_desk_says(routes, script))


def _desk(routes: list[Route]) -> Desk:
    return Desk(routes, Zones("UTC"), stale_us=DAY_US)


def _end(script: Script) -> int:
    return max(at for at, _ in script) + 150 if script else 1


def _hear(desk: Desk, script: Script, minute: int) -> None:
    now = minute * MINUTE_US
    for at, event in script:
        if at != minute:
            continue
        if isinstance(event, State):
            desk.hear(_notice(event, at, script), now)
        elif isinstance(event, Acknowledged):
            desk.acknowledge(event.alert, now)
        elif event.route in desk.routes:
            desk.give_up(event.route, [event.alert], now)


def _run(desk: Desk, script: Script, end: int) -> list[Message]:
    said = []
    for minute in range(end):
        _hear(desk, script, minute)
        said += desk.tick(minute * MINUTE_US)
    return said


def _notice(state: State, minute: int, script: Script) -> Notice:
    # Two states of one minute are apart in time, as events are.
    number = next(n for n, (at, event) in enumerate(script) if event is state and at == minute)
    first = next(
        at for at, event in script if isinstance(event, State) and event.alert == state.alert
    )
    return Notice(
        alert=state.alert,
        type="oversell",
        status=("raised" if minute == first else "updated") if state.open else "cleared",
        severity=state.severity,
        sku="TEA-1",
        place="S01",
        observed=state.observed,
        level=0,
        clear_level=1,
        shortfall=max(0, -state.observed),
        opened_at=first * MINUTE_US,
        updated_at=minute * MINUTE_US + number,
    )


def _as_said(messages: list[Message], minute: int) -> list[Said]:
    return [
        (
            minute,
            message.route,
            message.kind,
            tuple((item.notice.alert, item.kind) for item in message.items),
        )
        for message in messages
    ]


def _desk_says(routes: list[Route], script: Script, restart_every: int = 10**9) -> list[Said]:
    desk = _desk(routes)
    said: list[Said] = []
    for minute in range(_end(script)):
        if minute % restart_every == restart_every - 1:
            desk = _restarted(desk, routes)
        _hear(desk, script, minute)
        said += _as_said(desk.tick(minute * MINUTE_US), minute)
    return sorted(said)


def _restarted(desk: Desk, routes: list[Route]) -> Desk:
    """Another desk with what the first one would have stored."""
    cases = msgspec.msgpack.encode(list(desk.cases.values()))
    states = msgspec.msgpack.encode(desk.routes)
    other = _desk(routes)
    other.restore(
        msgspec.msgpack.decode(cases, type=list[Case]),
        msgspec.msgpack.decode(states, type=dict[str, RouteState]).items(),
    )
    return other


def _oracle_says(routes: list[Route], script: Script) -> list[Said]:
    oracle = Oracle(routes)
    said: list[Said] = []
    for minute in range(_end(script)):
        events = [
            event
            for at, event in script
            if at == minute and not (isinstance(event, Failed) and event.route not in oracle.lines)
        ]
        said += oracle.minute(minute, events)
    return sorted(said)
