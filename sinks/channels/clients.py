"""The client of each kind of channel, its secrets read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from schemas.channels import (
    AliyunSms,
    Coupons,
    Offers,
    Sandbox,
    TencentSms,
    Way,
    WeChatSubscription,
    WeChatTemplate,
    WeComEmployee,
)
from sinks.channels.aliyun import AliyunClient
from sinks.channels.client import Client
from sinks.channels.coupons import CouponClient
from sinks.channels.sandbox import OffersClient, SandboxClient
from sinks.channels.wechat import SubscriptionClient, TemplateClient
from sinks.channels.wecom import WeComClient


def client_of(name: str, channel: Way, env: Mapping[str, str], sandbox: str | None) -> Client:
    """The client of a channel; with a sandbox file nothing is sent and no secret is needed.

    Raises:
        LookupError: a secret is not there; names it.
    """
    match channel:
        case Offers():
            return OffersClient()
        case Sandbox():
            return SandboxClient(Path(channel.path), name)
    if sandbox is not None:
        uses = isinstance(channel, WeChatSubscription)
        return SandboxClient(Path(sandbox), name, credits=uses)
    match channel:
        case AliyunSms():
            key, secret = channel.access_key_id.read(env), channel.access_key_secret.read(env)
            return AliyunClient(channel, key, secret)
        case TencentSms():
            from sinks.channels.tencent import TencentClient  # noqa: PLC0415 (an extra of its own)

            return TencentClient(channel, channel.secret_id.read(env), channel.secret_key.read(env))
        case WeChatSubscription():
            return SubscriptionClient(channel, channel.secret.read(env))
        case WeChatTemplate():
            return TemplateClient(channel, channel.secret.read(env))
        case Coupons():
            return CouponClient(channel, env)
        case WeComEmployee():
            return WeComClient(channel, channel.secret.read(env))
