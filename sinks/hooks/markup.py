"""How texts are marked up where they are shown; values of events can never become markup."""

from __future__ import annotations

import re
from typing import Literal

MarkupName = Literal["wecom", "dingtalk", "feishu", "slack", "plain"]

_BOLD = re.compile(r"\*\*(.+?)\*\*")
# Markdown of chat robots has no escape character: their full-width likes are all there is.
_LOOK_ALIKES = {ord(sign): chr(ord(sign) + 0xFEE0) for sign in "<>*`[]@"}
_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escaped(value: str, markup: MarkupName) -> str:
    """A value of an event on one line, as mere text."""
    line = " ".join(value.split())
    if markup == "plain":
        return line
    return line.translate(_SLACK if markup == "slack" else _LOOK_ALIKES)


def link(text: str, url: str, markup: MarkupName) -> str:
    """A link with a text, where there are such."""
    if markup == "plain":
        return f"{text}: {url}"
    if markup == "slack":
        return f"<{url}|{text}>"
    return f"[{text}]({url})"


def finished(body: str, markup: MarkupName) -> str:
    """A body whose bold parts are written as `**…**`, as the place shows it."""
    if markup == "plain":
        return _BOLD.sub(r"\1", body)
    if markup == "slack":
        return _BOLD.sub(r"*\1*", body)
    if markup == "dingtalk":
        # A single line end is no line end in DingTalk's markdown.
        return body.replace("\n", "  \n")
    return body


def cut(text: str, limit: int) -> str:
    """A text of at most `limit` bytes of UTF-8, whole lines where that is possible."""
    raw = text.encode()
    if len(raw) <= limit:
        return text
    kept = raw[: limit - 4].decode("utf-8", "ignore")
    lines, _, _ = kept.rpartition("\n")
    return (lines or kept) + "\n…"
