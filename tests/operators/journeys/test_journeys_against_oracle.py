"""Random journeys and histories: what is decided, and when, is what the plain oracle says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from journey_driver import SEND, chain_of, journey, program
from journey_oracle import STEP, Event, Plan, Rules, live

from operators.journeys.replay import Replay
from operators.members.facts import Consent, Purchase, Refund, hashed
from schemas.instants import format_instant, to_datetime, to_micros
from schemas.journey_rules import Cap

# Clocks change within the days of each of these, but for the two that never do.
ZONES = {
    "America/New_York": datetime(2026, 3, 5, tzinfo=UTC),
    "Europe/Berlin": datetime(2026, 10, 22, tzinfo=UTC),
    "Australia/Lord_Howe": datetime(2026, 4, 2, tzinfo=UTC),
    "Asia/Kathmandu": datetime(2026, 6, 1, tzinfo=UTC),
    "Asia/Shanghai": datetime(2026, 11, 1, tzinfo=UTC),
}
DAYS = 9
WINDOW = 3
quarters = st.integers(0, DAYS * 96)
clocks = st.tuples(st.integers(0, 23), st.sampled_from((0, 15, 30, 45)))
lengths = st.integers(1, 200).map(lambda number: number * STEP)


@st.composite
def plans(draw: Any, name: str) -> Plan:
    trigger = draw(
        st.one_of(
            st.tuples(st.just("event"), st.sampled_from(("buy", "back", "say"))),
            st.tuples(st.just("silent"), lengths),
            st.tuples(st.just("crosses"), st.sampled_from((1, 300, 500))),
            st.tuples(st.just("daily"), clocks),
        )
    )
    step = st.one_of(
        st.tuples(st.just("wait"), lengths),
        st.tuples(st.just("until"), clocks),
        st.tuples(st.sampled_from(("send", "send", "give")), st.none()),
    )
    return Plan(
        name=name,
        trigger=trigger,
        steps=draw(st.lists(step, min_size=1, max_size=4)),
        priority=draw(st.sampled_from((10, 50))),
        reenter=draw(st.sampled_from((None, timedelta(0), timedelta(hours=30)))),
        exits=draw(st.booleans()),
        ttl=draw(st.sampled_from((timedelta(hours=5), timedelta(days=2)))),
        on_capped=draw(st.sampled_from(("skip", "wait", "exit"))),
        who_visits=draw(st.sampled_from((0, 0, 2))),
    )


@st.composite
def histories(draw: Any, start: datetime) -> list[Event]:
    found: list[Event] = []
    for number, at in enumerate(sorted(draw(st.lists(quarters, max_size=8)))):
        amount = draw(st.sampled_from((100, 200, 300)))
        time = start + at * STEP
        found.append((time, "buy", {"receipt": f"r{number}", "amount": amount}))
        if draw(st.booleans()):
            later = draw(st.integers(1, 200))
            part = draw(st.sampled_from((amount, 50)))
            found.append((time + later * STEP, "back", {"receipt": f"r{number}", "amount": part}))
    for at in draw(st.lists(quarters, max_size=3)):
        status = draw(st.sampled_from(("granted", "granted", "withdrawn")))
        found.append((start + at * STEP, "say", {"status": status}))
    # What comes at one instant is told in one order, and of two words on consent there is none.
    found.sort(key=lambda one: (one[0], one[1]))
    said = {at: number for number, (at, kind, _) in enumerate(found) if kind == "say"}
    return [one for number, one in enumerate(found) if one[1] != "say" or said[one[0]] == number]


def text_of(plan: Plan) -> str:
    """The plan as an operator would write it."""
    kind, value = plan.trigger
    events = {"buy": "purchase", "back": "refund", "say": "consent"}
    when = {
        "event": lambda: f"{{event: {events[value]}}}",
        "silent": lambda: f"{{no_purchase_for: {value // timedelta(minutes=1)}m}}",
        "crosses": lambda: f"{{crosses: {{field: spent, above: {value}}}}}",
        "daily": lambda: f"{{schedule: 'every day {value[0]:02d}:{value[1]:02d}'}}",
    }[kind]()
    steps = []
    for verb, about in plan.steps:
        if verb == "wait":
            steps.append(f"wait: {about // timedelta(minutes=1)}m")
        elif verb == "until":
            steps.append(f"wait: until {about[0]:02d}:{about[1]:02d}")
        else:
            steps.append(SEND if verb == "send" else "give: gift")
    hours = plan.ttl // timedelta(hours=1)
    again = {None: "never", timedelta(0): "always"}.get(plan.reenter, "{once_per: 30h}")
    return journey(
        plan.name,
        when,
        *steps,
        reenter=again,
        exit_when="[purchase]" if plan.exits else "[]",
        who=f"{{visits: '>={plan.who_visits}'}}" if plan.who_visits else "{}",
        limits=f"{{priority: {plan.priority}, ttl: {hours}h, on_capped: {plan.on_capped}}}",
    )


@settings(max_examples=cases(50, 200), deadline=None)
@given(st.data())
def test_decisions_are_the_oracles(data: st.DataObject) -> None:
    zone = data.draw(st.sampled_from(sorted(ZONES)))
    start = ZONES[zone]
    rules = Rules(
        ZoneInfo(zone),
        data.draw(st.none() | st.sampled_from((((21, 0), (9, 0)), ((1, 30), (2, 45))))),
        data.draw(
            st.lists(
                st.tuples(st.integers(1, 2), st.sampled_from((timedelta(1), timedelta(2)))),
                max_size=2,
            )
        ),
        timedelta(days=WINDOW),
    )
    plans_ = [data.draw(plans(name)) for name in ("a", "b", "c")]
    events = data.draw(histories(start))
    restart = data.draw(st.integers(0, 12))
    end = start + timedelta(days=DAYS + 3)

    told = live(plans_, rules, events, start, end)
    replay = lived(plans_, rules, zone, events, start, end, restart)
    done = [
        (one.journey, int(one.step) - 1, one.decision, one.reason, to_datetime(one.decided_at))
        for one in replay.decisions
        if one.decision != "defer"
    ]
    assert sorted(done) == sorted(told.done)
    left = [(one.journey, one.reason, to_datetime(one.at)) for one in replay.moves if one.reason]
    assert sorted(left) == sorted(told.left)
    ids = [one.id for one in replay.decisions if one.decision == "go"]
    assert len(ids) == len(set(ids))


def lived(
    plans_: list[Plan],
    rules: Rules,
    zone: str,
    events: list[Event],
    start: datetime,
    end: datetime,
    restart: int,
) -> Replay:
    """The same by the operators, started anew once on the way."""
    quiet = None
    if rules.quiet is not None:
        (bh, bm), (eh, em) = rules.quiet
        quiet = f"{bh:02d}:{bm:02d}-{eh:02d}:{em:02d}"
    caps = tuple(Cap(most, span / timedelta(days=1)) for most, span in rules.caps)
    days = {"frequency_days": WINDOW, "monetary_days": WINDOW, "late_days": 30}
    chain = chain_of(days, zone, quiet_hours=quiet, caps=caps)
    replay = Replay(chain)
    replay.pass_to(to_micros(start - timedelta(days=1)))
    replay.begin([program(text_of(plan), chain) for plan in plans_])
    for number, (at, kind, about) in enumerate(events):
        head: Any = {"time": to_micros(at), "source": "s", "id": f"e{number}"}
        head |= {"origin": "live", "member": "m"}
        if kind == "say":
            said: Any = {"purpose": "marketing", "channel": "any", **about}
            replay.take(0, Consent(**head, **said, text=None, evidence=None))
        else:
            money: Any = {"amount": about["amount"] * 100, "currency": "CNY"}
            receipt = hashed("S1", about["receipt"])
            if kind == "buy":
                replay.take(0, Purchase(**head, **money, receipt=receipt))
            else:
                replay.take(0, Refund(**head, **money, receipt=receipt, number=number))
        if number == restart:
            replay.restart()
    replay.pass_to(to_micros(end))
    assert replay.refused == 0, format_instant(to_micros(start))
    return replay
