"""What a channel's client can do, and what it learns."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

from operators.channels.filling import Outgoing
from sinks.sending.verdict import Verdict

FoundStatus = Literal["accepted", "delivered", "failed", "absent", "unclear"]


class Found(NamedTuple):
    """What a provider says became of a message; `unclear`: it could not be asked just now."""

    status: FoundStatus
    answer: str
    code: str = ""
    ref: str = ""
    until: int = 0


class Client(Protocol):
    """A provider.

    `finds`: it can be asked what became of a message, `receipts`: and tells later whether one that
    it took was delivered. `absence_proves`: one that it does not know
    after a while never came to it. `remembers_us`: for so long it drops a message that comes to it
    again (microseconds). `credits`: a message uses up a consent of its own.
    """

    provider: str
    finds: bool
    receipts: bool
    absence_proves: bool
    remembers_us: int
    credits: bool

    def send(self, message: Outgoing, now: int) -> Verdict:
        """Send one message; never raises for what a network or a provider does."""
        ...

    def find(self, message: Outgoing, left_at: int, ref: str, now: int) -> Found:
        """What became of a message whose request left then; `ref`: the provider's id or empty."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Plain:
    """A client that cannot be asked and remembers nothing."""

    provider = ""
    finds = False
    receipts = False
    absence_proves = False
    remembers_us = 0
    credits = False

    def find(self, message: Outgoing, left_at: int, ref: str, now: int) -> Found:
        """Nothing can be learned."""
        return Found("unclear", f"{self.provider} cannot be asked")

    def close(self) -> None:
        """Nothing to let go of."""
