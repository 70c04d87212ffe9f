"""Members, decisions and configurations for those who test the channels."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from channel_server import (
    ACCESS_KEY,
    ACCESS_SECRET,
    APP_ID,
    APP_SECRET,
    CORP_ID,
    CORP_SECRET,
    SIGN,
    SMS_CODE,
    TMPL,
)

from schemas.channels import Channels
from schemas.channels_file import read_channels
from sinks.coupons.client import CouponDesk

ENV = {
    "ALIYUN_KEY": ACCESS_KEY,
    "ALIYUN_SECRET": ACCESS_SECRET,
    "WECHAT_SECRET": APP_SECRET,
    "WECOM_SECRET": CORP_SECRET,
}
REDIS, POOL = "redis.address", "pool.name"
QUICK = "settle_seconds: 0.3"
_FILE = """
channels:
  sms: {{type: aliyun_sms, access_key_id: "env:ALIYUN_KEY", access_key_secret: "env:ALIYUN_SECRET",
    sign_name: {sign}, url: "{address}", {quick}}}
  wechat_subscription: {{type: wechat_subscription, app_id: {app}, secret: "env:WECHAT_SECRET",
    url: "{address}", {quick}}}
  wechat_template: {{type: wechat_template, app_id: {app}, secret: "env:WECHAT_SECRET",
    url: "{address}", {quick}}}
  wecom: {{type: wecom_employee, corp_id: {corp}, secret: "env:WECOM_SECRET", url: "{address}",
    {quick}}}
  mini_program: {{type: offers}}
contacts: {contacts}
templates:
  text:
    sms: {{code: {sms}, values: {{words: "{{text}}", until: "{{until}}"}}}}
    wechat_subscription: {{code: {tmpl}, values: {{thing1: "{{text}}"}}, page: pages/coupons}}
    wechat_template: {{code: {tmpl}, values: {{first: "{{text}}"}}}}
retry: {{first_seconds: 0.02, factor: 1.5, most_seconds: 0.1, attempts: 4}}
"""


def configured(address: str, folder: Path, sandbox: Path | None = None) -> Channels:
    """All channels of the server, contacts of m0 to m9, and the desk, where `desk_for` says one."""
    contacts = folder / "contacts.csv"
    if not contacts.exists():
        rows = [f"m{n},1380000000{n},openid-{n},ext-{n},zhang" for n in range(10)]
        head = "member,phone,openid,external_userid,employee"
        contacts.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    words = {"sign": SIGN, "sms": SMS_CODE, "tmpl": TMPL, "app": APP_ID, "corp": CORP_ID}
    text = _FILE.format(address=address, contacts=contacts, quick=QUICK, **words)
    if (folder / REDIS).exists():
        text += (
            f"coupons: {{redis: 'file:{folder / REDIS}', pool: {(folder / POOL).read_text()}}}\n"
        )
    if sandbox is not None:
        text += f"sandbox: {sandbox}\n"
    return read_channels(text)


def desk_for(folder: Path, desk: CouponDesk) -> None:
    """From now on what is configured in a folder has that desk."""
    (folder / REDIS).write_text(desk.settings.url, "utf-8")
    (folder / POOL).write_text(desk.settings.desk, "utf-8")


def given(number: int = 0, gift: str = "gift-pack", **more: Any) -> bytes:
    """A decision to give, of the same entry as the message of that number; valid for 5 days."""
    about = {"action": "give", "message": f"{number:031x}f", "text": "", "message_class": None}
    return decided(number, (), gift=gift, **(about | more))


def event(kind: str, name: str, data: dict[str, Any], at: datetime | None = None) -> bytes:
    """An event as one line."""
    time = (at or datetime.now(UTC)).isoformat()
    head = {"specversion": "1.0", "id": name, "source": "test", "type": kind, "time": time}
    return json.dumps(head | {"data": data}).encode() + b"\n"


def decided(number: int = 0, channels: tuple[str, ...] = ("sms",), **more: Any) -> bytes:
    """A decision to send `words-NUMBER` to the member of that number."""
    now = datetime.now(UTC)
    data = {
        "message": f"{number:032x}",
        "member": f"m{number}",
        "journey": "winback",
        "journey_version": "1",
        "entry": "e",
        "step": "1",
        "action": "send",
        "decision": "go",
        "reason": "",
        "decided_at": now.isoformat(),
        "first_due": now.isoformat(),
        "next_at": None,
        "not_after": (now + timedelta(hours=1)).isoformat(),
        "message_class": "marketing",
        "channels": list(channels),
        "first_available": True,
        "text": f"words-{number}",
        "template": "",
        "gift": None,
        "valid_seconds": 432000,
        "tags": {},
        "held_out": False,
        "experiment": "",
        "arm": "",
        "zone": "Asia/Shanghai",
        "segment": None,
        "visits": 3,
        "spent": 100,
    } | more
    return event("message.decided.v1", f"{data['message']}#{data['decision']}", data, now)


def subscribed(number: int, credits: int = 1, name: str = "s") -> bytes:
    """A member allows messages of the template; 0: refuses."""
    data: dict[str, Any] = {"member": f"m{number}", "template": TMPL, "status": "granted"}
    data |= {"credits": credits} if credits else {"status": "refused"}
    return event("member.subscription.v1", f"{name}-{number}", data)


def consent(number: int, status: str, channel: str = "any", purpose: str = "marketing") -> bytes:
    """What a member says."""
    data = {"member": f"m{number}", "purpose": purpose, "channel": channel, "status": status}
    return event("member.consent.v1", f"c-{number}-{status}-{channel}", data)


def erased(number: int) -> bytes:
    """A member is to be forgotten."""
    return event("member.erased.v1", f"x-{number}", {"members": [f"m{number}"]})
