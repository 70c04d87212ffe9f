"""Who may do what: keys, scopes, channels, rates; and what must never be written anywhere."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from flow_driver import wait_until
from hold_stack import Api

from infra.cli import main
from serving.holds.keys import ApiKey, KeyRing, KeysError, load_keys, new_key, revoke_key
from serving.holds.limits import RateLimits
from sinks.redis.client import AsyncHoldGate, HoldGate
from sinks.redis.settings import GateSettings

Stocked = Callable[..., str]


def test_no_key_no_answer(api: Api, stocked: Stocked, new_id: str) -> None:
    sku = stocked(S1=1)
    for headers, name in (
        ({"Authorization": ""}, "missing-key"),
        ({"Authorization": "Basic abc"}, "missing-key"),
        ({"Authorization": "Bearer tfk_0_guess"}, "unknown-key"),
    ):
        answer = api.client.get("/v1/availability", params={"sku": sku}, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["type"].endswith(name)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert api.client.get("/health", headers={"Authorization": ""}).status_code == 200


def test_scopes_and_channels(api: Api, stocked: Stocked, new_id: str) -> None:
    sku = stocked(S1=5)
    body = {"id": new_id, "lines": [{"sku": sku, "quantity": 1}]}
    assert api.client.post("/v1/holds", json=body).status_code == 201
    with api.client_of(api.others["reads"]) as client:
        assert client.get(f"/v1/holds/{new_id}").status_code == 200
        assert client.post(f"/v1/holds/{new_id}/confirm").status_code == 403
        assert client.post("/v1/holds", json=body).status_code == 403
        assert client.get("/v1/availability", params={"sku": sku}).status_code == 403
    with api.client_of(api.others["sees"]) as client:
        assert client.get("/v1/availability", params={"sku": sku}).status_code == 200
        assert client.get(f"/v1/holds/{new_id}").status_code == 403
    with api.client_of(api.others["other"]) as client:
        # What another channel holds can be neither seen nor touched; its ids are taken.
        assert client.get(f"/v1/holds/{new_id}").status_code == 404
        for call in ("confirm", "release"):
            assert client.post(f"/v1/holds/{new_id}/{call}").status_code == 404
        extended = client.post(f"/v1/holds/{new_id}/extend", json={"ttl_seconds": 900})
        assert extended.status_code == 404
        assert client.post("/v1/holds", json=body).json()["type"].endswith("id-conflict")
    assert api.client.get(f"/v1/holds/{new_id}").json()["state"] == "held"


def test_a_channel_is_known_also_to_a_server_that_did_not_make_the_hold(
    api: Api, gate: HoldGate, stocked: Stocked, new_id: str
) -> None:
    from sinks.redis.model import HoldLine

    sku = stocked(S1=5)
    gate.hold(new_id, [HoldLine(sku, 1)], ttl_seconds=60, channel="till")
    assert api.client.post(f"/v1/holds/{new_id}/release").status_code == 404
    gate.hold(new_id + "b", [HoldLine(sku, 1)], ttl_seconds=60, channel="mini-program")
    assert api.client.post(f"/v1/holds/{new_id}b/release").json()["state"] == "released"


def test_a_revoked_key_ends(api: Api, stocked: Stocked) -> None:
    key = api.others["to-revoke"]
    params = {"sku": stocked(S1=1)}
    with api.client_of(key) as client:
        assert client.get("/v1/availability", params=params).status_code == 200
        result = CliRunner().invoke(
            main, ["holds", "keys", "revoke", "--keys", str(api.keys), key.split("_")[1]]
        )
        assert result.exit_code == 0, result.output
        wait_until(
            lambda: client.get("/v1/availability", params=params).status_code == 401,
            "the revoked key still works",
            10,
        )


def test_a_rate_is_a_rate(api: Api, stocked: Stocked) -> None:
    params = {"sku": stocked(S1=1)}
    with api.client_of(api.others["slow"]) as client:
        answers = [client.get("/v1/availability", params=params) for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 3  # 5 at once and 5 a second
    assert refused[0].json()["type"] == "urn:tillflow:problem:rate-limited"
    assert 1 <= int(refused[0].headers["Retry-After"]) <= 2


async def _spent(limits: list[RateLimits], key: ApiKey, tries: int) -> int:
    passed = 0
    for number in range(tries):
        passed += await limits[number % len(limits)].wait_seconds(key) == 0
    return passed


def test_processes_share_one_bucket(gate: HoldGate, tmp_path: Path) -> None:
    _, key = new_key(tmp_path / "keys.yaml", "x", ["holds:read"], rate=50, burst=100)

    async def two_processes() -> tuple[int, float]:
        began = time.monotonic()
        async with (
            AsyncHoldGate(GateSettings(url=gate.settings.url)) as one,
            AsyncHoldGate(GateSettings(url=gate.settings.url)) as other,
        ):
            limits = [RateLimits(each.client.execute_command) for each in (one, other)]
            passed = await _spent(limits, key, 300)
        return passed, time.monotonic() - began

    passed, seconds = asyncio.run(two_processes())
    # Never more than the key may have in that time, whoever asks.
    assert 90 <= passed <= 100 + 50 * seconds + 1


def test_requests_at_once_share_a_handful(gate: HoldGate, tmp_path: Path) -> None:
    _, key = new_key(tmp_path / "keys.yaml", "x", ["holds:read"], rate=1000, burst=100)

    async def at_once(requests: int) -> int:
        async with AsyncHoldGate(GateSettings(url=gate.settings.url)) as one:
            limits = RateLimits(one.client.execute_command)
            waits = await asyncio.gather(*(limits.wait_seconds(key) for _ in range(requests)))
        return waits.count(0)

    assert asyncio.run(at_once(90)) == 90


def test_without_redis_nobody_is_refused_by_rate(tmp_path: Path) -> None:
    from broker import free_port

    _, key = new_key(tmp_path / "keys.yaml", "x", ["holds:read"], rate=1, burst=1)

    async def away() -> int:
        settings = GateSettings(url=f"redis://127.0.0.1:{free_port()}/0", timeout_seconds=0.2)
        async with AsyncHoldGate(settings) as gate:
            return await _spent([RateLimits(gate.client.execute_command)], key, 3)

    assert asyncio.run(away()) == 3


def test_nothing_secret_is_written(
    api: Api, gate: HoldGate, stocked: Stocked, new_id: str, tmp_path: Path
) -> None:
    who = f"Zhang-San-{new_id}"
    sku = stocked(S1=9)
    body = {"id": new_id, "lines": [{"sku": sku, "quantity": 1}], "customer": who}
    assert api.client.post("/v1/holds", json=body).status_code == 201
    api.client.post("/v1/holds", json=body | {"lines": [{"sku": "none", "quantity": 1}]})
    secret = api.client.headers["authorization"].split()[1]
    client = gate.client
    kept = [key.decode() for key in client.scan_iter(count=1000)]
    values = [str(client.hgetall(key)) for key in kept if client.type(key) == b"hash"]
    values.append(str(client.xrange(gate.protocol.keys.log)))
    for text in (*kept, *values, api.words(), api.keys.read_text()):
        assert who not in text
        assert secret not in text
        assert secret.split("_", 2)[2] not in text
    # The pseudonym is salted: nobody can make it without the file.
    assert load_keys(api.keys).customer_salt
    assert stat.S_IMODE(os.stat(api.keys).st_mode) == 0o600


def test_keys_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "api_keys.yaml"
    run = CliRunner().invoke
    made = run(
        main,
        f"holds keys new --keys {file} --channel web --scope holds:write --scope holds:read "
        "--rate 7",
    )
    assert made.exit_code == 0, made.output
    key = made.stdout.strip()
    assert key.startswith("tfk_")
    assert key not in file.read_text()
    ring = KeyRing(file)
    found = ring.find(key)
    assert found is not None
    assert (found.channel, found.scopes, found.rate) == ("web", ["holds:write", "holds:read"], 7)
    for wrong in (key[:-1], key + "x", key.replace("_", "-"), "", "é", f"tfk_{found.id}_"):
        assert ring.find(wrong) is None
    listed = run(main, ["holds", "keys", "list", "--keys", str(file)]).output
    assert found.id in listed
    assert found.sha256 not in listed
    unknown = run(main, ["holds", "keys", "revoke", "--keys", str(file), "nope"])
    assert unknown.exit_code == 1
    assert "holds keys list" in unknown.output


def test_a_file_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    with pytest.raises(KeysError, match="keys new"):
        KeyRing(file)
    _, made = new_key(file, "web", ["holds:read"], rate=1, burst=1)
    ring = KeyRing(file)
    for content, words in (
        ("keys: [", "no YAML"),
        ("keys: [{id: a}]", r"keys\[0\]"),
        ("kyes: []", "kyes"),
        (file.read_text() + file.read_text().partition("keys:\n")[2], "twice"),
    ):
        file.write_text(content)
        with pytest.raises(KeysError, match=words):
            load_keys(file)
    # A server that runs keeps what it knew and says what is wrong.
    ring.find("tfk_a_b")
    assert ring.problem is not None
    with pytest.raises(KeysError):
        revoke_key(file, made.id)
