"""Suggestions as they go on: answers, what nobody answers, what is replaced and what is shipped."""

from __future__ import annotations

import msgspec
import pytest
from transfer_world import NOW, SKU, World, answer, chain, moved, oversell, position

from operators.engine import ShardLogic
from operators.stock.transfers.facts import TransferBatch
from operators.stock.transfers.shard import TransferShard
from schemas.instants import HOUR_US, to_micros


def suggested(world: World) -> str:
    world.tell(position("A", 60), position("B", 0))
    (one,) = world.wait(hours=1)
    return str(one.suggestion)


def test_states_and_versions_of_a_transfer_that_is_carried_out() -> None:
    world = World()
    name = suggested(world)
    world.tell(answer(name, "accepted", transfer="T-1", by="Li"))
    world.tell(moved("transfer_out", "o", "A", 5, to_place="B", transfer="T-1", time=world.now))
    world.tell(moved("transfer_in", "i", "B", 5, transfer="T-1", time=world.now))
    mine = [(one.status, one.version) for one in world.log]
    assert mine == [("proposed", 1), ("accepted", 2), ("shipped", 3), ("executed", 4)]
    assert world.newest[name].transfer == "T-1"
    assert not world.alerts


def test_goods_that_leave_under_the_suggestions_own_name_need_no_answer() -> None:
    world = World()
    name = suggested(world)
    world.tell(moved("transfer_out", "o", "A", 5, to_place="B", transfer=name, time=world.now))
    assert world.newest[name].status == "shipped"
    world.tell(answer(name, "accepted"))
    assert not world.refusals
    world.tell(answer(name, "rejected"))
    assert [one.code for one in world.refusals] == ["suggestion_is_over"]


def test_facts_win_over_what_was_said() -> None:
    world = World()
    name = suggested(world)
    world.tell(answer(name, "rejected"))
    world.tell(moved("transfer_out", "o", "A", 5, to_place="B", transfer=name, time=world.now))
    assert world.newest[name].status == "shipped"


def test_answers_twice_are_once_and_answers_too_late_are_refused_in_words() -> None:
    world = World()
    name = suggested(world)
    assert len(world.tell(answer(name, "accepted"), answer(name, "accepted"))) == 1
    assert not world.refusals
    world.wait(hours=49)
    assert world.newest[name].status == "expired"
    world.tell(answer(name, "accepted"), answer("TEA-1/X>Y/1", "accepted"))
    over, unknown = world.refusals
    assert (over.code, unknown.code) == ("suggestion_is_over", "unknown_suggestion")
    assert "is expired since 2026-" in over.reason
    assert (over.origin, over.position, over.raw) == ("decisions/0", 7, b"{}")


def test_accepted_goods_may_take_longer_than_the_answer() -> None:
    world = World()
    name = suggested(world)
    world.wait(hours=20)
    world.tell(answer(name, "accepted"))
    world.wait(hours=47)
    assert world.newest[name].status == "accepted"


def test_quiet_time_of_a_refusal_can_be_said() -> None:
    world = World()
    world.tell(answer(suggested(world), "rejected", quiet_hours=3))
    world.wait(hours=2.9)
    assert not world.open()
    world.wait(hours=1)
    assert len(world.open()) == 1


def test_goods_that_left_are_gone_before_the_position_says_so() -> None:
    """The movement is known, the positions still show the goods: another place is in need."""
    world = World(chain(protected_days=0.0))
    world.tell(position("A", 10, rate=0.01), position("B", 0, rate=2.0))
    (one,) = world.wait(hours=1)
    assert one.quantity == 10
    world.tell(answer(one.suggestion, "accepted"))
    left = moved(
        "transfer_out", "o", "A", 10, to_place="B", transfer=one.suggestion, time=world.now
    )
    world.tell(left)
    assert world.tell(position("C", -5)) == []
    # Nor is the taker, whose goods are not in its position yet, sent them twice.
    world.tell(position("D", 90, rate=0.01))
    world.wait(hours=1)
    assert {other.to_place for other in world.open("proposed")} == {"C"}
    world.tell(position("A", 0, rate=0.01, tick=HOUR_US), position("B", 0, rate=2.0, tick=1))
    world.wait(hours=1)
    assert {other.to_place for other in world.open("proposed")} == {"C"}


def test_a_place_that_waits_for_goods_gives_none() -> None:
    world = World()
    world.tell(answer(suggested(world), "accepted"))
    world.tell(position("A", 8, tick=1), position("B", 90, tick=1), position("C", 0))
    world.wait(hours=3)
    assert [one.to_place for one in world.open("proposed")] == []


def test_small_changes_change_nothing_large_ones_replace() -> None:
    world = World()
    world.tell(position("A", 12), position("B", 0))
    (first,) = world.wait(hours=1)
    assert first.quantity == 5
    world.tell(position("A", 11, tick=1))
    assert world.wait(hours=1) == []
    world.tell(position("A", 9, tick=2))
    gone, instead = world.wait(hours=1)
    assert (gone.suggestion, gone.status, gone.version) == (first.suggestion, "superseded", 2)
    assert (instead.status, instead.quantity) == ("proposed", 2)
    assert instead.supersedes == first.suggestion
    world.tell(position("A", 7, tick=3))
    assert [one.status for one in world.wait(hours=1)] == ["superseded"]


def test_a_much_better_donor_replaces_and_a_little_better_one_does_not() -> None:
    world = World()
    world.tell(position("A", 9), position("B", 0))
    (first,) = world.wait(hours=1)
    assert first.quantity == 2
    world.tell(position("C", 9))
    more = world.wait(hours=1)
    assert [(one.from_place, one.status, one.quantity) for one in more] == [("C", "proposed", 2)]
    world.tell(position("D", 60))
    found = world.wait(hours=1)
    assert [one.status for one in world.open()] == ["proposed"] * len(world.open())
    assert {one.from_place for one in found if one.status == "proposed"} == {"D"}


def test_a_sku_is_planned_at_most_so_often() -> None:
    world = World(chain(replan_minutes=60.0, min_net_benefit=0))
    world.tell(position("A", 60), position("B", 50))
    world.wait(minutes=1)
    world.tell(position("B", 0, tick=1))
    assert world.wait(minutes=58) == []
    assert len(world.wait(minutes=2)) == 1


def test_an_oversell_alert_is_a_promise_at_risk_until_it_is_cleared() -> None:
    world = World(chain(mode="reactive"))
    world.tell(position("A", 60), position("B", 1))
    (one,) = world.tell(oversell("B", 3, ("web-9",)))
    assert (one.to_place, one.quantity, one.pegged_orders) == ("B", 3, ["web-9"])
    world.tell(oversell("B", 3, status="cleared"))
    assert [one.status for one in world.wait(hours=1)] == ["superseded"]


def test_old_positions_and_copies_change_nothing() -> None:
    world = World()
    world.tell(position("A", 60, tick=5), position("B", 0, tick=5))
    world.tell(position("A", 3, tick=4), position("B", 90, tick=5))
    (one,) = world.wait(hours=1)
    assert (one.from_place, one.to_place) == ("A", "B")


def test_nothing_is_remembered_for_ever() -> None:
    world = World()
    name = suggested(world)
    world.tell(
        answer(name, "accepted"),
        moved("transfer_out", "o", "A", 5, to_place="B", transfer=name, time=world.now),
        moved("transfer_in", "i", "B", 5, transfer=name, time=world.now),
        moved("corrected", "c", "B", corrects="nobody"),
        position("B", 20, tick=HOUR_US),
    )
    world.wait(days=9)
    state = world.shard.state_of(SKU)
    assert not state.suggestions
    assert not state.shipments
    assert not state.pairs
    assert not state.taken_back
    assert world.shard.due(world.now) is None
    # The number goes on, so no id comes twice.
    world.tell(position("A", 60, tick=2 * HOUR_US), position("B", 0, tick=2 * HOUR_US))
    (again,) = world.wait(hours=1)
    assert again.suggestion == f"{SKU}/A>B/2"


def test_a_state_of_another_version_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="version 99, this program reads 1"):
        TransferShard(World().rules).restore(99, b"")


def test_instants_are_those_of_the_clock_that_was_given() -> None:
    world = World()
    name = suggested(world)
    one = world.newest[name]
    assert NOW < to_micros(one.updated_at) < NOW + HOUR_US
    assert to_micros(one.not_after) - to_micros(one.updated_at) == 24 * HOUR_US


def test_a_far_timer_does_not_hold_up_what_comes_in_later() -> None:
    """One SKU waits a day for its answer; the next one is planned when its positions are in."""
    world = World()
    now = [NOW]
    shard = TransferShard(world.rules)
    logic = ShardLogic(shard, None, None, clock=lambda: now[0], live=True, keep_state=False)

    def woken() -> list[str]:
        at = logic.notify_at()
        assert at is not None
        now[0] = to_micros(at)
        return [one.status for out in logic.on_notify()[0] for one in out.suggestions]

    logic.on_batch([TransferBatch(0, [position("A", 60), position("B", 0)])])
    assert woken() == ["proposed"]
    waits = logic.notify_at()
    assert waits is not None
    assert to_micros(waits) - now[0] == world.rules.valid
    others = [msgspec.structs.replace(position(name, 60), sku="TEA-2") for name in "AC"]
    others += [msgspec.structs.replace(position("B", 0), sku="TEA-2")]
    logic.on_batch([TransferBatch(0, [*others])])
    before = now[0]
    assert woken() == ["proposed"]
    assert now[0] - before == world.rules.settle
