"""A real HTTP server that answers as the chat robots do: they say 200 and put failures in the body.

It checks what the providers check (form, length, signature), and does what it is told for the next
requests: refuse in the body, fail, break the connection, be slow.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "wecom-key-693axxx6"
TOKEN = "token-0123456789"
SECRET = "SEC0123456789abcdef"
SLACK_PATH = "/services/T000/B000/slackslack"

Answer = tuple[int, str]
# What to do with a request: answer so; or "reset" before reading it, "drop" after taking it.
Plan = Answer | str | Callable[[], Answer]


@dataclass
class Received:
    """One request; `taken` when people would see a message."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    at: float
    taken: bool = False

    @property
    def body(self) -> dict[str, Any]:
        content = json.loads(self.raw)
        assert isinstance(content, dict)
        return content

    @property
    def text(self) -> str:
        """The text that people see."""
        body = self.body
        if "card" in body:
            return str(body["card"]["elements"][0]["content"])
        if "blocks" in body:
            return str(body["blocks"][0]["text"]["text"])
        if "markdown" in body:
            return str(body["markdown"].get("content") or body["markdown"].get("text"))
        return str(body.get("text", ""))


def errcode(code: int, message: str = "ok") -> Answer:
    """How WeCom and DingTalk say it."""
    return 200, json.dumps({"errcode": code, "errmsg": message})


def feishu(code: int, message: str = "success") -> Answer:
    """How Feishu says it."""
    body: dict[str, Any] = {"code": code, "msg": message, "data": {}}
    if code == 0:
        body |= {"StatusCode": 0, "StatusMessage": "success"}
    return 200, json.dumps(body)


@dataclass
class HookServer:
    """The providers, on one port. `received` is everything in order; `plans` what comes next."""

    address: str = ""
    received: list[Received] = field(default_factory=list)
    plans: list[Plan] = field(default_factory=list)
    limit: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def taken(self) -> list[Received]:
        """What people would have seen."""
        with self.lock:
            return [each for each in self.received if each.taken]

    def wait_for(self, count: int, seconds: float = 10.0) -> list[Received]:
        """Wait until so many messages were taken."""
        deadline = time.monotonic() + seconds
        while len(self.taken) < count:
            assert time.monotonic() < deadline, f"{len(self.taken)} of {count} messages came"
            time.sleep(0.002)
        return self.taken

    def plan(self, path: str, action: str) -> Plan | None:
        """What to do with the next request."""
        return self.plans.pop(0) if self.plans else None

    def judge(self, request: Received) -> Answer:
        """What the provider at that path answers."""
        if request.path == "/cgi-bin/webhook/send":
            return self._wecom(request)
        if request.path == "/robot/send":
            return _dingtalk(request)
        if request.path.startswith("/open-apis/bot/v2/hook/"):
            return _feishu(request)
        if request.path == SLACK_PATH:
            good = request.body.get("text") and len(request.text) <= 3000
            return (200, "ok") if good else (400, "invalid_payload")
        if request.path == "/hook":
            return _signed(request)
        return 404, "not found"

    def _wecom(self, request: Received) -> Answer:
        if request.query.get("key") != KEY:
            return errcode(93000, "invalid webhook url, hint: [1755605200056773468916791]")
        if self.limit is not None and len(self.taken) >= self.limit:
            return errcode(45009, "api freq out of limit")
        if request.body.get("msgtype") != "markdown":
            return errcode(40008, "invalid message type")
        if not 0 < len(request.text.encode()) <= 4096:
            return errcode(40058, "markdown.content exceed max length 4096")
        return errcode(0)


def _dingtalk(request: Received) -> Answer:
    if request.query.get("access_token") != TOKEN:
        return errcode(300005, "token is not exist")
    millis = request.query.get("timestamp", "")
    digest = hmac.digest(SECRET.encode(), f"{millis}\n{SECRET}".encode(), hashlib.sha256)
    if request.query.get("sign") != base64.b64encode(digest).decode():
        return errcode(310000, "sign not match")
    if abs(time.time() - int(millis) / 1000) > 3600:
        return errcode(310000, "invalid timestamp")
    return errcode(0) if request.body["markdown"]["title"] else errcode(40035, "no title")


def _feishu(request: Received) -> Answer:
    if not request.path.endswith("/" + TOKEN):
        return feishu(19001, "param invalid: incoming webhook access token invalid")
    seconds = str(request.body.get("timestamp", ""))
    digest = hmac.digest(f"{seconds}\n{SECRET}".encode(), b"", hashlib.sha256)
    fresh = seconds.isdigit() and abs(time.time() - int(seconds)) <= 3600
    if request.body.get("sign") != base64.b64encode(digest).decode() or not fresh:
        return feishu(19021, "sign match fail or timestamp is not within one hour")
    if request.body.get("msg_type") != "interactive" or not request.text:
        return feishu(9499, "Bad Request")
    return feishu(0)


def _signed(request: Received) -> Answer:
    said = dict(part.split("=", 1) for part in request.headers["x-tillflow-signature"].split(","))
    signed = said["t"].encode() + b"." + request.raw
    good = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(said["v1"], good):
        return 401, '{"error": "signature"}'
    return 204, ""


class _Handler(BaseHTTPRequestHandler):
    hooks: HookServer

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        hooks = self.hooks
        with hooks.lock:
            action = self.headers.get("x-acs-action") or self.headers.get("x-tc-action") or ""
            plan = hooks.plan(self.path, action)
        if plan == "reset":
            self._break()
            return
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(url.path, query, headers, raw, time.time())
        answer = hooks.judge(request) if plan is None or plan == "drop" else (0, "")
        if isinstance(plan, tuple):
            answer = plan
        elif callable(plan):
            answer = plan()
        request.taken = _accepted(answer)
        with hooks.lock:
            hooks.received.append(request)
        if plan == "drop":
            self._break()
            return
        self.send_response(answer[0])
        content = answer[1].encode()
        if answer[0] != 204:
            self.send_header("Content-Length", str(len(content)))
            kind = "application/json" if content.startswith(b"{") else "text/plain"
            self.send_header("Content-Type", kind)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(content)

    do_GET = do_POST

    def _break(self) -> None:
        """End the connection with a reset, as a broken middlebox does."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


def _accepted(answer: Answer) -> bool:
    status, text = answer
    if not 200 <= status < 300:
        return False
    with suppress(ValueError):
        body = json.loads(text)
        return isinstance(body, dict) and body.get("errcode", body.get("code")) == 0
    return text in ("ok", "")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no news."""


@contextmanager
def start_hook_server(given: HookServer | None = None) -> Iterator[HookServer]:
    """The server, until the block ends."""
    hooks = given or HookServer()
    handler = type("Handler", (_Handler,), {"hooks": hooks})
    server = _Server(("127.0.0.1", 0), handler)
    hooks.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hooks
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
