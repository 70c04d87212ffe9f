"""Tills that race for a budget, and a server that is killed under them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from coupon_clients import till
from coupon_desks import campaign_of, new_desk, one_campaign
from flow_driver import wait_until
from forks import start_forked
from redis_server import RedisServer, start_redis

from operators.coupons.life import Lives
from sinks.coupons.client import CouponDesk

TILLS = 4


def issued(desk: CouponDesk, count: int) -> list[str]:
    names = [f"k{number}" for number in range(count)]
    for name in names:
        desk.run(desk.issuing(name, "c", "m"))
    return names


def shuffled(names: Sequence[str], seed: int) -> list[str]:
    mixed = list(names)
    random.Random(seed).shuffle(mixed)
    return mixed


def confirmed(files: Sequence[Path]) -> list[tuple[str, str]]:
    lines = [line for file in files for line in file.read_text().splitlines()]
    return [(coupon, order) for coupon, order in map(str.split, lines)]


@pytest.mark.slow
def test_tills_racing_for_a_budget_redeem_exactly_it(server: RedisServer, tmp_path: Path) -> None:
    budget = 40
    with new_desk(server, one_campaign(redeemed=budget, money=5_000 * budget + 4_999)) as desk:
        names = issued(desk, 60)
        files = [tmp_path / str(number) for number in range(TILLS)]
        tills = [
            start_forked(till, desk.settings, number, shuffled(names, number), files[number])
            for number in range(TILLS)
        ]
        for each in tills:
            each.join(60)
        assert [each.exitcode for each in tills] == [0] * TILLS
        won = confirmed(files)
        assert len(won) == budget == len({coupon for coupon, _ in won})
        here = campaign_of(desk, "c")
        assert (here.redeemed, here.money, here.reserved) == (budget, 5_000 * budget, 0)
        lives = Lives()
        for entry in desk.outbox(count=10_000):
            lives.take(entry.what, entry.event)
        told = {(each.coupon, each.order) for each in lives.coupons.values() if each.uses}
        assert told == set(won)


@pytest.mark.slow
def test_a_killed_server_loses_nothing_it_confirmed(tmp_path: Path) -> None:
    options = ("--appendfsync", "always")
    with start_redis(tmp_path / "redis", options=options) as server:
        with new_desk(server, one_campaign(redeemed=500)) as desk:
            names = issued(desk, 300)
            files = [tmp_path / str(number) for number in range(2)]
            tills = [
                start_forked(till, desk.settings, number, names[number::2], files[number])
                for number in range(2)
            ]
            wait_until(lambda: all(file.exists() for file in files), "no till began", 30)
            wait_until(lambda: len(confirmed(files)) > 20, "no coupon was redeemed", 30)
            server.kill()
            for each in tills:
                each.join(60)
        won = confirmed(files)
        server.start()
        with CouponDesk(desk.settings) as again:
            found = {each.coupon: each for each in again.look(names).coupons}
            assert all(found[coupon].state == "redeemed" for coupon, _ in won)
            assert all(found[coupon].order == order for coupon, order in won)
            here = campaign_of(again, "c")
            redeemed = [each for each in found.values() if each.state == "redeemed"]
            assert here.redeemed == len(redeemed)
            # At most one call a till was under way, written and not confirmed.
            assert len(won) <= here.redeemed <= len(won) + len(tills)
            lives = Lives()
            for entry in again.outbox(count=10_000):
                lives.take(entry.what, entry.event)
            assert lives.use(0)["c"].redeemed == here.redeemed
