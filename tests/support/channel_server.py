"""The providers of messages to members on one port, as their public documents describe them.

Signatures are verified by a second hand: from the request as it came, not by the code under test.
`arrived` is what members would have seen, in order.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from hook_server import Answer, HookServer, Plan, Received, errcode, start_hook_server

ACCESS_KEY, ACCESS_SECRET = "LTAI-access-key", "aliyun-secret-0001"
APP_ID, APP_SECRET = "wx-app-1", "wechat-secret-0002"
CORP_ID, CORP_SECRET = "ww-corp-1", "wecom-secret-0003"
SIGN, SMS_CODE, TMPL = "街角便利", "SMS_154950909", "tmpl-AbCdEf"
SENDS = (
    "/cgi-bin/message/subscribe/send",
    "/cgi-bin/message/subscribe/bizsend",
    "/cgi-bin/message/template/send",
    "/cgi-bin/externalcontact/add_msg_template",
)


class Arrived(NamedTuple):
    """What a member sees."""

    provider: str
    address: str
    words: str


@dataclass
class ChannelServer(HookServer):
    """`credits` are consents by openid; `receipts` what operators say of phones (default: 3),
    `ahead` how many seconds its clock is,
    `lists_after` how long it takes until a message is listed."""

    arrived: list[Arrived] = field(default_factory=list)
    credits: dict[str, int] = field(default_factory=dict)
    receipts: dict[str, int] = field(default_factory=dict)
    codes: list[str | int] = field(default_factory=list)
    tokens: int = 0
    ahead: float = 0.0
    blind: bool = False
    lists_after: float = 0.0
    details: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[tuple[str, str], float] = field(default_factory=dict)
    tasks: list[dict[str, Any]] = field(default_factory=list)

    def plan(self, path: str, action: str) -> Plan | None:
        """Plans are for sends; tokens and questions are answered."""
        if path.partition("?")[0] not in SENDS and action != "SendSms":
            return None
        return super().plan(path, action)

    def judge(self, request: Received) -> Answer:
        with self.lock:
            if request.path == "/" and "x-tc-action" in request.headers:
                return self._tencent(request)
            if request.path == "/":
                return self._aliyun(request)
            if request.path in ("/cgi-bin/stable_token", "/cgi-bin/gettoken"):
                return self._token(request)
            if request.query.get("access_token") != f"token-{self.tokens}":
                return errcode(40001, "invalid credential, access_token is invalid")
            code = self._code() if request.path in SENDS else None
            if isinstance(code, int):
                return errcode(code, "told to")
            if request.path.startswith("/cgi-bin/message/subscribe/"):
                return self._subscription(request.body)
            if request.path == "/cgi-bin/message/template/send":
                return self._template(request.body)
            return self._customer(request.path, request.body)

    def now(self) -> datetime:
        """The provider's clock."""
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def _code(self) -> str | int | None:
        return self.codes.pop(0) if self.codes else None

    def _aliyun(self, request: Received) -> Answer:
        wrong = _unsigned(request, self.now())
        if wrong:
            return 400, json.dumps({"Code": wrong, "Message": wrong, "RequestId": "R"})
        query = request.query
        if request.headers["x-acs-action"] == "QuerySendDetails":
            return self._details(query)
        code = self._code()
        if code is None and query["SignName"] != SIGN:
            code = "isv.SMS_SIGNATURE_ILLEGAL"
        if code is None and query["TemplateCode"] != SMS_CODE:
            code = "isv.SMS_TEMPLATE_ILLEGAL"
        if code is None and not (
            len(query["PhoneNumbers"]) == 11 and query["PhoneNumbers"].isdigit()
        ):
            code = "isv.MOBILE_NUMBER_ILLEGAL"
        if code is not None:
            # Also here the status says nothing.
            said = f"{query['PhoneNumbers']}: {code}"
            return 200, json.dumps({"Code": code, "Message": said, "RequestId": "R"})
        phone, words = query["PhoneNumbers"], query["TemplateParam"]
        assert all(isinstance(one, str) for one in json.loads(words).values())
        self.arrived.append(Arrived("sms", phone, words))
        beijing = self.now() + timedelta(hours=8)
        self.details.append(
            {
                "at": self.now().timestamp(),
                "PhoneNum": phone,
                "OutId": query["OutId"],
                "SendStatus": self.receipts.get(phone, 3),
                "ErrCode": "DELIVERED" if self.receipts.get(phone, 3) == 3 else "MK:0001",
                "TemplateCode": query["TemplateCode"],
                "Content": words,
                "SendDate": f"{beijing:%Y-%m-%d %H:%M:%S}",
            }
        )
        answer = {"Code": "OK", "Message": "OK", "BizId": f"B{len(self.details)}^0"}
        return 200, json.dumps(answer)

    def _details(self, query: dict[str, str]) -> Answer:
        if self.blind:
            return 500, "gateway"
        mine = [
            one
            for one in self.details
            if one["PhoneNum"] == query["PhoneNumber"]
            and one["SendDate"][:10].replace("-", "") == query["SendDate"]
            and one["at"] + self.lists_after <= self.now().timestamp()
        ]
        size, page = int(query["PageSize"]), int(query["CurrentPage"])
        assert size <= 50
        shown = mine[(page - 1) * size : page * size]
        answer = {"Code": "OK", "TotalCount": str(len(mine))}
        return 200, json.dumps(answer | {"SmsSendDetailDTOs": {"SmsSendDetailDTO": shown}})

    def _tencent(self, request: Received) -> Answer:
        if not _signed_tc3(request):
            return _tencent_says(Error={"Code": "AuthFailure.SignatureFailure", "Message": "no"})
        body = request.body
        if request.headers["x-tc-action"] == "PullSmsSendStatusByPhoneNumber":
            found = [one for one in self.details if one["PhoneNumber"] == body["PhoneNumber"]]
            at = body["Offset"]
            return _tencent_says(PullSmsSendStatusSet=found[at : at + body["Limit"]])
        code = self._code()
        if isinstance(code, str) and code.startswith("Request"):
            return _tencent_says(Error={"Code": code, "Message": "told to"})
        (phone,) = body["PhoneNumberSet"]
        status = {"PhoneNumber": phone, "SerialNo": "", "Fee": 0, "Code": code, "Message": "told"}
        if code is None:
            status |= {"SerialNo": f"n{len(self.details)}", "Code": "Ok", "Message": "send success"}
            self.arrived.append(Arrived("sms", phone, json.dumps(body["TemplateParamSet"])))
            receipt = {"PhoneNumber": phone, "SerialNo": status["SerialNo"]}
            receipt |= {"ReportStatus": "SUCCESS", "Description": "DELIVRD"}
            self.details.append(receipt | {"SessionContext": body["SessionContext"]})
        return _tencent_says(SendStatusSet=[status])

    def _token(self, request: Received) -> Answer:
        if request.path == "/cgi-bin/gettoken":
            good = request.query == {"corpid": CORP_ID, "corpsecret": CORP_SECRET}
        else:
            body = request.body
            good = (body["appid"], body["secret"]) == (APP_ID, APP_SECRET)
            good = good and body["grant_type"] == "client_credential"
        if not good:
            return errcode(40125, "invalid appsecret")
        self.tokens += 1
        return 200, json.dumps({"access_token": f"token-{self.tokens}", "expires_in": 7200})

    def _subscription(self, body: dict[str, Any]) -> Answer:
        openid = body["touser"]
        if body["template_id"] != TMPL:
            return errcode(40037, "invalid template_id")
        if any(len(one["value"]) > 20 for name, one in body["data"].items() if "thing" in name):
            return errcode(47003, "argument invalid! data.thing1.value invalid")
        if self.credits.get(openid, 0) < 1:
            return errcode(43101, "user refuse to accept the msg")
        self.credits[openid] -= 1
        self.arrived.append(Arrived("subscription", openid, json.dumps(body["data"])))
        return errcode(0)

    def _template(self, body: dict[str, Any]) -> Answer:
        key = (body["touser"], body["client_msg_id"])
        assert len(key[1]) <= 32
        if time.time() - self.seen.get(key, 0) > 600:
            self.seen[key] = time.time()
            self.arrived.append(Arrived("template", body["touser"], json.dumps(body["data"])))
        return 200, json.dumps({"errcode": 0, "errmsg": "ok", "msgid": len(self.seen)})

    def _customer(self, path: str, body: dict[str, Any]) -> Answer:
        call = path.rpartition("/")[2]
        if call == "add_msg_template":
            assert body["chat_type"] == "single"
            assert body["text"]["content"]
            failed = [one for one in body["external_userid"] if one.startswith("bad")]
            if failed == body["external_userid"]:
                return 200, json.dumps({"errcode": 0, "fail_list": failed, "msgid": ""})
            for one in body["external_userid"]:
                self.arrived.append(Arrived("wecom", one, body["text"]["content"]))
            task = body | {
                "msgid": f"msg{len(self.tasks)}",
                "create_time": int(self.now().timestamp()),
            }
            self.tasks.append(task)
            answer = {"errcode": 0, "errmsg": "ok", "fail_list": failed, "msgid": task["msgid"]}
            return 200, json.dumps(answer)
        if call == "get_groupmsg_list_v2":
            found = [
                {"msgid": one["msgid"], "text": one["text"], "create_time": one["create_time"]}
                for one in self.tasks
                if body["start_time"] <= one["create_time"] <= body["end_time"]
            ]
            # One a page, so that who does not turn pages is found out.
            at = int(body["cursor"] or 0)
            following = str(at + 1) if at + 1 < len(found) else ""
            shown = {"group_msg_list": found[at : at + 1], "next_cursor": following}
            return 200, json.dumps({"errcode": 0, "errmsg": "ok"} | shown)
        assert call == "get_groupmsg_send_result"
        sent = [
            {"external_userid": name, "userid": one["sender"], "status": self.receipts.get(name, 0)}
            for one in self.tasks
            if one["msgid"] == body["msgid"] and one["sender"] == body["userid"]
            for name in one["external_userid"]
        ]
        return 200, json.dumps({"errcode": 0, "errmsg": "ok", "send_list": sent})


def _unsigned(request: Received, now: datetime) -> str:
    """What is wrong with the signature V3 of a request, nothing if it is right."""
    headers = request.headers
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    said = dict(part.split("=", 1) for part in rest.split(","))
    if scheme != "ACS3-HMAC-SHA256" or said.get("Credential") != ACCESS_KEY:
        return "InvalidAccessKeyId.NotFound"
    names = said["SignedHeaders"].split(";")
    assert {"host", *(name for name in headers if name.startswith("x-acs-"))} <= set(names)
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
        for name, value in sorted(request.query.items())
    )
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    body = hashlib.sha256(request.raw).hexdigest()
    canonical = f"POST\n/\n{query}\n{lines}\n{said['SignedHeaders']}\n{body}"
    to_sign = "ACS3-HMAC-SHA256\n" + hashlib.sha256(canonical.encode()).hexdigest()
    good = hmac.new(ACCESS_SECRET.encode(), to_sign.encode(), "sha256").hexdigest()
    asked = datetime.fromisoformat(headers["x-acs-date"].replace("Z", "+00:00"))
    if abs((now - asked).total_seconds()) > 900:
        return "InvalidTimeStamp.Expired"
    return "" if hmac.compare_digest(good, said["Signature"]) else "SignatureDoesNotMatch"


def _tencent_says(**answer: Any) -> Answer:
    return 200, json.dumps({"Response": answer | {"RequestId": "R"}})


def _signed_tc3(request: Received) -> bool:
    """Whether a request has the signature v3 (TC3-HMAC-SHA256) of our key."""
    headers = request.headers
    said = dict(part.strip().split("=", 1) for part in headers["authorization"][16:].split(","))
    names = said["SignedHeaders"].split(";")
    assert {"content-type", "host"} <= set(names)
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names)
    body = hashlib.sha256(request.raw).hexdigest()
    canonical = f"POST\n/\n\n{lines}\n{said['SignedHeaders']}\n{body}"
    stamp = headers["x-tc-timestamp"]
    day = f"{datetime.fromtimestamp(int(stamp), UTC):%Y-%m-%d}"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"TC3-HMAC-SHA256\n{stamp}\n{day}/sms/tc3_request\n{hashed}"
    key = ("TC3" + ACCESS_SECRET).encode()
    for part in (day, "sms", "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    good = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    return said["Credential"].startswith(f"{ACCESS_KEY}/") and good == said["Signature"]


@contextmanager
def start_channel_server() -> Iterator[ChannelServer]:
    """The providers, until the block ends."""
    server = ChannelServer()
    with start_hook_server(server):
        yield server
