"""What tills were refused: told once, in few words, and never so much that it could hurt."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest
from coupon_desks import (
    COUPONS,
    basket,
    book,
    campaign_of,
    lose,
    new_desk,
    one_campaign,
)
from redis_server import RedisServer, start_redis

from operators.coupons.life import Lives
from schemas.coupon_events import CouponRejected
from schemas.coupons import Basket
from sinks.coupons import keeping, rebuild
from sinks.coupons.client import CouponDesk
from sinks.coupons.errors import (
    CouponError,
    DeskClosed,
    DeskFull,
    Mismatch,
    Refused,
    UnknownCoupon,
)
from sinks.coupons.library import load_library
from sinks.coupons.settings import DeskSettings
from sinks.redis.library import Library

ENOUGH = basket(29_000)


def issue(desk: CouponDesk, coupon: str, campaign: str = "c280-50", member: str = "m1") -> None:
    desk.run(desk.issuing(coupon, campaign, member))


def try_to(
    desk: CouponDesk,
    verb: str,
    coupon: str,
    order: str = "o1",
    what: Basket | None = ENOUGH,
    buyer: str = "",
) -> str:
    """The code of a refusal."""
    try:
        if verb == "reserve":
            assert what is not None
            desk.run(desk.reserving(coupon, what, call=f"r-{order}", order=order, buyer=buyer))
        else:
            call = f"d-{order}"
            desk.run(desk.redeeming(coupon, call=call, order=order, basket=what, buyer=buyer))
    except Refused as wrong:
        return wrong.reason
    except UnknownCoupon:
        return "unknown_coupon"
    return "OK"


def rejections(desk: CouponDesk) -> list[CouponRejected]:
    entries = desk.outbox(count=100_000)
    return [each.event for each in entries if isinstance(each.event, CouponRejected)]


def codes(desk: CouponDesk) -> list[tuple[str, str, str]]:
    return [(each.coupon, each.order, each.rejection_code) for each in rejections(desk)]


def with_bounds(**bounds: int) -> Library:
    """The desk's own library with smaller bounds."""
    shipped = load_library()
    source = shipped.source
    for name, bound in bounds.items():
        before, found, after = source.partition(f"local {name} = ")
        assert found, name
        number, space, rest = after.partition(" ")
        assert number.isdigit()
        source = f"{before}{found}{bound}{space}{rest}"
    return Library(source, shipped.prefix, shipped.when_full)


@pytest.mark.parametrize("verb", ["reserve", "redeem"])
@pytest.mark.parametrize(
    ("coupon", "what", "buyer", "code"),
    [
        ("k", basket(27_999), "", "below_threshold"),
        ("k", ENOUGH, "m9", "other_member"),
        ("cup", basket(10_000, store="S009"), "", "other_stores"),
        ("tea", ENOUGH, "", "no_goods"),
        ("used", ENOUGH, "", "already_redeemed"),
        ("held", ENOUGH, "", "reserved_elsewhere"),
        ("stopped", ENOUGH, "", "stopped"),
        ("gone", ENOUGH, "", "unknown_coupon"),
    ],
)
def test_each_refusal_is_told_with_its_code_shop_and_order(
    desk: CouponDesk, verb: str, coupon: str, what: Basket, buyer: str, code: str
) -> None:
    for name, campaign in (("k", "c280-50"), ("cup", "cup"), ("tea", "tea-20")):
        issue(desk, name, campaign)
    for name, first in (("used", "redeem"), ("held", "reserve"), ("stopped", "read")):
        issue(desk, name, "c280-50", "m2")
        if first != "read":
            assert try_to(desk, first, name, f"other-{name}") == "OK"
    if coupon == "stopped":
        stopped = COUPONS.replace("version: 1", "version: 2")
        stopped = stopped.replace("per_member: 3", "per_member: 3\n    stopped: all")
        desk.publish(book(stopped))
    for _ in range(3):  # a till tries again
        assert try_to(desk, verb, coupon, "o1", what, buyer) == code
    (told,) = rejections(desk)
    assert (told.order, told.verb, told.rejection_code) == ("o1", verb, code)
    assert told.store == what.store
    if code == "unknown_coupon":
        assert (told.campaign, told.member) == (None, None)
        assert told.coupon.startswith("unknown-")
    else:
        owner = "m1" if coupon in {"k", "cup", "tea"} else "m2"
        assert (told.coupon, told.member) == (coupon, owner)
    # Who stood at the till is nobody's business.
    assert b"m9" not in b"".join(str(each).encode() for each in rejections(desk))


def test_another_order_or_another_reason_is_told_again(desk: CouponDesk) -> None:
    issue(desk, "k")
    short = basket(100)
    assert try_to(desk, "reserve", "k", "o1", short) == "below_threshold"
    assert try_to(desk, "redeem", "k", "o1", short) == "below_threshold"  # the same order
    assert try_to(desk, "redeem", "k", "o2", short) == "below_threshold"
    assert try_to(desk, "redeem", "k", "o2", None) == "not_reserved"
    assert try_to(desk, "redeem", "k", "o1") == "OK"  # goods were added
    told = [("o1", "below_threshold"), ("o2", "below_threshold"), ("o2", "not_reserved")]
    assert codes(desk) == [("k", *each) for each in told]
    assert rejections(desk)[2].store is None


def test_nothing_but_refusals_at_tills_is_told(desk: CouponDesk) -> None:
    issue(desk, "k")
    assert try_to(desk, "redeem", "k") == "OK"
    assert try_to(desk, "redeem", "k") == "OK"  # a repetition
    with pytest.raises(Refused):
        desk.run(desk.rolling_back("k", order="o9", refund="r"))
    with pytest.raises(Refused):
        desk.run(desk.releasing("k", call="x", order="o1"))
    with pytest.raises(Refused):
        desk.run(desk.issuing("k9", "c280-50", "m1", not_after=1))
    issue(desk, "j")
    assert try_to(desk, "reserve", "j", "o5") == "OK"
    with pytest.raises(Mismatch):
        desk.run(desk.reserving("j", basket(30_000), call="r-o5", order="o5"))
    with pytest.raises(CouponError):
        desk.run(desk.reserving("j", Basket(store="S1", lines=()), call="z", order="o7"))
    assert desk.run(desk.offering("m1", basket(100))).nearly == []
    assert rejections(desk) == []


def test_a_rejection_changes_no_coupon_and_not_how_long_it_is_kept(desk: CouponDesk) -> None:
    issue(desk, "k")
    key = desk.protocol.keys.coupon("k")
    before = desk.look(["k"], ["c280-50"])
    ends = desk._execute("PEXPIRETIME", key) if _newer(desk) else 0
    assert try_to(desk, "redeem", "k", "o1", basket(100)) == "below_threshold"
    after = desk.look(["k"], ["c280-50"])
    assert (after.coupons[0].state, after.campaigns) == ("issued", before.campaigns)
    assert (desk._execute("PEXPIRETIME", key) if _newer(desk) else 0) == ends
    assert desk._execute("PTTL", key) > 0
    lives = Lives()
    for entry in desk.outbox():
        assert lives.follow(entry.what, entry.event)
    assert lives.coupons["k"].state == "issued"


def _newer(desk: CouponDesk) -> bool:
    return not str(desk._execute("INFO", "server")["redis_version"]).startswith("6.")


def test_an_unknown_coupon_may_be_anything_and_is_kept_nowhere(desk: CouponDesk) -> None:
    phone = "+86-138-0013-8000"
    assert try_to(desk, "redeem", phone) == "unknown_coupon"
    assert len(rejections(desk)) == 1
    tag = desk.protocol.keys.tag.encode()
    for key in desk._execute("KEYS", "*"):
        if key.startswith(tag):
            assert phone.encode() not in key
            kind = desk._execute("TYPE", key)
            if kind == b"zset":
                assert phone.encode() not in b"".join(desk._execute("ZRANGE", key, 0, -1))
            elif kind == b"stream":
                assert phone not in str(desk._execute("XRANGE", key, "-", "+"))


def test_no_caller_can_fill_the_server(server: RedisServer) -> None:
    """However often and with whatever names it asks; what is left out is counted and told."""
    library = with_bounds(MAX_REJECTED=4, MAX_UNKNOWN=5)
    with new_desk(server, one_campaign(), library=library) as desk:
        for number in range(2):
            issue(desk, f"k{number}", "c")
        for turn in range(20):
            for number in range(2):
                short = try_to(desk, "redeem", f"k{number}", f"o{turn}", basket(1))
                assert short == "below_threshold"
            assert try_to(desk, "reserve", f"x{turn}", f"o{turn}") == "unknown_coupon"
        told = rejections(desk)
        assert len(told) == 2 * 4 + 5
        sizes = [desk._execute("STRLEN", desk.protocol.keys.coupon(f"k{n}")) for n in range(2)]
        assert max(sizes) < 2_000
        assert desk._execute("ZCARD", desk.protocol.keys.unknown) == 5
        assert desk._execute("PTTL", desk.protocol.keys.unknown) > 0
        # 20 of each were asked for; the next that is told says how many were not.
        issue(desk, "k2", "c")
        try_to(desk, "redeem", "k2", "o", basket(1))
        left_out = sum(each.left_out for each in rejections(desk))
        assert left_out == rejections(desk)[-1].left_out + told[-1].left_out
        assert left_out + len(told) == 3 * 20
        assert try_to(desk, "redeem", "k2", "o") == "OK"


def test_rejections_give_way_while_much_waits(server: RedisServer) -> None:
    """Nobody relays: what customers are owed goes on being told, refusals are not."""
    with new_desk(server, one_campaign(), library=with_bounds(MOST_WAITING=6)) as desk:
        for number in range(4):
            issue(desk, f"k{number}", "c")
        for turn in range(9):
            try_to(desk, "redeem", "k0", f"o{turn}", basket(1))
            try_to(desk, "redeem", f"x{turn}", f"o{turn}")
        assert len(rejections(desk)) == 2
        assert try_to(desk, "redeem", "k1", "o1") == "OK"
        assert len(desk.outbox()) == 7
        desk.trim(desk.outbox()[-1].id)
        try_to(desk, "redeem", "k2", "o2", basket(1))
        (told,) = rejections(desk)
        assert (told.coupon, told.left_out) == ("k2", 16)


def test_at_the_memory_limit_refusals_are_answered_and_not_told(
    server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with (
        start_redis(tmp_path_factory.mktemp("full"), binary=server.binary) as small,
        new_desk(small, one_campaign()) as desk,
    ):
        issue(desk, "k", "c")
        desk._execute("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(DeskFull):
            issue(desk, "k2", "c")
        assert try_to(desk, "redeem", "k", "o1", basket(1)) == "below_threshold"
        assert try_to(desk, "redeem", "x", "o1") == "unknown_coupon"
        assert rejections(desk) == []
        if _newer(desk):
            assert try_to(desk, "redeem", "k", "o1") == "OK"  # who has paid is served
        desk._execute("CONFIG", "SET", "maxmemory", "0")


def test_tills_that_race_are_told_of_once_each(server: RedisServer) -> None:
    """One coupon, one order, many tries at once; and every order but one is refused."""
    with new_desk(server, one_campaign()) as desk:
        issue(desk, "k", "c")

        def tills(each: Callable[[CouponDesk, int], None]) -> None:
            def work(number: int) -> None:
                with CouponDesk(desk.settings) as mine:
                    each(mine, number)

            threads = [Thread(target=work, args=(number,)) for number in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        def same_order(mine: CouponDesk, _: int) -> None:
            for _ in range(5):
                try_to(mine, "redeem", "k", "o", basket(1))

        def own_order(mine: CouponDesk, number: int) -> None:
            try_to(mine, "redeem", "k", f"o{number}")

        tills(same_order)
        assert codes(desk) == [("k", "o", "below_threshold")]
        tills(own_order)
        (used,) = [each.event for each in desk.outbox() if each.what == "redeemed"]
        lost = {f"o{number}" for number in range(6)} - {used.order}
        assert sorted(codes(desk)[1:]) == sorted(("k", each, "already_redeemed") for each in lost)


def test_a_killed_server_tells_what_it_answered(
    server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Before the till has its answer, it is on the outbox; tried again it is not told twice."""
    options = ("--appendfsync", "always")
    folder = tmp_path_factory.mktemp("killed")
    with start_redis(folder, binary=server.binary, appendonly=True, options=options) as mine:
        desk = new_desk(mine, one_campaign())
        issue(desk, "k", "c")
        assert try_to(desk, "redeem", "k", "o1", basket(1)) == "below_threshold"
        mine.kill()
        mine.start()
        with CouponDesk(DeskSettings(url=mine.url, desk=desk.settings.desk)) as again:
            with pytest.raises(DeskClosed, match="is restarted"):
                try_to(again, "redeem", "k", "o1", basket(1))
            again.run(keeping.mark(again.protocol))
            assert codes(again) == [("k", "o1", "below_threshold")]
            assert try_to(again, "redeem", "k", "o1", basket(1)) == "below_threshold"
            assert codes(again) == [("k", "o1", "below_threshold")]
        desk.close()


def test_a_desk_that_was_written_anew_goes_on(desk: CouponDesk) -> None:
    """What was refused before is forgotten there; the warehouse has one row an order and code."""
    issue(desk, "k")
    try_to(desk, "redeem", "k", "o1", basket(1))
    lives = Lives()
    for entry in desk.outbox():
        assert lives.follow(entry.what, entry.event)
    lose(desk)
    desk.publish(book())
    desk.run(rebuild.begin(desk.protocol, "me"))
    desk.run(rebuild.restore(desk.protocol, "me", lives.coupons.values()))
    desk.run(rebuild.reopen(desk.protocol, "me", "two"))
    for _ in range(2):
        assert try_to(desk, "redeem", "k", "o1", basket(1)) == "below_threshold"
    assert codes(desk) == [("k", "o1", "below_threshold")]
    assert try_to(desk, "redeem", "k", "o1") == "OK"
    assert campaign_of(desk, "c280-50").redeemed == 1
