"""The count after a drill: it agrees with the simulator's own books, and sees each kind of loss."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest

from infra.drill.count import Evidence, GateRow, Paid, Row, count, disagreements
from infra.drill.fold import Pair, Sent, fold, movements
from infra.drill.receiver import Message, Receiver
from schemas.envelope import MovementEvent
from schemas.reservation import Reservation
from sinks.kafka.live_events import event_record
from sources.simulator import settings_from, simulate

PAIR = ("RUSH-1", "S001")


def test_fold_is_what_the_simulator_has_in_its_books() -> None:
    simulation = simulate(settings_from("tea", stores=3, skus=25, days=2, seed=5))
    records = [event_record(one.event) for one in simulation]
    Random(1).shuffle(records)
    sent = list(movements(records + records[::7]))
    assert any(one.data["kind"] == "counted" for one in sent)
    assert any(one.data["kind"] == "corrected" for one in sent)
    found = fold(sent)
    for place, sku, on_hand, allocated, quarantined, in_transit, _ in simulation.truth.rows[
        "recorded"
    ]:
        row = found[sku, place]
        assert (row.on_hand, row.allocated) == (on_hand, allocated), (sku, place)
        assert (row.quarantined, row.in_transit) == (quarantined, in_transit), (sku, place)


def test_only_movements_are_folded() -> None:
    simulation = simulate(settings_from("tea", stores=2, skus=10, days=1, seed=5))
    events = [one.event for one in simulation]
    expected = sum(isinstance(event, MovementEvent) for event in events)
    assert len(list(movements(map(event_record, events)))) == expected < len(events)


def sent(id: str, kind: str, units: int, at: int = 1, source: str = "drill/rush") -> Sent:
    data = {"sku": PAIR[0], "place": PAIR[1], "kind": kind, "quantity": units}
    return Sent(source, id, at, data)


def reservation(name: str, units: int, number: int) -> Reservation:
    return Reservation(
        reservation=name,
        sku=PAIR[0],
        place=PAIR[1],
        quantity=units,
        state="confirmed",
        hold_seq=number,
    )


def evidence() -> Evidence:
    """Ten units, two payments of three and two: all is well."""
    right = {PAIR: Row(10, 5, 0, 0)}
    return Evidence(
        sent=[sent("1", "received", 10)],
        reservations={"a": reservation("h1", 3, 1), "b": reservation("h2", 2, 2)},
        paid=[Paid("h1", 5.0, ((*PAIR, 3),)), Paid("h2", 6.0, ((*PAIR, 2),))],
        tried={"h1", "h2"},
        lost_at=[],
        topups=[(1.0, PAIR[0], 10)],
        warehouse=dict(right),
        topic=dict(right),
        gate={PAIR: GateRow(10, 5, 0)},
    )


def oversold(seen: Evidence) -> None:
    seen.topups = [(1.0, PAIR[0], 4), (7.0, PAIR[0], 6)]


def unit_gone(seen: Evidence) -> None:
    seen.gate = {PAIR: GateRow(10, 4, 0)}


def unit_twice(seen: Evidence) -> None:
    seen.gate = {PAIR: GateRow(10, 6, 0)}


def pair_gone(seen: Evidence) -> None:
    seen.gate = {}


def sale_lost(seen: Evidence) -> None:
    seen.warehouse = {PAIR: Row(11, 5, 0, 0)}


def old_position(seen: Evidence) -> None:
    seen.topic = {PAIR: Row(10, 3, 0, 0)}


def row_too_many(seen: Evidence) -> None:
    seen.warehouse = {**seen.warehouse, ("X", "S001"): Row(0, 0, 0, 0)}


def held_for_ever(seen: Evidence) -> None:
    seen.gate = {PAIR: GateRow(10, 3, 2)}


def payment_forgotten(seen: Evidence) -> None:
    seen.paid.append(Paid("h3", 8.0, ((*PAIR, 1),)))


def payment_of_less(seen: Evidence) -> None:
    seen.paid[0] = Paid("h1", 5.0, ((*PAIR, 2),))


def claim_of_nobody(seen: Evidence) -> None:
    seen.reservations["c"] = reservation("h9", 1, 3)


def number_twice(seen: Evidence) -> None:
    seen.reservations["b"] = reservation("h2", 2, 1)


FAULTS: list[tuple[Callable[[Evidence], None], str]] = [
    (oversold, "oversold units"),
    (unit_gone, "lost units"),
    (unit_twice, "lost units"),
    (pair_gone, "lost units"),
    (sale_lost, "wrong positions, warehouse"),
    (old_position, "wrong positions, topic"),
    (row_too_many, "wrong positions, warehouse"),
    (held_for_ever, "units still held"),
    (payment_forgotten, "payments forgotten"),
    (payment_of_less, "payments forgotten"),
    (claim_of_nobody, "claims nobody asked for"),
    (number_twice, "holes in claim numbers"),
]


def failing(seen: Evidence) -> set[str]:
    return {number.name for number in count(seen) if number.zero and number.value}


def test_a_drill_in_which_all_is_well() -> None:
    assert failing(evidence()) == set()


@pytest.mark.parametrize(("fault", "name"), FAULTS, ids=lambda one: getattr(one, "__name__", ""))
def test_each_loss_is_seen(fault: Callable[[Evidence], None], name: str) -> None:
    seen = evidence()
    fault(seen)
    assert name in failing(seen)


def test_a_payment_just_before_redis_lost_its_data_is_told_apart() -> None:
    seen = evidence()
    payment_forgotten(seen)
    seen.lost_at = [8.4]
    assert "payments forgotten" not in failing(seen)
    told = {number.name: number.value for number in count(seen)}
    assert told["payments in the lost second"] == 1
    # Its unit may be sold once more: that is the same loss, not another one.
    seen.topups = [(1.0, PAIR[0], 5)]
    assert "oversold units" not in failing(seen)
    seen.lost_at = [18.0]
    assert {"payments forgotten", "oversold units"} <= failing(seen)


def test_a_claim_whose_answer_was_lost_is_told_apart() -> None:
    seen = evidence()
    claim_of_nobody(seen)
    seen.tried.add("h9")
    told = {number.name: number.value for number in count(seen)}
    assert (told["claims nobody asked for"], told["claims without an answer"]) == (0, 1)


def test_the_books_are_compared_pair_by_pair() -> None:
    seen = evidence()
    seen.sent = [sent("1", "received", 10, source="till/S001/1"), sent("2", "sold", 4)]
    right = ("S001", "RUSH-1", 10, 3, 0, 0, 9)
    wrong = ("S001", "RUSH-1", 9, 3, 0, 0, 9)
    assert disagreements(seen, [right], {"h1"}, "web/unanswered") == []
    found: list[Pair] = disagreements(seen, [wrong], {"h1"}, "web/unanswered")
    assert found == [PAIR]


def test_messages_that_say_the_same_are_counted_once_a_key() -> None:
    taken = Receiver()
    body = {"kind": "raised", "alerts": [_alert("A"), _alert("B")]}
    taken.take("k1", body)
    taken.take("k1", body)
    assert taken.repeated() == (0, 1)
    taken.take("k2", msgspec.structs.asdict(_Body("raised", [_alert("B")])))
    assert taken.repeated() == (1, 1)
    taken.take("k3", {"kind": "raised", "alerts": [_alert("B", -1)]})
    assert taken.repeated() == (1, 1), "another figure of the same instant is another state"
    assert isinstance(taken.messages[0], Message)
    assert taken.first("B") is not None
    assert taken.first("C") is None


class _Body(msgspec.Struct):
    kind: str
    alerts: list[dict[str, Any]]


def _alert(sku: str, observed: int = 0) -> dict[str, Any]:
    return {
        "alert": f"stock_out/{sku}@S001/x",
        "status": "raised",
        "updated_at": "2026-11-23T00:00:00Z",
        "observed": observed,
        "sku": sku,
    }
