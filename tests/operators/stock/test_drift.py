"""What is drift and what is only lag: the comparison against every history that was told."""

from __future__ import annotations

from typing import Any

from gate_support import position
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from operators.stock.drift import PARTS, Difference, TruthLog, compare
from operators.stock.drift_alerts import DriftDesk
from schemas.gate_pair import GatePair
from schemas.instants import SECOND_US

LAG = 8 * SECOND_US
PAIR = ("tea", "P1")


def gate_of(version: int | None = 1, **other: Any) -> GatePair:
    values: dict[str, Any] = dict.fromkeys(GatePair.__struct_fields__, 0)
    values |= {"sku": "tea", "place": "P1", "pool": "any", "listed": True, "version": version}
    return GatePair(**values | other)


def kinds(found: list[Difference]) -> list[tuple[str, str]]:
    return [(one.view, one.kind) for one in found]


def told(*versions: tuple[int, int]) -> TruthLog:
    log = TruthLog(LAG)
    for at, version in versions:
        log.tell(position("tea", "P1", version, version), at)
    return log


@given(
    gaps=st.lists(st.integers(0, LAG), min_size=1, max_size=30),
    shown=st.integers(0, 30),
    later=st.integers(0, 3 * LAG),
)
def test_behind_is_exactly_what_no_lag_explains(gaps: list[int], shown: int, later: int) -> None:
    history, at = [], 10 * LAG
    for version, gap in enumerate(gaps, 1):
        at += gap
        history.append((at, version))
    log = told(*history)
    now = at + later
    shown = min(shown, len(gaps))
    exact = max((version for when, version in history if when <= now - LAG), default=0)
    patient = max(
        (version for when, version in history if when <= now - LAG - LAG // PARTS), default=0
    )
    row = position("tea", "P1", shown, shown) if shown else None
    found = kinds(compare(log, PAIR, now, row=row, with_gate=False, derived=False))
    if shown >= exact:
        assert found == []
    if shown < patient:
        assert found == [("duckdb", "behind" if shown else "missing")]


def test_a_view_that_lags_for_ever_by_less_than_the_tolerance_is_none() -> None:
    log = TruthLog(LAG)
    for version in range(1, 500):
        now = version * SECOND_US // 10
        log.tell(position("tea", "P1", version, version), now)
        seen = max(1, version - 70)  # seven seconds behind
        row = position("tea", "P1", seen, seen)
        assert compare(log, PAIR, now, row=row, with_gate=False) == []
    row = position("tea", "P1", 399, 399)  # ten seconds behind
    assert kinds(compare(log, PAIR, now, row=row, with_gate=False)) == [("duckdb", "behind")]


def test_the_same_version_with_other_figures_is_drift_at_once() -> None:
    log = told((0, 3))
    row = replace(position("tea", "P1", 3, 3), in_transit=2)
    [found] = compare(log, PAIR, 1, row=row, gate=gate_of(3, on_hand=3))
    assert (found.view, found.kind, found.at_once, found.units) == ("duckdb", "figures", True, 2)
    [found] = compare(log, PAIR, 1, row=position("tea", "P1", 3, 3), gate=gate_of(3, on_hand=9))
    assert (found.view, found.kind, found.at_once, found.units) == ("redis", "figures", True, 6)
    assert "on_hand 9 not 3" in found.why


def test_a_version_that_the_log_told_twice_otherwise_is_given_time() -> None:
    log = told((0, 3))
    log.tell(position("tea", "P1", 5, 3), 2 * LAG)
    row = position("tea", "P1", 3, 3)
    early = compare(log, PAIR, 2 * LAG + 1, row=row, with_gate=False, derived=False)
    late = compare(log, PAIR, 3 * LAG, row=row, with_gate=False, derived=False)
    assert [one.at_once for one in (*early, *late)] == [False, True]


def test_what_is_ahead_or_unknown_has_to_last() -> None:
    log = told((0, 3))
    [ahead] = compare(log, PAIR, 1, row=position("tea", "P1", 3, 4), with_gate=False)
    [unknown] = compare(log, ("tea", "P9"), 1, gate=gate_of(4), with_row=False)
    assert [ahead.kind, unknown.kind] == ["ahead", "unknown"]
    assert not unknown.repairable
    desk = DriftDesk(LAG)
    assert desk.judge(PAIR, [ahead], 0) == ([], [])
    assert desk.waiting() == [PAIR]
    assert desk.judge(PAIR, [ahead], LAG - 1) == ([], [])
    drift, [row] = desk.judge(PAIR, [ahead], LAG)
    assert drift == [ahead]
    assert row[0] == "drift/tea@P1/1970-01-01T00:00:08Z"


def test_what_redis_counts_is_compared_with_itself() -> None:
    log = told((0, 3))
    right = {"on_hand": 3, "held": 5, "units": 5, "hold_seq": 2, "confirmed": 2}
    assert compare(log, PAIR, 1, gate=gate_of(3, **right), with_row=False) == []
    for wrong, kind, units in (
        ({"held": 9}, "held", 4),
        ({"absorbed_units": 2}, "held", 2),
        ({"confirmed": 1}, "confirms", 1),
        ({"listed": False}, "unlisted", 3),
    ):
        [found] = compare(log, PAIR, 1, gate=gate_of(3, **right | wrong), with_row=False)
        assert (found.kind, found.units, found.at_once) == (kind, units, True)


def test_rates_may_follow_a_closed_day_later_but_not_never() -> None:
    log = told((0, 3))
    row = replace(position("tea", "P1", 3, 3), demand_rate=4.5)
    assert compare(log, PAIR, LAG - 1, row=row, with_gate=False) == []
    [found] = compare(log, PAIR, LAG, row=row, with_gate=False)
    assert (found.kind, found.at_once) == ("derived", False)
    assert compare(log, PAIR, LAG, row=row, with_gate=False, derived=False) == []


def test_an_alert_is_raised_once_changed_and_cleared_under_one_id() -> None:
    log = told((0, 3))
    desk = DriftDesk(LAG)
    held = compare(log, PAIR, 1, gate=gate_of(3, on_hand=3, held=2), with_row=False)
    _, [raised] = desk.judge(PAIR, held, 100 * SECOND_US)
    assert desk.judge(PAIR, held, 101 * SECOND_US)[1] == []
    both = held + compare(log, PAIR, 1, row=position("tea", "P1", 7, 3), with_gate=False)
    _, [updated] = desk.judge(PAIR, both, 102 * SECOND_US)
    _, [cleared] = desk.judge(PAIR, [], 103 * SECOND_US)
    assert desk.judge(PAIR, [], 104 * SECOND_US) == ([], [])
    assert {row[0] for row in (raised, updated, cleared)} == {"drift/tea@P1/1970-01-01T00:01:40Z"}
    assert [row[2] for row in (raised, updated, cleared)] == ["raised", "updated", "cleared"]
    assert [row[6] for row in (raised, updated, cleared)] == [-2, -4, 0]
    assert raised[12] == "tillflow drift repair tea P1"
    assert cleared[-1] == 103 * SECOND_US


def test_no_evidence_names_an_event_that_the_stock_flow_could_take_back() -> None:
    """Flow `stock` withdraws alerts whose first evidence has an `id` that it does not know."""
    log = told((0, 3))
    desk = DriftDesk(LAG)
    held = compare(log, PAIR, 1, gate=gate_of(3, on_hand=3, held=2), with_row=False)
    _, [raised] = desk.judge(PAIR, held, 1)
    assert '"id"' not in raised[11]
