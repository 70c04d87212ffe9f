"""Parts of the roster flow: windows read, history kept, instants due, heads needed and spare."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest
from depth import cases
from hypothesis import given, settings
from hypothesis import strategies as st
from staffing_world import line, window

from flows.settings import load_chain
from operators.footfall.facts import QUARTER_US
from operators.records import Record, RecordBlock
from operators.roster.people_at_work import Presence
from operators.roster.prepare import prepare, queues_of, waiting_costs
from operators.roster.roster import Roster, Shift
from operators.staffing.day import review_day
from operators.staffing.decode import decode, decode_records
from operators.staffing.facts import WindowFact
from operators.staffing.history import History
from operators.staffing.need import NeedError, TaskDay, spare_heads, task_days
from operators.staffing.shop import Rostered, Shops
from operators.staffing.triggers import Passage, Schedule
from operators.stock.decode import Block
from schemas.chain import Chain
from schemas.forecast_rules import ForecastConfig
from schemas.instants import HOUR_US, to_micros
from schemas.roster import Employee, PlannedShift, RosterFile, ServiceGoal, Shifts, Task, TaskNeed
from schemas.roster_rules import FixedAssignments, Qualification, Rules
from schemas.staffing import StaffingAlert
from schemas.staffing_rules import IntradayRules
from sources.roster_files import RosterFiles

DAY = date(2026, 11, 19)
START = datetime(2026, 11, 19, 10, tzinfo=ZoneInfo("Asia/Shanghai"))


def whole(**more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line(window("S1", START, orders=3, entries=5)))
    found["data"] |= more
    return found


class TestDecode:
    def block(self, *lines: bytes) -> Any:
        return decode(Block("w.jsonl", 1, len(lines), b"\n".join(lines)))

    def test_what_a_file_may_hold(self) -> None:
        """Final windows are facts; early ones and other events count, the rest is refused."""
        other = {"specversion": "1.0", "type": "pos.order.v1", "id": "1", "source": "till"}
        lines = [
            json.dumps(whole(till_status="silent")).encode(),
            json.dumps(whole(final=False)).encode(),
            json.dumps(other).encode(),
            b"",
            b"nonsense",
            json.dumps(whole(orders=-1)).encode(),
            json.dumps(whole(start="2026-11-19 10:00")).encode(),
            b"{}",
        ]
        found = self.block(*lines)
        quarter = to_micros(START) // QUARTER_US
        assert found.batch.facts == [WindowFact("S1", quarter, 1, 5, 3, True, False)]
        assert found.read[:3] == (7, 2, 1)
        assert [(one.position, one.code) for one in found.refusals] == [
            (5, "not_json"),
            (6, "invalid_event"),
            (7, "invalid_event"),
            (8, "invalid_event"),
        ]
        assert found.refusals[1].reason.startswith("orders: expected a whole number >= 0")

    def test_both_modes_of_the_log(self) -> None:
        event = whole()
        headers = tuple((f"ce_{k}", v.encode()) for k, v in event.items() if k != "data")
        records = [
            Record(b"S1", json.dumps(event["data"]).encode(), headers, 0, -1),
            Record(b"S1", json.dumps(event).encode(), (), 1, -1),
            Record(b"S1", None, (), 2, -1),
            Record(b"S1", b"[]", (), 3, -1),
        ]
        found = decode_records(RecordBlock("footfall.window.v1", 0, records))
        assert found.batch is not None
        assert len(found.batch.facts) == 2
        assert found.batch.facts[0] == found.batch.facts[1]
        assert [one.offset for one in found.dead] == [3]


facts = st.builds(
    WindowFact,
    store=st.sampled_from(["a", "b"]),
    quarter=st.integers(1_000, 4_000),
    version=st.integers(1, 5),
    entries=st.integers(0, 99),
    orders=st.integers(0, 99),
    doors=st.booleans(),
    tills=st.booleans(),
)


@given(st.lists(facts, max_size=60), st.integers(900, 4_100), st.integers(900, 4_100))
@settings(max_examples=cases(60, 300), deadline=None)
def test_history_is_the_newest_version_of_each(
    taken: list[WindowFact], first: int, last: int
) -> None:
    """In any order, also before the first one; kept through a dump; cut where it is asked for."""
    history, wanted = History(), dict[tuple[str, int], WindowFact]()
    for fact in taken:
        history.take([fact])
        there = wanted.get((fact.store, fact.quarter))
        if there is None or there.version <= fact.version:
            wanted[fact.store, fact.quarter] = fact
    other = History()
    other.restore(history.dump())
    found = other.windows(first * QUARTER_US, last * QUARTER_US)
    read = {
        (found.names[store], quarter): rest
        for store, quarter, *rest in zip(*found[1:], strict=True)
    }
    assert read == {
        key: [one.entries, one.orders, one.doors, one.tills]
        for key, one in wanted.items()
        if first <= one.quarter < last
    }
    history.forget(last)
    rest = history.windows(last * QUARTER_US, 5_000 * QUARTER_US)
    assert len(rest.quarter) == sum(one.quarter >= last for one in wanted.values())


class TestSchedule:
    schedule = Schedule(Chain(forecast=ForecastConfig(planning="19:30", refresh_minutes=240)))
    zones = ("Asia/Shanghai", "Asia/Kathmandu")

    @given(st.integers(0, 10**8), st.integers(0, 2 * 10**5))
    @settings(max_examples=60, deadline=None)
    def test_latest_and_next_leave_none_out(self, minutes: int, later: int) -> None:
        """What is due between two instants is found by going on from the latest of the first."""
        at = minutes * 60_000_000
        latest = self.schedule.latest(at, self.zones)
        following = self.schedule.after(at, self.zones)
        assert latest <= at < following
        assert self.schedule.after(latest, self.zones) == following
        assert self.schedule.zones_due(latest, self.zones)

    def test_the_planning_hour_is_the_zones_own(self) -> None:
        plan = to_micros(datetime(2026, 11, 19, 19, 30, tzinfo=ZoneInfo("Asia/Kathmandu")))
        assert self.schedule.zones_due(plan, self.zones) == ["Asia/Kathmandu"]
        assert self.schedule.plans(plan, "Asia/Kathmandu")
        assert not self.schedule.plans(plan + 30 * 60_000_000, "Asia/Kathmandu")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30)), max_size=40))
def test_passed_when_all_that_go_on_have_come_that_far(heard: list[tuple[str, int]]) -> None:
    passage = Passage(quiet_hours=6)
    newest: dict[str, int] = {}
    for store, hour in heard:
        passage.heard(store, hour * HOUR_US)
        newest[store] = max(newest.get(store, 0), hour)
        for due in range(1, 31, 3):
            far = max(newest.values())
            wanted = far >= due and all(x >= due or x < far - 6 for x in newest.values())
            assert passage.passed(due * HOUR_US) == wanted


def shop(**task: Any) -> RosterFile:
    return RosterFile(
        shop="S1",
        first_day=DAY,
        employees=(Employee("ann", {"till": 1}),),
        tasks={"till": Task(service_s=120, patience_s=600, **task), "shelf": Task()},
        need=(TaskNeed("shelf", DAY, "08:00", heads=(1, 2)),),
    )


def test_tasks_follow_their_measure_and_share() -> None:
    orders, entries = np.zeros(96), np.zeros(96)
    orders[40:48], entries[40:50] = 4.0, 10.0
    found = list(task_days(shop(), DAY, {"orders": orders, "entries": entries}))
    [till, shelf] = [one for one in found if isinstance(one, TaskDay)]
    assert (till.first, till.need.arrivals) == (40, (4.0,) * 8)
    assert (shelf.first, shelf.heads, shelf.measure) == (32, (1, 2), None)
    half = shop(measure="entries", share=0.5)
    [by_entries, _] = list(task_days(half, DAY, {"entries": entries}))
    assert isinstance(by_entries, TaskDay)
    assert (by_entries.measure, by_entries.need.arrivals) == ("entries", (5.0,) * 10)
    [shelf_only] = list(task_days(half, DAY, {"orders": orders}))
    assert isinstance(shelf_only, TaskDay)
    assert shelf_only.task == "shelf"


def test_a_goal_that_nobody_can_keep() -> None:
    goal = ServiceGoal(mean_wait_s=1e-9, occupancy=0.001)
    [wrong, _] = list(task_days(shop(goal=goal), DAY, {"orders": np.full(96, 50.0)}))
    assert isinstance(wrong, NeedError)
    assert str(wrong).startswith("S1, till on 2026-11-19: 200 heads do not keep the goal")


@given(st.floats(0.5, 12), st.integers(0, 6), st.integers(0, 4_000))
@settings(max_examples=12, deadline=None)
def test_a_spare_head_is_not_worth_its_pay(arrivals: float, serving: int, pay: int) -> None:
    task = Task(service_s=120, patience_s=600)
    orders = np.zeros(96)
    orders[40:42] = round(arrivals, 2)
    [one, *_] = list(task_days(shop(), DAY, {"orders": orders}))
    assert isinstance(one, TaskDay)
    spare = spare_heads(one, task, [serving, serving], pay)
    for demand, many, heads in zip(
        waiting_costs(task, queues_of(task, one.need)), spare, one.heads, strict=True
    ):
        left = serving - many
        assert many >= 0
        assert many == 0 or left >= heads
        saved = [demand.with_heads(n - 1) - demand.with_heads(n) for n in range(1, serving + 1)]
        assert all(each < pay for each in saved[left:])
        if left > heads:
            assert saved[left - 1] >= pay


def test_the_newest_file_that_has_begun() -> None:
    first, second = shop(), shop()
    second = msgspec.structs.replace(second, first_day=date(2026, 11, 26))
    shops = Shops([second, first])
    assert shops.of("S1", date(2026, 11, 1)) is first
    assert shops.of("S1", date(2026, 11, 25)) is first
    assert shops.of("S1", date(2026, 12, 25)) is second
    assert shops.of("S2", DAY) is None
    assert shops.span([date(2026, 11, 25), date(2026, 11, 26)]) == ("2026-11-19", "2026-12-02")


@pytest.mark.parametrize("bad", [b"\xff", b"[" * 5_000])
def test_bytes_that_are_no_text(bad: bytes) -> None:
    found = decode(Block("w.jsonl", 1, 1, bad))
    assert [one.code for one in found.refusals] == ["not_json"]


def test_the_example_of_the_documentation() -> None:
    """Chain and shops of docs/staffing.md are read, and name each other."""
    folder = Path(__file__).parents[3] / "docs" / "examples" / "staffing"
    chain = load_chain(folder / "chain.yaml")
    shops = RosterFiles(chain.staffing.shops, folder).check()
    assert shops.names == ["S002"]
    assert set(shops.names) <= set(chain.places)
    # What it writes out are the usual figures, as it says.
    assert chain.staffing.intraday == IntradayRules()


class TestTooMany:
    """Four at the till where two would do."""

    def told(self, rules: Rules) -> list[StaffingAlert]:
        names = ("ann", "bo", "chen", "dora")
        file = msgspec.structs.replace(
            shop(),
            employees=tuple(Employee(name, {"till": 1}, pay=4_000) for name in names),
            days=1,
            shifts=Shifts("09:00", "21:00", 60, 2, 9, 60, None),
            rules=rules,
            fixed=tuple(PlannedShift(name, DAY, "10:00", "18:00") for name in names),
        )
        problem = prepare(file)
        roster = Roster(tuple(Shift(at, 0, 40, 72, None, ("till",) * 32) for at in range(4)))
        there = Rostered(problem, roster, 0, Presence(problem, roster).serving)
        orders = np.zeros(96)
        orders[40:72] = 6.0
        needs = [one for one in task_days(file, DAY, {"orders": orders}) if one.first == 40]  # type: ignore[union-attr]
        now = (DAY.isoformat(), 48, to_micros(START))
        told, kept = review_day(file, there, needs, {}, [], IntradayRules(), now)  # type: ignore[arg-type]
        assert [one.alert for one in told] == [one.alert for one in kept]
        return told

    def test_who_can_go_home(self) -> None:
        """At 12:00 two of them can, from 13:00 on; what one saves is their pay."""
        [alert] = self.told(Rules(qualification=Qualification()))
        assert (alert.alert_type, alert.heads) == ("over_staffed", 2)
        assert alert.reason == "2 heads too many at till 12:00-18:00"
        assert {one.move for one in alert.proposals} == {"go"}
        first = alert.proposals[0]
        assert (first.ends, first.minutes, first.pay_change) == ("13:00", -300, -20_000)
        assert sum(one.together for one in alert.proposals) == 2

    def test_nobody_may(self) -> None:
        """All shifts are fixed: there is nothing to tell."""
        assert self.told(Rules(fixed_assignments=FixedAssignments())) == []
