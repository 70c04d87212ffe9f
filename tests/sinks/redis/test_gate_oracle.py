"""Random calls against a plain Python oracle, with a clock that only moves when told to."""

from __future__ import annotations

from typing import Any

from gate_oracle import GateOracle, Truth
from gate_support import SettableClock, audit, new_gate, position
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis_server import RedisServer

from schemas.instants import to_micros
from sinks.redis.client import HoldGate
from sinks.redis.errors import (
    AlreadyConfirmed,
    CapReached,
    GateError,
    InvalidHold,
    Mismatch,
    Short,
    UnknownReservation,
    UnknownSku,
)
from sinks.redis.model import Hold, HoldLine, Placing
from sinks.redis.rebuild import Rebuild

SKUS = ("tea", "cup:1")
PLACES = ("P1", "P2", "P:3")
NAMES = tuple(f"r{number}" for number in range(9))
WORDS = {
    Mismatch: "mismatch",
    CapReached: "cap",
    UnknownSku: "unknown",
    UnknownReservation: "gone",
    AlreadyConfirmed: "confirmed",
    InvalidHold: "invalid",
}
MAX_HOLDS, MAX_UNITS = 3, 14

skus, places, names = st.sampled_from(SKUS), st.sampled_from(PLACES), st.sampled_from(NAMES)
ttls = st.integers(1, 4).map(lambda units: units * 1000)
line = st.tuples(skus, st.none() | places, st.integers(1, 6))
policies = st.tuples(
    st.lists(places, max_size=3, unique=True).map(tuple), st.booleans(), st.booleans()
)
customers = st.sampled_from((None, None, "ann", "bob"))
steps = st.one_of(
    st.tuples(
        st.just("hold"),
        names,
        st.lists(line, min_size=1, max_size=3),
        ttls,
        policies,
        customers,
        st.none() | names,
    ),
    st.tuples(st.just("confirm"), names),
    st.tuples(st.just("release"), names),
    st.tuples(st.just("extend"), names, ttls),
    st.tuples(st.just("advance"), st.integers(1, 3).map(lambda units: units * 700)),
    st.tuples(st.just("truth"), skus, places, st.integers(0, 9), st.integers(0, 2)),
    st.tuples(st.just("old"), st.integers(0, 50)),
    st.tuples(st.just("absorb"), skus, places),
    st.tuples(st.just("sweep"), st.integers(1, 3)),
    st.tuples(st.just("replace"), skus, places),
)


class Both:
    """The real gate and the oracle, told the same."""

    def __init__(self, server: RedisServer, clock: SettableClock) -> None:
        self.clock = clock
        caps = {"max_holds": MAX_HOLDS, "max_units": MAX_UNITS}
        self.gate = new_gate(server, library=clock.library, **caps)
        self.other = new_gate(server, library=clock.library, opened=False, **caps)
        self.oracle = GateOracle(MAX_HOLDS, MAX_UNITS)
        self.told: list[tuple[tuple[str, str], Truth]] = []

    def close(self) -> None:
        self.gate.close()
        self.other.close()

    def truth(self, pair: tuple[str, str], on_hand: int, floor: int, absorbed: int) -> None:
        """What a flow would tell that has applied the confirms of a pair up to `absorbed`."""
        allocated = sum(
            kept.lines[pair]
            for kept in self.oracle.kept.values()
            if 0 < kept.numbers.get(pair, 0) <= absorbed
        )
        truth = Truth(len(self.told) + 1, on_hand, allocated, floor, absorbed)
        self.told.append((pair, truth))
        self.project(*self.told[-1])

    def project(self, pair: tuple[str, str], truth: Truth) -> None:
        self.oracle.project(pair, truth)
        self.gate.project([told_position(pair, truth)])

    def step(self, what: str, *given: Any) -> None:
        self.oracle.now = self.clock.now
        match what, given:
            case "advance", (ms,):
                self.clock.advance(ms)
                self.oracle.now = self.clock.now
            case "truth", (sku, place, on_hand, floor):
                known = self.oracle.truth.get((sku, place))
                self.truth((sku, place), on_hand, floor, known.absorbed if known else 0)
            case "old", (number,) if self.told:
                self.project(*self.told[number % len(self.told)])
            case "absorb", (sku, place) if (sku, place) in self.oracle.truth:
                known = self.oracle.truth[sku, place]
                upto = self.oracle.numbers.get((sku, place), 0)
                self.truth((sku, place), known.on_hand, known.floor, upto)
            case "sweep", (limit,):
                self.gate.sweep(limit)
            case "replace", (sku, place):
                done = self.gate.replace(sku, place)
                moved = [(row.reservation, row.to_place, row.quantity) for row in done.moved]
                lost = [(row.reservation, row.quantity) for row in done.lost]
                assert (moved, lost, done.shortfall) == self.oracle.replace((sku, place))
            case "hold", (name, lines, ttl, policy, customer, replaces):
                wanted = self.oracle.hold(name, lines, ttl, policy, customer, replaces)
                got = answer_of(
                    lambda: self.gate.hold(
                        name,
                        [HoldLine(sku, units, place) for sku, place, units in lines],
                        ttl_seconds=ttl / 1000,
                        policy=Placing(*policy),
                        customer=customer,
                        replaces=replaces,
                    )
                )
                assert got == wanted
            case "extend", (name, ttl):
                got = answer_of(lambda: self.gate.extend(name, ttl / 1000))
                assert got == self.oracle.extend(name, ttl)
            case ("confirm" | "release"), (name,):
                got = answer_of(lambda: getattr(self.gate, what)(name))
                assert got == getattr(self.oracle, what)(name)

    def compare(self, gate: HoldGate) -> None:
        got = {
            (sku, row.place): (row.available, row.held)
            for sku, rows in gate.available(SKUS).items()
            for row in rows
        }
        assert got == self.oracle.available()

    def rebuilt(self) -> None:
        """Another pool, written from the events alone, answers the same."""
        rebuild = Rebuild()
        for pair, truth in self.told:
            rebuild.position(told_position(pair, truth))
        for entry in self.gate.outbox(count=10_000):
            rebuild.reservation(entry.event, entry.id, entry.time)
        rebuild.write(self.other, "rebuilt")
        self.compare(self.other)
        audit(self.other)
        for name in self.oracle.kept:
            assert answer_of(lambda name=name: self.other.read(name)) == self.oracle.answer(name)
        for name in self.oracle.kept:
            got = answer_of(lambda name=name: self.other.confirm(name))
            assert got == self.oracle.confirm(name)
        self.compare(self.other)


def told_position(pair: tuple[str, str], truth: Truth) -> Any:
    return position(
        *pair,
        truth.on_hand,
        truth.version,
        allocated=truth.allocated,
        floor=truth.floor,
        seq=truth.absorbed,
    )


def answer_of(call: Any) -> tuple[Any, ...]:
    try:
        done: Hold = call()
    except Short as short:
        return ("short", {(row.sku, row.wanted, row.available) for row in short.shortages})
    except GateError as refused:
        return (WORDS[type(refused)],)
    lines = {(row.sku, row.place): row.quantity for row in done.lines}
    assert len(lines) == len(done.lines)
    return ("ok", done.state, to_micros(done.expires_at) // 1000, lines)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.tuples(skus, places, st.integers(1, 9)), min_size=1, max_size=5),
    st.lists(steps, max_size=30),
)
def test_the_gate_does_what_the_oracle_does(
    server: RedisServer,
    clock: SettableClock,
    stock: list[tuple[str, str, int]],
    steps: list[tuple[Any, ...]],
) -> None:
    both = Both(server, clock)
    try:
        for sku, place, on_hand in stock:
            both.step("truth", sku, place, on_hand, 0)
        for step in steps:
            both.step(*step)
            both.compare(both.gate)
        audit(both.gate)
        both.rebuilt()
    finally:
        both.close()
