"""HTTP requests to providers: what surely never left is told apart from what may have arrived."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

import httpx

from sinks.sending.verdict import Verdict

Judge = Callable[[int, bytes, str | None], Verdict]

# These log every address, and the address of a robot is its secret.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# Errors before the first byte of the request; everything later may have reached the provider.
_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


@cache
def _trust() -> ssl.SSLContext:
    """Whom to trust; reading the certificates anew for each channel takes tens of ms."""
    return httpx.create_ssl_context()


class Reply(NamedTuple):
    """What came back."""

    status: int
    body: bytes
    retry_after: str | None


class Poster:
    """Posts JSON and judges what comes back.

    Connections are kept only for `idempotent` endpoints: a server that closes a kept connection
    just as the next request leaves makes it unknown whether that request was taken.
    """

    def __init__(self, *, timeout: float, idempotent: bool) -> None:
        limits = httpx.Limits(max_keepalive_connections=1 if idempotent else 0)
        self._client = httpx.Client(
            timeout=timeout, limits=limits, follow_redirects=False, verify=_trust()
        )

    def post(
        self, url: str, content: bytes, judge: Judge, headers: Mapping[str, str] | None = None
    ) -> Verdict:
        """One request and the verdict on its answer; never raises for what a network does."""
        reply = self.ask("POST", url, content, headers)
        return reply if isinstance(reply, Verdict) else judge(*reply)

    def ask(
        self, method: str, url: str, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply | Verdict:
        """One request and what came back, or the verdict where nothing did."""
        try:
            response = self._client.request(
                method,
                url,
                content=content,
                headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
            )
        except _NEVER_LEFT as wrong:
            # The message of the library may hold the address; the kind of error is enough.
            return Verdict("retry", f"no connection ({type(wrong).__name__})", whole=True)
        except httpx.HTTPError as wrong:
            said = f"no answer to a request that left ({type(wrong).__name__})"
            return Verdict("unknown", said, whole=True)
        after = response.headers.get("Retry-After")
        return Reply(response.status_code, response.content, after)

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()
