"""What the tests of the coupon desk share: a file of coupons, desks, a settable clock."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from redis_server import RedisServer

from schemas.coupons import Basket, BasketLine, CouponBook
from schemas.coupons_file import read_coupons
from sinks.coupons.client import CouponDesk
from sinks.coupons.library import load_library
from sinks.coupons.settings import DeskSettings
from sinks.redis.library import Library

TIME_LINES = """  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
"""

COUPONS = """\
version: 1
currency: CNY
timezone: Asia/Shanghai
coupons:
  - id: c280-50
    name: {zh: 满280减50, en: 50 off 280}
    kind: amount_off
    threshold: 28000
    amount: 5000
    valid: {days: 5}
    budget: {issued: 1000, redeemed: 600, money: 3000000}
    per_member: 3
    returned: {grace_days: 3}
  - id: tea-20
    name: {zh: 茶叶八折, en: 20% off tea}
    kind: percent_off
    percent: 20
    most: 3000
    valid: {days: 30}
    budget: {money: 500000}
    only: {categories: [tea]}
    stacking: together
    transferable: true
  - id: cup
    name: {zh: 马克杯, en: a mug}
    kind: gift
    gift: {sku: CUP-L, value: 1900}
    threshold: 10000
    valid: {days: 30}
    budget: {redeemed: 100}
    stacking: together
    stores: [S001, S002]
"""


def basket(*amounts: int, store: str = "S001", category: str | None = None) -> Basket:
    lines = [
        BasketLine(sku=f"SKU-{number}", amount=amount, category=category)
        for number, amount in enumerate(amounts)
    ]
    return Basket(store=store, lines=tuple(lines))


def book(text: str = COUPONS) -> CouponBook:
    return read_coupons(text)


def one_campaign(
    *, issued: int = 10**6, redeemed: int = 10**6, money: int = 10**9, per_member: int = 1000
) -> CouponBook:
    """50 off 280 with these caps."""
    return read_coupons(
        f"""\
version: 1
coupons:
  - id: c
    name: {{zh: 满280减50, en: 50 off 280}}
    kind: amount_off
    threshold: 28000
    amount: 5000
    valid: {{days: 5}}
    budget: {{issued: {issued}, redeemed: {redeemed}, money: {money}}}
    per_member: {per_member}
    offline_hours: 24
"""
    )


def new_desk(
    server: RedisServer,
    published: CouponBook | None = None,
    *,
    library: Library | None = None,
    **settings: Any,
) -> CouponDesk:
    """A desk that nobody has used yet, with these coupons."""
    settings = {"desk": f"desk-{uuid.uuid4().hex[:8]}", "timeout_seconds": 20, **settings}
    desk = CouponDesk(DeskSettings(url=server.url, **settings), library)
    desk.publish(book() if published is None else published, first="one")
    return desk


class SettableDeskClock:
    """The time of desks made with its library, and of `TIME` as their callers ask for it."""

    def __init__(self, server: RedisServer) -> None:
        self.key = f"clock-{uuid.uuid4().hex[:8]}"
        source = load_library()
        assert source.source.count(TIME_LINES) == 1
        text = source.source.replace(
            TIME_LINES, f"  return tonumber(redis.call('GET', '{self.key}'))\n"
        )
        self.library = Library(text, source.prefix, source.when_full)
        self.now = 1_790_000_000_000
        self.server = server

    def desk(self, published: CouponBook | None = None, **settings: Any) -> TimedDesk:
        made = TimedDesk(self, published, **settings)
        self.advance(made, 0)
        return made

    def advance(self, desk: CouponDesk, ms: int) -> None:
        self.now += ms
        desk.client.set(self.key, self.now)


class TimedDesk(CouponDesk):
    """A desk whose server has the time of a clock."""

    def __init__(self, clock: SettableDeskClock, published: CouponBook | None, **settings: Any):
        settings = {"desk": f"desk-{uuid.uuid4().hex[:8]}", "timeout_seconds": 20, **settings}
        super().__init__(DeskSettings(url=clock.server.url, **settings), clock.library)
        self._clock = clock
        clock.advance(self, 0)
        self.publish(book() if published is None else published, first="one")

    def _send(self, commands: list[tuple[Any, ...]]) -> list[Any]:
        now = (self._clock.now // 1000, self._clock.now % 1000 * 1000)
        replies = super()._send(commands)
        return [
            now if command == ("TIME",) else reply
            for command, reply in zip(commands, replies, strict=True)
        ]


def campaign_of(desk: CouponDesk, campaign: str) -> Any:
    return desk.look([], [campaign]).campaigns[0]


def lose(desk: CouponDesk) -> None:
    """Everything of this desk is gone, as if it had never been."""
    tag = desk.protocol.keys.tag.encode()
    keys: list[bytes] = desk._execute("KEYS", "*")
    desk._execute("DEL", *(key for key in keys if key.startswith(tag)))


def whats(desk: CouponDesk) -> Sequence[str]:
    return [entry.what for entry in desk.outbox(count=10_000)]
