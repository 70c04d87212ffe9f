"""Alerts and configurations for those who test the hooks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hook_server import KEY, SECRET, SLACK_PATH, TOKEN, HookServer

from operators.notify.routing import Zones
from schemas.hooks import Hooks
from schemas.hooks_file import read_hooks
from sinks.hooks.links import LinkSigner
from sinks.hooks.wording import Writer

ENV = {
    "WECOM_KEY": KEY,
    "BOT_TOKEN": TOKEN,
    "BOT_SECRET": SECRET,
    "LINK_SECRET": "link-secret-1",
    "MAIL_PASSWORD": "mail-password-1",
}
CHANNELS = """
  wecom: {{type: wecom, key: "env:WECOM_KEY", url: "{address}"}}
  dingtalk: {{type: dingtalk, token: "env:BOT_TOKEN", secret: "env:BOT_SECRET", url: "{address}"}}
  feishu: {{type: feishu, token: "env:BOT_TOKEN", secret: "env:BOT_SECRET", url: "{address}"}}
  slack: {{type: slack, url: "env:SLACK_URL"}}
  webhook: {{type: webhook, url: "{address}/hook", secret: "env:BOT_SECRET"}}
"""
RETRY = "retry: {first_seconds: 0.02, factor: 1.5, most_seconds: 0.1, attempts: 4}"


def environment(server: HookServer) -> dict[str, str]:
    return {**ENV, "SLACK_URL": server.address + SLACK_PATH}


def configured(server: HookServer, routes: str, more: str = RETRY) -> Hooks:
    """All channels of the server with these routes."""
    channels = CHANNELS.format(address=server.address)
    return read_hooks(f"channels:{channels}\nroutes:\n{routes}\n{more}\n")


def route(name: str, channel: str, more: str = "") -> str:
    return f"  - {{name: {name}, channel: {channel}{', ' if more else ''}{more}}}\n"


@cache
def writer(templates: Path | None = None) -> Writer:
    signer = LinkSigner("https://shop.example/", ENV["LINK_SECRET"], 72)
    return Writer(Zones("Asia/Shanghai"), {"S01": "南京东路店"}, signer, templates)


def alert(number: int = 1, status: str = "raised", observed: int = -1, **more: Any) -> bytes:
    """A `stock.alert.v1` as one line; it was opened just now, each state a second later."""
    opened = more.pop("opened_at", None) or datetime.now(UTC) - timedelta(seconds=30)
    opened = opened.replace(microsecond=0)
    sku, place = more.get("sku", f"TEA-{number}"), more.get("place", "S01")
    steps = {"raised": 0, "updated": 1, "cleared": 2}[status] + more.pop("later", 0)
    updated = opened + timedelta(seconds=steps)
    name = more.pop("alert", None) or f"oversell/{sku}@{place}"
    data = {
        "alert": name,
        "alert_type": "oversell",
        "status": status,
        "severity": "critical",
        "sku": sku,
        "place": place,
        "observed": observed,
        "level": 0,
        "clear_level": 1,
        "shortfall": max(0, -observed),
        "claims": [
            {
                "claim": "sale",
                "order": "o7",
                "quantity": 2,
                "time": "2026-11-23T11:30:00Z",
                "broke_floor": True,
            }
        ],
        "evidence": [],
        "suggested_action": "serve the oldest claims",
        "opened_at": opened.isoformat(),
        "updated_at": updated.isoformat(),
        "cleared_at": updated.isoformat() if status == "cleared" else None,
    } | more
    event = {
        "specversion": "1.0",
        "id": f"{name}#{status}#{updated.isoformat()}#{observed}",
        "source": "tillflow/stock",
        "type": "stock.alert.v1",
        "time": updated.isoformat(),
        "data": data,
    }
    return json.dumps(event).encode() + b"\n"
