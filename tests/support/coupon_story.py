"""Coupons, purchases and messages of made-up members, and the funnel by a fold of its own.

The fold keeps objects and walks time; the warehouse keeps rows and asks SQL.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from member_events import event, order, pair, refund, render

from schemas.instants import DAY_US, HOUR_US, MINUTE_US, format_instant, parse_instant, to_datetime
from schemas.journey_tables import MESSAGE
from schemas.message_tables import MESSAGE_DELIVERY
from sinks.warehouse.client import Warehouse
from sinks.warehouse.tuple_rows import newest_rows

BEGIN = parse_instant("2026-03-01T00:00:00+08:00")
ZONE = ZoneInfo("Asia/Shanghai")
# Threshold and shops of each campaign; of the last one nothing is known in the warehouse.
CAMPAIGNS: dict[str, tuple[int, list[str] | None]] = {
    "a": (28_000, None),
    "b": (10_000, ["S1"]),
    "unknown": (0, None),
}
MERGED = {"m1": "m2", "m3": "m2"}
BOOK = """\
version: 1
coupons:
  - {id: a, name: {zh: 甲, en: a}, kind: amount_off, threshold: 28000, amount: 5000,
     valid: {days: 5}, budget: {issued: 9}}
  - {id: b, name: {zh: 乙, en: b}, kind: amount_off, threshold: 10000, amount: 1000,
     valid: {days: 5}, budget: {issued: 9}, stores: [S1]}
"""


@dataclass
class Told:
    """One coupon as the story goes."""

    coupon: str
    campaign: str
    member: str
    issued_at: int
    valid_to: int
    arm: str
    state: str = "issued"
    delivered: bool = True
    off: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)


class Story:
    """Everything that happened, in `events`; `coupons` are as they ended."""

    def __init__(self, rng: Random, members: int = 30, coupons: int = 120) -> None:
        self.rng = rng
        self.members = [f"m{number}" for number in range(members)]
        self.bought: dict[str, tuple[str, str, int, int]] = {}
        self.back: dict[str, int] = {}
        self.merged: dict[str, str] = {}
        self.erased: set[str] = set()
        self.coupons: list[Told] = []
        self.events: list[dict[str, Any]] = []
        # Who opened a message about a coupon, and when.
        self.openings: list[tuple[str, str, int]] = []
        self.messages: list[dict[str, Any]] = []
        self.deliveries: list[dict[str, Any]] = []
        self._number = 0
        for number in range(members * 8):
            self._buy(number)
        for number in range(coupons):
            self._coupon(number)
        self._people()
        self.rejected: dict[tuple[str, str, str], tuple[Any, ...]] = {}
        for number in range(coupons // 2):
            self._reject(number)

    def _put(self, one: dict[str, Any]) -> None:
        self.events.append(one)

    def _buy(self, number: int) -> None:
        rng, name = self.rng, f"o{number}"
        at = BEGIN + rng.randrange(20 * DAY_US)
        member, store = rng.choice(self.members), rng.choice(["S1", "S2"])
        amount = rng.randrange(5_000, 40_000)
        self.bought[name] = (member, store, at, amount)
        self._put(order(member, name, at, amount, store=store))
        if rng.random() < 0.2:
            given = rng.choice([amount, amount // 2])
            self.back[name] = given
            one = refund(member, name, at + HOUR_US, given, f"r{number}")
            one["data"]["order_store"], one["data"]["store"] = store, "S9"
            self._put(one)

    def _tell(self, one: Told, what: str, at: int, **more: Any) -> None:
        self._number += 1
        data = {
            "coupon": one.coupon,
            "campaign": one.campaign,
            "member": one.member,
            "valid_from": format_instant(one.issued_at),
            "valid_to": format_instant(one.valid_to),
            **more,
        }
        place = f"{at // 1000}-{self._number}#{one.coupon}"
        told = event(f"coupon.{what}.v1", place, at, "coupon-desk/all/one", **data)
        one.events.append(told)
        self._put(told)

    def _coupon(self, number: int) -> None:
        rng = self.rng
        at = BEGIN + rng.randrange(15 * DAY_US)
        campaign, member = rng.choice(list(CAMPAIGNS)), rng.choice(self.members)
        one = Told(f"k{number}", campaign, member, at, at + 5 * DAY_US, rng.choice(["", "A", "B"]))
        self.coupons.append(one)
        said = {"message": one.coupon} | ({"experiment": "x", "arm": one.arm} if one.arm else {})
        self._tell(one, "issued", at, **said)
        self._messages(one)
        now = at
        for _ in range(rng.randrange(4)):
            now += rng.randrange(MINUTE_US, DAY_US)
            self._use(one, now)
        if one.state == "issued" and rng.random() < 0.5:
            one.state = "expired"
            self._tell(one, "expired", one.valid_to)

    def _reject(self, number: int) -> None:
        """A till is refused a coupon, now and then one that there is not; or told so again."""
        rng = self.rng
        at = BEGIN + rng.randrange(20 * DAY_US)
        code = rng.choice(["below_threshold", "expired", "other_stores"])
        one = rng.choice(self.coupons) if rng.random() < 0.9 else None
        used = [each["data"] for each in one.events if "order" in each["data"]] if one else []
        name = rng.choice(used)["order"] if used and rng.random() < 0.5 else f"n{number}"
        about = {"campaign": one.campaign, "member": one.member} if one else {}
        coupon, code = (one.coupon, code) if one else (f"unknown-{number}", "unknown_coupon")
        if rng.random() < 0.7:
            about["store"] = rng.choice(["S1", "S2"])
        for _ in range(rng.randrange(1, 3)):  # a desk that was written anew tells it again
            self._number += 1
            data: dict[str, Any] = {
                "coupon": coupon,
                "order": name,
                "verb": "redeem",
                "rejection_code": code,
                **about,
            }
            if rng.random() < 0.1:
                data["left_out"] = rng.randrange(1, 9)
            place = f"{at // 1000}-{self._number}#{coupon}"
            source = "coupon-desk/all/" + rng.choice(["one", "two"])
            self._put(event("coupon.redeem_rejected.v1", place, at, source, **data))
            member = one.member if one else ""
            row = (at, self._number, member, about.get("store", ""), data.get("left_out", 0))
            key = (coupon, name, code)
            there = self.rejected.get(key)
            if there is None or (there[0] // 1000, there[1]) < (at // 1000, self._number):
                self.rejected[key] = row

    def friction(self) -> dict[tuple[str, str, str, str], tuple[int, ...]]:
        """Campaign, shop, code and day to orders, coupons, used after all, and left out."""
        uses: dict[tuple[str, str], tuple[int, int]] = {}
        whose = {one.coupon: one for one in self.coupons}
        for one in self.coupons:
            for each in one.events:
                if each["type"] == "coupon.redeemed.v1":
                    stamp, number = each["id"].partition("#")[0].split("-")
                    key = (one.coupon, each["data"]["order"])
                    uses[key] = max(uses.get(key, (0, 0)), (int(stamp), int(number)))
        found: dict[tuple[str, str, str, str], tuple[set[str], list[int]]] = {}
        for (coupon, name, code), (at, number, _, store, left_out) in self.rejected.items():
            day = f"{to_datetime(at).astimezone(ZONE):%Y-%m-%d}"
            campaign = whose[coupon].campaign if coupon in whose else ""
            coupons, sums = found.setdefault((campaign, store, code, day), (set(), [0, 0, 0]))
            coupons.add(coupon)
            sums[0] += 1
            sums[1] += uses.get((coupon, name), (0, 0)) > (at // 1000, number)
            sums[2] += left_out
        return {
            key: (sums[0], len(coupons), sums[1], sums[2]) for key, (coupons, sums) in found.items()
        }

    def _use(self, one: Told, at: int) -> None:
        rng = self.rng
        about = {"order": f"u{self._number}", "store": "S1", "basket": 30_000, "amount_off": 5_000}
        if one.state == "redeemed":
            partial = rng.random() < 0.5
            back = {**about, "refund": f"f{self._number}", "returned": 100}
            self._tell(one, "rolled_back", at, **back, **({"partial": True} if partial else {}))
            if not partial:
                one.state, one.off = "issued", 0
            return
        if rng.random() < 0.4:
            self._tell(one, "reserved", at, **about, until=format_instant(at + HOUR_US))
            if rng.random() < 0.5:
                self._tell(one, "released", at + MINUTE_US, **about, cause="asked")
                return
        one.state, one.off = "redeemed", 5_000
        self._tell(one, "redeemed", at + 2 * MINUTE_US, **about)

    def _messages(self, one: Told) -> None:
        """The decision that gave it, perhaps messages about it, and what became of them."""
        rng = self.rng
        if rng.random() < 0.3:
            return
        base = {"member": one.member, "journey": "j", "entry": one.coupon, "segment": "lost"}
        self.messages.append(base | {"message": one.coupon, "action": "give", "gift": one.campaign})
        self.deliveries.append(
            {
                "message": one.coupon,
                "channel": "coupons",
                "member": one.member,
                "status": "accepted",
            }
        )
        sends = rng.randrange(3)
        arrived = False
        for number in range(sends):
            name = f"{one.coupon}-s{number}"
            self.messages.append(base | {"message": name, "action": "send", "gift": None})
            status = rng.choice(["", "accepted", "delivered", "failed", "unknown"])
            arrived |= status in ("accepted", "delivered")
            if status:
                self.deliveries.append(
                    {"message": name, "channel": "sms", "member": one.member, "status": status}
                )
            self._open(one, name)
        self._open(one, one.coupon)
        one.delivered = not sends or arrived

    def _open(self, one: Told, message: str) -> None:
        """Perhaps somebody opens it, once or again, in time or too late; never of campaign b."""
        rng = self.rng
        for again in range(rng.choice((0, 0, 1, 3)) if one.campaign != "b" else 0):
            same = one.member in (*MERGED, *MERGED.values())
            who = rng.choice([*MERGED, "m2"] if same or rng.random() < 0.2 else [one.member])
            at = one.issued_at + rng.randrange(9 * DAY_US)
            # Told at the end exactly is too late.
            at = one.valid_to if rng.random() < 0.2 else at
            self.openings.append((one.coupon, who, at))
            data = {"message": message, "member": who}
            self._put(
                event("message.opened.v1", f"{message}-{who}-{again}-{at}", at, "app", **data)
            )

    def _people(self) -> None:
        later = BEGIN + 25 * DAY_US
        for loser, survivor in MERGED.items():
            self.merged[loser] = survivor
            self._put(pair("member.merged.v1", loser, survivor, later))

    def erase(self, *members: str) -> dict[str, Any]:
        """They ask to be forgotten."""
        self.erased |= set(members)
        one = event("member.erased.v1", "x", BEGIN + 26 * DAY_US, "crm", members=list(members))
        self._put(one)
        return one

    def lines(self, events: Iterable[dict[str, Any]] | None = None) -> list[bytes]:
        """As they stand in a file."""
        return [render(one) for one in (self.events if events is None else events)]

    def tell_warehouse(self, warehouse: Path) -> None:
        """What journeys and channels have written: decisions and deliveries."""
        common = {
            one.name: {"text": "", "json": "[]", "integer": 0}.get(one.type, BEGIN)
            for one in (*MESSAGE.columns, *MESSAGE_DELIVERY.columns)
        }
        about = common | {"decision": "go", "next_at": None}
        target = Warehouse(warehouse)
        try:
            for table, rows in ((MESSAGE, self.messages), (MESSAGE_DELIVERY, self.deliveries)):
                full = [tuple((about | row)[name] for name in table.names) for row in rows]
                target.upsert(table, newest_rows(table, full))
        finally:
            target.close()

    def person(self, member: str) -> str:
        """Whose purchases a member's are."""
        return self.merged.get(member, member)

    def first_opened(self, one: Told) -> int | None:
        """When its member first opened something about a coupon."""
        times = [
            at
            for coupon, who, at in self.openings
            if coupon == one.coupon
            and self.person(who) == self.person(one.member)
            and not self.erased & {who, one.member}
        ]
        return min(times, default=None)

    def funnel(self) -> dict[tuple[str, str, str, str], tuple[int | None, ...]]:
        """Campaign, day, experiment and arm to what the funnel says of them."""
        found: dict[tuple[str, str, str, str], list[int | None]] = {}
        told = {one.campaign for one in self.coupons if self.first_opened(one) is not None}
        for one in self.coupons:
            threshold, stores = CAMPAIGNS[one.campaign]
            used = one.state == "redeemed"
            amounts: list[tuple[str, int]] = []
            for name, (buyer, store, at, amount) in self.bought.items():
                left = amount - self.back.get(name, 0)
                mine = self.person(buyer) == self.person(one.member)
                forgotten = self.erased & {buyer, one.member}
                if mine and left > 0 and not forgotten and one.issued_at <= at < one.valid_to:
                    amounts.append((store, left))
            counted = [left for store, left in amounts if stores is None or store in stores]
            day = f"{to_datetime(one.issued_at).astimezone(ZONE):%Y-%m-%d}"
            key = (one.campaign, day, "x" if one.arm else "", one.arm)
            row = found.setdefault(key, [0] * 11)
            first = self.first_opened(one)
            delivered = one.delivered or one.member in self.erased or first is not None
            flags = (
                1,
                delivered,
                (first is not None and first < one.valid_to) if one.campaign in told else None,
                used or bool(amounts),
                used or bool(counted),
                None if one.campaign == "unknown" else used or max(counted, default=0) >= threshold,
                used,
                used and delivered,
                not used,  # by now all others are over
                0,
                one.off,
            )
            for place, flag in enumerate(flags):
                there = row[place]
                row[place] = None if flag is None or there is None else there + int(flag)
        return {key: tuple(row) for key, row in found.items()}
