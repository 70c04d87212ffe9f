"""From a purchase on Kafka to a redeemed coupon that is counted, with a kill -9 at every step.

The journeys are those of docs/examples without their long waits and their own tests.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from broker import start_broker
from channel_crash import STEPS
from flow_driver import StartedFlow, query, write_chain
from forks import start_forked
from given_worker import RULES, WAREHOUSE, work
from hold_stack import TOPICS as HOLDS
from hold_stack import Api
from keeper_world import World
from member_driver import invoke
from member_events import event, order, render
from redis_server import start_redis

from flows.members import TOPICS
from operators.engine import system_clock
from schemas.chain import Chain
from schemas.coupon_events import COUPON_TOPIC
from schemas.coupons_file import load_coupons
from schemas.instants import DAY_US, SECOND_US, to_datetime
from schemas.journey_events import MESSAGE_DECIDED_TYPE, MessageDecided
from schemas.member_rules import MembersConfig
from schemas.message_events import SUBSCRIPTION_TYPE
from serving.holds.keys import Scope
from serving.keeper.events import read_event
from sinks.channels.telling import TOPICS_WRITTEN
from sinks.coupons.client import CouponDesk
from sinks.coupons.settings import DeskSettings
from sinks.kafka.producer import TopicWriter
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples" / "journeys"
COUPONS = """\
version: 1
coupons:
  - {id: gift-pack, name: {zh: 大礼包, en: gift pack}, kind: amount_off, threshold: 10000,
     amount: 2000, valid: {days: 30}, budget: {issued: 100}}
  - {id: vip-gift, name: {zh: 贵宾礼, en: VIP gift}, kind: amount_off, threshold: 10000,
     amount: 3000, valid: {days: 60}, budget: {issued: 100}}
"""
LAPSED = [f"w{number}" for number in range(4)]
SPENDERS = [f"v{number}" for number in range(3)]
KEYS: dict[str, tuple[str, list[Scope], float]] = {
    "till": ("till", ["coupons:redeem", "coupons:read"], 1e5)
}


def journeys(folder: Path) -> Path:
    """The examples: their steps, entries, experiment and control."""
    folder.mkdir()
    for name, waits in (("winback-30d", ["  - wait: until 10:00\n"]), ("vip-at-500", [])):
        text = (EXAMPLES / f"{name}.yaml").read_text("utf-8").partition("\ntests:")[0] + "\n"
        for wait in waits:
            assert wait in text
            text = text.replace(wait, "")
        text = text.replace("- wait: 7d", "- wait: 1s")
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return folder


class Shop:
    """Everything between a till and a till."""

    def __init__(self, world: World) -> None:
        self.world, self.folder = world, world.folder
        self.kafka = KafkaSettings(world.broker.address)
        self.warehouse = self.folder / WAREHOUSE
        self.book = self.folder / "coupons.yaml"
        self.book.write_text(COUPONS, "utf-8")
        # Without limits by the clock on the wall.
        chain = Chain(journeys=RULES, members=MembersConfig(late_days=90))
        self.config = write_chain(self.folder / "chain.yaml", chain)
        self.journeys = journeys(self.folder / "journeys")
        self.said: dict[str, MessageDecided] = {}
        self._reader = RecordReader(self.kafka, [MESSAGE_DECIDED_TYPE], "given-test")

    def close(self) -> None:
        self._reader.close()

    def put(self, *lines: bytes) -> None:
        writer = TopicWriter(self.kafka)
        for line in lines:
            kind = [("content-type", b"application/cloudevents+json")]
            writer.write(json.loads(line)["type"], b"k", line, kind)
        writer.flush()

    def flow(self, name: str, *more: object) -> StartedFlow:
        options = ["--kafka", self.world.broker.address, "--create-topics", "--config", self.config]
        options += ["--warehouse", self.warehouse, "--epoch-seconds", 0.2, *more]
        return StartedFlow(self.folder / f"{name}.log", *options, flow=name)

    def gives(self) -> dict[str, MessageDecided]:
        """What was decided to be given so far; told twice it is the same."""
        for block in self._reader.read(0.02):
            for record in block.records:
                told = read_event(record)
                assert told is not None
                one = msgspec.json.decode(told.data, type=MessageDecided)
                if one.action == "give" and one.decision == "go":
                    there = self.said.setdefault(one.message, one)
                    assert (there.member, there.gift) == (one.member, one.gift)
        return self.said

    def settled(self) -> bool:
        """Whether every member has a decision to be given something, or is held out."""
        self.gives()
        return len(self.said) >= len(LAPSED) + len(SPENDERS)

    def channels(self, step: str = "") -> int:
        """The exit code of a channels worker that kills itself at a step."""
        process = start_forked(
            work, self.folder, self.kafka.brokers, self.world.redis.url, self.world.pool, step
        )
        process.join(60)
        code = process.exitcode
        assert code is not None, "the worker does not end"
        process.close()
        return code


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """With a log and a Redis of its own."""
    read = {*TOPICS, *TOPICS_WRITTEN, *HOLDS, MESSAGE_DECIDED_TYPE, SUBSCRIPTION_TYPE, COUPON_TOPIC}
    with ExitStack() as stack:
        broker = stack.enter_context(start_broker(tmp_path / "broker"))
        redis = stack.enter_context(start_redis(tmp_path / "redis"))
        for topic in read:
            broker.create(topic, 2)
        made = Shop(World(tmp_path, broker, redis, stack))
        stack.callback(made.close)
        yield made


def basket() -> dict[str, Any]:
    return {"store": "S1", "lines": [{"sku": "TEA", "amount": 15_000}]}


def decide(shop: Shop) -> None:
    """Purchases to decisions, killed as soon as the first of them is on the log.

    The last member buys when nothing runs, so that there is something to do for the next run.
    """
    now, lines = system_clock(), []
    for number, member in enumerate([*LAPSED, *SPENDERS]):
        said = {"member": member, "purpose": "marketing", "channel": "any", "status": "granted"}
        lines.append(render(event("member.consent.v1", f"c{number}", now - 40 * DAY_US, **said)))
    since = now - 30 * DAY_US + 4 * SECOND_US
    lines += [render(order(each, f"o-{each}", since, 20_000)) for each in LAPSED]
    spent = [
        render(order(each, f"o-{each}-{part}", now, 30_000)) for each in SPENDERS for part in (0, 1)
    ]
    shop.put(*lines, *spent[:-2])
    first = shop.flow("members", "--journeys", shop.journeys)
    shop.world.wait(lambda: bool(shop.gives()) or not first.alive(), "nothing was decided")
    assert first.alive(), first.wait().output
    first.process.kill()
    assert first.wait().code == -signal.SIGKILL
    shop.put(*spent[-2:])
    flow = shop.flow("members", "--journeys", shop.journeys)
    shop.world.wait(shop.settled, f"not all was decided: {shop.said}")
    flow.signal(signal.SIGTERM)
    assert flow.wait().code == 0


def test_from_purchase_to_redemption(shop: Shop) -> None:
    world = shop.world
    settings = DeskSettings(url=world.redis.url, desk=world.pool, timeout_seconds=20)
    with CouponDesk(settings) as desk:
        desk.publish(load_coupons(shop.book), first="one")
        decide(shop)
        wanted = {(one.member, one.gift) for one in shop.said.values()}
        assert wanted == {
            *((member, "gift-pack") for member in LAPSED),
            *((member, "vip-gift") for member in SPENDERS),
        }

        # The worker is killed at every step of its own, and everything is there once.
        for step in STEPS:
            assert shop.channels(step) == -signal.SIGKILL, step
        assert shop.channels() == 0
        used = {one.campaign: one.issued for one in desk.run(desk.campaigns_now())}
        assert used == {"gift-pack": len(LAPSED), "vip-gift": len(SPENDERS)}
        for message, one in shop.said.items():
            coupon = desk.read(message)
            assert (coupon.member, coupon.campaign, coupon.state) == (
                one.member,
                one.gift,
                "issued",
            )

        # The till sees them, and redeems two; the keeper dies in between.
        keeper = world.opened()
        api = Api(shop.folder, world.redis.url, world.pool, keys=KEYS)
        try:
            redeem(shop, api)
            keeper.kill()
            world.opened()
            world.wait(lambda: not desk.outbox(), "the outbox was not relayed")
        finally:
            api.stop()
    count(shop)


def redeem(shop: Shop, api: Api) -> None:
    """Everybody's screen shows the offer; two use it, and one of them brings everything back.

    One of them is refused at first, for too little lies at the till.
    """
    till = api.client_of(api.others["till"])
    for message, one in shop.said.items():
        found = till.post("/v1/offers", json={"member": one.member, "basket": basket()}).json()
        assert [each["coupon"] for each in found["usable"]] == [message]
        assert found["best"]["off"] == (2_000 if one.gift == "gift-pack" else 3_000)
    at = system_clock()
    for message, one in shop.said.items():
        if one.member in ("w0", "v0"):
            asked = {"id": "d", "order": f"u-{one.member}", "basket": basket()}
            if one.member == "w0":
                little = {"store": "S1", "lines": [{"sku": "TEA", "amount": 100}]}
                for _ in range(2):
                    no = till.post(f"/v1/coupons/{message}/redeem", json=asked | {"basket": little})
                    assert no.json()["reason"] == "below_threshold"
            answer = till.post(f"/v1/coupons/{message}/redeem", json=asked)
            assert answer.status_code == 200, answer.text
            name = f"u-{one.member}"
            shop.put(render(order(one.member, name, at, 13_000)))
    back = next(one.message for one in shop.said.values() if one.member == "v0")
    answer = till.post(f"/v1/coupons/{back}/rollback", json={"refund": "r", "order": "u-v0"})
    assert answer.status_code == 200, answer.text
    till.close()


def count(shop: Shop) -> None:
    """The coupons flow is killed and started again; then the funnel says what happened."""
    more = ("--coupons", shop.book, "--until-end")
    first = shop.flow("coupons", *more)
    shop.world.wait(lambda: shop.warehouse.exists() or not first.alive(), "it did not start")
    first.process.kill()
    first.wait()
    assert shop.flow("coupons", *more).wait().code == 0
    asked = partial(query, shop.warehouse)
    told = asked("SELECT count(*), count(DISTINCT coupon) FROM coupon_event WHERE what = 'issued'")
    assert told == [(7, 7)]
    friction = "SELECT campaign, store, code, orders, used_after_all FROM coupon_friction"
    assert asked(friction) == [("gift-pack", "S1", "below_threshold", 1, 1)]
    delivered = asked(
        "SELECT channel, status, count(*) FROM message_delivery GROUP BY ALL ORDER BY ALL"
    )
    assert ("coupons", "accepted", 7) in delivered
    # Each message was left to the screens, once.
    assert ("mini_program", "accepted", 7) in delivered
    day = f"{to_datetime(system_clock()):%Y}"
    shown = json.loads(
        invoke("coupon", "funnel", "--warehouse", shop.warehouse, "--by-day", "--format", "json")
    )
    sums: dict[str, list[int]] = {}
    for row in shown:
        assert row["day"].startswith(day)
        found = sums.setdefault(row["campaign"], [0] * 4)
        for place, name in enumerate(("issued", "delivered", "redeemed", "still_valid")):
            found[place] += row[name]
    assert sums == {"gift-pack": [4, 4, 1, 3], "vip-gift": [3, 3, 0, 3]}
    arms = {row["arm"] for row in shown if row["campaign"] == "gift-pack"}
    assert arms <= {"friendly", "urgent"}
