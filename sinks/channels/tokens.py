"""Access tokens of WeChat and WeCom: fetched when needed, kept until shortly before they end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from schemas.instants import SECOND_US
from sinks.sending.posting import Poster, Reply
from sinks.sending.verdict import ANSWER_KEPT, Verdict, json_of

# A token is not used in the last minutes: clocks differ, and a request takes time.
SPARE_US = 300 * SECOND_US
# The token does not count (any more): fetched anew, and the request, which was refused, again.
STALE = frozenset({40001, 40014, 41001, 42001, 42007})
TROUBLE_SECONDS = 60.0

Fetch = Callable[[Poster], "Reply | Verdict"]


class Answer(NamedTuple):
    """An answer with a code; `code` is None where the body is none."""

    status: int
    code: int | None
    body: dict[str, Any]
    retry_after: str | None

    @property
    def said(self) -> str:
        """The answer in words."""
        if self.code is None:
            return f"HTTP {self.status} with a body that is no answer"
        return f"errcode {self.code}: {self.body.get('errmsg', '')}"[:ANSWER_KEPT]


class Session:
    """Requests with an access token. `fetch` asks for one."""

    def __init__(self, poster: Poster, url: str, fetch: Fetch) -> None:
        self._poster = poster
        self._url = url
        self._fetch = fetch
        self._token = ""
        self._until = 0

    def post(self, path: str, content: bytes, now: int) -> Answer | Verdict:
        """The answer to a request, or the verdict where none came."""
        for last in (False, True):
            token = self._current(now)
            if isinstance(token, Verdict):
                return token
            url = f"{self._url}{path}?access_token={token}"
            reply = self._poster.ask("POST", url, content)
            if isinstance(reply, Verdict):
                return reply
            answer = _answer(reply)
            if answer.code not in STALE or last:
                break
            self._token = ""
        return answer

    def _current(self, now: int) -> str | Verdict:
        if self._token and now < self._until:
            return self._token
        reply = self._fetch(self._poster)
        if isinstance(reply, Verdict):
            # Only the token was asked for: no message can have left.
            return Verdict("retry", f"access token: {reply.answer}", whole=True)
        answer = _answer(reply)
        token = answer.body.get("access_token")
        if not isinstance(token, str) or not token:
            code = str(answer.code) if answer.code is not None else ""
            said = f"access token: {answer.said}"
            return Verdict("retry", said, whole=True, after_seconds=TROUBLE_SECONDS, code=code)
        self._token = token
        valid = int(answer.body.get("expires_in") or 0) * SECOND_US
        self._until = now + max(0, valid - SPARE_US)
        return token

    def close(self) -> None:
        """Let go of connections."""
        self._poster.close()


def _answer(reply: Reply) -> Answer:
    body = json_of(reply.body)
    code = body.get("errcode", 0) if body is not None else None
    if not isinstance(code, int) or isinstance(code, bool):
        code = None
    return Answer(reply.status, code, body or {}, reply.retry_after)
