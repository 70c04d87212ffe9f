"""Worker or Redis die while coupons are issued: one coupon a decision all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from channel_crash import STEPS, run_worker
from channel_desk import MINUTE, World
from channel_server import ChannelServer
from channel_world import desk_for, given
from coupon_desks import campaign_of, new_desk
from gift_desk import coupon, pack
from redis_server import start_redis

from sinks.coupons import keeping
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import UnknownCoupon


def test_a_redis_that_dies_in_between_costs_nothing(server: ChannelServer, tmp_path: Path) -> None:
    with (
        start_redis(tmp_path / "redis") as redis,
        new_desk(redis, pack(), timeout_seconds=1) as desk,
    ):
        desk_for(tmp_path, desk)
        world = World(server, tmp_path)
        world.hear(given(1))
        redis.kill()
        world.go()
        world.go(MINUTE)
        assert world.heap.said() == []
        redis.start()
        desk.run(keeping.mark(desk.protocol))
        world.go(MINUTE)
        assert world.heap.said() == [("coupons", "accepted", "")]
        assert campaign_of(desk, "gift-pack").issued == 1
        world.worker.close()


def test_what_was_asked_for_before_a_death_is_asked_after_it(
    server: ChannelServer, tmp_path: Path
) -> None:
    """Issued, unanswered, and by now too late to issue: the desk is asked, not the clock."""
    with (
        start_redis(tmp_path / "redis") as redis,
        new_desk(redis, pack(), timeout_seconds=1) as desk,
    ):
        desk_for(tmp_path, desk)
        world = World(server, tmp_path)
        world.hear(given(1), given(2))
        redis.kill()
        world.go()
        redis.start()
        desk.run(keeping.mark(desk.protocol))
        desk.run(desk.issuing(coupon(1), "gift-pack", "m1", message=coupon(1)))
        world.go(120 * MINUTE)
        world.go(2 * MINUTE)
        assert {(one.message, one.status) for one in world.heap.reports} == {
            (coupon(1), "accepted"),
            (coupon(2), "failed"),
        }
        with pytest.raises(UnknownCoupon):
            desk.read(coupon(2))
        world.worker.close()


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_every_step_it_is_one_coupon(desk: CouponDesk, tmp_path: Path, step: str) -> None:
    lines = [given(number) for number in range(3)]
    (tmp_path / "events.jsonl").write_bytes(b"".join(lines))
    assert run_worker("", tmp_path, step) == -9
    assert run_worker("", tmp_path) == 0
    assert campaign_of(desk, "gift-pack").issued == 3
    assert sorted(told.event.coupon for told in desk.outbox()) == [coupon(n) for n in range(3)]
    assert [desk.read(coupon(n)).member for n in range(3)] == ["m0", "m1", "m2"]
