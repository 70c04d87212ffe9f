"""What journeys give is issued at the coupon desk: one coupon a decision, or words why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from channel_desk import MINUTE, World
from channel_server import ChannelServer
from channel_world import configured, decided, desk_for, erased, given
from click.testing import CliRunner
from coupon_desks import basket, campaign_of, new_desk
from gift_desk import coupon, pack
from redis_server import RedisServer

from infra.cli import main
from schemas.coupon_events import CouponEvent
from sinks.channels.database import connect
from sinks.channels.listing import TROUBLED, Listed, listed
from sinks.coupons.client import CouponDesk

DAY_MS = 86_400_000


@pytest.fixture
def world(server: ChannelServer, desk: CouponDesk, tmp_path: Path) -> Iterator[World]:
    made = World(server, tmp_path)
    yield made
    made.worker.close()


def trouble(world: World) -> list[Listed]:
    with closing(connect(world.folder / "channels.sqlite")) as connection:
        return listed(connection, TROUBLED)


def test_a_gift_is_one_coupon_that_the_till_sees(world: World, desk: CouponDesk) -> None:
    line = given(experiment="words", arm="A")
    assert world.hear(line, line) == 1
    world.go()
    assert world.heap.said() == [("coupons", "accepted", "")]
    assert world.heap.reports[0].ref == coupon(0)
    (offer,) = desk.run(desk.offering("m0", basket(29_000))).usable
    assert (offer.coupon, offer.rule.id, offer.worth.off) == (coupon(0), "gift-pack", 5_000)
    (told,) = desk.outbox()
    event = told.event
    assert isinstance(event, CouponEvent)
    assert (event.message, event.experiment, event.arm) == (coupon(0), "words", "A")
    world.hear(line)
    world.go(MINUTE)
    assert campaign_of(desk, "gift-pack").issued == 1


def test_it_ends_as_the_journey_says_and_no_later_than_its_campaign(
    world: World, desk: CouponDesk
) -> None:
    world.hear(given(1, valid_seconds=5 * 86_400), given(2, valid_seconds=90 * 86_400))
    world.hear(given(3, valid_seconds=None))
    world.go()
    day = [
        round((desk.read(coupon(n)).valid_to - desk.read(coupon(n)).at) / DAY_MS) for n in (1, 2, 3)
    ]
    assert 5 <= day[0] <= 6
    assert day[1] == day[2]
    assert 29 <= day[1] <= 30


def test_only_what_is_to_be_done_now_is_issued(world: World, desk: CouponDesk) -> None:
    late = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    world.hear(given(1, decision="defer"), given(2, decision="suppress"), given(3, held_out=True))
    world.hear(given(4, not_after=late), given(5), erased(5), erased(6), given(6))
    world.go()
    assert campaign_of(desk, "gift-pack").issued == 0
    assert world.heap.said() == [("coupons", "failed", "expired")]


def test_the_server_itself_issues_nothing_too_late(desk: CouponDesk) -> None:
    """A request may lie in a line for long; its copy that came in time is answered for ever."""
    now = desk.run(desk.campaigns_now())  # the desk is there
    assert now
    at = int(datetime.now(UTC).timestamp() * 1000)
    desk.run(desk.issuing("in-time", "gift-pack", "m1", not_after=at + 60_000))
    again = desk.run(desk.issuing("in-time", "gift-pack", "m1", not_after=at - 1))
    assert again.replayed
    with pytest.raises(Exception, match="issued earlier"):
        desk.run(desk.issuing("late", "gift-pack", "m2", not_after=at - 1))


def test_an_unpublished_gift_is_kept_and_issued_once_it_is_published(
    world: World, desk: CouponDesk
) -> None:
    world.hear(given(1, gift="mystery"), given(2))
    world.go()
    assert world.heap.said() == [("coupons", "failed", "no_campaign"), ("coupons", "accepted", "")]
    (kept,) = trouble(world)
    assert (kept.state, kept.channel) == ("kept", "coupons")
    assert "no campaign 'mystery' is published" in kept.answer
    assert "m1" not in kept.answer
    world.go(2 * MINUTE)
    assert world.heap.said().count(("coupons", "failed", "no_campaign")) == 1
    desk.publish(pack(2, name="mystery"))
    world.restart()
    world.go()
    assert world.heap.said()[-1] == ("coupons", "accepted", "")
    assert desk.read(coupon(1)).member == "m1"
    assert trouble(world) == []


def test_a_used_up_budget_keeps_a_gift_until_there_is_more_or_it_is_too_late(
    world: World, desk: CouponDesk
) -> None:
    desk.publish(pack(2, issued=1))
    world.hear(given(1), given(2), given(3))
    world.go()
    assert world.heap.said() == [
        ("coupons", "accepted", ""),
        ("coupons", "failed", "budget_issued"),
        ("coupons", "failed", "budget_issued"),
    ]
    assert all(
        "all coupons of the campaign have been issued" in one.answer for one in trouble(world)
    )
    desk.publish(pack(3, issued=2))
    world.go(5 * MINUTE)
    assert campaign_of(desk, "gift-pack").issued == 2
    world.go(60 * MINUTE)
    (left,) = trouble(world)
    assert left.state == "failed"
    assert left.answer.startswith("all coupons of the campaign")
    # Told once why: that it became too late as well is no other failure.
    assert len(world.heap.said()) == 4


def test_a_message_waits_for_its_gift_and_names_it(
    world: World, server: ChannelServer, desk: CouponDesk
) -> None:
    world.hear(given(1, gift="later"), decided(1, valid_seconds=None))
    world.go()
    assert server.arrived == []
    desk.publish(pack(2, name="later"))
    world.go(2 * MINUTE)
    (sent,) = server.arrived
    end = datetime.fromtimestamp(desk.read(coupon(1)).valid_to / 1000 - 1, UTC)
    shanghai = end + timedelta(hours=8)
    assert f"{shanghai:%Y-%m-%d}" in sent.words


def test_a_gift_that_comes_while_its_message_is_judged(
    world: World, server: ChannelServer, desk: CouponDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message does not wait for a word that was said before it began to wait."""
    world.hear(given(1), decided(1))
    sms, coupons = (world.worker.senders[name] for name in ("sms", "coupons"))
    outbox = sms._outbox
    again = outbox.again

    def late(*about: Any, **more: Any) -> None:
        coupons.step()
        again(*about, **more)

    monkeypatch.setattr(outbox, "again", late)
    sms.step()
    assert world.worker.store.reports()
    assert server.arrived == []
    sms.step()
    assert len(server.arrived) == 1


def test_nobody_is_promised_a_coupon_that_is_not_there(
    world: World, server: ChannelServer, desk: CouponDesk
) -> None:
    desk.run(desk.issuing(coupon(1), "gift-pack", "somebody"))
    world.hear(given(1), decided(1), decided(2, entry="another"))
    world.go()
    assert [one.address for one in server.arrived] == ["13800000002"]
    told = {(one.channel, one.status, one.reason) for one in world.heap.reports}
    assert told >= {("coupons", "failed", "refused"), ("sms", "failed", "no_gift")}


def test_two_workers_issue_the_same_coupon(
    world: World, server: ChannelServer, desk: CouponDesk, tmp_path: Path
) -> None:
    """Their stores know nothing of each other; the desk does."""
    other = tmp_path / "other"
    other.mkdir()
    desk_for(other, desk)
    second = World(server, other)
    lines = [given(number) for number in range(5)]
    for one in (world, second):
        one.hear(*lines)
    second.go()
    world.go()
    second.worker.close()
    assert campaign_of(desk, "gift-pack").issued == 5
    assert world.heap.said() == second.heap.said() == [("coupons", "accepted", "")] * 5


def test_without_a_desk_gifts_wait_for_one_and_messages_do_not(
    server: ChannelServer, redis: RedisServer, tmp_path: Path
) -> None:
    world = World(server, tmp_path)
    world.hear(given(1), decided(1))
    world.go()
    assert len(server.arrived) == 1
    (kept,) = trouble(world)
    assert (kept.state, "coupons:" in kept.answer) == ("kept", True)
    with new_desk(redis, pack()) as desk:
        desk_for(tmp_path, desk)
        world.restart(configured(server.address, tmp_path))
        world.go()
        assert desk.read(coupon(1)).member == "m1"
    world.worker.close()


def test_the_check_tells_of_the_desk(
    desk: CouponDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK", desk.settings.url)
    (tmp_path / "contacts.csv").write_text("member\n", "utf-8")
    file = tmp_path / "channels.yaml"
    file.write_text(
        "channels:\n  pos: {type: offers}\ncontacts: contacts.csv\n"
        f"coupons: {{redis: env:DESK, pool: {desk.settings.desk}}}\n",
        "utf-8",
    )
    line = ["channels", "check", "--config", str(file)]
    told = CliRunner().invoke(main, line)
    assert told.exit_code == 0, told.output
    assert f"coupon desk {desk.settings.desk}: open, gift-pack" in told.output
    monkeypatch.setenv("DESK", "redis://127.0.0.1:1/0")
    told = CliRunner().invoke(main, line)
    assert (told.exit_code, "gave no answer" in told.output) == (1, True)


def test_a_store_of_the_version_before_is_taken_up(
    server: ChannelServer, desk: CouponDesk, tmp_path: Path
) -> None:
    path = tmp_path / "channels.sqlite"
    with closing(connect(path)) as connection:
        connection.execute("DROP TABLE gift")
        connection.execute("PRAGMA user_version = 1")
    world = World(server, tmp_path)
    world.hear(given(1), decided(1))
    world.go()
    assert world.states() == {"accepted": 2}
    world.worker.close()
