"""The page behind the link in a message: somebody says that they take care of an alert.

Reading the page changes nothing, since chats fetch every link for a preview; the button does.
"""

from __future__ import annotations

import logging
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from html import escape
from pathlib import Path
from typing import Annotated

import uvicorn
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.datastructures import State
from litestar.enums import RequestEncodingType
from litestar.openapi.config import OpenAPIConfig
from litestar.params import Body, FromPath

from schemas.hooks import Language
from schemas.instants import to_datetime
from sinks.hooks.database import connect
from sinks.hooks.links import LinkSigner
from sinks.hooks.store import acknowledge, acknowledged_by, read_message
from sinks.hooks.wording import Writer

Clock = Callable[[], int]
Request_ = Request[object, object, State]

_NAME_KEPT = 80
_BODY_KEPT = 20_000
# The address is a right to acknowledge: it stays out of caches, indexes and other sites' logs.
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "X-Frame-Options": "DENY",
}
_PAGE = """<!doctype html>
<html lang="{language}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 17px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 34em; padding: 1.2em;
  color: #1c1c1e; background: #fff }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; background: #f2f2f4;
  padding: 1em; border-radius: 10px }}
input, button {{ font: inherit; width: 100%; box-sizing: border-box; padding: .7em;
  border-radius: 10px; border: 1px solid #6b6b70; margin: .3em 0 }}
button {{ background: #0a5cc2; color: #fff; border: 0; font-weight: 600 }}
</style>
<h1>{title}</h1>
{content}
</html>"""


def create_app(store: Path, signer: LinkSigner, writer: Writer, clock: Clock) -> Litestar:
    """The page as an application of its own; another one may mount it."""

    @get("/a/{token:str}", media_type=MediaType.HTML, sync_to_thread=False)
    def show(token: FromPath[str], request: Request_) -> Response[str]:
        return _answer(token, request, None)

    @post("/a/{token:str}", media_type=MediaType.HTML, sync_to_thread=False)
    def take(
        token: FromPath[str],
        request: Request_,
        data: Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)],
    ) -> Response[str]:
        return _answer(token, request, " ".join(data.get("by", "").split())[:_NAME_KEPT])

    @get("/healthz", media_type=MediaType.TEXT, sync_to_thread=False)
    def health() -> str:
        return "ok"

    def _answer(token: str, request: Request_, by: str | None) -> Response[str]:
        language = _language(request.headers.get("accept-language", ""))
        words = writer.texts(language).words
        found = signer.message_of(token, clock())
        with closing(connect(store)) as connection:
            message = None
            if found not in ("forged", "expired"):
                message = read_message(connection, found)
            if message is None:
                gone = found == "expired"
                said = words["page.expired" if gone else "page.unknown"]
                return _page(language, words["page.title"], f"<p>{said}</p>", 410 if gone else 404)
            if by is not None:
                open_ones = [item.notice.alert for item in message.items if item.notice.open]
                acknowledge(connection, open_ones, by, clock())
            taken = _taken(connection, [item.notice.alert for item in message.items])
        written = writer.write(message, language, "plain", _BODY_KEPT, linked=False)
        content = f"<pre>{escape(written.body)}</pre>"
        if taken is not None:
            content += f"<p>✅ {escape(words['page.done'])}</p><p>{escape(taken)}</p>"
        else:
            content += (
                f'<form method="post"><input name="by" maxlength="{_NAME_KEPT}" '
                f'autocomplete="name" placeholder="{escape(words["page.name"])}">'
                f"<button>{escape(words['page.button'])}</button></form>"
            )
        return _page(language, words["page.title"], content, 200)

    return Litestar(
        route_handlers=[show, take, health],
        openapi_config=OpenAPIConfig(title="tillflow acknowledgements", version="1"),
        request_max_body_size=4096,
    )


@contextmanager
def served(app: Litestar, host: str, port: int) -> Iterator[None]:
    """The application in a thread of its own, until the block ends.

    Raises:
        OSError: the address is taken or is none of this machine.
    """
    try:
        door = socket.create_server((host, port))
    except OSError as wrong:
        raise OSError(wrong.errno, wrong.strerror, f"{host}:{port}") from None
    # Its access log would hold tokens.
    server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level=logging.WARNING))
    thread = threading.Thread(target=server.run, args=([door],), name="hooks-links", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        door.close()


def _taken(connection: sqlite3.Connection, alerts: list[str]) -> str | None:
    """Who took the first of the alerts and when, once all of them are taken."""
    taken = [acknowledged_by(connection, alert) for alert in alerts]
    first = taken[0]
    if first is None or None in taken:
        return None
    by, at = first
    return f"{by or '-'} · {to_datetime(at):%Y-%m-%d %H:%M} UTC"


def _language(accepted: str) -> Language:
    return "en" if accepted.strip().lower().startswith("en") else "zh"


def _page(language: str, title: str, content: str, status: int) -> Response[str]:
    page = _PAGE.format(language=language, title=escape(title), content=content)
    return Response(page, status_code=status, headers=_HEADERS, media_type=MediaType.HTML)
