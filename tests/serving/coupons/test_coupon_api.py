"""The coupon API as a process, each answer held against its own OpenAPI page."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from coupon_desks import book
from hold_stack import Api
from redis_server import start_redis

from schemas.coupon_events import CouponRejected
from serving.holds.keys import Scope
from sinks.coupons.client import CouponDesk
from sinks.coupons.settings import DeskSettings

KEYS: dict[str, tuple[str, list[Scope], float]] = {
    "till": ("till", ["coupons:redeem"], 1e5),
    "campaign": ("campaign", ["coupons:issue"], 1e5),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouponDesk]:
    with (
        start_redis(tmp_path_factory.mktemp("coupon-redis")) as server,
        CouponDesk(DeskSettings(url=server.url, desk="shop")) as made,
    ):
        made.publish(book(), first="one")
        yield made


@pytest.fixture(scope="module")
def api(desk: CouponDesk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    running = Api(tmp_path_factory.mktemp("api"), desk.settings.url, "shop", keys=KEYS)
    yield running
    running.stop()


@pytest.fixture
def member() -> str:
    return f"m-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def coupon(api: Api, member: str) -> str:
    return issue(api, member).json()["id"]  # type: ignore[no-any-return]


def issue(api: Api, member: str, campaign: str = "c280-50", name: str = "") -> httpx.Response:
    name = name or f"k-{uuid.uuid4().hex[:8]}"
    return api.client.post(
        "/v1/coupons", json={"id": name, "campaign": campaign, "member": member, "message": "msg"}
    )


def basket(*amounts: int, store: str = "S001", category: str | None = None) -> dict[str, Any]:
    lines = [
        {"sku": f"s{number}", "amount": amount, "category": category}
        for number, amount in enumerate(amounts)
    ]
    return {"store": store, "lines": lines}


def call(api: Api, coupon: str, verb: str, **body: Any) -> httpx.Response:
    if verb != "rollback":
        body = {"id": f"{verb}-1", **body}
    return api.client.post(f"/v1/coupons/{coupon}/{verb}", json={"order": "O-1", **body})


def kind(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def test_from_issue_to_refund(api: Api, member: str, coupon: str) -> None:
    reserved = call(api, coupon, "reserve", order=coupon, basket=basket(20_000, 9_000)).json()
    assert (reserved["state"], reserved["amount_off"]) == ("reserved", 5_000)
    assert "reserved_until" in reserved
    redeemed = call(api, coupon, "redeem", order=coupon).json()
    assert (redeemed["state"], redeemed["order"]) == ("redeemed", coupon)
    again = call(api, coupon, "redeem", order=coupon)
    assert again.json()["replayed"]
    part = call(api, coupon, "rollback", order=coupon, refund="r1", returned=9_000).json()
    rest = call(api, coupon, "rollback", order=coupon, refund="r2").json()
    assert part["coupon"]["state"] == "redeemed"
    assert rest["coupon"]["state"] == "rolled_back"
    assert part["pay_back"] + rest["pay_back"] == 24_000
    read = api.client.get(f"/v1/coupons/{coupon}").json()
    assert (read["state"], read["member"]) == ("rolled_back", member)


def test_issue_again_is_the_same_coupon(api: Api, member: str) -> None:
    answers = [issue(api, member, name=f"{member}-1") for _ in range(2)]
    assert [each.status_code for each in answers] == [201, 200]
    other = issue(api, "somebody-else", name=f"{member}-1")
    assert (other.status_code, kind(other)) == (409, "call-conflict")
    missing = issue(api, member, campaign="nothing")
    assert (missing.status_code, kind(missing)) == (422, "unknown-campaign")


def test_refusals_say_why_in_both_languages(api: Api, coupon: str) -> None:
    short = call(api, coupon, "reserve", order=coupon, basket=basket(25_500))
    assert (short.status_code, kind(short)) == (409, "coupon-refused")
    problem = short.json()
    assert problem["reason"] == "below_threshold"
    assert problem["detail"] == "CNY 25.00 more are needed"
    assert problem["words"]["zh"] == "未达使用门槛"
    call(api, coupon, "redeem", order=coupon, basket=basket(29_000))
    other = call(api, coupon, "redeem", order=f"{coupon}-2", id="x", basket=basket(29_000))
    assert other.json()["reason"] == "already_redeemed"
    released = call(api, coupon, "release", order=coupon)
    assert released.json()["reason"] == "already_redeemed"


def test_refusals_are_on_the_outbox_when_they_are_answered(
    api: Api, desk: CouponDesk, coupon: str
) -> None:
    """Once an order and reason, however often a till asks; with shop, and without who asks."""

    def told() -> list[tuple[str, str, str | None, str]]:
        return [
            (each.event.verb, each.event.order, each.event.store, each.event.rejection_code)
            for each in desk.outbox(count=10_000)
            if isinstance(each.event, CouponRejected) and each.event.order.startswith(coupon)
        ]

    for turn in range(3):
        short = call(api, coupon, "reserve", order=coupon, id=f"r{turn}", basket=basket(100))
        assert short.json()["reason"] == "below_threshold"
        assert told() == [("reserve", coupon, "S001", "below_threshold")]
    unknown = call(api, f"{coupon}-x", "redeem", order=f"{coupon}-2", basket=basket(29_000))
    assert kind(unknown) == "unknown-coupon"
    assert told()[1:] == [("redeem", f"{coupon}-2", "S001", "unknown_coupon")]
    assert call(api, coupon, "redeem", order=coupon, basket=basket(29_000)).status_code == 200
    assert len(told()) == 2


def test_a_reservation_is_given_back(api: Api, coupon: str) -> None:
    call(api, coupon, "reserve", order=coupon, basket=basket(29_000), ttl_seconds=60)
    assert call(api, coupon, "release", order=coupon).json()["state"] == "issued"
    conflict = call(api, coupon, "release", order=f"{coupon}-x")
    assert kind(conflict) == "call-conflict"


def test_offers_for_a_basket(api: Api, member: str, coupon: str) -> None:
    issue(api, member, "tea-20", f"{member}-t")
    issue(api, member, "cup", f"{member}-g")
    asked = {"member": member, "basket": basket(20_000, 5_500, category="tea")}
    found = api.client.post("/v1/offers", json=asked).json()
    assert [each["campaign"] for each in found["usable"]] == ["tea-20", "cup"]
    assert found["best"]["off"] == 3_000 == sum(found["best"]["lines"])
    assert set(found["best"]["coupons"]) == {f"{member}-t", f"{member}-g"}
    (near,) = found["nearly"]
    assert (near["coupon"], near["missing"]) == (coupon, 2_500)
    assert near["zh"] == "再买 25.00 元，立减 50.00 元"  # noqa: RUF001
    assert near["en"] == "25.00 more and 50.00 off"
    elsewhere = asked | {"basket": basket(28_000, store="S009")}
    found = api.client.post("/v1/offers", json=elsewhere).json()
    assert [each["campaign"] for each in found["usable"]] == ["c280-50"]
    assert {each["campaign"]: each["reason"] for each in found["others"]} == {
        "cup": "other_stores",
        "tea-20": "no_goods",
    }
    nobody = asked | {"member": "nobody"}
    assert api.client.post("/v1/offers", json=nobody).json()["usable"] == []


def test_requests_that_are_not_as_they_must_be(api: Api, coupon: str) -> None:
    wrong = call(api, coupon, "redeem", order=coupon, occurred_at="2026-11-23T10:00:00")
    assert (wrong.status_code, kind(wrong)) == (400, "invalid-request")
    misspelt = call(api, coupon, "redeem", order=coupon, bascet=basket(1))
    assert kind(misspelt) == "invalid-request"
    unknown = call(api, "never-issued", "redeem", basket=basket(29_000))
    assert (unknown.status_code, kind(unknown)) == (404, "unknown-coupon")


def test_each_key_does_its_own(api: Api, coupon: str, member: str) -> None:
    with api.client_of(api.others["till"]) as till:
        body = {"id": f"{coupon}-2", "campaign": "c280-50", "member": member}
        assert kind(till.post("/v1/coupons", json=body)) == "missing-scope"
        offers = till.post("/v1/offers", json={"member": member, "basket": basket(1)})
        assert kind(offers) == "missing-scope"
        paid = {"id": "d", "order": coupon, "basket": basket(29_000)}
        assert till.post(f"/v1/coupons/{coupon}/redeem", json=paid).status_code == 200
    with api.client_of(api.others["campaign"]) as campaign:
        asked = campaign.post(f"/v1/coupons/{coupon}/redeem", json=paid)
        assert kind(asked) == "missing-scope"


def test_a_desk_that_is_not_open_says_so(api: Api, desk: CouponDesk, coupon: str) -> None:
    key = desk.protocol.keys.state
    desk.client.hset(key, "state", "closed")
    try:
        answer = call(api, coupon, "redeem", order=coupon, basket=basket(29_000))
    finally:
        desk.client.hset(key, "state", "open")
    assert (answer.status_code, kind(answer)) == (503, "coupons-closed")
    assert answer.headers["Retry-After"]


def test_no_member_is_in_the_log(api: Api, member: str) -> None:
    issue(api, member)
    api.client.post("/v1/offers", json={"member": member, "basket": basket(1)})
    assert member not in api.words()
