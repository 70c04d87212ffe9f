"""The roster flow's state machine in a plain loop: what it says, and always the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest
from staffing_world import STORES, midnight, rows, windows, write_shops

from flows.settings import load_chain
from operators.roster.published import Plain, plain_rosters
from operators.staffing.facts import PANEL, WindowBatch, WindowFact, fact_of
from operators.staffing.machine import StaffingMachine
from operators.staffing.outcome import StaffingOutcome
from operators.staffing.round import Given
from operators.staffing.shop import Shops
from schemas.chain import Chain
from schemas.instants import HOUR_US, MINUTE_US
from schemas.roster_file import load_roster
from schemas.roster_tables import ROSTER_DUTY, ROSTER_SHIFT, ROSTER_TASK_15M, STAFFING_15M

TODAY = date(2026, 11, 19)
Said = tuple[list[Any], ...]


class World:
    """A chain's files, and what is published."""

    def __init__(self, folder: Path) -> None:
        self.chain: Chain = load_chain(write_shops(folder, TODAY))
        self.shops = Shops(load_roster(folder / "shops" / f"{store}.yaml") for store in STORES)
        self.rosters: dict[str, Plain] = {}
        for store in STORES:
            tables = zip(
                (ROSTER_SHIFT, ROSTER_TASK_15M, ROSTER_DUTY),
                rows(folder, store, TODAY),
                strict=True,
            )
            read = [
                [dict(zip(table.names, row, strict=True)) for row in values]
                for table, values in tables
            ]
            self.rosters |= plain_rosters(*read)

    def machine(self, *, live: bool = False) -> StaffingMachine:
        given = Given(lambda: self.shops, list, lambda first, last: self.rosters)
        return StaffingMachine(self.chain, given, live=live, since=midnight(TODAY), journaled=True)


@pytest.fixture(scope="module", name="world")
def _world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("staffing"))


@pytest.fixture(scope="module", name="facts")
def _facts() -> list[WindowFact]:
    found = [fact_of(one) for one in windows(TODAY)]
    return [fact for fact in found if fact is not None]


def said(outcomes: Sequence[StaffingOutcome]) -> Said:
    whole: Said = ([], [], [], [], [])
    for outcome in outcomes:
        for there, more in zip(whole, list[Any](outcome[:5]), strict=True):
            there.extend(more)
    return whole


@pytest.fixture(scope="module", name="spoken")
def _spoken(world: World, facts: list[WindowFact]) -> Said:
    return said(world.machine().apply([WindowBatch(PANEL, facts)], 0))


def test_a_strong_day(spoken: Said) -> None:
    """The shop with more customers is short earlier; somebody is asked to stay, cheapest first."""
    alerts, problems = spoken[3:]
    assert problems == []
    mine = [one for one in alerts if one.store == "S1"]
    assert [one.status for one in mine][:1] == ["raised"]
    assert len({one.alert for one in mine if one.status == "raised"}) == 1
    assert mine[-1].status == "cleared"
    noon = mine[0]
    assert (noon.alert_type, noon.severity) == ("short_staffed", "high")
    assert (noon.starts, noon.ends, noon.heads, noon.amount) == ("13:00", "16:00", 1, 12)
    assert noon.off is not None
    assert noon.off > 1
    more = f"orders {noon.off * 100:.0f} % above forecast since 10:00"
    assert noon.reason == f"{more}; 1 head short at till 13:00-16:00"
    # The contract allows both; an hour of ann costs 3,000, one of chen 2,800.
    assert [(one.move, one.employee, one.ends) for one in noon.proposals] == [
        ("stay", "S1-ann", "16:00"),
        ("call", "S1-chen", "16:00"),
    ]
    [stays, called] = noon.proposals
    assert called.starts == "14:00"
    assert stays.words.startswith(
        "S1-ann stays until 16:00 instead of 13:00: pay +9,000, waiting -"
    )
    assert [one.pay_change for one in noon.proposals] == [3 * 3_000, 2 * 2_800]
    assert all(one.waiting_change < 0 for one in noon.proposals)
    # Nothing is amiss in the other shop.
    assert {one.store for one in alerts} == {"S1"}


def test_rows_of_what_is_to_come(world: World, spoken: Said) -> None:
    """What has begun is not told again; the next day is told at the planning hour."""
    names = STAFFING_15M.names
    told = [dict(zip(names, row, strict=True)) for row in spoken[2]]
    assert all(one["start"] >= one["updated_at"] for one in told)
    newest = {(one["store"], one["start"]): one for one in told}
    today = [one for one in newest.values() if one["day"] == TODAY.isoformat()]
    assert len(today) == 2 * 24
    for one in today:
        hour = int(one["local_start"][11:13])
        assert one["scheduled"] == (2 if hour < 13 else 1)
        assert one["gap"] == one["scheduled"] - one["needed"]
        assert one["wait_seconds"] > 0
    strong, usual = (
        sum(one["needed"] for one in today if one["store"] == store) for store in STORES
    )
    assert strong > usual
    # the planning hour, midnight here, tells of tomorrow
    tomorrow = [one for one in newest.values() if one["day"] > TODAY.isoformat()]
    assert {one["updated_at"] for one in tomorrow} == {midnight(TODAY)}


def test_always_the_same(world: World, facts: list[WindowFact], spoken: Said) -> None:
    """However the windows are cut into batches, and killed and resumed at any of them."""
    rng = Random(3)
    cuts = sorted({0, len(facts), *(rng.randrange(len(facts)) for _ in range(3))})
    machine = world.machine()
    base, entries = machine.dump(), list[bytes]()
    outcomes: list[StaffingOutcome] = []
    for first, last in pairwise(cuts):
        batch = WindowBatch(PANEL, facts[first:last])
        for killed in (True, False):
            found = machine.apply([batch], 0)
            entry = machine.journal_entry()
            if not killed:
                outcomes += found
                entries.append(entry)
            if rng.random() < 0.3:
                base, entries = machine.dump() if not killed else base, entries if killed else []
            resumed = world.machine()
            resumed.restore(*base)
            for each in entries:
                resumed.replay(each)
            machine = resumed
    assert said(outcomes) == spoken


def test_old_versions_and_other_shops_change_nothing(
    world: World, facts: list[WindowFact], spoken: Said
) -> None:
    """A window told again as it was before a correction; a shop nobody has a roster file of."""
    machine = world.machine()
    noisy = []
    for fact in facts[-400:]:
        newer = WindowFact(fact.store, fact.quarter, 2, fact.entries, fact.orders, True, True)
        noisy += [newer, WindowFact(fact.store, fact.quarter, 1, 999, 999, True, True)]
    found = machine.apply([WindowBatch(PANEL, [*facts[:-400], *noisy])], 0)
    assert said(found) == spoken


def test_by_the_clock(world: World, facts: list[WindowFact]) -> None:
    """Live, what piled up is read first; of missed rounds the last one is made; then one by one."""
    machine = world.machine(live=True)
    noon = midnight(TODAY) + 12 * HOUR_US
    machine.apply([WindowBatch(PANEL, [f for f in facts if f.end <= noon])], noon + 30 * MINUTE_US)
    due = machine.due(noon + 30 * MINUTE_US)
    assert due is not None
    assert noon + 30 * MINUTE_US < due < noon + 31 * MINUTE_US
    assert machine.tick(due - 1) == []
    [outcome] = machine.tick(due)
    assert {row[-1] for row in outcome.staffing} == {noon}
    # 14:00, and the time in which windows become final
    following = machine.due(due)
    assert following == noon + 2 * HOUR_US + 6 * MINUTE_US
    assert machine.tick(following - 1) == []


def test_a_plan_survives_its_packing(world: World, facts: list[WindowFact]) -> None:
    """A machine that goes on from its dump says what the other one says."""
    machine = world.machine()
    noon = midnight(TODAY) + 12 * HOUR_US + 15 * MINUTE_US
    machine.apply([WindowBatch(PANEL, [f for f in facts if f.end <= noon])], 0)
    other = world.machine()
    other.restore(*machine.dump())
    rest = [WindowBatch(PANEL, [f for f in facts if noon < f.end <= noon + 2 * HOUR_US])]
    assert said(machine.apply(rest, 0)) == said(other.apply(rest, 0))


def test_state_of_another_version(world: World) -> None:
    with pytest.raises(ValueError, match="staffing state of version 9, this tillflow knows 1"):
        world.machine().restore(9, b"")
