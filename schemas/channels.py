"""How messages reach members: channels of providers, templates, contacts. One YAML file."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec

from schemas.hooks import Retry
from schemas.secrets import Secret

# What may stand in braces of a template, beside `contact.COLUMN`.
FIELDS = ("text", "gift", "coupon", "until", "valid_days", "journey", "visits")
# As which channel the coupon desk is told of; no other one has this name.
COUPONS = "coupons"
PLACE = re.compile(r"\{([^{}]*)\}")


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A part of the file; what it does not know is refused."""


class WhenUnknown(_Part, frozen=True, kw_only=True):
    """What becomes of a message whose request left and of which nothing can be learned.

    `show`: not sent again, at most one arrives; `resend`: sent again, at least one arrives.
    """

    marketing: Literal["show", "resend"] = "show"
    service: Literal["show", "resend"] = "resend"


class ChannelBase(_Part, frozen=True, kw_only=True):
    """What every channel has.

    `per_minute` caps requests of all kinds. `settle_seconds`: so long after a request a provider
    that does not know the message never had it. `receipt_hours`: so long it is asked what became
    of a message. `column` of the contacts is the address.
    """

    column: str = ""
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 600
    timeout_seconds: Annotated[float, msgspec.Meta(gt=0, le=120)] = 10.0
    settle_seconds: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 60.0
    receipt_hours: Annotated[float, msgspec.Meta(ge=0, le=24 * 7)] = 72.0
    when_unknown: WhenUnknown = WhenUnknown()


class AliyunSms(ChannelBase, tag="aliyun_sms", frozen=True, kw_only=True):
    """Short messages through Alibaba Cloud (阿里云短信); `column` holds phones."""

    access_key_id: Secret
    access_key_secret: Secret
    sign_name: str
    column: str = "phone"
    url: str = "https://dysmsapi.aliyuncs.com"


class TencentSms(ChannelBase, tag="tencent_sms", frozen=True, kw_only=True):
    """Short messages through Tencent Cloud (腾讯云短信), by its own SDK (extra `sms`)."""

    secret_id: Secret
    secret_key: Secret
    app_id: str
    sign_name: str
    region: str = "ap-guangzhou"
    column: str = "phone"
    url: str = "https://sms.tencentcloudapi.com"


class WeChatSubscription(ChannelBase, tag="wechat_subscription", frozen=True, kw_only=True):
    """Subscription messages of WeChat (微信订阅消息): one consent, one message.

    `of`: a mini-program, or an official account (whose openids are others).
    """

    app_id: str
    secret: Secret
    of: Literal["mini_program", "official_account"] = "mini_program"
    state: Literal["formal", "trial", "developer"] = "formal"
    column: str = "openid"
    url: str = "https://api.weixin.qq.com"


class WeChatTemplate(ChannelBase, tag="wechat_template", frozen=True, kw_only=True):
    """Template messages of an official account (公众号模板消息): for services only."""

    app_id: str
    secret: Secret
    column: str = "openid"
    url: str = "https://api.weixin.qq.com"


class WeComEmployee(ChannelBase, tag="wecom_employee", frozen=True, kw_only=True):
    """A message that an employee is asked to send to a customer (企业微信客户群发).

    `column` holds the customer's external_userid, `employee` names the column of the employee.
    """

    corp_id: str
    secret: Secret
    column: str = "external_userid"
    employee: str = "employee"
    url: str = "https://qyapi.weixin.qq.com"
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 60


class Offers(ChannelBase, tag="offers", frozen=True, kw_only=True):
    """A screen that fetches its own offers (till, mini-program): nothing is sent."""

    column: str = ""


class Sandbox(ChannelBase, tag="sandbox", frozen=True, kw_only=True):
    """Writes what it would send to a file of JSON Lines."""

    path: str
    column: str = "member"


class Coupons(ChannelBase, frozen=True, kw_only=True):
    """The desk at which what journeys give is issued; `redis` says where its Redis is."""

    redis: Secret
    pool: Annotated[str, msgspec.Meta(min_length=1)] = "all"
    per_minute: Annotated[int, msgspec.Meta(ge=1, le=60_000)] = 60_000


Channel = (
    AliyunSms | TencentSms | WeChatSubscription | WeChatTemplate | WeComEmployee | Offers | Sandbox
)


# What has a sender: a channel, or the desk.
Way = Channel | Coupons


class Template(_Part, frozen=True, kw_only=True):
    """How a provider knows a template: its code, and what is put in its places.

    Values and `text` may hold `{text}`, `{gift}`, `{coupon}`, `{until}`, `{valid_days}`,
    `{journey}`, `{visits}` and `{contact.COLUMN}`. `page` opens at a tap; `text` is for channels
    without codes.
    """

    code: str = ""
    values: dict[str, str] = {}
    page: str = ""
    text: str = ""


class Channels(_Part, frozen=True, kw_only=True):
    """The whole file; `channels` and the entries of a template are named as journeys name them.

    `sandbox`: everything is written to this file and nothing is sent. A message with a text and
    without a template takes the template `text`. `chain` has the quiet hours, and whose consent a
    channel needs. `coupons`: where gifts are issued; without it they wait in the store.
    """

    channels: dict[str, Channel]
    contacts: str
    templates: dict[str, dict[str, Template]] = {}
    chain: str | None = None
    sandbox: str | None = None
    retry: Retry = Retry()
    coupons: Coupons | None = None

    @property
    def ways(self) -> dict[str, Way]:
        """Channels and the desk, each by the name under which its results are told."""
        desk = {} if self.coupons is None else {COUPONS: self.coupons}
        return {**self.channels, **desk}
