"""The funnel of campaigns: by SQL over what was told, against a fold of its own."""

from __future__ import annotations

import json
import signal
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random

import pytest
from coupon_story import BOOK, Story
from flow_driver import StartedFlow, query, wait_until, write_chain, write_lines
from member_driver import invoke
from member_events import member_chain
from warehouse_server import WRITE_TOKEN, ServedWarehouse

from operators.coupons.log import CouponDecoder
from operators.stock.decode import Block
from schemas.coupons_file import load_coupons
from sinks.coupons.table import CouponTable
from sinks.warehouse.runs import Run

FUNNEL = (
    "SELECT campaign, day, experiment, arm, issued, delivered, opened, visited, eligible, "
    "over_threshold, redeemed, redeemed_delivered, expired, still_valid, amount_off "
    "FROM coupon_funnel"
)
FRICTION = (
    "SELECT campaign, store, code, day, orders, coupons, used_after_all, left_out "
    "FROM coupon_friction"
)
TABLES = (
    "coupon_event",
    "coupon_rejection",
    "purchase",
    "coupon_campaign",
    "message_opened",
    "member_gone",
)
Funnel = dict[tuple[object, ...], tuple[object, ...]]


class Shop:
    """A warehouse, and files of events that are read into it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.warehouse, self.source = folder, folder / "w.duckdb", folder / "events"
        self.source.mkdir(parents=True)
        self.book = folder / "coupons.yaml"
        self.book.write_text(BOOK, encoding="utf-8")

    def write(self, name: str, lines: list[bytes]) -> None:
        write_lines(self.source / name, lines)

    @property
    def options(self) -> list[object]:
        return ["--source", self.source, "--warehouse", self.warehouse, "--coupons", self.book]

    def run(self, *more: object) -> str:
        return invoke("run", "coupons", *self.options, *more)

    def feed(self, *parts: list[bytes]) -> None:
        """Parts of events as the flow writes them, without an engine."""
        decoder, book = CouponDecoder("Asia/Shanghai"), load_coupons(self.book)
        run = Run("r", "coupons", "fed", datetime.now(UTC))
        table = CouponTable(self.warehouse, run, book=book)
        for lines in parts:
            block = Block("fed", 1, len(lines), b"\n".join(lines))
            table.add(decoder.decode(block).outcome)
            table.settle()
        table.close("finished")

    def funnel(self) -> Funnel:
        return {tuple(row[:4]): tuple(row[4:]) for row in query(self.warehouse, FUNNEL)}

    def friction(self) -> Funnel:
        return {tuple(row[:4]): tuple(row[4:]) for row in query(self.warehouse, FRICTION)}

    def rows(self) -> list[list[tuple[object, ...]]]:
        return [query(self.warehouse, f"FROM {table} ORDER BY ALL") for table in TABLES]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def members(shop: Shop, tmp_path: Path) -> None:
    """Who is whom, as the members flow writes it."""
    config = write_chain(tmp_path / "chain.yaml", member_chain(late_days=60))
    where = ["--source", shop.source, "--warehouse", shop.warehouse]
    invoke("run", "members", *where, "--config", config)


def test_the_funnel_is_that_of_a_fold(shop: Shop, tmp_path: Path) -> None:
    rng = Random(0)
    story = Story(rng)
    lines = story.lines()
    # In any order, some of them twice.
    rng.shuffle(lines)
    lines += rng.sample(lines, 40)
    shop.write("1.jsonl", lines)
    members(shop, tmp_path)
    story.tell_warehouse(shop.warehouse)
    shop.run()
    assert shop.funnel() == story.funnel()
    assert shop.friction() == story.friction()

    # All of it anew, and turned round: the same rows.
    before = shop.rows()
    shop.write("2.jsonl", lines[::-1])
    shop.run("--no-recovery")
    assert shop.rows() == before


@pytest.mark.parametrize("seed", range(1, 4))
def test_other_stories_without_the_engine(shop: Shop, seed: int) -> None:
    rng = Random(seed)
    story = Story(rng)
    story.merged = {}  # nobody has told the warehouse
    lines = story.lines()
    rng.shuffle(lines)
    shop.feed(lines[:400], lines[300:])
    story.tell_warehouse(shop.warehouse)
    assert shop.funnel() == story.funnel()
    friction = story.friction()
    assert shop.friction() == friction
    assert sum(one[2] for one in friction.values()) > 0
    assert "" in {key[0] for key in friction}


@pytest.mark.parametrize("first", [True, False])
def test_of_an_erased_member_only_counts_stay(shop: Shop, first: bool) -> None:
    """Also when the erasure is read before what it is about, and under replay."""
    story = Story(Random(7))
    told = story.lines()
    gone = ["m2", "m3", "m5"]
    erasure = story.lines([story.erase(*gone)])
    shop.feed(*((erasure, told) if first else (told, erasure)))
    for _ in range(2):
        for table in ("purchase", "message_opened"):
            assert query(shop.warehouse, f"FROM {table} WHERE member IN {tuple(gone)}") == []
        assert query(shop.warehouse, "FROM message_opened") != []
        left = query(shop.warehouse, "FROM coupon_event")
        left += query(shop.warehouse, "FROM coupon_rejection")
        ids = {one.coupon for one in story.coupons if one.member in gone}
        words = {str(value) for row in left for value in row}
        assert ids
        assert not words & {*gone, *ids}
        assert not [word for word in words if word.partition("#")[2] in ids]
        issued = query(shop.warehouse, "SELECT count(*) FROM coupon_state")
        assert issued == [(len(story.coupons),)]
        rejected = query(shop.warehouse, "SELECT count(*) FROM coupon_rejection")
        assert rejected == [(len(story.rejected),)]
        assert shop.friction() == story.friction()
        redeemed = query(shop.warehouse, "SELECT sum(redeemed), sum(amount_off) FROM coupon_funnel")
        used = [one for one in story.coupons if one.state == "redeemed"]
        assert redeemed == [(len(used), sum(one.off for one in used))]
        shop.feed(told)


def test_told_with_the_name_and_again_without_it_is_one_event(shop: Shop, tmp_path: Path) -> None:
    """As by a keeper that died over an erasure."""
    story = Story(Random(7))
    told, gone = story.lines(), ("m2", "m5")
    again = []
    for line in told:
        one = json.loads(line)
        if one["type"].startswith("coupon.") and one["data"].get("member") in gone:
            one["data"] = {k: v for k, v in one["data"].items() if k != "message"}
            one["data"]["member"] = "erased"
            again.append(json.dumps(one).encode())
    assert len(again) > 10
    erasure = story.lines([story.erase(*gone)])
    shop.feed(told, again, erasure)
    other = Shop(tmp_path / "other")
    other.feed(erasure, told)
    assert shop.rows() == other.rows()


def test_what_cannot_be_read_is_kept_and_stops_nothing(shop: Shop) -> None:
    story = Story(Random(3), coupons=5)
    lines = story.lines()
    told = next(line for line in lines if b"coupon-desk" in line)
    odd = [
        b"{",
        b'{"specversion":"1.0"}',
        b'{"type":"coupon.issued.v1","id":"1-1","source":"coupon-desk/a/b","specversion":"1.0",'
        b'"time":"2026-03-01T00:00:00Z","data":{"coupon":"x"}}',
        b'{"type":"stock.movement.v1","id":"1"}',
        told.replace(b"coupon-desk/all/one", b"somebody"),
        lines[0].replace(b"2026-03", b"0001-03"),
    ]
    shop.write("1.jsonl", [*odd, b"", *lines])
    shop.run()
    assert len(shop.funnel()) > 0
    reasons = query(shop.warehouse, "SELECT position, reason_code FROM dead_letter ORDER BY 1")
    assert [row[0] for row in reasons] == [1, 2, 3, 5, 6]
    # Purchases and the file of coupons are there, too.
    assert query(shop.warehouse, "SELECT count(*) FROM coupon_campaign") == [(2,)]


def started(flow: StartedFlow, shop: Shop) -> bool:
    """Whether it has begun to write, or has ended."""
    return not flow.alive() or shop.warehouse.exists()


def test_killed_again_and_again(shop: Shop, tmp_path: Path) -> None:
    story = Story(Random(11), members=60, coupons=400)
    lines = story.lines()
    Random(1).shuffle(lines)
    whole = Shop(tmp_path / "whole")
    whole.feed(lines)
    sizes = {"sources.abreast.reader.ABREAST_BYTES": 4 * 1024}
    for part in range(1, 3):
        shop.write("1.jsonl", lines[: part * len(lines) // 2])
        options = [*shop.options, "--epoch-seconds", 0.05]
        flow = StartedFlow(tmp_path / "log", *options, sizes=sizes, flow="coupons")
        wait_until(partial(started, flow, shop), "it did not start")
        time.sleep(0.2 * part)
        flow.process.kill()
        assert flow.wait().code in (0, -signal.SIGKILL)
    shop.run()
    assert shop.rows() == whole.rows()
    assert shop.funnel() == whole.funnel()
    assert shop.friction() == whole.friction()


def test_a_served_warehouse_has_the_same(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a member who is erased; funnels are asked for while the flow may write."""
    monkeypatch.setenv("TILLFLOW_WAREHOUSE_TOKEN", WRITE_TOKEN)
    story = Story(Random(5), coupons=60)
    shop.write("1.jsonl", story.lines())
    shop.write("2.jsonl", story.lines([story.erase("m5")]))
    shop.feed(story.lines())
    with ServedWarehouse(tmp_path) as server:
        where = ["--source", shop.source, "--warehouse", server.address, "--coupons", shop.book]
        for number in range(2):
            invoke("run", "coupons", *where, "--recovery", tmp_path / f"state-{number}")
        shown = invoke("coupon", "funnel", "a", "--warehouse", server.address)
        assert "over threshold" in " ".join(shown.split())
        server.stop()
    served = [query(server.file, f"FROM {table} ORDER BY ALL") for table in TABLES]
    assert served == shop.rows()
