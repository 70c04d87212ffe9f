"""Stands where people's chats are: takes what the hooks worker sends, and notes it."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from infra.stack.ports import HOST


class State(NamedTuple):
    """One state of an alert: what is told once. A late event may give an instant another figure."""

    alert: str
    status: str
    updated_at: str
    observed: int
    sku: str


class Message(NamedTuple):
    """One message: `at` in seconds of this machine's clock, `key` its idempotency key."""

    at: float
    key: str
    kind: str
    alerts: tuple[State, ...]


class Receiver:
    """What came in."""

    def __init__(self) -> None:
        self.address = ""
        self._messages: list[Message] = []
        self._lock = threading.Lock()

    @property
    def messages(self) -> list[Message]:
        """All of them, in order."""
        with self._lock:
            return list(self._messages)

    def take(self, key: str, body: dict[str, Any]) -> None:
        """One message has come."""
        alerts = tuple(
            State(one["alert"], one["status"], str(one["updated_at"]), one["observed"], one["sku"])
            for one in body["alerts"]
        )
        with self._lock:
            self._messages.append(Message(time.time(), key, body["kind"], alerts))

    def first(self, sku: str) -> float | None:
        """When this SKU was first told of."""
        for message in self.messages:
            if any(one.sku == sku for one in message.alerts):
                return message.at
        return None

    def repeated(self) -> tuple[int, int]:
        """Messages that say what another one said, and deliveries of the same message again."""
        messages = self.messages
        keys = Counter(message.key for message in messages)
        said: Counter[tuple[str, State]] = Counter()
        for message in {message.key: message for message in messages}.values():
            said.update((message.kind, state) for state in message.alerts)
        return sum(n - 1 for n in said.values() if n > 1), sum(n - 1 for n in keys.values())


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port, until the block ends."""
    taken = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            taken.take(self.headers["Idempotency-Key"], body)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Be quiet."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = True
    taken.address = f"http://{HOST}:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def hooks_file(address: str, secret: str) -> str:
    """A configuration that tells every alert to the receiver; `secret` is the path of a file."""
    return f"""\
language: en
channels:
  drill: {{type: webhook, url: "{address}", secret: "file:{secret}", per_minute: 6000}}
routes:
  - {{name: drill, channel: drill, digest: null, update_minutes: null}}
retry: {{first_seconds: 0.2, factor: 2, most_seconds: 5, attempts: 20}}
"""
