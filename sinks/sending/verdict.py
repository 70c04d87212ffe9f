"""What became of a request, and what the status of its answer alone says of it."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import msgspec

Outcome = Literal["sent", "retry", "refused", "unknown", "kept"]

ANSWER_KEPT = 300


class Verdict(NamedTuple):
    """What became of one request.

    `retry` failed and may work later, `refused` fails the same way every time, `kept` does until
    somebody changes something, `unknown` left and was not answered. `whole`: the channel is in
    trouble, not this one message; `after_seconds`: the provider's own wish. `code` and `ref` are
    the provider's code and id, where it gives them; `until`: what it gave is valid until then (ms).
    """

    outcome: Outcome
    answer: str
    whole: bool = False
    after_seconds: float | None = None
    code: str = ""
    ref: str = ""
    until: int = 0


def by_status(status: int, body: bytes, retry_after: str | None) -> Verdict | None:
    """The verdict the status alone gives; None for 2xx, which says nothing yet."""
    if 200 <= status < 300:
        return None
    said = f"HTTP {status}: {text_of(body)}"
    if status in (408, 425, 429) or status >= 500:
        after = None
        if retry_after is not None and retry_after.strip().isdigit():
            after = float(retry_after)
        return Verdict("retry", said, whole=True, after_seconds=after)
    if status < 400:
        return Verdict("refused", f"HTTP {status}: it points elsewhere; write the address itself")
    return Verdict("refused", said)


def json_of(body: bytes) -> dict[str, Any] | None:
    """The object that a body is, None where it is none."""
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return answer if isinstance(answer, dict) else None


def text_of(body: bytes) -> str:
    """The beginning of a body on one line."""
    return " ".join(body.decode("utf-8", "replace").split())[:ANSWER_KEPT]
