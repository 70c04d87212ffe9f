"""The configuration of alerts to people: channels, routes and how they behave. One YAML file."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.alert import AlertType, Severity
from schemas.secrets import Secret
from schemas.staffing import StaffingAlertType

Language = Literal["zh", "en"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Minutes = Annotated[float, msgspec.Meta(gt=0, le=7 * 24 * 60)]
Hours = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$")]
NoticeType = AlertType | StaffingAlertType | Literal["transfer_suggestion"]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the file; what it does not know is refused."""


class ChannelBase(_Part, frozen=True, kw_only=True):
    """What every channel has.

    `per_minute` caps what is sent, tries counted. `when_unknown`: what becomes of a message whose
    request left and whose answer never came: `show` lists it as unknown, `resend` risks a second.
    """

    per_minute: Annotated[int, msgspec.Meta(ge=1, le=6000)] = 60
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=120)] = 10.0
    when_unknown: Literal["show", "resend"] = "show"


class WeCom(ChannelBase, tag="wecom", frozen=True, kw_only=True):
    """A group robot of WeCom (企业微信); it takes 20 messages a minute."""

    key: Secret
    url: str = "https://qyapi.weixin.qq.com"
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=20)] = 20


class DingTalk(ChannelBase, tag="dingtalk", frozen=True, kw_only=True):
    """A group robot of DingTalk (钉钉), 20 a minute; `secret` when it is protected by a signature.

    `keyword` is put before the title, for robots that only take messages with one.
    """

    token: Secret
    secret: Secret | None = None
    keyword: str = ""
    at_mobiles: tuple[str, ...] = ()
    url: str = "https://oapi.dingtalk.com"
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=20)] = 20


class Feishu(ChannelBase, tag="feishu", frozen=True, kw_only=True):
    """A group robot of Feishu (飞书) or Lark; `url` https://open.larksuite.com for Lark."""

    token: Secret
    secret: Secret | None = None
    keyword: str = ""
    url: str = "https://open.feishu.cn"
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=100)] = 100


class Slack(ChannelBase, tag="slack", frozen=True, kw_only=True):
    """An incoming webhook of Slack: its whole address is a secret."""

    url: Secret


class Email(ChannelBase, tag="email", frozen=True, kw_only=True):
    """E-mail through an SMTP server."""

    host: str
    sender: str
    to: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: Secret | None = None
    ca_file: str | None = None


class Webhook(ChannelBase, tag="webhook", frozen=True, kw_only=True):
    """Any HTTP endpoint: JSON with an HMAC-SHA256 signature and an idempotency key."""

    url: str
    secret: Secret
    headers: dict[str, str] = {}
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=6000)] = 600


Channel = WeCom | DingTalk | Feishu | Slack | Email | Webhook


class Digest(_Part, frozen=True, kw_only=True):
    """When a route had `over` messages within the window, what follows is put into one message.

    The digest leaves when the window is over, or `critical_seconds` after a critical alert.
    """

    over: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 5
    window_minutes: Minutes = 10.0
    critical_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 30.0


class Escalate(_Part, frozen=True, kw_only=True):
    """Who hears of an open alert that nobody acknowledged, after how many minutes.

    null: alerts of that severity are not passed on.
    """

    to: str
    critical: Minutes | None = 10.0
    high: Minutes | None = 30.0
    warning: Minutes | None = None

    def after(self, severity: str) -> float | None:
        """Minutes until an alert of that severity is passed on, None for never."""
        minutes: float | None = getattr(self, severity)
        return minutes


class Route(_Part, frozen=True, kw_only=True):
    """Which alerts go to a channel, and how.

    `places` and `skus` are shell patterns. `hours` and `days` are the shop's local time at which
    the route takes alerts. `stop`: what this route takes is not offered to those below.
    `only_escalated`: takes nothing but what other routes escalate to it.
    `update_minutes` apart, an open alert is told again when its figure moved by `update_units` or
    more or its severity changed (null: never). `wait_seconds`: an alert that is cleared before
    that is not told. `quiet`: put off until those hours are over, but for severities in `passes`.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    channel: str
    places: tuple[str, ...] = ("*",)
    skus: tuple[str, ...] = ("*",)
    types: tuple[NoticeType, ...] | None = None
    severities: tuple[Severity, ...] = ("critical", "high", "warning")
    hours: Hours | None = None
    days: tuple[Day, ...] | None = None
    stop: bool = False
    only_escalated: bool = False
    language: Language | None = None
    quiet: Hours | None = None
    passes: tuple[Severity, ...] = ("critical",)
    wait_seconds: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    update_minutes: Minutes | None = 15.0
    update_units: Annotated[int, msgspec.Meta(ge=1)] = 1
    cleared: bool = True
    digest: Digest | None = Digest()
    escalate: Escalate | None = None


class Retry(_Part, frozen=True, kw_only=True):
    """How a message that failed is tried again; after `attempts` tries it is undeliverable."""

    first_seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 2.0
    factor: Annotated[float, msgspec.Meta(ge=1, le=10)] = 2.0
    most_seconds: Annotated[float, msgspec.Meta(gt=0, le=86400)] = 600.0
    attempts: Annotated[int, msgspec.Meta(ge=1, le=100)] = 12


class Links(_Part, frozen=True, kw_only=True):
    """Where people acknowledge: `base` is how their phones reach `tillflow hooks run --listen`."""

    base: Annotated[str, msgspec.Meta(pattern=r"^https?://\S+$")]
    secret: Secret
    valid_hours: Annotated[float, msgspec.Meta(gt=0, le=24 * 90)] = 72.0


class Hooks(_Part, frozen=True, kw_only=True):
    """The whole file.

    `timezone` is that of places the chain file does not name. `stale_hours`: an alert whose last
    change is older when it is first read is known but not told: a backfill sends nothing.
    """

    channels: dict[str, Channel]
    routes: tuple[Route, ...]
    language: Language = "zh"
    timezone: str = "Asia/Shanghai"
    chain: str | None = None
    templates: str | None = None
    stale_hours: Annotated[float, msgspec.Meta(gt=0, le=24 * 30)] = 24.0
    retry: Retry = Retry()
    links: Links | None = None

    def route(self, name: str) -> Route | None:
        """The route of that name."""
        return next((route for route in self.routes if route.name == name), None)
