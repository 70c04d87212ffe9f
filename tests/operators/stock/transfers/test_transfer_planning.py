"""Who gives and who takes, how much, over which roads, and what it is said to be worth."""

from __future__ import annotations

from typing import Any

import pytest
from transfer_world import NOW, SKU, World, chain, position

from operators.stock.transfers.loss import expected_lost
from operators.stock.transfers.needs import current_rate
from operators.stock.transfers.rules import TransferRules
from schemas.chain import Chain, Place
from schemas.instants import DAY_US
from schemas.transfer import TransferSuggestion
from schemas.transfer_rules import TransferRoute, TransferTerms


def planned(*places: Any, world: World | None = None, **config: Any) -> list[TransferSuggestion]:
    """What is suggested for these places."""
    world = world or World(chain(**config))
    world.tell(*places)
    world.wait(hours=1)
    return world.open()


def ways(found: list[TransferSuggestion]) -> list[tuple[str, str, int]]:
    return sorted((one.from_place, one.to_place, one.quantity) for one in found)


def test_a_taker_is_filled_to_its_target_and_a_donor_kept_at_its_level() -> None:
    assert ways(planned(position("A", 60), position("B", 1))) == [("A", "B", 4)]
    assert ways(planned(position("A", 9), position("B", 1))) == [("A", "B", 2)]
    assert ways(planned(position("A", 60), position("B", 2))) == []
    assert ways(planned(position("A", 60), position("B", 2, safety_stock=3))) == [("A", "B", 3)]


def test_nobody_is_sent_more_than_he_sells_in_time() -> None:
    slow = position("B", 0, rate=0.1, safety_stock=20)
    free = (TransferRoute(fixed_cost=0, unit_cost=0, lead_time_hours=2),)
    found = planned(position("A", 60), slow, routes=free, min_net_benefit=0)
    assert ways(found) == [("A", "B", 3)]
    # A promise that cannot be kept is sold already, whatever the rate.
    promised = position("B", -2, rate=0.0)
    assert ways(planned(position("A", 60), promised)) == [("A", "B", 2)]


def test_modes() -> None:
    places = position("A", 60), position("B", 1), position("C", -2)
    assert ways(planned(*places, mode="reactive")) == [("A", "C", 2)]
    assert ways(planned(*places, mode="proactive"))[0] == ("A", "B", 4)
    # Both in one move: the trip is paid for once.
    assert ways(planned(*places, mode="hybrid")) == [("A", "B", 4), ("A", "C", 7)]


def test_packs_and_smallest_transfers() -> None:
    terms = (TransferTerms(sku="TEA-*", unit_margin=1_000, pack=6),)
    assert ways(planned(position("A", 18), position("B", 0), terms=terms)) == [("A", "B", 6)]
    assert planned(position("A", 12), position("B", 0), terms=terms) == []
    few = (TransferTerms(unit_margin=1_000, min_quantity=5),)
    assert ways(planned(position("A", 12), position("B", 0), terms=few)) == [("A", "B", 5)]
    assert planned(position("A", 11), position("B", 0), terms=few) == []
    other = (TransferTerms(sku="COFFEE-*", pack=6), TransferTerms(unit_margin=1_000))
    assert ways(planned(position("A", 11), position("B", 0), terms=other)) == [("A", "B", 4)]


def test_kinds_of_places_that_give_and_take() -> None:
    given = Chain(places={"W": Place(kind="central_warehouse")}, transfers=chain().transfers)
    assert planned(position("W", 900, rate=0.0), position("B", 0), world=World(given)) == []
    assert planned(position("A", 60), position("W", -5), world=World(given)) == []


def test_within_a_pool_only() -> None:
    places = position("A", 60, pool="north"), position("B", 0, pool="south")
    assert planned(*places, within="pool") == []
    assert planned(*places, within="chain")


def test_the_near_donor_is_asked_first_and_closed_roads_not_at_all() -> None:
    routes = (
        TransferRoute(from_place="C", allowed=False),
        TransferRoute(fixed_cost=100, unit_cost=10, km_cost=10, lead_time_hours=2, km_per_hour=50),
    )
    coordinates = {"A": (31.2, 121.5), "B": (31.3, 121.4), "D": (39.9, 116.4), "C": (31.3, 121.4)}
    places = [position(name, 60) for name in "ACD"]
    (one,) = planned(*places, position("B", 0), routes=routes, coordinates=coordinates)
    assert (one.from_place, one.to_place) == ("A", "B")
    # 14.6 km at 10 a kilometre, and 10 for each of 5 units.
    assert one.transport_cost == 100 + 147 + 50
    assert one.lead_time_h == pytest.approx(2.29, abs=0.01)


def test_distances() -> None:
    rules = TransferRules(
        chain(
            coordinates={"SH": (31.2304, 121.4737), "BJ": (39.9042, 116.4074)},
            routes=(TransferRoute(max_km=500),),
        )
    )
    assert rules.km("SH", "BJ") == pytest.approx(1_067, abs=2)
    assert rules.road("SH", "BJ") is None
    # How far it is nobody said, so nobody can say that it is near enough.
    assert rules.road("SH", "X") is None
    assert rules.road("SH", "SH") is None


def test_what_does_not_pay_is_not_suggested() -> None:
    places = position("A", 60), position("B", 0, rate=0.5)
    (one,) = planned(*places, min_net_benefit=0)
    assert planned(*places, min_net_benefit=one.net_benefit)
    assert planned(*places, min_net_benefit=one.net_benefit + 1) == []
    assert planned(*places, routes=(TransferRoute(fixed_cost=9_000),)) == []


def test_the_figures_of_a_suggestion_are_those_of_its_formula() -> None:
    (one,) = planned(position("A", 12, rate=1.0, tick=4), position("B", 1, rate=1.0, tick=8))
    assert one.quantity == 4
    # Two hours of lead time sell nothing of one unit a day; seven days are the horizon.
    saved = expected_lost(7.0, 1) - expected_lost(7.0, 5)
    own = expected_lost(7.0, 8) - expected_lost(7.0, 12)
    assert one.expected_lost_sales_avoided == pytest.approx(saved, abs=1e-3)
    assert one.transport_cost == 100 + 4 * 10
    assert one.net_benefit == int(1_000 * (saved - own) - one.transport_cost)
    assert (one.donor_before.available, one.donor_after.available) == (12, 8)
    assert (one.taker_before.available, one.taker_after.available) == (1, 5)
    assert (one.donor_after.days_of_cover, one.taker_after.days_of_cover) == (8.0, 5.0)
    assert one.based_on_versions == (5, 9)
    assert (one.needed_by - one.updated_at).days == 1
    assert one.suggestion == f"{SKU}/A>B/1"


def test_several_donors_and_takers_share_what_there_is() -> None:
    places = [position("A", 10), position("B", 9), position("C", 0), position("D", 1)]
    found = planned(*places)
    assert sum(one.quantity for one in found) == 5
    assert {one.from_place for one in found} == {"A", "B"}
    net = sum(one.net_benefit for one in found)
    for left_out in found:
        assert left_out.net_benefit >= 100
        assert net >= left_out.net_benefit


def test_a_rate_fades_where_goods_stand_and_nothing_happens() -> None:
    rules = TransferRules(chain())
    day = 1 - 1 / 14
    assert current_rate(2.0, 5, NOW, NOW + DAY_US - 1, rules) == 2.0
    assert current_rate(2.0, 5, NOW, NOW + 3 * DAY_US, rules) == pytest.approx(2 * day**3)
    # An empty shelf sells nothing and says nothing.
    assert current_rate(2.0, 0, NOW, NOW + 27 * DAY_US, rules) == 2.0
    assert current_rate(2.0, 0, NOW, NOW + 28 * DAY_US, rules) == 0.0


def test_hundreds_of_places_are_planned_within_the_limits() -> None:
    """A chain of 240 shops: every taker looks at a dozen donors."""
    places = [position(f"S{n:03d}", (n * 7) % 30, rate=1.0) for n in range(240)]
    found = planned(*places, routes=(TransferRoute(fixed_cost=300, lead_time_hours=2),))
    given: dict[str, int] = {}
    for one in found:
        given[one.from_place] = given.get(one.from_place, 0) + one.quantity
    assert len(found) >= 10
    for place, units in given.items():
        assert (int(place[1:]) * 7) % 30 - units >= 7
