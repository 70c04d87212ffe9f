"""Each address of the hold API, over HTTP, with a real Redis behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hold_stack import Api

from schemas.instants import parse_instant
from serving.holds.problems import MEDIA_TYPE, URN
from sinks.redis.client import HoldGate

Stocked = Callable[..., str]


def told(answer: httpx.Response, name: str, status: int) -> dict[str, Any]:
    """The body of a problem, which must be this one."""
    assert answer.headers["content-type"].startswith(MEDIA_TYPE), answer.text
    body: dict[str, Any] = answer.json()
    assert body["type"] == URN + name, body
    assert answer.status_code == body["status"] == status
    assert body["title"]
    return body


def hold(api: Api, hold_id: str, sku: str, quantity: int = 1, **more: Any) -> httpx.Response:
    body = {"id": hold_id, "lines": [{"sku": sku, "quantity": quantity}], **more}
    return api.client.post("/v1/holds", json=body)


def test_a_hold_from_cart_to_paid(api: Api, stocked: Stocked, new_id: str, gate: HoldGate) -> None:
    sku = stocked(S1=3, S2=1)
    made = hold(api, new_id, sku, 3, ttl_seconds=60, order="O-1", customer="m-1")
    assert made.status_code == 201
    body = made.json()
    until = parse_instant(body.pop("expires_at")) / 1e6
    assert 0 < until - time.time() < 61
    assert body == {
        "id": new_id,
        "state": "held",
        "lines": [{"sku": sku, "place": "S1", "quantity": 3}],
        "order": "O-1",
        "replayed": False,
    }
    again = hold(api, new_id, sku, 3, ttl_seconds=60, order="O-1", customer="m-1")
    assert (again.status_code, again.json()["replayed"]) == (200, True)

    longer = api.client.post(f"/v1/holds/{new_id}/extend", json={"ttl_seconds": 600})
    assert parse_instant(longer.json()["expires_at"]) / 1e6 - until > 500
    paid = api.client.post(f"/v1/holds/{new_id}/confirm")
    assert (paid.status_code, paid.json()["state"]) == (200, "confirmed")
    assert api.client.get(f"/v1/holds/{new_id}").json()["state"] == "confirmed"
    assert gate.read(new_id).state == "confirmed"
    kept = told(api.client.post(f"/v1/holds/{new_id}/release"), "already-confirmed", 409)
    assert kept["hold"]["state"] == "confirmed"
    told(
        api.client.post(f"/v1/holds/{new_id}/extend", json={"ttl_seconds": 9}),
        "already-confirmed",
        409,
    )


def test_the_id_may_come_in_the_header(api: Api, stocked: Stocked, new_id: str) -> None:
    sku = stocked(S1=5)
    body = {"lines": [{"sku": sku, "quantity": 1}]}
    header = {"Idempotency-Key": new_id}
    assert api.client.post("/v1/holds", json=body, headers=header).json()["id"] == new_id
    assert api.client.post("/v1/holds", json=body, headers=header).status_code == 200
    slash = api.client.post("/v1/holds", json=body, headers={"Idempotency-Key": "a/b"})
    told(slash, "invalid-request", 400)
    both = api.client.post("/v1/holds", json=body | {"id": "other"}, headers=header)
    told(both, "invalid-request", 400)
    assert (
        "no id" in told(api.client.post("/v1/holds", json=body), "invalid-request", 400)["detail"]
    )


def test_availability_adds_places_up(api: Api, stocked: Stocked, new_id: str) -> None:
    sku, other = stocked(S1=4, S2=2), stocked(S1=1)
    hold(api, new_id, sku, 3)
    found = api.client.get("/v1/availability", params={"sku": [sku, other, "none-such"]}).json()
    first, second, third = found["items"]
    assert (first["sku"], first["available"]) == (sku, 3)
    assert first["places"] == [
        {"place": "S1", "available": 1, "held": 3, "on_hand": 4, "version": 1},
        {"place": "S2", "available": 2, "held": 0, "on_hand": 2, "version": 1},
    ]
    assert (second["available"], third["available"], third["places"]) == (1, 0, [])
    there = api.client.get("/v1/availability", params={"sku": sku, "place": ["S2", "S9"]}).json()
    assert [place["place"] for place in there["items"][0]["places"]] == ["S2"]


def test_short_names_every_sku(api: Api, stocked: Stocked, new_id: str, gate: HoldGate) -> None:
    few, none = stocked(S1=1), stocked(S1=0)
    wanted = [{"sku": few, "quantity": 2}, {"sku": none, "quantity": 1}]
    body = told(api.client.post("/v1/holds", json={"id": new_id, "lines": wanted}), "short", 409)
    assert sorted(body["shortages"], key=lambda each: each["wanted"]) == [
        {"sku": none, "wanted": 1, "available": 0},
        {"sku": few, "wanted": 2, "available": 1},
    ]
    told(api.client.get(f"/v1/holds/{new_id}"), "unknown-hold", 404)
    assert hold(api, new_id, few, 1).status_code == 201


def test_placing_is_passed_on(api: Api, stocked: Stocked, new_id: str) -> None:
    sku = stocked(S1=5, S2=2)
    whole = {"order": ["S2"], "single_place": True}
    assert hold(api, new_id, sku, 2, placing=whole).json()["lines"][0]["place"] == "S2"
    told(hold(api, new_id + "b", sku, 6, placing={"split": False}), "short", 409)
    at = [{"sku": sku, "quantity": 1, "place": "S1"}]
    there = api.client.post("/v1/holds", json={"id": new_id + "c", "lines": at})
    assert there.json()["lines"][0]["place"] == "S1"


def test_too_late(api: Api, stocked: Stocked, new_id: str) -> None:
    sku = stocked(S1=1)
    assert hold(api, new_id, sku, ttl_seconds=0.05).status_code == 201
    time.sleep(0.1)
    assert api.client.get(f"/v1/holds/{new_id}").json()["state"] == "expired"
    told(api.client.post(f"/v1/holds/{new_id}/extend", json={"ttl_seconds": 5}), "not-held", 409)
    hold(api, new_id + "-b", sku)
    for _ in range(2):  # a repeated request is told the same
        refused = told(api.client.post(f"/v1/holds/{new_id}/confirm"), "expired-short", 409)
        assert refused["hold"]["state"] == "expired_short"


def test_released_is_not_paid(api: Api, stocked: Stocked, new_id: str) -> None:
    hold(api, new_id, stocked(S1=1))
    for _ in range(2):
        gone = api.client.post(f"/v1/holds/{new_id}/release")
        assert (gone.status_code, gone.json()["state"]) == (200, "released")
    body = told(api.client.post(f"/v1/holds/{new_id}/confirm"), "not-held", 409)
    assert body["hold"]["state"] == "released"


def test_refusals(api: Api, stocked: Stocked, new_id: str) -> None:
    sku = stocked(S1=100)
    hold(api, new_id, sku, 1)
    told(hold(api, new_id, sku, 2), "id-conflict", 409)
    unknown = told(hold(api, "x-" + new_id, "none-such"), "unknown-sku", 422)
    assert unknown["unknown"] == [{"sku": "none-such", "place": None}]
    api.client.post(f"/v1/holds/{new_id}/confirm")
    told(hold(api, "y-" + new_id, sku, replaces=new_id), "already-confirmed", 409)
    told(api.client.post("/v1/holds/none-such/confirm"), "unknown-hold", 404)


def test_caps_of_a_customer(api: Api, stocked: Stocked, new_id: str) -> None:
    sku = stocked(S1=100)
    who = f"customer-{new_id}"
    for number in range(2):
        assert hold(api, f"{new_id}-{number}", sku, customer=who).status_code == 201
    told(hold(api, f"{new_id}-2", sku, customer=who), "cap-reached", 409)
    told(hold(api, f"{new_id}-3", sku, 51, customer=who + "b"), "cap-reached", 409)
    swapped = hold(api, f"{new_id}-2", sku, customer=who, replaces=f"{new_id}-1")
    assert swapped.status_code == 201


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "JSON"),
        (b"[]", "array"),
        (b'{"id": "a", "lines": []}', "lines"),
        (b'{"id": "a/b", "lines": [{"sku": "A", "quantity": 1}]}', "id"),
        (b'{"id": "a", "lines": [{"sku": "", "quantity": 1}]}', "lines"),
        (b'{"id": "a", "lines": [{"sku": "A", "quantity": 0}]}', "quantity"),
        (b'{"id": "a", "lines": [{"sku": "A", "quantity": 1.5}]}', "quantity"),
        (b'{"id": "a", "lines": [{"sku": "A", "quantity": 1}], "ttl": 5}', "ttl"),
        (b'{"id": "a", "lines": [{"sku": "A", "quantity": 1}], "ttl_seconds": 9e9}', "at most"),
        (b'{"id": "a", "lines": [{"sku": "A", "quantity": 1}], "ttl_seconds": 0}', "ttl_seconds"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(api: Api, body: bytes, words: str) -> None:
    answer = api.client.post(
        "/v1/holds", content=body, headers={"Content-Type": "application/json"}
    )
    assert words in told(answer, "invalid-request", 400)["detail"]


def test_other_addresses_and_sizes(api: Api) -> None:
    told(api.client.get("/v1/nothing"), "not-found", 404)
    told(api.client.delete("/v1/holds/x"), "method-not-allowed", 405)
    told(api.client.get("/v1/availability"), "invalid-request", 400)
    told(api.client.get("/v1/availability", params={"sku": ""}), "invalid-request", 400)
    many = {"sku": [f"s{number}" for number in range(101)]}
    told(api.client.get("/v1/availability", params=many), "invalid-request", 400)
    big = api.client.post("/v1/holds", content=b'{"id": "' + b"x" * 200_000 + b'"}')
    told(big, "request-too-large", 413)
    longest = {"sku": "茶" * 200, "quantity": 1, "place": "店" * 200}
    full = api.client.post("/v1/holds", json={"id": "full", "lines": [longest] * 100})
    told(full, "unknown-sku", 422)


def test_a_closed_gate_refuses(api: Api, stocked: Stocked, new_id: str, gate: HoldGate) -> None:
    sku = stocked(S1=1)
    assert api.client.get("/health").json() == {
        "status": "ok",
        "redis": True,
        "gate": "open",
        "epoch": "first",
    }
    gate.close_gate()
    try:
        refused = hold(api, new_id, sku)
        told(refused, "gate-closed", 503)
        assert int(refused.headers["Retry-After"]) >= 1
        told(api.client.get(f"/v1/holds/{new_id}"), "gate-closed", 503)
        told(api.client.get("/v1/availability", params={"sku": sku}), "gate-closed", 503)
        health = api.client.get("/health")
        assert (health.status_code, health.json()["gate"]) == (503, "closed")
    finally:
        gate.open_gate("first")
    assert hold(api, new_id, sku).status_code == 201


def test_many_at_once_are_all_served(api: Api, stocked: Stocked, new_id: str) -> None:
    """More than Redis clients have connections by default."""
    sku = stocked(S1=300)

    async def crowd() -> list[int]:
        limits = httpx.Limits(max_connections=150)
        async with httpx.AsyncClient(
            base_url=api.url, headers=api.client.headers, limits=limits, timeout=30, trust_env=False
        ) as client:
            one = {"lines": [{"sku": sku, "quantity": 1}]}
            calls = [
                client.post("/v1/holds", json=one | {"id": f"{new_id}-{number}"})
                for number in range(150)
            ]
            return [answer.status_code for answer in await asyncio.gather(*calls)]

    assert set(asyncio.run(crowd())) == {201}


def test_the_last_units_are_sold_once(api: Api, stocked: Stocked, new_id: str) -> None:
    sku = stocked(S1=5, S2=3)

    def buy(number: int) -> int:
        return hold(api, f"{new_id}-{number}", sku).status_code

    with ThreadPoolExecutor(8) as buyers:
        answers = list(buyers.map(buy, range(24)))
    assert sorted(answers) == [201] * 8 + [409] * 16
