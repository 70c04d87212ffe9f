"""The truth comes in, tills sell what is held, the outbox goes out."""

from __future__ import annotations

from gate_support import MakeGate, MiniFlow, SettableClock, audit, position

from sinks.redis.client import HoldGate
from sinks.redis.model import HeldLine, HoldLine, Lost, Moved, OverClaimed, PlaceAvailable, Replaced


def only(gate: HoldGate, sku: str) -> PlaceAvailable:
    (row,) = gate.available([sku])[sku]
    return row


def buy(gate: HoldGate, name: str, units: int, place: str | None = None) -> None:
    gate.hold(name, [HoldLine("tea", units, place)], ttl_seconds=600, order=f"O-{name}")


def test_pitfall_25_and_27_replayed_and_older_positions_change_nothing(gate: HoldGate) -> None:
    newest = position("tea", "P1", 8, version=8)
    assert gate.project([position("tea", "P1", 5, version=5), newest]) == 2
    assert gate.project([newest, position("tea", "P1", 99, version=7)]) == 0
    assert only(gate, "tea") == PlaceAvailable("P1", 8, 0, 8, 8)


def test_a_version_may_be_as_long_as_microseconds(gate: HoldGate) -> None:
    long = 1_800_000_000_000_001
    gate.project([position("tea", "P1", 5, version=long)])
    assert gate.project([position("tea", "P1", 6, version=long)]) == 0
    assert gate.project([position("tea", "P1", 7, version=long + 1)]) == 1
    assert only(gate, "tea").version == long + 1


def test_pitfall_26_a_position_does_not_touch_holds(gate: HoldGate) -> None:
    gate.project([position("tea", "P1", 10)])
    buy(gate, "r", 4)
    gate.project([position("tea", "P1", 10, version=2)])
    assert only(gate, "tea") == PlaceAvailable("P1", 6, 4, 10, 2)


def test_pitfall_28_and_29_each_unit_is_counted_once_during_the_hand_over(gate: HoldGate) -> None:
    flow = MiniFlow(gate)
    flow.stock("tea", "P1", 10)
    for name in ("a", "b", "c"):
        buy(gate, name, 2)
        gate.confirm(name)
        bought = sum(entry.event.state == "held" for entry in gate.outbox())
        assert only(gate, "tea").available == 10 - 2 * bought
    told = flow.read()
    assert [one.held_confirmed_seq for one in told] == [1, 2, 3]
    # Compaction took the first two away; what they absorbed goes with the third.
    gate.project(told[2:])
    assert only(gate, "tea") == PlaceAvailable("P1", 4, 0, 10, told[2].version)
    gate.project(told)
    assert only(gate, "tea") == PlaceAvailable("P1", 4, 0, 10, told[2].version)
    audit(gate)


def test_many_positions_at_once(gate: HoldGate) -> None:
    told = [position("tea", f"P{number:03}", number) for number in range(200)]
    assert gate.project(told) == 200
    rows = gate.available(["tea", "no such"])
    assert [row.on_hand for row in rows["tea"]] == list(range(200))
    assert rows["no such"] == []
    assert [row.place for row in gate.available(["tea"], ["P002", "P999"])["tea"]] == ["P002"]
    assert gate.project([]) == 0


def test_a_counter_behind_the_truth_is_raised(gate: HoldGate) -> None:
    # The last confirms were lost in a crash of Redis, but had been relayed and applied.
    gate.project([position("tea", "P1", 9, allocated=3, seq=7)])
    buy(gate, "r", 1)
    gate.confirm("r")
    assert gate.outbox()[-1].event.hold_seq == 8


def test_a_till_sells_a_held_unit_and_the_youngest_hold_moves(
    make_gate: MakeGate, clock: SettableClock
) -> None:
    gate = make_gate(library=clock.library)
    gate.project([position("tea", "P1", 5), position("tea", "P2", 2), position("tea", "P3", 4)])
    for name in ("old", "mid", "young"):
        buy(gate, name, 1, "P1")
        clock.advance(10)
    before = len(gate.outbox())
    projected = gate.project([position("tea", "P1", 1, version=2)])
    assert projected.overclaimed == (OverClaimed("tea", "P1", 2),)
    assert gate.overclaimed() == [OverClaimed("tea", "P1", 2)]
    done = gate.replace("tea", "P1")
    assert done == Replaced([Moved("young", "O-young", "P3", 1), Moved("mid", "O-mid", "P3", 1)])
    assert gate.read("old").lines == [HeldLine("tea", "P1", 1)]
    assert gate.read("young").lines == [HeldLine("tea", "P3", 1)]
    told = [
        (entry.event.reservation, entry.event.place, entry.event.state)
        for entry in gate.outbox()[before:]
    ]
    assert told == [
        ("young", "P1", "released"),
        ("young", "P3", "held"),
        ("mid", "P1", "released"),
        ("mid", "P3", "held"),
    ]
    assert gate.overclaimed() == []
    assert gate.replace("tea", "P1") == Replaced()
    assert gate.confirm("young").lines == [HeldLine("tea", "P3", 1)]
    audit(gate)


def test_who_loses_is_named_and_keeps_the_hold(make_gate: MakeGate, clock: SettableClock) -> None:
    gate = make_gate(library=clock.library)
    gate.project([position("tea", "P1", 6), position("tea", "P2", 1)])
    buy(gate, "paid", 2, "P1")
    gate.confirm("paid")
    buy(gate, "small", 1, "P1")
    clock.advance(10)
    buy(gate, "large", 3, "P1")
    gate.project([position("tea", "P1", 1, version=2)])
    done = gate.replace("tea", "P1")
    assert done.lost == [Lost("large", "O-large", 3)]
    assert done.moved == [Moved("small", "O-small", "P2", 1)]
    assert done.shortfall == 4, "the paid units and the lost hold exceed the one unit by four"
    assert gate.read("large").state == "held"
    assert gate.overclaimed() == [OverClaimed("tea", "P1", 4)]
    gate.project([position("tea", "P1", 5, version=3)])
    assert gate.overclaimed() == []
    audit(gate)


def test_a_moved_line_joins_the_one_that_is_there(gate: HoldGate) -> None:
    gate.project([position("tea", "P1", 4), position("tea", "P2", 9)])
    gate.hold("r", [HoldLine("tea", 3, "P1"), HoldLine("tea", 2, "P2")], ttl_seconds=600)
    gate.project([position("tea", "P1", 0, version=2)])
    assert gate.replace("tea", "P1").moved == [Moved("r", None, "P2", 3)]
    assert gate.read("r").lines == [HeldLine("tea", "P2", 5)]
    audit(gate)
    gate.release("r")
    assert {row.place: row.available for row in gate.available(["tea"])["tea"]} == {
        "P1": 0,
        "P2": 9,
    }


def test_pitfall_63_a_place_that_closes_gives_its_holds_away(gate: HoldGate) -> None:
    gate.project([position("tea", "P1", 300), position("tea", "P2", 400)])
    for number in range(250):
        buy(gate, f"r{number:03}", 1, "P1")
    gate.project([position("tea", "P1", 0, version=2)])
    moved = 0
    while gate.overclaimed():
        moved += len(gate.replace("tea", "P1").moved)
    assert moved == 250
    assert gate.read("r000").lines == [HeldLine("tea", "P2", 1)]
    audit(gate)


def test_the_sweeper_tells_what_lapsed(make_gate: MakeGate, clock: SettableClock) -> None:
    gate = make_gate(library=clock.library)
    gate.project([position("tea", "P1", 99)])
    for number in range(70):
        buy(gate, f"r{number}", 1)
    gate.hold("long", [HoldLine("tea", 1)], ttl_seconds=6000, customer="ann")
    clock.advance(600_000)
    last = gate.outbox()[-1].id
    assert only(gate, "tea").held == 1
    assert (gate.sweep(50), gate.sweep(50), gate.sweep(50)) == (50, 20, 0)
    told = gate.outbox(last)
    assert {entry.event.state for entry in told} == {"expired"}
    assert len({entry.event.reservation for entry in told}) == len(told) == 70
    assert gate.read("r0").state == "expired"
    audit(gate)


def test_the_outbox_is_read_on_and_trimmed(gate: HoldGate) -> None:
    gate.project([position("tea", "P1", 99)])
    for number in range(5):
        buy(gate, f"r{number}", 1)
    first = gate.outbox(count=2)
    rest = gate.outbox(first[-1].id)
    assert [entry.event.reservation for entry in first + rest] == [f"r{n}" for n in range(5)]
    assert first[0].time.tzinfo is not None
    assert gate.trim(first[-1].id) == 2
    assert gate.outbox() == rest
    assert gate.trim(rest[-1].id) == 3
    assert gate.outbox() == []
