"""Messages of WeChat: subscription messages, and template messages of an official account.

Requests are as the platform's "subscribeMessage.send", "bizsend" and "template/send" describe. None
of them can be asked what became of a message. What saves it from coming twice: a subscription
message uses up the member's consent, and WeChat refuses (43101) where none is left; a template
message has a `client_msg_id`, by which WeChat drops a second one for ten minutes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from operators.channels.filling import Outgoing, fitting
from schemas.channels import WeChatSubscription, WeChatTemplate
from schemas.instants import MINUTE_US
from sinks.channels.client import Plain
from sinks.channels.codes import NumberedCodes
from sinks.channels.tokens import Answer, Session
from sinks.sending.posting import Poster, Reply
from sinks.sending.verdict import Verdict, by_status

# The member has no consent left, or took it back.
NO_CREDIT = "43101"
CODES = NumberedCodes(
    limited={-1: 5.0, 45009: 3600.0, 45011: 60.0, 45047: 60.0, 43108: 1.0},
    # Of these, every message fails until somebody has put it right.
    ours=frozenset({40001, 40013, 40014, 40037, 40125, 40164, 41001, 41030, 42001, 43107, 48001}),
)
# Ten minutes are promised; the request may have been under way for some of them.
REMEMBERS_US = 9 * MINUTE_US


def judge(answer: Answer | Verdict) -> Verdict:
    """The verdict on an answer: sent only when the body's code is 0."""
    if isinstance(answer, Verdict):
        return answer
    code, said = answer.code, answer.said
    if code is None or (code == 0 and not 200 <= answer.status < 300):
        trouble = by_status(answer.status, b"", answer.retry_after)
        if answer.status in (408, 425, 429, 503) or 300 <= answer.status < 500:
            assert trouble is not None
            return trouble
        return Verdict("unknown", said, whole=True)
    return CODES.judge(code, said, str(answer.body.get("msgid", "")))


def subscription_body(channel: WeChatSubscription, message: Outgoing) -> dict[str, Any]:
    """The body of a subscription message."""
    body: dict[str, Any] = {
        "touser": message.address,
        "template_id": message.code,
        "data": _data(message),
    }
    if message.page:
        body["page"] = message.page
    if channel.of == "mini_program":
        body |= {"miniprogram_state": channel.state, "lang": "zh_CN"}
    return body


def template_body(message: Outgoing) -> dict[str, Any]:
    """The body of a template message."""
    body: dict[str, Any] = {
        "touser": message.address,
        "template_id": message.code,
        "data": _data(message),
        "client_msg_id": message.id[:32],
    }
    return body | ({"url": message.page} if message.page else {})


def _data(message: Outgoing) -> dict[str, dict[str, str]]:
    return {name: {"value": fitting(name, value)} for name, value in message.values.items()}


def wechat_session(url: str, timeout: float, app_id: str, secret: str) -> Session:
    """Requests with the stable token, which leaves the tokens of other programs alone."""
    body = {
        "grant_type": "client_credential",
        "appid": app_id,
        "secret": secret,
        "force_refresh": False,
    }
    content = msgspec.json.encode(body)

    def fetch(poster: Poster) -> Reply | Verdict:
        return poster.ask("POST", f"{url}/cgi-bin/stable_token", content)

    return Session(Poster(timeout=timeout, idempotent=False), url, fetch)


class SubscriptionClient(Plain):
    """Subscription messages."""

    provider = "wechat_subscription"
    credits = True

    def __init__(self, channel: WeChatSubscription, secret: str) -> None:
        self._channel = channel
        biz = channel.of == "official_account"
        self._path = f"/cgi-bin/message/subscribe/{'bizsend' if biz else 'send'}"
        timeout = channel.timeout_seconds
        self._session = wechat_session(channel.url, timeout, channel.app_id, secret)

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message."""
        content = msgspec.json.encode(subscription_body(self._channel, message))
        return judge(self._session.post(self._path, content, now))

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()


class TemplateClient(Plain):
    """Template messages of an official account."""

    provider = "wechat_template"
    remembers_us = REMEMBERS_US

    def __init__(self, channel: WeChatTemplate, secret: str) -> None:
        timeout = channel.timeout_seconds
        self._session = wechat_session(channel.url, timeout, channel.app_id, secret)

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message."""
        content = msgspec.json.encode(template_body(message))
        return judge(self._session.post("/cgi-bin/message/template/send", content, now))

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()
