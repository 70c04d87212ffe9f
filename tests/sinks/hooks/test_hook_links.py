"""The link in a message: reading it changes nothing, the button acknowledges."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hook_alerts import alert, configured, environment, route, writer
from hook_server import HookServer
from litestar.testing import TestClient

from operators.inbox import Batch
from operators.notify.inbox import notice_of_envelope
from operators.notify.routing import Zones
from schemas.instants import HOUR_US, MINUTE_US
from serving.acknowledge import create_app, served
from sinks.hooks.database import connect
from sinks.hooks.links import LinkSigner
from sinks.hooks.listing import Listed, listed
from sinks.hooks.worker import Worker

SIGNER = LinkSigner("https://shop.example/", "link-secret-1", 72)
ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}
ROUTES = route("shop", "webhook", "escalate: {to: boss, critical: 10}") + route(
    "boss", "webhook", "only_escalated: true"
)


class Shop:
    """A worker whose clock is turned by hand and whose senders do not run; the page beside it."""

    def __init__(self, server: HookServer, folder: Path) -> None:
        self.now = int(datetime.now(UTC).timestamp() * 1_000_000)
        self.path = folder / "hooks.sqlite"
        hooks = configured(server, ROUTES)
        zones = Zones("Asia/Shanghai")
        self.worker = Worker(
            hooks, self.path, zones, writer(), environment(server), clock=lambda: self.now
        )
        self.page = TestClient(create_app(self.path, SIGNER, writer(), lambda: self.now))

    def step(self, *lines: bytes, minutes: float = 0) -> None:
        self.now += round(minutes * MINUTE_US)
        notices = [notice for line in lines if (notice := notice_of_envelope(line)) is not None]
        self.worker.step(Batch(notices, [], []))

    def messages(self) -> list[Listed]:
        with closing(connect(self.path)) as connection:
            return listed(connection, ["ready"])[::-1]

    def link(self) -> str:
        (message, *_) = self.messages()
        address = SIGNER.link(message.id, message.made_at)
        return address.removeprefix("https://shop.example")


@pytest.fixture
def shop(server: HookServer, tmp_path: Path) -> Iterator[Shop]:
    made = Shop(server, tmp_path)
    with made.page:
        yield made
    made.worker.close()


def test_a_preview_does_not_acknowledge(shop: Shop) -> None:
    shop.step(alert(1))
    for _ in range(3):
        page = shop.page.get(shop.link())
        assert page.status_code == 200
        assert "TEA-1" in page.text
        assert "我来处理" in page.text
    assert page.headers["cache-control"] == "no-store"
    shop.step(minutes=11)
    assert [each.kind for each in shop.messages()] == ["raised", "escalated"]


def test_the_button_acknowledges_and_stops_the_escalation(shop: Shop) -> None:
    shop.step(alert(1))
    done = shop.page.post(shop.link(), data={"by": " Li  Na "}, headers=ENGLISH)
    assert done.status_code == 200
    assert "Acknowledged" in done.text
    assert "Li Na" in done.text
    shop.step(minutes=11)
    assert [each.kind for each in shop.messages()] == ["raised"]
    # Who comes later sees who was first.
    assert "Li Na" in shop.page.post(shop.link(), data={"by": "Wang"}, headers=ENGLISH).text


def test_an_alert_that_is_open_again_wants_care_again(shop: Shop) -> None:
    shop.step(alert(1))
    shop.page.post(shop.link(), data={"by": "Li"})
    shop.step(alert(1, "cleared", 3), minutes=1)
    shop.step(alert(1, "updated", -5, later=5), minutes=1)
    assert [each.kind for each in shop.messages()] == ["raised", "cleared", "raised"]
    shop.step(minutes=11)
    assert [each.kind for each in shop.messages()][-1] == "escalated"


def test_an_old_link_says_so(shop: Shop) -> None:
    shop.step(alert(1))
    link = shop.link()
    shop.now += 73 * HOUR_US
    answer = shop.page.post(link, data={"by": "Li"}, headers=ENGLISH)
    assert answer.status_code == 410
    assert "expired" in answer.text


@pytest.mark.parametrize("change", ["message", "expiry", "signature", "rubbish"])
def test_a_link_cannot_be_made_up(shop: Shop, change: str) -> None:
    shop.step(alert(1))
    link = shop.link()
    message, expiry, signature = link.removeprefix("/a/").split(".")
    forged = {
        "message": f"/a/{'0' * 24}.{expiry}.{signature}",
        "expiry": f"/a/{message}.{int(expiry) + 1}.{signature}",
        "signature": f"/a/{message}.{expiry}.{'0' * len(signature)}",
        "rubbish": "/a/茶.x",
    }[change]
    assert shop.page.get(forged).status_code == 404
    assert shop.page.post(forged, data={"by": "Li"}).status_code == 404
    shop.step(minutes=11)
    assert [each.kind for each in shop.messages()][-1] == "escalated"


def test_names_cannot_become_html(shop: Shop) -> None:
    shop.step(alert(1, sku="<b>x</b>", alert="a"))
    page = shop.page.post(shop.link(), data={"by": "<script>alert(1)</script>"}).text
    assert re.search("<script|<b>x", page) is None
    assert "&lt;script&gt;" in page


def test_the_page_is_served_and_a_taken_address_is_told(shop: Shop) -> None:
    shop.step(alert(1))
    app = create_app(shop.path, SIGNER, writer(), lambda: shop.now)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        with pytest.raises(OSError, match="in use") as caught, served(app, "127.0.0.1", port):
            pass
    assert str(port) in str(caught.value.filename)
    with served(app, "127.0.0.1", port):
        page = httpx.get(f"http://127.0.0.1:{port}{shop.link()}", timeout=10)
    assert "TEA-1" in page.text
