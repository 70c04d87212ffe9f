"""What an answer of a provider means. Chat robots say 200 and put the failure into the body."""

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


class Codes(NamedTuple):
    """The codes of a provider that are worth telling apart; all others are tried again."""

    provider: str
    key: str
    limited: dict[int, float]
    hopeless: dict[int, str]


WECOM = Codes(
    provider="WeCom",
    key="errcode",
    limited={-1: 5.0, 45009: 60.0, 45033: 5.0},
    hopeless={
        93000: "the robot's key is wrong or the robot was removed from the group",
        93004: "the robot was removed from the group",
        93008: "the robot is not in the group",
        93017: "the robot's key is wrong",
        40008: "the message type is not known to WeCom",
        40058: "the message is longer than WeCom takes, or not of its form",
        44004: "the message is empty",
        45002: "the message is longer than WeCom takes",
    },
)
DINGTALK = Codes(
    provider="DingTalk",
    key="errcode",
    # Who sends more than 20 a minute is not listened to for ten minutes.
    limited={-1: 5.0, 130101: 600.0, 130102: 600.0, 302033: 600.0, 410100: 600.0, 90030: 600.0},
    hopeless={
        310000: "the robot's safety settings: check secret, keyword and the list of addresses",
        300001: "the robot's access token is wrong",
        300005: "the robot's access token is wrong",
        400101: "the robot's access token is wrong",
        400102: "the robot is switched off",
        400013: "the group is gone",
        400106: "the message type is not known to DingTalk",
        460101: "the message is longer than DingTalk takes",
    },
)
FEISHU = Codes(
    provider="Feishu",
    key="code",
    limited={9499: 5.0, 11232: 60.0, 99991400: 60.0},
    hopeless={
        19001: "the robot's token is wrong or the robot was removed from the group",
        19002: "the message is not of Feishu's form",
        19021: "the signature: check secret and this machine's clock",
        19022: "this machine's address is not in the robot's list of addresses",
        19024: "the robot wants a keyword that is not in the message",
    },
)


def judge_robot(codes: Codes, status: int, body: bytes, retry_after: str | None) -> Verdict:
    """The verdict on a robot's answer: sent only when the body says so."""
    trouble = by_status(status, body, retry_after)
    answer = json_of(body)
    code = answer.get(codes.key) if answer is not None else None
    if not isinstance(code, int) or isinstance(code, bool):
        if trouble is not None:
            return trouble
        what = f"HTTP {status} with a body that is no answer of {codes.provider}: {text_of(body)}"
        return Verdict("retry", what[:ANSWER_KEPT], whole=True)
    said = f"{codes.key} {code}: {_message_of(answer or {})}"[:ANSWER_KEPT]
    if code in codes.limited:
        return Verdict("retry", said, whole=True, after_seconds=codes.limited[code])
    if code in codes.hopeless:
        return Verdict("refused", f"{said} ({codes.hopeless[code]})")
    if code != 0:
        return Verdict("retry", said)
    return trouble or Verdict("sent", said)


def judge_slack(status: int, body: bytes, retry_after: str | None) -> Verdict:
    """The verdict on Slack's answer: the two letters `ok`, or a word for what is wrong."""
    said = f"HTTP {status}: {text_of(body)}"
    trouble = by_status(status, body, retry_after)
    if trouble is not None:
        return trouble
    if body.strip() == b"ok":
        return Verdict("sent", said)
    return Verdict(
        "retry", f"HTTP {status} with a body that is no answer of Slack: {text_of(body)}"
    )


def judge_webhook(status: int, body: bytes, retry_after: str | None) -> Verdict:
    """The verdict on an endpoint's answer: 2xx, unless a JSON body says `"ok": false`."""
    said = f"HTTP {status}: {text_of(body)}" if body.strip() else f"HTTP {status}"
    trouble = by_status(status, body, retry_after)
    if trouble is not None:
        return trouble
    answer = json_of(body)
    if answer is not None and (answer.get("ok") is False or answer.get("success") is False):
        return Verdict("retry", said)
    return Verdict("sent", said)


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


def _message_of(answer: dict[str, Any]) -> str:
    return str(answer.get("errmsg") or answer.get("msg") or answer.get("StatusMessage") or "")


def text_of(body: bytes) -> str:
    """The beginning of a body on one line."""
    return " ".join(body.decode("utf-8", "replace").split())[:ANSWER_KEPT]
