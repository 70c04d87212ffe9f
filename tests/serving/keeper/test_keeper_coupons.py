"""The keeper carries what becomes of coupons to the log, also over its own death."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import msgspec
import pytest
from broker import Broker
from click.testing import CliRunner
from coupon_desks import COUPONS, basket, book, campaign_of, lose
from keeper_world import World

from infra.commands.coupons import coupon
from operators.coupons.life import Lives
from schemas.coupon_events import COUPON_TOPIC, REJECTED_TYPE, TYPES, CouponEvent, CouponRejected
from schemas.member_events import ERASED_TYPE, Erased
from serving.keeper.events import read_event
from sinks.coupons import erasing
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import Refused, UnknownCoupon
from sinks.coupons.settings import DeskSettings
from sinks.kafka.events import to_record
from sinks.kafka.producer import TopicWriter
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings

NOW = "2026-11-23T10:00:00Z"


class CouponLog:
    """What is on the log about the coupons of one desk."""

    def __init__(self, broker: Broker, member: str) -> None:
        self._reader = RecordReader(KafkaSettings(broker.address), [COUPON_TOPIC], "coupon-test")
        self._member = member
        self.lives = Lives()
        self.rejected: list[CouponRejected] = []
        self.told: dict[tuple[str, str], bytes] = {}
        self.repeated = 0

    def read(self) -> None:
        for block in self._reader.read(0.02):
            for record in block.records:
                event = read_event(record)
                assert event is not None
                data: CouponEvent | CouponRejected
                if event.type == REJECTED_TYPE:
                    data = msgspec.json.decode(event.data, type=CouponRejected)
                else:
                    assert event.type in TYPES
                    data = msgspec.json.decode(event.data, type=CouponEvent)
                name = (event.source, event.id)
                if name in self.told:
                    assert self.told[name] == event.data, "told twice, and differently"
                    self.repeated += 1
                elif self._member in (data.member, getattr(data, "store", None)):
                    self.told[name] = event.data
                    if isinstance(data, CouponRejected):
                        self.rejected.append(data)
                    self.lives.take(event.type.split(".")[1], data)

    def close(self) -> None:
        self._reader.close()


@pytest.fixture(scope="module", autouse=True)
def topic(broker: Broker) -> None:
    broker.create(COUPON_TOPIC, 2)
    broker.create(ERASED_TYPE, 1)


@pytest.fixture
def desk(world: World) -> Iterator[CouponDesk]:
    settings = DeskSettings(url=world.redis.url, desk=world.pool, timeout_seconds=20)
    with CouponDesk(settings) as made:
        made.publish(book(), first="one")
        yield made


@pytest.fixture
def log(world: World) -> Iterator[CouponLog]:
    made = CouponLog(world.broker, world.pool)
    yield made
    made.close()


def test_coupons_reach_the_log_over_a_keepers_death(
    world: World, desk: CouponDesk, log: CouponLog
) -> None:
    first = world.opened()
    member, here = world.pool, basket(29_000)
    for number in range(3):
        desk.run(desk.issuing(f"k{number}", "c280-50", member))
    desk.run(desk.redeeming("k0", call="d", order="o0", basket=here))
    desk.run(desk.reserving("k1", here, call="r", order="o1", ttl_seconds=0.01))

    def told(count: int) -> bool:
        log.read()
        return len(log.told) >= count

    # Three issued, one redeemed, one reserved, and that it lapsed: nobody but the sweeper tells it.
    world.wait(lambda: told(6), "not all events reached the log")
    first.kill()
    desk.run(desk.rolling_back("k0", order="o0", refund="r"))
    desk.run(desk.redeeming("k2", call="d", order="o2", basket=here))
    world.opened()
    world.wait(lambda: told(8), "what happened between two keepers did not reach the log")
    world.wait(lambda: not desk.outbox(), "the outbox was not trimmed")
    use = log.lives.use(desk.read("k2").at)["c280-50"]
    assert (use.issued, use.redeemed, use.money, use.rolled_back) == (3, 1, 5_000, 1)
    assert log.lives.coupons["k1"].state == "issued"

    # The desk loses its data; what is on the log brings it back.
    told_of = desk.look(["k0", "k1", "k2"], ["c280-50"])
    lose(desk)
    file = world.folder / "coupons.yaml"
    file.write_text(COUPONS, encoding="utf-8")
    where = ["--pool", world.pool, "--kafka", world.broker.address]
    rebuilt = CliRunner().invoke(coupon, ["rebuild", str(file), "--redis", world.redis.url, *where])
    assert "3 coupons from 8 events" in rebuilt.output, rebuilt.output
    again = desk.look(["k0", "k1", "k2"], ["c280-50"])
    assert again.campaigns == told_of.campaigns
    assert [each.state for each in again.coupons] == [each.state for each in told_of.coupons]
    shown = CliRunner().invoke(coupon, ["funnel", *where])
    assert "100.0%" in shown.output
    desk.run(desk.issuing("k9", "c280-50", "other", message="after"))
    world.wait(lambda: not desk.outbox(), "the keeper did not find the desk again")


def test_what_tills_were_refused_reaches_the_log_once(
    world: World, desk: CouponDesk, log: CouponLog
) -> None:
    """Over deaths of the keeper: the relay may repeat itself, with the same ids."""
    here, short = basket(29_000, store=world.pool), basket(100, store=world.pool)

    def refuse(*orders: str) -> None:
        for order in orders:
            for _ in range(2):  # tills try again
                with pytest.raises(Refused):
                    desk.run(desk.redeeming("k", call="d", order=order, basket=short))
                with pytest.raises(UnknownCoupon):
                    desk.run(desk.reserving("no", here, call="r", order=order))

    desk.run(desk.issuing("k", "c280-50", world.pool))
    keeper = world.opened()
    for number in range(3):
        refuse(f"{number}-a", f"{number}-b")
        keeper.kill()
        refuse(f"{number}-b", f"{number}-c")
        keeper = world.opened()
    desk.run(desk.redeeming("k", call="d", order="0-a", basket=here))
    asked = [f"{number}-{letter}" for number in range(3) for letter in "abc"]

    def told() -> bool:
        log.read()
        return log.lives.coupons["k"].state == "redeemed" if log.told else False

    world.wait(told, "not all events reached the log")
    codes = ("below_threshold", "unknown_coupon")
    found = sorted((each.order, each.rejection_code) for each in log.rejected)
    assert found == sorted((order, code) for order in asked for code in codes)
    owners = {(each.rejection_code, each.member, each.campaign) for each in log.rejected}
    assert owners == {(codes[0], world.pool, "c280-50"), (codes[1], None, None)}
    # A desk that is written anew from this log is the same.
    told_of = desk.look(["k"], ["c280-50"])
    world.wait(lambda: not desk.outbox(), "the outbox was not trimmed")
    lose(desk)
    file = world.folder / "coupons.yaml"
    file.write_text(COUPONS, encoding="utf-8")
    where = ["--pool", world.pool, "--kafka", world.broker.address, "--redis", world.redis.url]
    rebuilt = CliRunner().invoke(coupon, ["rebuild", str(file), *where])
    assert "1 coupons from 2 events" in rebuilt.output, rebuilt.output
    assert desk.look(["k"], ["c280-50"]).campaigns == told_of.campaigns


def test_an_erased_member_is_gone_from_the_desk_and_stays_gone(
    world: World, desk: CouponDesk, log: CouponLog
) -> None:
    """Heard on the log by a keeper; killed in between and asked again, it is the same."""
    member, here = f"anna-{world.pool[-8:]}", basket(29_000)
    for number in range(3):
        desk.run(desk.issuing(f"e{number}", "c280-50", member))
    desk.run(desk.redeeming("e0", call="d", order="o0", basket=here))
    keeper = world.opened()
    world.wait(lambda: not desk.outbox(), "the outbox was not trimmed")
    settings = KafkaSettings(world.broker.address)
    erased = to_record(ERASED_TYPE, "crm", "x", NOW, Erased(members=[member]), key=member)
    for _ in range(2):
        writer = TopicWriter(settings)
        writer.write(*erased)
        writer.flush()

        def forgotten() -> bool:
            owners = {desk.read(f"e{number}").member for number in range(3)}
            return owners == {"erased"} and not desk.of_member(member).coupons

        world.wait(forgotten, "the desk still knows who it was")
        keeper.kill()
        keeper = world.opened()
    assert campaign_of(desk, "c280-50").issued == 3
    assert campaign_of(desk, "c280-50").redeemed == 1
    desk.run(desk.rolling_back("e0", order="o0", refund="r"))
    world.wait(lambda: not desk.outbox(), "the outbox was not trimmed")
    with pytest.raises(Refused, match="erased"):
        desk.run(desk.issuing("e9", "tea-20", member))

    # The log has her coupons as they once were, and that she was erased.
    told = desk.look(["e0", "e1", "e2"], ["c280-50"])
    lose(desk)
    file = world.folder / "coupons.yaml"
    file.write_text(COUPONS, encoding="utf-8")
    where = ["--pool", world.pool, "--kafka", world.broker.address]
    rebuilt = CliRunner().invoke(coupon, ["rebuild", str(file), "--redis", world.redis.url, *where])
    assert "3 coupons from" in rebuilt.output, rebuilt.output
    again = desk.look(["e0", "e1", "e2"], ["c280-50"])
    assert again.campaigns == told.campaigns
    assert {each.member for each in again.coupons} == {"erased"}
    assert desk.of_member(member).coupons == []
    with pytest.raises(Refused, match="erased"):
        desk.run(desk.issuing("e9", "tea-20", member))


def test_what_waited_over_an_erasure_leaves_without_the_name(
    world: World, desk: CouponDesk
) -> None:
    """While no keeper was there; nothing that was told is lost by it."""
    member, other = f"anna-{world.pool[-8:]}", f"ben-{world.pool[-8:]}"
    here, tea = basket(29_000), basket(10_000, category="tea")
    for number in range(3):
        desk.run(desk.issuing(f"w{number}", "c280-50", member, message="brought"))
    desk.run(desk.redeeming("w0", call="d", order="o0", basket=here))
    desk.run(desk.issuing("wb", "tea-20", other, message="brought"))
    desk.run(desk.redeeming("wb", call="d", order="o1", basket=tea, buyer=member))
    with pytest.raises(Refused):
        desk.run(desk.redeeming("w1", call="d", order="o2", basket=basket(100)))
    desk.run(erasing.erase(desk.protocol, [member]))
    assert member in str(desk.outbox(count=100))
    world.opened()
    world.wait(lambda: not desk.outbox(), "the outbox was not trimmed")

    reader = RecordReader(KafkaSettings(world.broker.address), [COUPON_TOPIC], "coupon-test")
    told: list[tuple[str, CouponEvent]] = []
    refused: list[CouponRejected] = []
    lives = Lives()

    def all_told() -> bool:
        for block in reader.read(0.02):
            for record in block.records:
                assert member.encode() not in (record.key or b"") + (record.value or b"")
                event = read_event(record)
                assert event is not None
                if quote(world.pool, "") not in event.source:
                    continue
                if event.type == REJECTED_TYPE:
                    refused.append(msgspec.json.decode(event.data, type=CouponRejected))
                    continue
                data = msgspec.json.decode(event.data, type=CouponEvent)
                what = event.type.split(".")[1]
                told.append((what, data))
                lives.take(what, data)
        return len(told) == 8 and len(refused) == 1

    world.wait(all_told, "not all events reached the log")
    reader.close()
    assert sorted(what for what, _ in told) == ["expired"] * 2 + ["issued"] * 4 + ["redeemed"] * 2
    assert {data.member for _, data in told} == {"erased", other}
    assert [(one.member, one.coupon) for one in refused] == [("erased", "w1")]
    assert {data.message for what, data in told if what == "issued"} == {None, "brought"}
    assert {life.coupon: life.state for life in lives.coupons.values()} == {
        "w0": "redeemed",
        "w1": "expired",
        "w2": "expired",
        "wb": "redeemed",
    }
    assert lives.coupons["wb"].by == "erased"


def test_a_restarted_redis_gets_back_what_it_forgot(own_world: World) -> None:
    world, here = own_world, basket(29_000)
    settings = DeskSettings(url=world.redis.url, desk=world.pool, timeout_seconds=20)
    log = CouponLog(world.broker, world.pool)
    with CouponDesk(settings) as desk:
        desk.publish(book(), first="one")
        world.opened()
        for name in ("k0", "k1"):
            desk.run(desk.issuing(name, "c280-50", world.pool))
        before = desk._execute("GET", desk.protocol.keys.coupon("k0"))
        desk.run(desk.redeeming("k0", call="d", order="o0", basket=here))

        def told() -> bool:
            log.read()
            return len(log.told) == 3

        world.wait(told, "the redemption did not reach the log")
        world.wait(lambda: not desk.outbox(), "the outbox was not trimmed")
        # As if the crash had taken the last second: the coupon could be redeemed again.
        desk._execute("SET", desk.protocol.keys.coupon("k0"), before)
        desk._execute("HDEL", desk.protocol.keys.rule("c280-50")[0], "redeemed", "money")
        world.redis.kill()
        world.redis.start()

        def anew() -> bool:
            state = desk.state()
            return (state.state, state.epoch != "one", state.restarted) == ("open", True, False)

        world.wait(anew, "the desk was not written anew")
        with pytest.raises(Refused, match="another order"):
            desk.run(desk.redeeming("k0", call="e", order="o9", basket=here))
        desk.run(desk.redeeming("k1", call="d", order="o1", basket=here))
        assert campaign_of(desk, "c280-50").redeemed == 2
    log.close()
