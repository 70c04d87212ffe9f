"""What must hold of the yardsticks whatever arrives."""

from __future__ import annotations

from alert_oracle import figures
from hypothesis import given
from hypothesis import strategies as st
from stock_events import Event, random_history, render_lines
from stock_oracle import expect
from stock_strategies import (
    BRIEF,
    consistent_histories,
    histories,
    renderings,
    replayed,
    shuffled,
    wide_histories,
)


class TestEveryHistory:
    """What must hold whatever arrives."""

    @BRIEF
    @given(st.data())
    def test_order_of_arrival_does_not_matter(self, data: st.DataObject) -> None:
        events = data.draw(consistent_histories())
        other = data.draw(shuffled(events))
        assert expect(events).positions == expect(other).positions

    @BRIEF
    @given(st.data())
    def test_replay_does_not_matter(self, data: st.DataObject) -> None:
        events = data.draw(histories(contradictions=False))
        again = data.draw(replayed(events))
        assert expect(events).positions == expect(again).positions

    @BRIEF
    @given(st.data())
    def test_dress_does_not_matter(self, data: st.DataObject) -> None:
        events = data.draw(histories())
        dressed = expect(data.draw(renderings(events)))
        plain = expect(render_lines(events))
        assert (plain.positions, plain.lines) == (dressed.positions, dressed.lines)
        assert list(plain.dead_letters.values()) == list(dressed.dead_letters.values())

    @BRIEF
    @given(wide_histories())
    def test_every_line_ends_somewhere(self, events: list[Event]) -> None:
        found = expect(events)
        refused = len(found.dead_letters)
        assert len(events) == found.applied + found.duplicates + refused + len(found.pending)

    @BRIEF
    @given(wide_histories())
    def test_sums_and_steps_agree(self, events: list[Event]) -> None:
        """The rows are summed up; the figures of the alerts are carried along: same end."""
        found = expect(events)
        for pair, facts in found.standing.items():
            for seen in list(figures(pair, facts, floor=0))[-1:]:
                position = found.positions[pair]
                assert position.on_hand == seen.on_hand
                assert position.allocated == seen.allocated
                assert position.available == seen.available

    def test_random_history(self) -> None:
        """Wider than the horizon, and nothing in it is too late."""
        events = random_history(1, 12_000)
        found = expect(events)
        assert events == random_history(1, 12_000)
        assert {
            "conflicting_duplicate",
            "corrects_a_correction",
            "corrects_unknown_event",
        } == set(found.dead_letters.values())
        late = expect(random_history(1, 12_000, late_hours=60))
        assert "too_late" in late.dead_letters.values()
