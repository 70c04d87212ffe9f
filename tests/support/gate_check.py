"""The rules of the hold gate in one pass: a source that breaks one of them cannot get through.

Takes about 30 ms on a running server, so that mutated sources can be put through it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gate_support import MiniFlow, audit, position

from sinks.redis.client import HoldGate
from sinks.redis.errors import GateError, Mismatch, Short
from sinks.redis.model import HoldLine, PlaceAvailable

TTL = 60.0


def check_gate(gate: HoldGate) -> None:
    """Raise AssertionError for the first rule that does not hold; `gate` is open and empty."""
    try:
        for rule in (repeats, sums, versions, hand_over, releases, placing, lapsing):
            rule(gate)
        audit(gate)
    except GateError as wrong:
        msg = f"a call that must succeed was refused: {wrong}"
        raise AssertionError(msg) from wrong


def only(gate: HoldGate, sku: str) -> PlaceAvailable:
    (row,) = gate.available([sku])[sku]
    return row


def refused(kind: type[GateError], call: Callable[[], object]) -> bool:
    try:
        call()
    except kind:
        return True
    return False


def repeats(gate: HoldGate) -> None:
    gate.project([position("rep", "P1", 10)])
    first = gate.hold("rep-1", [HoldLine("rep", 3)], ttl_seconds=TTL)
    again = gate.hold("rep-1", [HoldLine("rep", 3)], ttl_seconds=TTL)
    assert again.replayed
    assert (again.lines, again.expires_at) == (first.lines, first.expires_at)
    assert only(gate, "rep").available == 7, "a repeated hold took units twice"
    other = [HoldLine("rep", 4)]
    assert refused(Mismatch, lambda: gate.hold("rep-1", other, ttl_seconds=TTL))
    assert only(gate, "rep").available == 7


def sums(gate: HoldGate) -> None:
    gate.project([position("sum", "P1", 5)])
    for place in ("P1", None):
        twice = [HoldLine("sum", 4, place), HoldLine("sum", 4, place)]
        assert refused(Short, partial(gate.hold, f"s-{place}", twice, ttl_seconds=TTL))
    assert only(gate, "sum").held == 0, "a refused hold left something behind"


def versions(gate: HoldGate) -> None:
    gate.project([position("ver", "P1", 8, version=8)])
    gate.project([position("ver", "P1", 99, version=7)])
    assert only(gate, "ver").on_hand == 8, "an older position came last and won"
    gate.hold("ver-1", [HoldLine("ver", 5)], ttl_seconds=TTL)
    gate.project([position("ver", "P1", 9, version=9)])
    assert only(gate, "ver").held == 5, "a position changed the holds"
    assert only(gate, "ver").available == 4


def hand_over(gate: HoldGate) -> None:
    flow = MiniFlow(gate)
    flow.stock("abs", "P1", 10)
    for name in ("abs-1", "abs-2"):
        gate.hold(name, [HoldLine("abs", 3)], ttl_seconds=TTL)
        gate.confirm(name)
        assert gate.confirm(name).replayed
    assert only(gate, "abs").available == 4
    first, second = flow.read()
    gate.project([first])
    assert only(gate, "abs").held == 3, "the position absorbed other confirms than it contains"
    assert only(gate, "abs").available == 4
    gate.project([second, first])
    assert (only(gate, "abs").held, only(gate, "abs").available) == (0, 4)


def releases(gate: HoldGate) -> None:
    gate.project([position("rel", "P1", 5)])
    gate.hold("rel-1", [HoldLine("rel", 2)], ttl_seconds=TTL)
    gate.hold("rel-2", [HoldLine("rel", 2)], ttl_seconds=TTL)
    gate.confirm("rel-2")
    for name in ("rel-1", "rel-1", "rel-2"):
        gate.release(name)
    assert only(gate, "rel").available == 3, "units were given back that were not held"


def placing(gate: HoldGate) -> None:
    gate.project([position("pla", "P1", 10), position("pla", "P2", 15)])
    done = gate.hold("pla-1", [HoldLine("pla", 20)], ttl_seconds=TTL)
    assert sum(line.quantity for line in done.lines) == 20
    assert {row.place: row.available for row in gate.available(["pla"])["pla"]} in (
        {"P1": 5, "P2": 0},
    ), "the place with most comes first, and nothing is taken twice"


def lapsing(gate: HoldGate) -> None:
    gate.project([position("lap", "P1", 1)])
    gate.hold("lap-1", [HoldLine("lap", 1)], ttl_seconds=0.001)
    while gate.read("lap-1").state == "held":
        pass
    assert only(gate, "lap").available == 1, "a lapsed hold still counts"
    gate.hold("lap-2", [HoldLine("lap", 1)], ttl_seconds=TTL)
    assert gate.confirm("lap-1").state == "expired_short"
    assert gate.confirm("lap-2").state == "confirmed"
    assert only(gate, "lap").available == 0
