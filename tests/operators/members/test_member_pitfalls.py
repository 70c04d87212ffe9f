"""The study's pitfalls of state and segments (S1-S24) that apply here, by their names.

Not here: S8 (tiers), S16 (dwell of journeys), S20 and S21 (health score), and of S22 to S24 what
journeys do, belong to what reads these events; S19's gift cards wait for an order to name them.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from member_driver import at, figures, members
from member_events import event, order, refund

from operators.members.rules import MemberRules
from operators.members.segments import SEGMENTS, Measured, by_mean, by_quantile, place
from schemas.chain import Chain
from schemas.instants import HOUR_US, MINUTE_US, parse_instant
from schemas.member_rules import MembersConfig, SegmentThresholds


def test_s1_redelivery() -> None:
    """The same event twice, around a restart, is one purchase and one change."""
    plain = members()
    plain.feed([order("m", "1", at(0), 10_000)])
    plain.resume()
    plain.feed([order("m", "1", at(0), 10_000)])
    assert figures(plain)[:2] == (1, 10_000)
    assert (plain.duplicates, len(plain.told("m"))) == (1, 1)


def test_s2_late_duplicate_under_a_new_id() -> None:
    """A till sends a receipt again 25 hours later, under a new id: the receipt is known."""
    plain = members()
    plain.feed([order("m", "1", at(0), 10_000), order("m", "2", at(25 / 24), 5_000)])
    plain.feed([order("m", "1", at(0), 10_000, id="new")])
    assert figures(plain)[:2] == (2, 15_000)
    assert plain.duplicates == 1


def test_a_receipt_with_other_content_is_refused() -> None:
    """What came first stands, and the other goes to dead_letter, by receipt and by id."""
    plain = members()
    plain.feed([order("m", "1", at(0), 10_000), order("m", "1", at(0), 9_000, id="x")])
    plain.feed([order("m", "2", at(0), 9_000, id="e-1")])
    assert figures(plain)[:2] == (1, 10_000)
    assert plain.refusals == ["conflicting_duplicate"] * 2


def test_s3_full_refund_of_the_last_of_three() -> None:
    """Frequency, monetary, recency and the wake-up are those of before."""
    plain = members()
    plain.feed([order("m", n, at(d), a) for n, d, a in (("1", 1, 10_000), ("2", 10, 8_000))])
    plain.feed([order("m", "3", at(20), 30_000), refund("m", "3", at(21), 30_000, "a")])
    assert figures(plain)[:3] == (2, 18_000, at(10))
    assert plain.state("m")["next_change_at"] == at(40)


def test_s4_partial_refund() -> None:
    """Frequency and recency stay, money goes."""
    plain = members()
    plain.feed([order("m", "1", at(0), 12_000), refund("m", "1", at(1), 4_000, "a")])
    assert figures(plain)[:3] == (1, 8_000, at(0))


def test_s5_refund_of_what_is_out_of_the_window() -> None:
    """It takes nothing from a window its purchase has left; no figure is below zero."""
    plain = members(monetary_days=90)
    plain.feed([order("m", "1", at(0), 20_000), refund("m", "1", at(100), 20_000, "a")])
    plain.feed([order("m", "2", at(100), 7_000)])
    assert figures(plain)[:2] == (1, 7_000)


def test_s6_refund_before_its_purchase() -> None:
    """It waits for its purchase and takes back exactly that."""
    plain = members()
    plain.feed([refund("m", "1", at(1), 10_000, "a"), order("m", "2", at(2), 500)])
    assert figures(plain)[:2] == (1, 500)
    plain.feed([order("m", "1", at(0), 10_000)])
    assert figures(plain) == (1, 500, at(2), "promising_new")


def test_s7_order_independence() -> None:
    """All orders of three purchases and a refund give one state."""
    lines = [
        order("m", "A", at(0), 5_000),
        order("m", "B", at(0) + 5 * MINUTE_US, 7_000),
        refund("m", "A", at(0) + 7 * MINUTE_US, 5_000, "a"),
        order("m", "C", at(0) + 9 * MINUTE_US, 3_000),
    ]
    found = set()
    for arrived in permutations(lines):
        plain = members()
        plain.feed(arrived)
        row = plain.state("m")
        del row["segment_since"]
        found.add(tuple(row.items()))
    assert len(found) == 1
    assert figures(plain)[:2] == (2, 10_000)


def test_s9_time_only() -> None:
    """On an idle stream the segment flips at the second the 30 days are over, not before."""
    plain = members()
    plain.feed([order("m", "1", at(0), 10_000)])
    assert plain.due() == at(30)
    plain.tick(at(30) - 1)
    assert figures(plain)[3] == "promising_new"
    plain.tick(at(30) + 1)
    assert figures(plain)[3] == "lost"
    told = plain.told("m")[-1]
    assert (told["changed_at"], told["cause"], told["origin"]) == (at(30), "time", "live")
    assert told["dwell_seconds"] == 30 * 86_400


def test_s10_window_expiry() -> None:
    """Visits leave the frequency window one by one, each when it is over."""
    plain = members()
    plain.feed([order("m", str(day), at(day), 10_000) for day in range(3)])
    assert figures(plain)[0] == 3
    plain.tick(at(90))
    assert figures(plain)[0] == 2
    plain.tick(at(91.5))
    assert figures(plain)[0] == 1


@pytest.mark.parametrize(
    ("count", "over"),
    [("exact", "2026-12-01T23:50:00+08:00"), ("calendar", "2026-12-02T00:00:00+08:00")],
)
def test_s11_thirty_days(count: str, over: str) -> None:
    """30 times 24 hours, or to the end of the 30th calendar day: both have their instant."""
    plain = members(day_count=count)
    plain.feed([order("m", "1", parse_instant("2026-11-01T23:50:00+08:00"), 10_000)])
    assert plain.due() == parse_instant(over)


def test_s12_truth_table() -> None:
    """The eight names, Chinese and English, of high and low R, F, M."""
    table = {
        (1, 1, 1): ("重要价值", "High value"),
        (1, 0, 1): ("重要发展", "High potential"),
        (0, 1, 1): ("重要保持", "High value about to leave"),
        (0, 0, 1): ("重要挽留", "High value lapsed"),
        (1, 1, 0): ("一般价值", "Loyal, small basket"),
        (1, 0, 0): ("一般发展", "Promising new"),
        (0, 1, 0): ("一般保持", "Small basket, slipping"),
        (0, 0, 0): ("一般挽留", "Lost"),
    }
    for (near, frequent, valuable), names in table.items():
        number = place(near=bool(near), frequent=bool(frequent), valuable=bool(valuable))
        assert SEGMENTS[number][1:] == names


def test_s13_ties() -> None:
    """Equal members are high or low together, by the mean and by any quantile."""
    known = [Measured(3.0, 2, spent) for spent in (100, 100, 100, 100, 100, 900)]
    mean = by_mean(known, 2)
    assert [one.monetary >= mean.monetary for one in known] == [False] * 5 + [True]
    for share in (0.1, 0.3, 0.5, 0.9):
        made = by_quantile(known, 2, share)
        assert len({one.monetary >= made.monetary for one in known[:5]}) == 1
        assert all(one.silence_days < made.recency_days for one in known)


def published(version: int, time: int, monetary: int) -> dict[str, Any]:
    """Thresholds in force from now on."""
    data = {"version": version, "recency_days": 30, "frequency": 3, "monetary": monetary}
    return event("member.thresholds.v1", f"t{version}", time, "crm", **data)


def test_s14_somebody_elses_purchase() -> None:
    """Nobody changes before the next thresholds, and then with that cause alone."""
    plain = members()
    plain.feed([order("b", "1", at(0), 60_000), order("a", "2", at(1), 1_000_000)])
    assert figures(plain, "b")[3] == "high_potential"
    plain.feed([published(2, at(2), 500_000)])
    assert [one["cause"] for one in plain.told("b")] == ["purchase", "thresholds"]
    assert figures(plain, "b")[3] == "promising_new"
    plain.feed([published(1, at(3), 1), published(2, at(3), 7)])
    assert figures(plain, "b")[3] == "promising_new"
    assert plain.refusals == ["conflicting_thresholds"]


def test_thresholds_of_the_file_change_with_their_version() -> None:
    """A restart with other figures judges all anew; under the old version it does not start."""
    plain = members()
    plain.feed([order("b", "1", at(0), 60_000)])
    plain.take()
    changed = SegmentThresholds(version=2, monetary=70_000)
    plain.resume(MemberRules(Chain(members=MembersConfig(thresholds=changed))))
    assert figures(plain, "b")[3] == "promising_new"
    assert plain.told("b")[-1]["cause"] == "thresholds"
    plain.resume()
    assert (figures(plain, "b")[3], len(plain.told("b"))) == ("promising_new", 2)
    again = SegmentThresholds(version=2, monetary=80_000)
    plain.reopen()
    with pytest.raises(ValueError, match="raise its version"):
        plain.resume(MemberRules(Chain(members=MembersConfig(thresholds=again))))


def test_s15_boundaries() -> None:
    """At the threshold is high; 93.33 + 93.33 + 93.34 is 280 exactly."""
    plain = members(thresholds=SegmentThresholds(monetary=28_000))
    amounts = (9_333, 9_333, 9_334)
    plain.feed([order("m", str(n), at(0), each) for n, each in enumerate(amounts)])
    assert figures(plain) == (3, 28_000, at(0), "high_value")


@pytest.mark.parametrize(("gap", "visits"), [(0.0, 2), (3.0, 1)])
def test_s17_frequency_counts_visits(gap: float, visits: int) -> None:
    """Lines of a receipt never count; receipts three minutes apart by the configured gap."""
    plain = members(visit_gap_minutes=gap)
    lines = [{"sku": f"k{n}", "quantity": 2} for n in range(5)]
    plain.feed([order("m", "1", at(0), 100, lines=lines)])
    plain.feed([order("m", "2", at(0) + 3 * MINUTE_US, 100)])
    assert figures(plain)[0] == visits


def test_s18_exchange() -> None:
    """Given back and bought again for the same money: neither figure changes."""
    plain = members()
    plain.feed([order("m", "1", at(0), 10_000), refund("m", "1", at(1), 10_000, "a")])
    plain.feed([order("m", "2", at(1), 10_000)])
    assert figures(plain)[:2] == (1, 10_000)
    plain.feed([order("m", "3", at(2), 0)])
    assert figures(plain)[:3] == (1, 10_000, at(1))


def test_s19_nothing_paid_and_less() -> None:
    """A gift is no visit; a return that names no receipt is refused in words."""
    plain = members()
    plain.feed([order("m", "1", at(0), 10_000), order("m", "2", at(5), 0)])
    plain.feed([order("m", "3", at(5), -500)])
    assert figures(plain)[:3] == (1, 10_000, at(0))
    assert plain.refusals == ["unlinked_return"]


def test_s22_backfill_equals_live_and_says_so() -> None:
    """The same state as from a live run, and every change says that it is history."""
    live, filled = members(), members()
    lines = [order("m", str(n), at(20 * n), 9_000) for n in range(18)]
    live.feed(lines)
    filled.feed([{**one, "origin": "backfill"} for one in lines])
    assert live.state("m") == filled.state("m")
    assert {one["origin"] for one in filled.told("m")} == {"backfill"}
    assert {one["origin"] for one in live.told("m")} == {"live"}


def test_s24_late_purchase_takes_a_flip_back() -> None:
    """Silent for 30 days, then a purchase of day 29 arrives: near again, because of a purchase."""
    plain = members()
    plain.feed([order("m", "1", at(0), 10_000)])
    plain.tick(at(30) + HOUR_US)
    plain.feed([order("m", "2", at(29), 10_000)])
    assert figures(plain) == (2, 20_000, at(29), "promising_new")
    assert [one["cause"] for one in plain.told("m")] == ["purchase", "time", "purchase"]


def test_older_than_the_horizon_is_refused() -> None:
    """Nobody can tell any more whether it was counted."""
    plain = members(late_days=10)
    plain.feed([order("m", "1", at(20), 10_000)])
    plain.feed([order("n", "2", at(9.9), 10_000)])
    assert plain.refusals == ["too_late"]
    assert "n" not in plain.states


def test_a_card_of_the_till_is_no_person() -> None:
    """Memory stays bounded, and what is refused says why."""
    plain = members(most_purchases=10)
    plain.feed([order("m", str(n), at(0) + n, 100) for n in range(12)])
    assert figures(plain)[0] == 10
    assert plain.refusals == ["too_many_purchases"] * 2
