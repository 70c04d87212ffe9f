"""Facts: who is the same event, in which order they count, how they are kept and described."""

from __future__ import annotations

import pickle
from array import array
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st
from stock_events import NOON, Event, event, render_lines
from stock_strategies import BRIEF, histories

from operators.stock.decode import Block, Sharder
from operators.stock.facts import (
    CLOCK_SOURCE,
    Batch,
    Fact,
    Where,
    clock_fact,
    describe,
    identity,
    join_records,
    order_key,
    pack_fact,
    same_content,
    split_records,
    unpack_fact,
)


def facts_of(*events: Event) -> list[Fact]:
    lines = render_lines(events)
    decoded = Sharder(1).decode(Block("a.jsonl", 1, len(lines), b"\n".join(lines)))
    assert not decoded.refusals
    return [fact for batch in decoded.batches for fact in batch.facts]


class TestKept:
    @BRIEF
    @given(history=histories(min_size=1))
    def test_packed_and_back(self, history: list[Event]) -> None:
        """A record is the fact and nothing else, one by one and many at once."""
        facts = facts_of(*history)
        records = [pack_fact(fact) for fact in facts]
        assert [unpack_fact(record) for record in records] == facts
        wheres = {number: Where(f"f{number}", number) for number in range(0, len(facts), 3)}
        batch = split_records(join_records(records, wheres))
        assert (batch.facts, batch.wheres) == (facts, wheres)

    @BRIEF
    @given(history=histories(min_size=1))
    def test_equal_facts_have_equal_records(self, history: list[Event]) -> None:
        """Records can stand for facts wherever two are compared."""
        facts = facts_of(*history)
        for one in facts[:5]:
            for other in facts:
                assert (one == other) == (pack_fact(one) == pack_fact(other))

    def test_nothing(self) -> None:
        """A batch in which every line was a duplicate changes nothing."""
        assert split_records(join_records([], {})).facts == []

    def test_crosses_processes(self) -> None:
        """Positions and origin go along."""
        facts = facts_of(event("sold", 1), event("counted", 0, 1, recorded_at=2))
        batch = Batch(7, "a.jsonl", array("Q", [3, 2**40]), facts)
        again = pickle.loads(pickle.dumps(batch))
        assert (again.shard, again.origin) == (7, "a.jsonl")
        assert (list(again.positions), again.facts) == ([3, 2**40], facts)


class TestSame:
    def test_source_and_id(self) -> None:
        """Place, kind and time are content; who and which number is identity."""
        [one] = facts_of(event("sold", 1, id="x"))
        others = facts_of(
            event("received", 9, 9, id="x", place="S9"),
            event("sold", 1, id="y"),
            event("sold", 1, id="x", source="till-2"),
        )
        assert [identity(one) == identity(other) for other in others] == [True, False, False]

    def test_content(self) -> None:
        """When and what; when it was recorded and how it was written is not part of it."""
        [one] = facts_of(event("sold", 1))
        same = facts_of(event("sold", 1, zone_minutes=0), event("sold", 1, recorded_at=9))
        other = facts_of(event("sold", 2), event("sold", 1, 1 / 60_000_000), event("shipped", 1))
        assert [same_content(one, fact) for fact in same] == [True, True]
        assert [same_content(one, fact) for fact in other] == [False, False, False]


class TestOrder:
    def test_time_then_counts_last(self) -> None:
        """At one instant a count comes after what is inside it, the last recorded one last."""
        history = [
            event("counted", 9, -1, id="z"),
            event("received", 1, id="a", source="a"),
            event("sold", 1, id="b", source="a"),
            event("sold", 1, id="a", source="b"),
            event("counted", 1, id="z", source="z"),
            event("counted", 1, id="a", source="a", recorded_at=1),
            event("counted", 1, id="b", source="a", recorded_at=1),
            event("sold", 1, 1 / 60_000_000, id="a"),
        ]
        facts = facts_of(*history)
        for shuffled in list(permutations(facts))[::997]:
            assert sorted(shuffled, key=order_key) == facts

    @given(st.integers(-(2**40), 2**40))
    def test_recorded_before_it_happened(self, minutes: int) -> None:
        """Only the order of recordings counts, not how they lie to the event."""
        one, other = facts_of(event("counted", 1, id="a"), event("counted", 2, id="b"))
        one.recorded, other.recorded = minutes or 1, (minutes or 1) + 1
        assert order_key(one) < order_key(other)


class TestDescribed:
    def test_for_a_person(self) -> None:
        """What, how many, when, and which event said so; the order where there is one."""
        plain, ordered = facts_of(
            event("sold", 3, id="17"), event("shipped", 1, 1.5, order="W1", place="S2")
        )
        assert describe(plain) == {
            "kind": "sold",
            "quantity": 3,
            "time": "2026-11-23T04:00:00Z",
            "source": "till-1",
            "id": "17",
        }
        assert describe(ordered)["order"] == "W1"
        assert describe(ordered)["time"] == "2026-11-23T04:01:30Z"

    def test_the_clock(self) -> None:
        """Where time alone was the cause there is no event to name."""
        fact = clock_fact(NOON, "TEA", "S1")
        assert fact.source == CLOCK_SOURCE
        assert describe(fact) == {"kind": "business_day_closed", "time": "2026-11-23T04:00:00Z"}
