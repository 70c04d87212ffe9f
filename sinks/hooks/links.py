"""Links by which people acknowledge: signed, and good for a while."""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

from schemas.instants import HOUR_US, SECOND_US

_SIGNATURE = 32  # hex digits; 128 bits are beyond guessing and keep links short

TokenFault = Literal["forged", "expired"]


class LinkSigner:
    """Makes and checks tokens: which message is acknowledged, and until when."""

    def __init__(self, base: str, secret: str, valid_hours: float) -> None:
        self._base = base.rstrip("/")
        self._secret = secret.encode()
        self._valid_us = round(valid_hours * HOUR_US)

    def link(self, message: str, made_at: int) -> str:
        """The address for a message; the same one however often it is made."""
        return f"{self._base}/a/{self.token(message, made_at)}"

    def token(self, message: str, made_at: int) -> str:
        """The token in the address."""
        body = f"{message}.{(made_at + self._valid_us) // SECOND_US}"
        return f"{body}.{self._sign(body)}"

    def message_of(self, token: str, now: int) -> str | TokenFault:
        """The message a token stands for, or what is wrong with it."""
        body, _, signature = token.rpartition(".")
        message, _, expires = body.partition(".")
        if not hmac.compare_digest(signature.encode(), self._sign(body).encode()):
            return "forged"
        if now >= int(expires) * SECOND_US:
            return "expired"
        return message

    def _sign(self, body: str) -> str:
        return hmac.new(self._secret, body.encode(), hashlib.sha256).hexdigest()[:_SIGNATURE]

    def __repr__(self) -> str:
        return f"LinkSigner({self._base!r})"
