"""Pitfalls of stock systems that move goods between places, each by its number in the study."""

from __future__ import annotations

from transfer_world import NOW, SKU, World, answer, chain, moved, oversell, position

from schemas.instants import DAY_US, HOUR_US

# More days than anything is left in peace for.
LONG = 30


def take_all(world: World) -> str:
    """A rich and a poor place: the suggestion between them."""
    world.tell(position("A", 60), position("B", 0))
    (one,) = world.wait(hours=1)
    assert (one.from_place, one.to_place, one.status) == ("A", "B", "proposed")
    return str(one.suggestion)


def test_47_short_receipt_stays_open_until_it_is_explained() -> None:
    world = World()
    name = take_all(world)
    world.tell(answer(name, "accepted", transfer="T-9"))
    world.tell(moved("transfer_out", "o1", "A", 5, to_place="B", transfer="T-9", time=world.now))
    assert world.newest[name].status == "shipped"
    world.tell(moved("transfer_in", "i1", "B", 3, transfer="T-9", time=world.now))
    assert world.newest[name].status == "shipped"
    assert not world.alerts
    world.wait(hours=24)
    (alert,) = world.alerts
    assert (alert.alert_type, alert.status) == ("transfer_discrepancy", "raised")
    assert (alert.level, alert.observed, alert.shortfall) == (5, 3, 2)
    assert alert.evidence[0]["from_place"] == "A"
    world.tell(moved("transfer_in", "i2", "B", 1, transfer="T-9", time=world.now))
    assert (world.alerts[-1].status, world.alerts[-1].shortfall) == ("updated", 1)
    # The sender finds one that never left.
    world.tell(moved("adjusted", "a1", "A", 1, transfer="T-9", time=world.now))
    assert (world.alerts[-1].status, world.alerts[-1].alert) == ("cleared", alert.alert)
    assert world.newest[name].status == "executed"


def test_47_a_short_receipt_of_an_unplanned_transfer_is_seen_as_well() -> None:
    world = World()
    world.tell(
        moved("transfer_in", "i1", "B", 8, transfer="T-1"),
        moved("transfer_out", "o1", "C", 10, to_place="B", transfer="T-1"),
        moved("transfer_in", "i1", "B", 8, transfer="T-1"),
    )
    world.wait(hours=25)
    assert [(one.observed, one.level) for one in world.alerts] == [(8, 10)]
    world.wait(days=LONG)
    assert len(world.alerts) == 1


def test_47_what_never_arrives_is_asked_for_after_the_road_and_the_grace() -> None:
    world = World()
    world.tell(moved("transfer_out", "o1", "C", 4, to_place="B", transfer="T-1"))
    world.wait(hours=25.9)
    assert not world.alerts
    world.wait(hours=0.2)
    assert [one.shortfall for one in world.alerts] == [4]


def test_47_a_correction_takes_its_movement_out_whichever_comes_first() -> None:
    for first in (True, False):
        world = World()
        wrong = moved("transfer_out", "o1", "C", 9, to_place="B", transfer="T-1")
        correction = moved("corrected", "c1", "C", corrects=wrong.identity)
        world.tell(*((correction, wrong) if first else (wrong, correction)))
        world.wait(days=LONG)
        assert not world.alerts
        assert not world.shard.state_of(SKU).shipments


def test_48_goods_on_the_road_are_no_stock_to_give_and_are_supply_to_come() -> None:
    world = World()
    # B waits for 50 units on the road: it neither gives them away nor asks for more.
    world.tell(position("B", 0, in_transit=50), position("C", 0), position("D", 60, rate=0.1))
    world.wait(days=1)
    assert {(one.from_place, one.to_place) for one in world.log} == {("D", "C")}


def test_49_what_is_promised_to_orders_or_needed_at_home_is_not_given_away() -> None:
    world = World()
    world.tell(position("A", 5, rate=0.4, on_hand=8, allocated=3), position("B", 0, rate=2.0))
    (one,) = world.wait(hours=1)
    # Seven days of 0.4 are 3 units: 2 of the 8 on the shelf may go.
    assert one.quantity == 2
    assert one.donor_after.available == 3


def test_50_two_takers_are_not_promised_the_same_surplus() -> None:
    world = World(chain(protected_days=0.0))
    world.tell(position("A", 6, rate=0.01), position("B", 0), position("C", 0))
    world.wait(hours=1)
    assert sum(one.quantity for one in world.open()) <= 6
    assert {one.to_place for one in world.open()} == {"B", "C"}


def test_50_a_later_taker_finds_the_surplus_already_claimed() -> None:
    world = World(chain(protected_days=0.0))
    world.tell(position("A", 6, rate=0.01), position("B", 0, rate=2.0))
    world.wait(hours=1)
    world.tell(answer(world.open()[0].suggestion, "accepted"))
    claimed = world.open()[0].quantity
    world.tell(position("C", 0))
    world.wait(hours=1)
    assert claimed + sum(one.quantity for one in world.open("proposed")) <= 6


def test_51_no_ping_pong_when_the_tide_turns() -> None:
    world = World()
    name = take_all(world)
    world.tell(answer(name, "accepted"))
    world.tell(moved("transfer_out", "o1", "A", 5, to_place="B", transfer=name, time=world.now))
    world.tell(moved("transfer_in", "i1", "B", 5, transfer=name, time=world.now + 1))
    # Now B has plenty and A has nothing.
    world.tell(position("A", 0, tick=DAY_US), position("B", 60, tick=DAY_US))
    world.wait(days=6)
    assert not world.open()
    world.wait(days=2)
    assert [(one.from_place, one.to_place) for one in world.open()] == [("B", "A")]


def test_51_what_was_just_brought_is_not_carried_on_to_a_third_place() -> None:
    world = World()
    name = take_all(world)
    world.tell(answer(name, "accepted"))
    world.tell(moved("transfer_out", "o1", "A", 5, to_place="B", transfer=name, time=world.now))
    world.tell(position("A", 55, tick=1), position("B", 60, tick=1), position("C", 0, tick=1))
    world.wait(days=1)
    assert {one.from_place for one in world.open()} == {"A"}


def test_52_the_order_of_places_does_not_decide_who_is_served() -> None:
    places = [position("A", 30), position("B", 0), position("C", 0), position("D", 40)]
    found = []
    for order in (places, places[::-1], places[2:] + places[:2]):
        world = World()
        for fact in order:
            world.tell(fact)
        world.wait(hours=1)
        found.append({(one.from_place, one.to_place, one.quantity) for one in world.open()})
    assert found[0] == found[1] == found[2]
    assert found[0]


def test_53_an_open_suggestion_is_not_made_again() -> None:
    world = World(chain(valid_hours=200.0))
    take_all(world)
    for hour in range(1, 30):
        world.tell(position("A", 60 - hour % 2, tick=hour), position("B", 0, tick=hour))
        world.wait(hours=1)
    assert len(world.log) == 1


def test_53_silence_and_refusal_are_answers_for_a_while() -> None:
    for refuse in (False, True):
        world = World()
        name = take_all(world)
        if refuse:
            world.tell(answer(name, "rejected", reason="market day"))
        world.wait(hours=24)
        assert world.newest[name].status == ("rejected" if refuse else "expired")
        world.wait(hours=47 - 24 * refuse)
        assert not world.open()
        world.wait(hours=2)
        assert len(world.open()) == 1


def test_54_a_place_brought_exactly_to_its_level_asks_for_no_more() -> None:
    world = World(chain(trigger_days=5.0, target_days=5.0, cool_down_days=0.0))
    world.tell(position("A", 90, rate=1.0), position("B", 0, rate=1.0))
    (one,) = world.wait(hours=1)
    assert one.quantity == 5
    world.tell(answer(one.suggestion, "accepted"))
    world.tell(
        moved("transfer_out", "o", "A", 5, to_place="B", transfer=one.suggestion, time=NOW),
        moved("transfer_in", "i", "B", 5, transfer=one.suggestion, time=NOW),
        position("A", 85, tick=HOUR_US),
        position("B", 5, tick=HOUR_US),
    )
    world.wait(hours=12)
    assert not world.open()


def test_promises_at_risk_are_planned_for_at_once_and_name_their_orders() -> None:
    world = World()
    world.tell(position("A", 60), position("B", 5))
    world.wait(hours=1)
    assert not world.log
    (one,) = world.tell(position("B", -2, tick=1), oversell("B", 2, ("web-1", "web-2")))
    assert (one.mode, one.pegged_orders) == ("reactive", ["web-1", "web-2"])
    assert one.reason_codes[0] == "promise_at_risk"
    assert one.quantity >= 2
    # The same danger again is no news.
    assert not world.tell(position("B", -2, tick=2))
