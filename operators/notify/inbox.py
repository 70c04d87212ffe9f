"""Alerts in events of structured JSON."""

from __future__ import annotations

import msgspec

from operators.inbox import Unreadable
from operators.notify.notice import Notice, notice_of


class _Envelope(msgspec.Struct):
    type: str
    data: msgspec.Raw


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def notice_of_envelope(raw: bytes) -> Notice | None:
    """The notice in an event of structured JSON; None for events of other types.

    Raises:
        Unreadable: it is no event, or an alert that is none.
    """
    try:
        envelope = _ENVELOPE.decode(raw)
    except msgspec.DecodeError as wrong:
        msg = f"this is no CloudEvent: {wrong}"
        raise Unreadable(msg) from None
    return notice_of(envelope.type, envelope.data)
