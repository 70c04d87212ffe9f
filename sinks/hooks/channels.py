"""Clients of the channels: each builds its provider's request and returns a verdict."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, NamedTuple, Protocol
from urllib.parse import quote, urlencode

import msgspec

from schemas.hooks import Channel, DingTalk, Email, Feishu, Slack, Webhook, WeCom
from schemas.instants import SECOND_US
from sinks.hooks.mail import MailClient
from sinks.hooks.markup import MarkupName
from sinks.hooks.verdicts import (
    DINGTALK,
    FEISHU,
    WECOM,
    judge_robot,
    judge_slack,
    judge_webhook,
)
from sinks.sending.posting import Poster
from sinks.sending.verdict import Verdict


class Outgoing(NamedTuple):
    """A message as a channel sends it: `body` is marked up already, `data` is for programs."""

    id: str
    title: str
    body: str
    severity: str
    thread: str
    data: dict[str, Any]


class Client(Protocol):
    """What the sender needs of a channel.

    `idempotent`: the receiver recognises a message it was sent before. `limit`: bytes of a body.
    """

    idempotent: bool
    markup: MarkupName
    limit: int

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message; never raises for what a network or a provider does."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def client_of(channel: Channel, env: Mapping[str, str]) -> Client:
    """The client of a channel, its secrets read.

    Raises:
        LookupError: a secret is not there; names it.
    """
    match channel:
        case WeCom():
            return WeComClient(channel, channel.key.read(env))
        case DingTalk():
            secret = channel.secret.read(env) if channel.secret is not None else None
            return DingTalkClient(channel, channel.token.read(env), secret)
        case Feishu():
            secret = channel.secret.read(env) if channel.secret is not None else None
            return FeishuClient(channel, channel.token.read(env), secret)
        case Slack():
            return SlackClient(channel, channel.url.read(env))
        case Webhook():
            return WebhookClient(channel, channel.secret.read(env))
        case Email():
            password = channel.password.read(env) if channel.password is not None else None
            return MailClient(channel, password)


class _Posting:
    """A client over HTTP."""

    idempotent = False
    markup: MarkupName = "plain"
    limit = 20_000

    def __init__(self, channel: Channel) -> None:
        self._poster = Poster(timeout=channel.timeout_seconds, idempotent=self.idempotent)

    def close(self) -> None:
        """Let go of connections."""
        self._poster.close()


class WeComClient(_Posting):
    """A group robot of WeCom."""

    markup: MarkupName = "wecom"
    limit = 4096

    def __init__(self, channel: WeCom, key: str) -> None:
        super().__init__(channel)
        self._url = f"{channel.url}/cgi-bin/webhook/send?{urlencode({'key': key})}"

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message."""
        body = {"msgtype": "markdown", "markdown": {"content": message.body}}
        return self._poster.post(self._url, msgspec.json.encode(body), partial(judge_robot, WECOM))


class DingTalkClient(_Posting):
    """A group robot of DingTalk; the signature is part of the address."""

    markup: MarkupName = "dingtalk"
    limit = 16_000

    def __init__(self, channel: DingTalk, token: str, secret: str | None) -> None:
        super().__init__(channel)
        self._url = f"{channel.url}/robot/send?{urlencode({'access_token': token})}"
        self._secret = secret
        self._keyword = channel.keyword
        self._mobiles = channel.at_mobiles

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message."""
        url = self._url
        if self._secret is not None:
            millis = now // 1000
            signature = dingtalk_sign(millis, self._secret)
            url += f"&timestamp={millis}&sign={quote(signature, safe='')}"
        text = f"{self._keyword}  \n{message.body}" if self._keyword else message.body
        if self._mobiles:
            text += "  \n" + " ".join(f"@{mobile}" for mobile in self._mobiles)
        body = {
            "msgtype": "markdown",
            "markdown": {"title": message.title, "text": text},
            "at": {"atMobiles": list(self._mobiles), "isAtAll": False},
        }
        return self._poster.post(url, msgspec.json.encode(body), partial(judge_robot, DINGTALK))


class FeishuClient(_Posting):
    """A group robot of Feishu; the signature is part of the body."""

    markup: MarkupName = "feishu"
    _COLOURS: ClassVar = {"critical": "red", "high": "orange", "warning": "yellow"}

    def __init__(self, channel: Feishu, token: str, secret: str | None) -> None:
        super().__init__(channel)
        self._url = f"{channel.url}/open-apis/bot/v2/hook/{quote(token, safe='')}"
        self._secret = secret
        self._keyword = channel.keyword

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message."""
        title = f"{self._keyword} {message.title}".strip()
        body: dict[str, Any] = {
            "msg_type": "interactive",
            "card": {
                "header": {
                    "title": {"tag": "plain_text", "content": title},
                    "template": self._COLOURS.get(message.severity, "blue"),
                },
                "elements": [{"tag": "markdown", "content": message.body}],
            },
        }
        if self._secret is not None:
            seconds = now // SECOND_US
            body = {
                "timestamp": str(seconds),
                "sign": feishu_sign(seconds, self._secret),
                **body,
            }
        content = msgspec.json.encode(body)
        return self._poster.post(self._url, content, partial(judge_robot, FEISHU))


class SlackClient(_Posting):
    """An incoming webhook of Slack."""

    markup: MarkupName = "slack"
    limit = 2900  # a section takes 3000 characters

    def __init__(self, channel: Slack, url: str) -> None:
        super().__init__(channel)
        self._url = url

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message."""
        body = {
            "text": message.title,
            "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": message.body}}],
        }
        return self._poster.post(self._url, msgspec.json.encode(body), judge_slack)


class WebhookClient(_Posting):
    """Any endpoint; it can check who sent a message, when, and whether it had it before."""

    idempotent = True
    limit = 100_000

    def __init__(self, channel: Webhook, secret: str) -> None:
        super().__init__(channel)
        self._url = channel.url
        self._headers = channel.headers
        self._secret = secret

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message."""
        content = msgspec.json.encode(message.data)
        seconds = now // SECOND_US
        signature = webhook_sign(seconds, content, self._secret)
        headers = {
            **self._headers,
            "Idempotency-Key": message.id,
            "X-Tillflow-Signature": f"t={seconds},v1={signature}",
        }
        return self._poster.post(self._url, content, judge_webhook, headers)


def dingtalk_sign(millis: int, secret: str) -> str:
    """The signature DingTalk wants: of time and secret, by the secret."""
    digest = hmac.digest(secret.encode(), f"{millis}\n{secret}".encode(), hashlib.sha256)
    return base64.b64encode(digest).decode()


def feishu_sign(seconds: int, secret: str) -> str:
    """The signature Feishu wants: of nothing, by time and secret."""
    digest = hmac.digest(f"{seconds}\n{secret}".encode(), b"", hashlib.sha256)
    return base64.b64encode(digest).decode()


def webhook_sign(seconds: int, content: bytes, secret: str) -> str:
    """The signature of a webhook: of time and body, by the shared secret."""
    return hmac.new(secret.encode(), b"%d." % seconds + content, hashlib.sha256).hexdigest()
