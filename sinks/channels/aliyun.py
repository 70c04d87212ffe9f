"""Short messages through Alibaba Cloud: SendSms and QuerySendDetails of 2017-05-25, signed V3.

Requests are as its "V3 request structure and signature" and the API reference of SMS say. What has
our id as OutId can be asked for, so that an answer that never came is learned afterwards.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from operators.channels.filling import Outgoing
from schemas.channels import AliyunSms
from schemas.instants import to_datetime
from sinks.channels.client import Found, Plain
from sinks.channels.codes import SmsCodes
from sinks.sending.posting import Poster
from sinks.sending.verdict import Verdict, by_status, json_of

ALGORITHM = "ACS3-HMAC-SHA256"
VERSION = "2017-05-25"
# Days of QuerySendDetails are Beijing's.
BEIJING = timezone(timedelta(hours=8))
PAGE = 50
CODES = SmsCodes(
    sent="OK",
    # The provider may have taken the message before it failed.
    doubtful=("isp.SYSTEM_ERROR", "isp.UNKNOWN", "InternalError"),
    # All messages fail alike until somebody has put it right.
    ours=(
        "isv.SMS_SIGN",
        "isv.SMS_TEMPLATE_ILLEGAL",
        "isv.ACCOUNT",
        "isv.PRODUCT",
        "isv.OUT_OF_SERVICE",
        "isv.AMOUNT_NOT_ENOUGH",
        "isp.RAM",
        "isv.RAM",
        "SignatureDoesNotMatch",
        "SignatureNonceUsed",
        "InvalidAccessKeyId",
        "InvalidTimeStamp",
        "Forbidden",
        "MissingAccessKeyId",
    ),
    busy=("Throttling", "ServiceUnavailable"),
    busy_seconds=5.0,
)


class Request(NamedTuple):
    """A signed request."""

    url: str
    headers: dict[str, str]


def authorization(
    method: str, query: Mapping[str, str], headers: Mapping[str, str], key: str, secret: str
) -> str:
    """The header Authorization over a request for `/` with these headers and their content hash."""
    signed = sorted((name.lower(), value.strip()) for name, value in headers.items())
    names = ";".join(name for name, _ in signed)
    canonical = "\n".join(
        (
            method,
            "/",
            _query(query),
            "".join(f"{name}:{value}\n" for name, value in signed),
            names,
            headers["x-acs-content-sha256"],
        )
    )
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return f"{ALGORITHM} Credential={key},SignedHeaders={names},Signature={signature}"


def request(
    channel: AliyunSms, keys: tuple[str, str], action: str, query: Mapping[str, str], now: int
) -> Request:
    """A request for an action, with its parameters in the query as the API wants them."""
    headers = {
        "content-type": "application/json; charset=utf-8",
        "host": urlsplit(channel.url).netloc,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": f"{to_datetime(now):%Y-%m-%dT%H:%M:%SZ}",
        "x-acs-signature-nonce": uuid.uuid4().hex,
        "x-acs-version": VERSION,
    }
    headers["Authorization"] = authorization("POST", query, headers, *keys)
    return Request(f"{channel.url}/?{_query(query)}", headers)


def sending(channel: AliyunSms, message: Outgoing) -> dict[str, str]:
    """The parameters of SendSms."""
    return {
        "PhoneNumbers": message.address,
        "SignName": channel.sign_name,
        "TemplateCode": message.code,
        "TemplateParam": msgspec.json.encode(message.values).decode(),
        "OutId": message.id,
    }


def judge(status: int, body: bytes, retry_after: str | None) -> Verdict:
    """The verdict on an answer to SendSms: sent only when the body's code is OK."""
    answer = json_of(body) or {}
    code = answer.get("Code")
    if not isinstance(code, str):
        if status >= 500 and status != 503:
            return Verdict("unknown", f"HTTP {status} without an answer", whole=True)
        trouble = by_status(status, body, retry_after)
        return trouble or Verdict("unknown", f"HTTP {status} with a body that is no answer")
    return CODES.judge(code, str(answer.get("Message", "")), str(answer.get("BizId", "")))


class AliyunClient(Plain):
    """The short message service."""

    provider = "aliyun_sms"
    finds = True
    receipts = True
    absence_proves = True

    def __init__(self, channel: AliyunSms, key: str, secret: str) -> None:
        self._channel = channel
        self._keys = (key, secret)
        self._poster = Poster(timeout=channel.timeout_seconds, idempotent=False)

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message."""
        made = request(self._channel, self._keys, "SendSms", sending(self._channel, message), now)
        return self._poster.post(made.url, b"", judge, made.headers)

    def find(self, message: Outgoing, left_at: int, ref: str, now: int) -> Found:
        """What QuerySendDetails says of the message with our id."""
        days = {f"{_beijing(at):%Y%m%d}" for at in (left_at, min(now, left_at + 600 * 10**6))}
        for day in sorted(days):
            page, left = 1, 1
            while left > 0:
                query = {
                    "PhoneNumber": message.address,
                    "SendDate": day,
                    "PageSize": str(PAGE),
                    "CurrentPage": str(page),
                }
                made = request(self._channel, self._keys, "QuerySendDetails", query, now)
                reply = self._poster.ask("POST", made.url, b"", made.headers)
                if isinstance(reply, Verdict):
                    return Found("unclear", reply.answer)
                answer = json_of(reply.body) or {}
                if answer.get("Code") != "OK":
                    said = f"QuerySendDetails: HTTP {reply.status} {answer.get('Code', '')}"
                    return Found("unclear", said)
                found = _among(answer, message.id)
                if found is not None:
                    return found
                left = int(answer.get("TotalCount") or 0) - page * PAGE
                page += 1
        return Found("absent", "QuerySendDetails does not know it")

    def close(self) -> None:
        """Let go of connections."""
        self._poster.close()


def _among(answer: dict[str, Any], name: str) -> Found | None:
    """The message in a page of details."""
    details = (answer.get("SmsSendDetailDTOs") or {}).get("SmsSendDetailDTO") or []
    for one in details:
        if one.get("OutId") != name:
            continue
        code = str(one.get("ErrCode") or "")
        status = int(one.get("SendStatus") or 0)
        if status == 3:
            return Found("delivered", f"delivered: {code}", code)
        if status == 2:
            return Found("failed", f"not delivered: {code}", code)
        return Found("accepted", "waiting for the operator's receipt", code)
    return None


def _beijing(at: int) -> datetime:
    return to_datetime(at).astimezone(BEIJING)


def _query(query: Mapping[str, str]) -> str:
    return "&".join(
        f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in sorted(query.items())
    )
