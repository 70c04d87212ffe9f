"""The pure parts of the keeper: records of events, what a late repetition may do, alerts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from gate_support import position
from hypothesis import given
from hypothesis import strategies as st

from operators.records import Record
from schemas.alert import Alert
from schemas.reservation import Reservation
from serving.keeper.events import (
    Event,
    Unreadable,
    alert_record,
    entry_number,
    of_pool,
    read_event,
    relayed,
    source_of,
)
from serving.keeper.gathering import Gathered
from serving.keeper.projector import left
from serving.keeper.risks import judge
from sinks.kafka.events import OutRecord
from sinks.redis.client import HoldGate
from sinks.redis.model import Lost, OutboxEntry, PlaceAvailable, Replaced
from sinks.redis.settings import GateSettings

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def entry(number: int, reservation: str, state: Any, seq: int = 0) -> OutboxEntry:
    event = Reservation(
        reservation=reservation, sku="A", place="S", quantity=1, state=state, hold_seq=seq
    )
    return OutboxEntry(f"1000-{number}", event, NOW)


def as_read(record: OutRecord) -> Event:
    found = read_event(Record(record.key, record.value, record.headers, 0, 0))
    assert found is not None
    return found


def test_an_entry_is_the_same_event_whenever_it_is_relayed() -> None:
    source = source_of("north/1", "e 1")
    assert source == "hold-gate/north%2F1/e%201"
    assert of_pool(source, "north/1")
    assert not of_pool(source, "north")
    (first,) = relayed([entry(7, "r", "held")], source)
    (again,) = relayed([entry(7, "r", "held")], source)
    assert first == again
    assert (first.topic, first.key) == ("stock.reservation.v1", b"A")
    event = as_read(first)
    assert (event.type, event.source, event.id) == ("stock.reservation.v1", source, "1000-7#A@S")
    assert event.time == NOW
    assert entry_number(event.id) == (1000, 7)


def test_structured_events_are_read_too() -> None:
    envelope = {
        "specversion": "1.0",
        "type": "t",
        "source": "s",
        "id": "i",
        "time": "2026-11-23T18:00:00+08:00",
        "data": {"a": 1},
    }
    record = Record(None, msgspec.json.encode(envelope), (), 0, 0)
    assert read_event(record) == Event("t", "s", "i", NOW, b'{"a":1}')
    assert read_event(record._replace(value=None)) is None
    for value, headers in (
        (b"nonsense", ()),
        (b"{}", (("ce_id", b"x"), ("ce_type", b"t"))),
        (b"{}", (("ce_id", b"\xff"), ("ce_type", b"t"), ("ce_source", b"s"), ("ce_time", b"1"))),
    ):
        with pytest.raises(Unreadable):
            read_event(Record(None, value, headers, 0, 0))
    for name in ("", "1000", "x-1#A@S", "1000-#A"):
        with pytest.raises(Unreadable):
            entry_number(name)


STORIES = [
    [("a", "held", 0), ("a", "confirmed", 1)],
    [("b", "held", 0), ("b", "released", 0)],
    [("c", "held", 0)],
    [("d", "held", 0), ("d", "expired", 0), ("d", "confirmed", 2)],
]


@given(st.data())
def test_a_relay_that_wakes_up_late_changes_nothing(data: st.DataObject) -> None:
    """However old runs of the outbox are repeated in between, the gate is rebuilt the same."""
    told = [each for story in STORIES for each in story]
    entries = [entry(number, *each) for number, each in enumerate(told)]
    events = [as_read(each) for each in relayed(entries, source_of("p", "one"))]
    cuts = data.draw(st.lists(st.tuples(*[st.integers(0, len(events))] * 3), max_size=6))
    arriving: list[Event] = []
    for number, event in enumerate(events):
        arriving.append(event)
        for at, first, last in cuts:
            if at == number:  # somebody says again what had been said until now
                arriving += events[first : min(last, number + 1)]
    plain, disturbed = Gathered("p"), Gathered("p")
    for event in events:
        plain.reservation(event)
    for event in arriving:
        disturbed.reservation(event)
    # What would be written is compared; nothing is connected to.
    with HoldGate(GateSettings(pool="p")) as gate:
        expected = list(plain.rebuild.pieces(gate.protocol))
        assert list(disturbed.rebuild.pieces(gate.protocol)) == expected
    assert disturbed.reservations == plain.reservations == len(events)


def test_other_pools_and_older_epochs_do_not_count() -> None:
    found = Gathered("p")
    held, confirmed = relayed(
        [entry(1, "r", "held"), entry(2, "r", "confirmed", 1)], source_of("p", "one")
    )
    (other,) = relayed([entry(1, "r", "held")], source_of("p2", "one"))
    (released,) = relayed([entry(1, "r", "released")], source_of("p", "two"))
    found.reservation(as_read(other))
    assert found.reservations == 0
    for record in (held, released, confirmed):  # the last one comes from a relay thought dead
        found.reservation(as_read(record))
    assert found.reservations == 2
    with pytest.raises(Unreadable):
        found.reservation(as_read(held)._replace(data=b"{}"))


def test_a_place_that_left_the_pool_promises_nothing() -> None:
    here = msgspec.structs.replace(position("A", "S", 9, 1, allocated=2), pool="p")
    moved = msgspec.structs.replace(here, pool="q", version=2)
    assert (left(moved).available, left(moved).on_hand, left(moved).allocated) == (0, 9, 2)
    found = Gathered("p")
    for one in (moved, here, moved):
        found.position(one)
    assert found.positions == 2  # what was never of the pool is nothing to it
    with HoldGate(GateSettings(pool="p")) as gate:
        ((_, payload),) = found.rebuild.pieces(gate.protocol)
    (pair,) = payload["pairs"]
    assert pair["truth"][2] == 2
    assert pair["truth"][5] == 7  # the floor is all that is not allocated


ROW = PlaceAvailable("S", -3, 5, 2, 9)


def judged(
    before: Alert | None, shortfall: int, *lost: tuple[str, int], after: int = 0
) -> Alert | None:
    replaced = Replaced([], [Lost(name, f"O-{name}", units) for name, units in lost], shortfall)
    return judge(before, "A", "S", replaced, ROW, NOW + timedelta(seconds=after))


def test_a_risk_is_raised_changed_and_cleared_once() -> None:
    assert judged(None, 3) is None  # what is paid, the flow tells as an oversell
    raised = judged(None, 3, ("r1", 2), ("r2", 1))
    assert raised is not None
    assert raised.alert == "oversell_risk/A@S/2026-11-23T10:00:00Z"
    assert (raised.status, raised.observed, raised.shortfall) == ("raised", -3, 3)
    assert [(c["order"], c["quantity"]) for c in raised.claims] == [("O-r1", 2), ("O-r2", 1)]
    assert judged(raised, 3, ("r1", 2), ("r2", 1), after=1) is None
    updated = judged(raised, 2, ("r1", 2), after=2)
    assert updated is not None
    assert (updated.alert, updated.status, updated.observed) == (raised.alert, "updated", -2)
    # The loser is paid: nothing can give way any more, and the claim is still named.
    assert judged(updated, 2, after=3) is None
    cleared = judged(updated, 0, after=4)
    assert cleared is not None
    assert (cleared.status, cleared.shortfall, cleared.claims) == ("cleared", 0, updated.claims)
    assert cleared.cleared_at == NOW + timedelta(seconds=4)
    states = [as_read(alert_record(each, "p")) for each in (raised, updated, cleared)]
    assert len({event.id for event in states}) == 3
    assert {event.source for event in states} == {"hold-gate/p"}
    found = Gathered("p")
    for event in states[:2]:
        found.alert(event)
    assert found.risks == [updated]
    found.alert(states[2])
    assert found.risks == []
