"""Random calls against a plain Python oracle, with a clock that only moves when told to."""

from __future__ import annotations

from itertools import product
from typing import Any

from depth import cases
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
WORDS = {
    Mismatch: "mismatch",
    CapReached: "cap",
    UnknownSku: "unknown",
    UnknownReservation: "gone",
    AlreadyConfirmed: "confirmed",
    InvalidHold: "invalid",
}
MAX_HOLDS, MAX_UNITS = 2, 8

skus, places = st.sampled_from(SKUS), st.sampled_from(PLACES)
# Which of the reservations so far: names that exist are what makes calls interesting.
known = st.integers(0, 30)
ttls = st.integers(1, 4).map(lambda units: units * 1000)
line = st.tuples(skus, st.none() | places, st.integers(1, 6))
policies = st.tuples(
    st.lists(places, max_size=3, unique=True).map(tuple), st.booleans(), st.booleans()
)
customers = st.sampled_from((None, "ann"))
holds = st.tuples(
    st.just("hold"),
    st.none() | st.none() | st.none() | known,
    st.lists(line, min_size=1, max_size=3),
    ttls,
    policies,
    customers,
    st.none() | st.none() | known,
)
steps = st.one_of(
    holds,
    holds,
    st.tuples(st.just("again"), known),
    st.tuples(st.just("confirm"), known),
    st.tuples(st.just("release"), known),
    st.tuples(st.just("extend"), known, ttls),
    st.tuples(st.just("advance"), st.integers(1, 4).map(lambda units: units * 700)),
    st.tuples(st.just("truth"), skus, places, st.integers(0, 9), st.integers(0, 2)),
    st.tuples(st.just("old"), st.integers(0, 50)),
    st.tuples(st.just("absorb"), skus, places),
    st.tuples(st.just("sweep"), st.integers(1, 3)),
    st.tuples(st.just("replace"), skus, places),
    st.tuples(st.just("till"), known, st.integers(1, 4)),
)


class Both:
    """The real gate and the oracle, told the same."""

    def __init__(self, server: RedisServer, clock: SettableClock) -> None:
        self.clock = clock
        caps: dict[str, Any] = {"max_holds": MAX_HOLDS, "max_units": MAX_UNITS}
        self.gate = new_gate(server, library=clock.library, **caps)
        self.other = new_gate(server, library=clock.library, opened=False, **caps)
        self.oracle = GateOracle(MAX_HOLDS, MAX_UNITS)
        self.told: list[tuple[tuple[str, str], Truth]] = []
        self.holds: dict[str, tuple[Any, ...]] = {}

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

    def name(self, number: int) -> str:
        names = list(self.oracle.kept)
        return names[number % len(names)] if names else "nobody"

    def hold(self, name: str, *given: Any) -> None:
        lines, ttl, policy, customer, replaces = given
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
        self.holds.setdefault(name, given)

    def replace(self, pair: tuple[str, str]) -> None:
        done = self.gate.replace(*pair)
        moved = [(row.reservation, row.to_place, row.quantity) for row in done.moved]
        lost = [(row.reservation, row.quantity) for row in done.lost]
        assert (moved, lost, done.shortfall) == self.oracle.replace(pair)

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
                self.replace((sku, place))
            case "till", (number, sold) if self.oracle.kept:
                # A till sells what is held: the truth comes first, then the holds give way.
                pair = next(iter(self.oracle.kept[self.name(number)].lines))
                truth = self.oracle.truth[pair]
                self.truth(pair, truth.on_hand - sold, truth.floor, truth.absorbed)
                self.replace(pair)
            case "hold", (number, *rest):
                name = f"r{len(self.holds)}" if number is None else self.name(number)
                *rest, replaced = rest
                self.hold(name, *rest, None if replaced is None else self.name(replaced))
            case "again", (number,) if self.oracle.kept:
                name = self.name(number)
                self.hold(name, *self.holds[name])
            case "extend", (number, ttl):
                name = self.name(number)
                got = answer_of(lambda: self.gate.extend(name, ttl / 1000))
                assert got == self.oracle.extend(name, ttl)
            case (("confirm" | "release"), (number,)):
                name = self.name(number)
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
    max_examples=cases(25, 100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.integers(0, 9), min_size=6, max_size=6),
    st.lists(steps, min_size=5, max_size=40),
)
def test_the_gate_does_what_the_oracle_does(
    server: RedisServer,
    clock: SettableClock,
    stock: list[int],
    steps: list[tuple[Any, ...]],
) -> None:
    both = Both(server, clock)
    try:
        for (sku, place), on_hand in zip(product(SKUS, PLACES), stock, strict=True):
            if on_hand:
                both.step("truth", sku, place, on_hand, 0)
        for step in steps:
            both.step(*step)
            both.compare(both.gate)
        audit(both.gate)
        both.rebuilt()
    finally:
        both.close()
