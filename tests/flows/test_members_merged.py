"""A person of two ids is told of as one of a single id: each change at its instant, and why."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from flow_driver import query, write_chain, write_lines
from journey_driver import instant
from member_driver import run_members
from member_events import order, pair, refund, render

from schemas.chain import Chain
from schemas.instants import DAY_US, HOUR_US
from schemas.member_rules import MembersConfig

START = instant("2026-01-01 12:00")
PERSONS = 25
TOLD = """
SELECT member, number, changed_at, from_segment, to_segment, cause, event
FROM member_transition WHERE to_segment IS NOT NULL ORDER BY member, number
"""
STATES = "SELECT member, segment, segment_since, orders, monetary FROM member_state WHERE {}"


def history(rng: Random) -> list[tuple[int, int, bool, int]]:
    """Purchases and refunds in the order of time: time, person, whether the other id, amount."""
    found = []
    for _ in range(400):
        time = START + DAY_US + rng.randrange(250 * DAY_US // HOUR_US) * HOUR_US
        found.append((time, rng.randrange(PERSONS), rng.random() < 0.5, rng.randrange(1, 90)))
    return sorted(found)


def lines_of(told: list[tuple[int, int, bool, int]], *, merged: bool) -> list[bytes]:
    """The same under one id, or under two that were merged before."""
    lines = []
    if merged:
        lines = [pair("member.merged.v1", f"b{n}", f"a{n}", START) for n in range(PERSONS)]
    for number, (time, person, other, amount) in enumerate(told):
        member = f"{'b' if other and merged else 'a'}{person}"
        lines.append(order(member, str(number), time, 1_000 * amount))
        if amount % 7 == 0:
            lines.append(
                refund(member, str(number), time + HOUR_US // 2, 500 * amount, f"r{number}")
            )
    return [render(one) for one in lines]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_change_is_that_of_a_single_id(tmp_path: Path, workers: int) -> None:
    told = history(Random(workers))
    rules = MembersConfig(frequency_days=60, monetary_days=60)
    config = write_chain(tmp_path / "chain.yaml", Chain(members=rules))
    found = []
    for name in ("merged", "single"):
        source = tmp_path / f"{name}.jsonl"
        write_lines(source, lines_of(told, merged=name == "merged"))
        warehouse = tmp_path / f"{name}.duckdb"
        options = ["--source", source, "--warehouse", warehouse, "--config", config]
        run_members(*options, "--workers", workers)
        survivors = STATES.format("starts_with(member, 'a') ORDER BY member")
        found.append((query(warehouse, TOLD), query(warehouse, survivors)))
    assert len(found[0][0]) > 3 * PERSONS
    assert {row[5] for row in found[0][0]} >= {"purchase", "time"}
    assert found[0] == found[1]
