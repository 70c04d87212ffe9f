"""Tencent's own SDK against a server that verifies its signature."""

from __future__ import annotations

from contextlib import closing

import pytest
from channel_server import ACCESS_KEY, ACCESS_SECRET, ChannelServer

from operators.channels.filling import Outgoing
from schemas.channels import TencentSms
from schemas.secrets import Secret
from sinks.loop import wall_clock

pytest.importorskip("tencentcloud.sms", reason="the extra `sms` is not installed")

from sinks.channels.tencent import CODES, TencentClient

MESSAGE = Outgoing("a" * 32, "13800000001", "", "1110", "", "", {"1": "满减券", "2": "5"}, True)


def client(server: ChannelServer, secret: str = ACCESS_SECRET) -> TencentClient:
    channel = TencentSms(
        secret_id=Secret("env:A"),
        secret_key=Secret("env:B"),
        app_id="1400006666",
        sign_name="街角便利",
        url=server.address,
    )
    return TencentClient(channel, ACCESS_KEY, secret)


def test_sent_and_found_by_our_id(server: ChannelServer) -> None:
    now = wall_clock()
    with closing(client(server)) as sms:
        assert sms.find(MESSAGE, now, "", now).status == "absent"
        verdict = sms.send(MESSAGE, now)
        assert (verdict.outcome, verdict.code, verdict.ref) == ("sent", "Ok", "n0")
        found = sms.find(MESSAGE, now, "", now)
        assert (found.status, found.ref) == ("delivered", "n0")
        assert sms.find(MESSAGE._replace(id="b" * 32), now, "", now).status == "absent"
    assert [one.address for one in server.arrived] == ["+8613800000001"]
    assert server.arrived[0].words == '["\\u6ee1\\u51cf\\u5238", "5"]'


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("RequestLimitExceeded", "retry"),
        ("FailedOperation.InsufficientBalanceInSmsPackage", "retry"),
        ("FailedOperation.PhoneNumberInBlacklist", "refused"),
        ("LimitExceeded.PhoneNumberDailyLimit", "refused"),
    ],
)
def test_codes(server: ChannelServer, code: str, outcome: str) -> None:
    server.codes = [code]
    with closing(client(server)) as sms:
        assert sms.send(MESSAGE, wall_clock()).outcome == outcome
    assert server.arrived == []


def test_a_broken_connection_is_unknown(server: ChannelServer) -> None:
    """The SDK does not say whether the request had left."""
    server.plans = ["drop"]
    now = wall_clock()
    with closing(client(server)) as sms:
        assert sms.send(MESSAGE, now).outcome == "unknown"
        assert sms.find(MESSAGE, now, "", now).status == "delivered"
    assert CODES.judge("InternalError.Timeout", "").outcome == "unknown"


def test_a_wrong_secret_holds_the_channel_up(server: ChannelServer) -> None:
    with closing(client(server, "wrong")) as sms:
        verdict = sms.send(MESSAGE, wall_clock())
    assert (verdict.outcome, verdict.whole) == ("retry", True)
