"""The yardsticks themselves, by examples small enough to be worked out by hand.

Numbers in brackets are the pitfalls of the trade that an example stands for.
"""

from __future__ import annotations

from typing import Any

import pytest
from stock_events import NOON, Event, elsewhere
from stock_oracle import Position, expect, rule_for
from stock_strategies import (
    GARBAGE_KINDS,
    correction,
    event,
    render,
)

from schemas.chain import Chain, Place, StockConfig, StockRule
from schemas.instants import MINUTE_US

HOURS = 60  # minutes
HORIZON = 48 * HOURS


def row(*events: Event, place: str = "S1", chain: Chain | None = None) -> Position:
    return expect(events, chain).positions["TEA", place]


def quantities(*events: Event, place: str = "S1") -> tuple[int, int, int, int]:
    """On hand, allocated, quarantined, in transit."""
    found = row(*events, place=place)
    return found.on_hand, found.allocated, found.quarantined, found.in_transit


def dead(*events: Event, **more: Any) -> dict[int, str]:
    return expect(events, **more).dead_letters


def minutes(position: Position) -> float:
    return (position.as_of - NOON) / MINUTE_US


class TestQuantities:
    @pytest.mark.parametrize(
        ("kind", "quantity", "expected"),
        [
            ("received", 5, (5, 0, 0, 0)),
            ("sold", 5, (-5, 0, 0, 0)),
            ("returned", 5, (0, 0, 5, 0)),
            ("restocked", 5, (5, 0, -5, 0)),
            ("written_off", 5, (0, 0, -5, 0)),
            ("allocated", 5, (0, 5, 0, 0)),
            ("released", 5, (0, -5, 0, 0)),
            ("shipped", 5, (-5, -5, 0, 0)),
            ("transfer_in", 5, (5, 0, 0, -5)),
            ("adjusted", -5, (-5, 0, 0, 0)),
            ("counted", 5, (5, 0, 0, 0)),
        ],
    )
    def test_each_kind(self, kind: str, quantity: int, expected: tuple[int, int, int, int]) -> None:
        assert expected == quantities(event(kind, quantity))

    def test_available_is_what_is_left_of_on_hand(self) -> None:
        chain = Chain(stock=StockConfig(rules=(StockRule(sku="T*", floor=2), StockRule(floor=9))))
        found = row(event("received", 10), event("allocated", 3), chain=chain)
        assert (found.on_hand, found.allocated, found.available, found.version) == (10, 3, 5, 2)

    def test_double_release_gives_back_once(self) -> None:
        """[17] cancel and expiry both report the same release."""
        release = event("released", 3, 2)
        assert quantities(event("received", 5), event("allocated", 3, 1), release, release) == (
            5,
            0,
            0,
            0,
        )

    def test_count_below_the_claims(self) -> None:
        """[23] the count stands, and the order can still be cancelled."""
        events = [event("received", 5), event("allocated", 3, 1), event("counted", 0, 2)]
        assert row(*events).available == -3
        assert row(*events, event("released", 3, 3)).available == 0

    def test_return_before_its_sale(self) -> None:
        """[59] nothing is rejected; on hand settles when the sale comes."""
        returned = event("returned", 1, 9)
        assert quantities(returned) == (0, 0, 1, 0)
        assert quantities(returned, event("sold", 1, 1)) == (-1, 0, 1, 0)

    def test_returned_is_not_sellable_before_it_was_judged(self) -> None:
        """[60] one of two is good, one is not."""
        events = [event("received", 1), event("returned", 2, 1)]
        assert row(*events).available == 1
        events += [event("restocked", 1, 2), event("written_off", 1, 3)]
        assert quantities(*events) == (2, 0, 0, 0)

    def test_transfer_cannot_be_sold_at_dispatch(self) -> None:
        """[48] the target has the units in transit only."""
        out = event("transfer_out", 10, to_place="S2")
        target = row(out, place="S2")
        assert quantities(out) == (-10, 0, 0, 0)
        assert (
            target.on_hand,
            target.in_transit,
            target.available,
            target.version,
        ) == (0, 10, 0, 1)

    def test_short_receipt_stays_in_transit(self) -> None:
        """[47] 10 sent, 8 arrive."""
        events = [
            event("transfer_out", 10, to_place="S2"),
            event("transfer_in", 8, 60, place="S2"),
        ]
        assert quantities(*events, place="S2") == (8, 0, 0, 2)
        assert quantities(*reversed(events), place="S2") == (8, 0, 0, 2)

    def test_places_and_skus_are_apart(self) -> None:
        same_id = [
            event("received", 1, id="x"),
            event("received", 2, id="x", sku="CUP"),
            event("received", 4, id="x", source="till-2", place="S2"),
        ]
        assert {pair: found.on_hand for pair, found in expect(same_id).positions.items()} == {
            ("TEA", "S1"): 1,
            ("CUP", "S1"): 2,
            ("TEA", "S2"): 4,
        }


class TestCounts:
    def test_moving_shelf(self) -> None:
        """[44] counted 30, then 2 sold, the count applied last."""
        assert row(event("sold", 2, 3), event("counted", 30, 0)).on_hand == 28

    def test_picked_but_not_posted(self) -> None:
        """[45] the pick before the count is posted after it: inside the count."""
        events = [event("allocated", 2, -60), event("counted", 30), event("shipped", 2, -10)]
        assert quantities(*events) == (30, 0, 0, 0)

    def test_two_open_counts(self) -> None:
        """[46] the later one says what is there; they do not add up."""
        events = [event("received", 10, -5), event("counted", 30, 1), event("counted", 20, 0)]
        assert row(*events).on_hand == 30

    def test_back_dated_receipt(self) -> None:
        """[38] posted last, dated yesterday: it counts without a count, is inside one with it."""
        receipt = event("received", 7, -24 * HOURS)
        assert row(event("sold", 2), receipt).on_hand == 5
        assert row(event("counted", 9, -1), receipt).on_hand == 9

    def test_same_second(self) -> None:
        """[38] a movement of the very instant of the count is inside, one microsecond on is not."""
        count = event("counted", 10)
        assert row(event("sold", 1), count).on_hand == 10
        assert row(event("sold", 1, 1 / MINUTE_US), count).on_hand == 9

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            ({"recorded_at": 9, "id": "b"}, {"recorded_at": 10, "id": "a"}),
            ({"id": "b"}, {"recorded_at": 1, "id": "a"}),
            ({"source": "till-1"}, {"source": "till-2"}),
            ({"id": "a"}, {"id": "b"}),
            ({"recorded_at": 9, "source": "z"}, {"recorded_at": 10, "source": "a"}),
            ({"source": "a", "id": "z"}, {"source": "z", "id": "a"}),
        ],
    )
    def test_two_counts_of_one_instant(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        """The one recorded later wins, then the larger source, then the larger id."""
        counts = [
            event("counted", 3, **{"id": "x", **first}),
            event("counted", 4, **{"id": "x", **second}),
        ]
        assert [row(*counts).on_hand, row(*reversed(counts)).on_hand] == [4, 4]

    def test_count_leaves_claims_alone(self) -> None:
        events = [event("allocated", 2), event("returned", 1), event("counted", 5, 1)]
        assert quantities(*events) == (5, 2, 1, 0)

    def test_count_taken_back_uncovers_the_one_before(self) -> None:
        wrong = event("counted", 99, 20)
        events = [event("counted", 10, 0), event("sold", 1, 10), wrong, correction(wrong, 30)]
        assert row(*events).on_hand == 9


class TestRepeats:
    def test_replayed_stretch(self) -> None:
        """[25] a receipt of 100 that comes again is still 100."""
        events = [event("received", 100), event("sold", 1, 1)]
        expected = expect(events + events)
        assert (row(*events, *events).on_hand, row(*events, *events).version) == (99, 2)
        assert (expected.duplicates, expected.applied, expected.dead_letters) == (2, 2, {})

    def test_same_id_other_content(self) -> None:
        """[33] neither the old nor the new result in silence: refused, the first stands."""
        events = [event("sold", 1, id="x"), event("sold", 2, id="x")]
        assert dead(*events) == {2: "conflicting_duplicate"}
        assert (row(*events).on_hand, row(*events).version) == (-1, 1)

    def test_same_id_other_instant(self) -> None:
        assert dead(event("sold", 1, 0, id="x"), event("sold", 1, 1, id="x")) == {
            2: "conflicting_duplicate"
        }

    def test_same_instant_in_another_zone(self) -> None:
        """Time and data are compared, not their spelling or what stands around them."""
        sale = event("sold", 1)
        again = {**elsewhere(sale, -300), "subject": "other", "data": sale["data"] | {"x": 1}}
        expected = expect([sale, again])
        assert (expected.duplicates, expected.dead_letters) == (1, {})


class TestCorrections:
    @pytest.mark.parametrize("early", [False, True])
    def test_takes_back(self, early: bool) -> None:
        wrong = event("sold", 5, 1)
        pair = [correction(wrong, 2), wrong] if early else [wrong, correction(wrong, 2)]
        found = row(event("received", 9), *pair)
        assert (found.on_hand, found.version, minutes(found)) == (9, 3, 2.0)

    def test_twice_takes_back_once(self) -> None:
        wrong = event("sold", 5)
        events = [wrong, correction(wrong, 2, id="a"), correction(wrong, 1, id="b")]
        assert (row(*events).on_hand, row(*events).version, minutes(row(*events))) == (0, 3, 2.0)

    def test_repeat_of_a_correction(self) -> None:
        wrong = event("sold", 5)
        back = correction(wrong, 2)
        assert row(wrong, back, back).version == 2

    def test_transfer_is_taken_back_at_both_places(self) -> None:
        out = event("transfer_out", 5, to_place="S2")
        expected = expect([out, correction(out, 1, place="S9")])
        assert {("TEA", "S1"), ("TEA", "S2")} == set(expected.positions)
        for found in expected.positions.values():
            assert (
                found.on_hand,
                found.in_transit,
                found.version,
                minutes(found),
            ) == (0, 0, 2, 1.0)

    @pytest.mark.parametrize("other", [{"source": "till-2"}, {"sku": "CUP"}])
    def test_only_its_own_source_and_sku(self, other: dict[str, Any]) -> None:
        sale = event("sold", 5, id="x")
        expected = expect([sale, event("corrected", at=1, corrects="x", **other)])
        assert (row(sale).on_hand, row(sale).version) == (-5, 1)
        assert ({2}, {}) == (expected.pending, expected.dead_letters)

    @pytest.mark.parametrize("late", [False, True])
    def test_of_a_correction(self, late: bool) -> None:
        """Refused, also where it becomes known only later; the first correction stands."""
        sale = event("sold", 5)
        first = correction(sale, 1, id="first")
        second = correction(first, 2, id="second")
        events = [second, first, sale] if late else [sale, first, second]
        assert {events.index(second) + 1: "corrects_a_correction"} == dead(*events)
        assert (row(*events).on_hand, row(*events).version, minutes(row(*events))) == (0, 2, 1.0)

    def test_of_itself(self) -> None:
        assert dead(event("corrected", id="x", corrects="x")) == {1: "corrects_a_correction"}

    def test_of_the_unknown_waits_until_the_horizon(self) -> None:
        stray = event("corrected", at=0, corrects="never")
        assert dead(stray, event("sold", 1, HORIZON)) == {}
        assert dead(stray, event("sold", 1, HORIZON + 1)) == {1: "corrects_unknown_event"}

    def test_of_an_event_older_than_the_horizon(self) -> None:
        old = event("sold", 5, 0)
        newest = event("sold", 1, HORIZON + 1)
        expected = expect([old, newest, correction(old, HORIZON)])
        assert ({3}, -6) == (expected.pending, expected.positions["TEA", "S1"].on_hand)
        in_time = expect([old, event("sold", 1, HORIZON), correction(old, HORIZON)])
        assert (set(), -1) == (in_time.pending, in_time.positions["TEA", "S1"].on_hand)

    def test_pending_one_makes_no_row(self) -> None:
        assert expect([event("corrected", corrects="never")]).positions == {}


class TestHorizon:
    def test_the_edge_is_inside(self) -> None:
        newest = event("sold", 1, HORIZON)
        assert dead(newest, event("sold", 1, 0)) == {}
        assert dead(newest, event("sold", 1, -1)) == {2: "too_late"}

    def test_is_that_of_the_sku(self) -> None:
        assert dead(event("sold", 1, 99 * HOURS, sku="CUP"), event("sold", 1, 0)) == {}

    def test_what_is_refused_moves_nothing(self) -> None:
        sale = event("sold", 1, 0)
        conflicting = event("sold", 2, 99 * HOURS, id=sale["id"])
        assert dead(sale, conflicting, event("sold", 1, 1)) == {2: "conflicting_duplicate"}

    def test_correction_that_is_refused_moves_nothing(self) -> None:
        sale = event("sold", 1, 0)
        back = correction(sale, 1)
        again = correction(back, 99 * HOURS)
        assert dead(sale, back, again, event("sold", 2, 1)) == {3: "corrects_a_correction"}

    def test_correction_that_waits_moves_the_horizon(self) -> None:
        stray = event("corrected", at=HORIZON + 1, corrects="never")
        assert dead(stray, event("sold", 1, 0)) == {2: "too_late"}

    def test_too_late_comes_before_a_contradiction(self) -> None:
        events = [event("sold", 1, HORIZON + 1, id="x"), event("sold", 1, 0, id="x")]
        assert dead(*events) == {2: "too_late"}

    def test_repeat_at_the_edge(self) -> None:
        old = event("sold", 1, 0)
        expected = expect([old, event("sold", 1, HORIZON), old])
        assert (expected.duplicates, expected.applied, expected.dead_letters) == (1, 2, {})

    def test_repeat_of_what_is_forgotten(self) -> None:
        """Too old to be known as a repeat; an id used again after it is a new event."""
        old = event("sold", 1, 0, id="x")
        events = [old, event("sold", 1, HORIZON + 1), old, event("sold", 7, HORIZON, id="x")]
        assert dead(*events) == {3: "too_late"}
        assert (row(*events).on_hand, row(*events).version) == (-9, 3)

    def test_late_count_within_the_horizon(self) -> None:
        events = [event("sold", 1, HORIZON), event("sold", 1, 1), event("counted", 5, 1)]
        assert row(*events).on_hand == 4


class TestReading:
    @pytest.mark.parametrize("name", GARBAGE_KINDS)
    def test_garbage(self, name: str) -> None:
        """[64] among others: nothing, less than nothing, a part and far too much of a unit."""
        reason_code, line = GARBAGE_KINDS[name]
        sale = render(event("sold", 1))
        expected = expect([sale, line, sale])
        assert {2: reason_code} == expected.dead_letters
        assert (expected.positions["TEA", "S1"].on_hand, expected.duplicates) == (-1, 1)

    def test_blank_lines_have_numbers(self) -> None:
        expected = expect([b"", b" \t\r", b"{", b"", render(event("sold", 1))])
        assert (expected.dead_letters, expected.lines) == ({3: "not_json"}, 2)

    def test_types_of_other_flows(self) -> None:
        visit = {**event("sold", 1), "type": "store.visit.v1", "data": {"store": "S1"}}
        expected = expect([visit, {**visit, "type": "pos.order.v1"}])
        assert (expected.others, expected.dead_letters, expected.positions) == (2, {}, {})

    def test_ahead_of_the_clock(self) -> None:
        day_ahead = event("sold", 1, 24 * HOURS)
        assert dead(day_ahead, now=NOON) == {}
        assert dead(day_ahead, now=NOON - 1) == {1: "in_the_future"}

    def test_unknown_place(self) -> None:
        chain = Chain(unknown_places="refuse", places={"S1": Place()})
        events = [event("sold", 1), event("sold", 1, place="S2")]
        out = event("transfer_out", 1, to_place="S3")
        assert dead(*events, out, chain=chain) == {2: "unknown_place", 3: "unknown_place"}
        assert dead(*events, out) == {}

    def test_recorded_at_no_time(self) -> None:
        assert dead({**event("sold", 1), "recordedtime": "later"}) == {1: "invalid_time"}

    def test_first_rule_counts(self) -> None:
        rules = (StockRule(place="S?", floor=1), StockRule(sku="TEA", floor=2))
        chain = Chain(stock=StockConfig(rules=rules))
        assert [
            rule_for(chain, *pair).floor for pair in [("TEA", "S1"), ("TEA", "W"), ("CUP", "W")]
        ] == [1, 2, 0]
