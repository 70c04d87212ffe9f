"""Short messages through Tencent Cloud, by its own SDK: SendSms, PullSmsSendStatusByPhoneNumber.

Install it with the extra `sms`. Our id is the SessionContext, which comes back with receipts: so a
message can be found once it has one. That it has none proves nothing.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from operators.channels.filling import Outgoing
from schemas.channels import TencentSms
from schemas.instants import HOUR_US, SECOND_US
from sinks.channels.client import Found, Plain
from sinks.channels.codes import SmsCodes
from sinks.sending.verdict import ANSWER_KEPT, Verdict

try:
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.sms.v20210111 import models
    from tencentcloud.sms.v20210111.sms_client import SmsClient
except ImportError as wrong:
    msg = "channels of type tencent_sms need Tencent's SDK: pip install 'tillflow[sms]'"
    raise LookupError(msg) from wrong

PAGE = 100
# The SDK's own codes for what happens on the way; it does not say whether the request had left.
NETWORK = ("ClientNetworkError", "ServerNetworkError", "ClientParamsError")
CODES = SmsCodes(
    sent="Ok",
    doubtful=(*NETWORK, "InternalError", "RequestTimeException"),
    ours=(
        "AuthFailure",
        "UnauthorizedOperation",
        "FailedOperation.InsufficientBalanceInSmsPackage",
        "FailedOperation.SignatureIncorrectOrUnapproved",
        "FailedOperation.TemplateIncorrectOrUnapproved",
        "UnsupportedOperation",
        "InvalidParameterValue.SdkAppIdNotExist",
    ),
    busy=("RequestLimitExceeded", "LimitExceeded.DeliveryFrequencyLimit", "FailedOperation.Busy"),
    busy_seconds=30.0,
)


def sending(channel: TencentSms, message: Outgoing) -> dict[str, Any]:
    """The parameters of SendSms; the template's places are filled by position."""
    return {
        "PhoneNumberSet": [e164(message.address)],
        "SmsSdkAppId": channel.app_id,
        "SignName": channel.sign_name,
        "TemplateId": message.code,
        "TemplateParamSet": list(message.values.values()),
        "SessionContext": message.id,
    }


def e164(phone: str) -> str:
    """A phone as the API wants it; without a country it is a Chinese one."""
    return phone if phone.startswith("+") else f"+86{phone}"


class TencentClient(Plain):
    """The short message service."""

    provider = "tencent_sms"
    finds = True
    receipts = True

    def __init__(self, channel: TencentSms, secret_id: str, secret_key: str) -> None:
        url = urlsplit(channel.url)
        http = HttpProfile(
            protocol=url.scheme,
            endpoint=url.netloc,
            reqMethod="POST",
            reqTimeout=max(1, round(channel.timeout_seconds)),
        )
        profile = ClientProfile(signMethod="TC3-HMAC-SHA256", httpProfile=http)
        self._channel = channel
        self._client = SmsClient(Credential(secret_id, secret_key), channel.region, profile)

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message."""
        asked = models.SendSmsRequest()
        asked.from_json_string(json.dumps(sending(self._channel, message)))
        try:
            answer = self._client.SendSms(asked)
        except TencentCloudSDKException as wrong:
            return CODES.judge(wrong.code or "ClientNetworkError", wrong.message or "")
        statuses = answer.SendStatusSet or []
        if not statuses:
            return Verdict("unknown", "an answer without a status", whole=True)
        one = statuses[0]
        return CODES.judge(one.Code or "", one.Message or "", one.SerialNo or "")

    def find(self, message: Outgoing, left_at: int, ref: str, now: int) -> Found:
        """The receipt of the message with our id."""
        offset = 0
        while True:
            asked = models.PullSmsSendStatusByPhoneNumberRequest()
            wanted = {
                "PhoneNumber": e164(message.address),
                "SmsSdkAppId": self._channel.app_id,
                "BeginTime": left_at // SECOND_US - 60,
                "EndTime": min(now, left_at + 72 * HOUR_US) // SECOND_US + 60,
                "Limit": PAGE,
                "Offset": offset,
            }
            asked.from_json_string(json.dumps(wanted))
            try:
                answer = self._client.PullSmsSendStatusByPhoneNumber(asked)
            except TencentCloudSDKException as wrong:
                return Found("unclear", f"{wrong.code}: {wrong.message}"[:ANSWER_KEPT])
            statuses = answer.PullSmsSendStatusSet or []
            for one in statuses:
                if one.SessionContext != message.id and (not ref or one.SerialNo != ref):
                    continue
                code, ref_of = one.ReportStatus or "", one.SerialNo or ""
                said = f"{code}: {one.Description}"[:ANSWER_KEPT]
                if code == "SUCCESS":
                    return Found("delivered", said, code, ref_of)
                return Found("failed", said, code, ref_of)
            if len(statuses) < PAGE:
                return Found("absent", "no receipt yet")
            offset += PAGE
