"""A campaign that failed in its shops: tills that refuse, shelves that are empty."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from flow_driver import write_lines
from member_driver import invoke
from member_events import event, order, render
from warehouse_server import WRITE_TOKEN, ServedWarehouse

from schemas.instants import DAY_US, HOUR_US, format_instant, parse_instant
from schemas.warehouse import STOCK_ALERT, STOCK_POSITION
from sinks.warehouse.client import Warehouse
from sinks.warehouse.tuple_rows import newest_rows

BEGIN = parse_instant("2026-03-02T00:00:00+08:00")
END = BEGIN + 7 * DAY_US
MEMBERS, SHOPS = 40, ("S1", "S2", "S3", "S4")
BOOK = """\
version: 1
coupons:
  - {id: tea, name: {zh: 茶, en: tea}, kind: amount_off, threshold: 10000, amount: 2000,
     valid: {days: 7}, budget: {issued: 999}, only: {skus: [TEA-1, TEA-2]}}
  - {id: any, name: {zh: 券, en: any}, kind: amount_off, threshold: 10000, amount: 2000,
     valid: {days: 7}, budget: {issued: 999}}
  - {id: aisle, name: {zh: 区, en: aisle}, kind: amount_off, threshold: 10000, amount: 2000,
     valid: {days: 7}, budget: {issued: 999}, only: {categories: [tea]}}
  - {id: mug, name: {zh: 杯, en: mug}, kind: gift, threshold: 10000, gift: {sku: CUP, value: 900},
     valid: {days: 7}, budget: {issued: 999}}
"""


class Chain:
    """A campaign `tea` of 40 members, each of whom comes once, on its third day."""

    def __init__(self, folder: Path, campaign: str = "tea") -> None:
        self.folder, self.path, self.campaign = folder, folder / "w.duckdb", campaign
        self.lines: list[bytes] = []
        self._number = 0
        for number in range(3):  # three coupons before, for the first of them
            before = {"coupon": f"b{number}", "campaign": "any", "member": "m0"}
            valid = {"valid_from": format_instant(BEGIN), "valid_to": format_instant(END)}
            self._desk("coupon.issued.v1", BEGIN - (number + 1) * DAY_US, **before, **valid)
        for member in range(MEMBERS):
            self._coupon(member, "issued", BEGIN)

    def shop(self, member: int) -> str:
        return SHOPS[member % 4]

    def _desk(self, kind: str, at: int, **data: Any) -> None:
        self._number += 1
        place = f"{at // 1000}-{self._number}#{data['coupon']}"
        self.lines.append(render(event(kind, place, at, "coupon-desk/all/e", **data)))

    def _coupon(self, member: int, what: str, at: int, **more: Any) -> None:
        valid = {"valid_from": format_instant(BEGIN), "valid_to": format_instant(END)}
        about = {"coupon": f"k{member}", "campaign": self.campaign, "member": f"m{member}"}
        self._desk(f"coupon.{what}.v1", at, **about, **valid, **more)

    def buy(self, member: int, paid: int, *, used: bool) -> None:
        at = BEGIN + 2 * DAY_US + 12 * HOUR_US
        store, name = self.shop(member), f"o{member}"
        self.lines.append(render(order(f"m{member}", name, at, paid, store=store)))
        if used:
            more = {"order": name, "store": store, "amount_off": 2_000, "basket": paid + 2_000}
            self._coupon(member, "redeemed", at, **more)

    def refuse(self, member: int, code: str, name: str = "") -> None:
        at = BEGIN + 2 * DAY_US + 11 * HOUR_US
        about = {"coupon": f"k{member}", "campaign": self.campaign, "member": f"m{member}"}
        about |= {"order": name or f"o{member}", "store": self.shop(member), "verb": "redeem"}
        self._desk("coupon.redeem_rejected.v1", at, rejection_code=code, **about)

    def stock(self, *skus: str, out: dict[tuple[str, str], tuple[int, int | None]]) -> None:
        """All shops have these; `out`: hours from and to which one was out of them."""
        common = {
            one.name: {"text": "", "json": "[]", "integer": 0, "real": 0.0}.get(one.type, BEGIN)
            for one in (*STOCK_POSITION.columns, *STOCK_ALERT.columns)
        }
        positions = [common | {"sku": sku, "place": shop} for sku in skus for shop in SHOPS]
        alerts = [
            common
            | {"alert": f"{sku}@{shop}", "alert_type": "stock_out", "sku": sku, "place": shop}
            | {"opened_at": BEGIN + first * HOUR_US}
            | {"cleared_at": None if last is None else BEGIN + last * HOUR_US}
            for (sku, shop), (first, last) in out.items()
        ]
        target = Warehouse(self.path)
        for table, rows in ((STOCK_POSITION, positions), (STOCK_ALERT, alerts)):
            full = [tuple(row[name] for name in table.names) for row in rows]
            target.upsert(table, newest_rows(table, full))
        target.close()

    def flow(self) -> None:
        book = self.folder / "coupons.yaml"
        book.write_text(BOOK, "utf-8")
        source = write_lines(self.folder / "events.jsonl", self.lines)
        where = ["--source", source, "--warehouse", self.path, "--coupons", book]
        invoke("run", "coupons", *where, "--no-recovery")


def diagnosed(warehouse: object, campaign: str = "tea") -> Any:
    words = ["coupon", "diagnose", campaign, "--warehouse", warehouse, "--margin", 0.3, "--once"]
    return json.loads(invoke(*words, "--format", "json"))


def reason(found: Any, code: str) -> Any:
    (one,) = [each for each in found["reasons"] if each["code"] == code]
    return one


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


def trouble(chain: Chain) -> None:
    """Ten use it, eight are refused it in S2, three of them use it after all."""
    for member in range(MEMBERS):
        in_s2 = chain.shop(member) == "S2"
        late = in_s2 and member < 12
        chain.buy(member, 11_000, used=late or (not in_s2 and member < 10))
        if in_s2 and member < 32:
            chain.refuse(member, "other_stores")
            chain.refuse(member, "other_stores", f"o{member}")  # the relay repeats itself
    out = {("TEA-1", "S3"): (0, None), ("TEA-2", "S3"): (48, 72), ("TEA-1", "S4"): (0, 168)}
    chain.stock("TEA-1", "TEA-2", out=out)
    chain.flow()


def test_friction_and_empty_shelves_are_named(chain: Chain) -> None:
    trouble(chain)
    found = diagnosed(chain.path)
    friction = reason(found, "CASHIER_FRICTION")
    # 8 refused and, besides these, the uses in the other shops.
    used = sum(chain.shop(member) != "S2" for member in range(10))
    assert friction["holds"]
    assert friction["figure"] == pytest.approx(8 / (8 + used))
    assert found["tills"]["codes"] == [["other_stores", 8]]
    assert found["tills"]["shops"] == [{"store": "S2", "trouble": 8, "of": 8}]
    assert (found["tills"]["after_all"], found["tills"]["left_out"]) == (3, 0)
    assert "other_stores 8; all of that in S2 (8 of 8), of 1 shop with any" in friction["words"]

    shelves = reason(found, "GOODS_UNAVAILABLE")
    assert shelves["holds"]
    # In S3 both were gone by then; S4 had the other one.
    assert shelves["figure"] == pytest.approx(10 / 40)
    assert found["shelves"]["shops"] == [{"store": "S3", "trouble": 10, "of": 10}]
    assert found["shelves"]["hours_out"] == pytest.approx((168 + 24 + 168) / (8 * 168))
    shown = " ".join(
        invoke("coupon", "diagnose", "tea", "--warehouse", chain.path, "--margin", 0.3).split()
    )
    assert "CASHIER_FRICTION: tills refused it with 8 of" in shown
    assert "GOODS_UNAVAILABLE: on 10 of 40 visits (25%)" in shown
    assert "not known" not in shown


def test_of_a_served_warehouse_the_same(
    chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TILLFLOW_WAREHOUSE_TOKEN", WRITE_TOKEN)
    trouble(chain)
    shutil.copy(chain.path, tmp_path / "served.duckdb")
    with ServedWarehouse(tmp_path) as server:
        served = diagnosed(server.address)
    assert served == diagnosed(chain.path)
    assert reason(served, "FATIGUE")["figure"] == pytest.approx(1 / MEMBERS)


@pytest.mark.parametrize(
    ("campaign", "stock", "said"),
    [
        ("any", ["TEA-1"], "it is for all goods"),
        ("aisle", ["TEA-1"], "named by category (tea)"),
        ("mug", ["TEA-1"], "stock_position has no CUP"),
        ("tea", ["CUP"], "stock_position has no TEA-1, TEA-2"),
        ("tea", [], "no stock-out of anything"),
    ],
)
def test_what_is_missing_is_said(
    tmp_path: Path, campaign: str, stock: list[str], said: str
) -> None:
    chain = Chain(tmp_path, campaign)
    for member in range(MEMBERS):
        chain.buy(member, 11_000, used=False)
    chain.stock(*(stock or ["TEA-1"]), out={(sku, "S1"): (0, 5) for sku in stock})
    chain.flow()
    found = diagnosed(chain.path, campaign)
    one = reason(found, "GOODS_UNAVAILABLE")
    assert (one["figure"], one["holds"], found["shelves"]) == (None, False, None)
    assert said in one["words"]
    two = reason(found, "CASHIER_FRICTION")
    assert (two["figure"], two["holds"], found["tills"]) == (None, False, None)
    assert "no refusal of any coupon" in two["words"]
    shown = invoke("coupon", "diagnose", campaign, "--warehouse", chain.path, "--margin", 0.3)
    assert said in " ".join(shown.partition("not known:")[2].split())


def test_a_gift_that_ran_out(tmp_path: Path) -> None:
    chain = Chain(tmp_path, "mug")
    for member in range(MEMBERS):
        chain.buy(member, 11_000, used=member < 20)
    chain.stock("CUP", out={("CUP", shop): (0, None) for shop in ("S1", "S2")})
    chain.flow()
    one = reason(diagnosed(chain.path, "mug"), "GOODS_UNAVAILABLE")
    assert (one["figure"], one["holds"]) == (0.5, True)


def test_a_warehouse_of_before_says_what_it_lacks(chain: Chain) -> None:
    trouble(chain)
    with duckdb.connect(str(chain.path)) as connection:
        connection.execute("DROP VIEW coupon_friction")
        connection.execute("DROP TABLE coupon_rejection")
        connection.execute("ALTER TABLE coupon_campaign DROP COLUMN goods")
    found = diagnosed(chain.path)
    assert "does not say its goods yet" in reason(found, "GOODS_UNAVAILABLE")["words"]
    assert "no refusal of any coupon" in reason(found, "CASHIER_FRICTION")["words"]
    chain.flow()  # a flow that opens it brings it up to date
    assert reason(diagnosed(chain.path), "GOODS_UNAVAILABLE")["holds"]


def test_refusals_are_of_one_day_of_issue(chain: Chain) -> None:
    trouble(chain)
    day = dt.date(2026, 3, 2)
    words = ["coupon", "diagnose", "tea", "--warehouse", chain.path, "--margin", 0.3]
    found = json.loads(invoke(*words, "--day", day, "--format", "json"))
    assert found["tills"]["refused"] == 8
