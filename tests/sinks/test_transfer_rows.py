"""Suggestions as rows and back, as records, and the table that people read."""

from __future__ import annotations

from pathlib import Path

import msgspec
from transfer_world import NOW, SKU, World, answer, moved, position

from operators.stock.transfers.facts import TransferBatch
from operators.stock.transfers.history import shard_from
from operators.stock.transfers.shard import TransferOutcome
from schemas.alert import Alert
from schemas.instants import DAY_US, HOUR_US
from schemas.transfer import TransferSuggestion
from schemas.warehouse import STOCK_ALERT, TRANSFER_SUGGESTION
from sinks.kafka.events import refused_event
from sinks.transfers.records import alert_record, records_of, suggestion_record
from sinks.transfers.table import TransferTable
from sinks.warehouse.client import Warehouse
from sinks.warehouse.transfer_rows import suggestion_of, suggestion_row, suggestion_rows


def lived() -> World:
    """A world with suggestions in many states, an alert and a refusal."""
    world = World()
    world.tell(position("A", 90), position("B", 0), position("C", 1), position("D", -3))
    world.wait(hours=1)
    first, second, third = sorted(world.open(), key=lambda one: one.to_place)
    world.tell(answer(first.suggestion, "accepted", transfer="T-1"))
    world.tell(answer(second.suggestion, "rejected"), answer("nobody", "accepted"))
    sent = {"transfer": "T-1", "time": world.now}
    world.tell(moved("transfer_out", "o", "A", first.quantity, to_place="B", **sent))
    world.wait(hours=40)
    assert {one.status for one in world.log} >= {"proposed", "accepted", "rejected", "shipped"}
    assert third.suggestion in world.newest
    assert world.alerts
    assert world.refusals
    return world


def outcome_of(world: World) -> TransferOutcome:
    return TransferOutcome(world.log, world.alerts, world.refusals)


def test_a_row_has_every_column_and_gives_the_suggestion_back() -> None:
    for one in lived().log:
        row = suggestion_row(one)
        assert set(row) == set(TRANSFER_SUGGESTION.names)
        assert suggestion_of(row) == one


def test_of_two_copies_of_a_state_one_row_is_made() -> None:
    (one, *_) = lived().log
    assert suggestion_rows([one, one]).num_rows == 1
    assert suggestion_rows([]).schema == TRANSFER_SUGGESTION.arrow()


def test_records_carry_the_state_under_its_version() -> None:
    world = lived()
    one = world.log[-1]
    record = suggestion_record(one)
    headers = dict(record.headers)
    assert (record.topic, record.key) == ("stock.transfer_suggestion.v1", SKU.encode())
    assert headers["ce_id"] == f"{one.suggestion}#{one.version}".encode()
    assert msgspec.json.decode(record.value or b"", type=TransferSuggestion) == one
    alert = world.alerts[0]
    said = alert_record(alert)
    assert said.key == f"{SKU}@{alert.place}".encode()
    assert msgspec.json.decode(said.value or b"", type=Alert) == alert
    found = list(records_of(outcome_of(world)))
    assert [one.topic for one in found[: len(world.alerts)]] == ["stock.alert.v1"] * len(
        world.alerts
    )
    assert found[-1] == refused_event(world.refusals[0])


def test_the_table_keeps_every_state_and_shows_the_newest(tmp_path: Path) -> None:
    world = lived()
    warehouse = Warehouse(tmp_path / "shop.duckdb")
    table = TransferTable(warehouse)
    for _ in range(2):
        # Written twice, as after a crash: the same rows.
        table.write(outcome_of(world))
    assert sorted(table.states(), key=lambda one: (one.suggestion, one.version)) == sorted(
        world.log, key=lambda one: (one.suggestion, one.version)
    )
    assert {one.suggestion: one for one in table.current()} == world.newest
    shipped = table.current(statuses=["shipped"])
    assert [one.status for one in shipped] == ["shipped"]
    assert table.one(shipped[0].suggestion) == shipped[0]
    assert table.one("nobody") is None
    assert shipped[0].suggestion in table.near(shipped[0].suggestion.lower())
    alerts = warehouse.execute(f"SELECT alert_type, shortfall FROM {STOCK_ALERT.name}")
    assert alerts == [("transfer_discrepancy", world.alerts[-1].shortfall)]
    assert warehouse.execute("SELECT reason_code FROM dead_letter") == [("unknown_suggestion",)]
    warehouse.close()


def test_a_machine_that_only_knows_the_stored_states_promises_nothing_twice() -> None:
    world = World()
    world.tell(position("A", 12), position("B", 0))
    (one,) = world.wait(hours=1)
    again = shard_from(world.log, world.rules)
    places = [position("A", 12, tick=1), position("B", 0, tick=1), position("C", 0)]
    again.apply([TransferBatch(0, list(places))], world.now)
    out = again.plan_all(world.now)
    kept = again.state_of(SKU).suggestions
    assert one.suggestion in kept
    assert kept[one.suggestion].status == "proposed"
    assert sum(each.quantity for each in kept.values() if each.from_place == "A") <= 5
    assert all(each.suggestion.rpartition("/")[2] != "1" for each in out.suggestions)


def test_a_machine_from_stored_states_keeps_the_peace() -> None:
    world = World()
    world.tell(position("A", 60), position("B", 0))
    (one,) = world.wait(hours=1)
    world.tell(moved("transfer_out", "o", "A", 5, to_place="B", transfer=one.suggestion, time=NOW))
    world.tell(moved("transfer_in", "i", "B", 5, transfer=one.suggestion, time=NOW))
    assert world.newest[one.suggestion].status == "executed"
    pair = shard_from(world.log, world.rules).state_of(SKU).peace("A", "B")
    assert pair.cool_until == world.now + 7 * DAY_US
    assert pair.quiet_until == world.now + 24 * HOUR_US
    assert not shard_from(world.log, world.rules).state_of(SKU).suggestions
