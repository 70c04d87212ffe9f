"""Requests as the providers' documents have them, and what their answers mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operators.channels.filling import Outgoing
from schemas.channels import AliyunSms, WeChatSubscription
from schemas.secrets import Secret
from sinks.channels import aliyun, wechat, wecom
from sinks.channels.tokens import Answer
from sinks.sending.verdict import Verdict

MESSAGE = Outgoing("d" * 32, "openid-1", "zhang", "T1", "pages/x", "您好", {"thing1": "a"}, True)


def test_the_signature_is_that_of_alibabas_own_example() -> None:
    """The fixed values of "V3 request structure and signature": key, nonce, date and result."""
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    image = "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"
    query = {"ImageId": image, "RegionId": "cn-shanghai"}
    made = aliyun.authorization("POST", query, headers, "YourAccessKeyId", "YourAccessKeySecret")
    signature = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    assert made.endswith(f"Signature={signature}")


def test_a_short_message() -> None:
    key = Secret("env:K")
    channel = AliyunSms(access_key_id=key, access_key_secret=key, sign_name="街角")
    assert aliyun.sending(channel, MESSAGE._replace(address="13800000001")) == {
        "PhoneNumbers": "13800000001",
        "SignName": "街角",
        "TemplateCode": "T1",
        "TemplateParam": '{"thing1":"a"}',
        "OutId": "d" * 32,
    }


def test_bodies_of_wechat_and_wecom() -> None:
    channel = WeChatSubscription(app_id="wx", secret=Secret("env:K"))
    wanted: dict[str, Any] = {
        "touser": "openid-1",
        "template_id": "T1",
        "data": {"thing1": {"value": "a"}},
        "page": "pages/x",
    }
    more = {"miniprogram_state": "formal", "lang": "zh_CN"}
    assert wechat.subscription_body(channel, MESSAGE) == wanted | more
    account = WeChatSubscription(app_id="wx", secret=Secret("env:K"), of="official_account")
    assert wechat.subscription_body(account, MESSAGE) == wanted
    assert wechat.template_body(MESSAGE)["client_msg_id"] == "d" * 32
    assert wecom.body(MESSAGE) == {
        "chat_type": "single",
        "external_userid": ["openid-1"],
        "sender": "zhang",
        "text": {"content": "您好"},
    }


@pytest.mark.parametrize(
    ("status", "code", "outcome", "whole"),
    [
        (200, "OK", "sent", False),
        (200, "isv.BUSINESS_LIMIT_CONTROL", "refused", False),
        (200, "isv.MOBILE_NUMBER_ILLEGAL", "refused", False),
        (200, "isv.SMS_SIGNATURE_ILLEGAL", "retry", True),
        (200, "isv.AMOUNT_NOT_ENOUGH", "retry", True),
        (400, "SignatureDoesNotMatch", "retry", True),
        (400, "Throttling.User", "retry", True),
        (503, "ServiceUnavailable", "retry", True),
        (200, "isp.SYSTEM_ERROR", "unknown", True),
        (500, "InternalError", "unknown", True),
        (502, None, "unknown", True),
        (503, None, "retry", True),
        (200, None, "unknown", False),
    ],
)
def test_answers_of_alibaba(status: int, code: str | None, outcome: str, whole: bool) -> None:
    body = json.dumps({"Code": code, "Message": "m", "BizId": "B"}) if code else "<html>"
    verdict = aliyun.judge(status, body.encode(), None)
    assert (verdict.outcome, verdict.whole) == (outcome, whole)
    assert verdict.ref == ("B" if outcome == "sent" else "")


@pytest.mark.parametrize(
    ("code", "outcome", "whole"),
    [
        (0, "sent", False),
        (43101, "refused", False),
        (40003, "refused", False),
        (47003, "refused", False),
        (45168, "refused", False),
        (-1, "retry", True),
        (45009, "retry", True),
        (40037, "retry", True),
        (43107, "retry", True),
        (40001, "retry", True),
        (None, "unknown", True),
    ],
)
def test_answers_of_wechat(code: int | None, outcome: str, whole: bool) -> None:
    verdict = wechat.judge(Answer(200, code, {"errmsg": "m", "msgid": 7}, None))
    assert (verdict.outcome, verdict.whole) == (outcome, whole)


@pytest.mark.parametrize(
    ("status", "outcome"), [(504, "unknown"), (503, "retry"), (404, "refused")]
)
def test_a_status_without_an_answer(status: int, outcome: str) -> None:
    answer = Answer(status, None, {}, None)
    assert wechat.judge(answer).outcome == outcome
    assert wecom.judge(answer, "ext").outcome == outcome
    kept = Verdict("unknown", "broken")
    assert wechat.judge(kept) is kept


def test_wecom_takes_the_request_and_not_the_customer() -> None:
    body = {"errmsg": "ok", "msgid": "m1", "fail_list": ["ext-1"]}
    assert wecom.judge(Answer(200, 0, body, None), "ext-1").outcome == "refused"
    assert wecom.judge(Answer(200, 0, body, None), "ext-2") == Verdict(
        "sent", "errcode 0: ok", code="0", ref="m1"
    )
    assert wecom.judge(Answer(200, 41048, {}, None), "ext-2").outcome == "refused"
    assert wecom.judge(Answer(200, 45033, {}, None), "ext-2").outcome == "retry"
