"""The gate's calls as conversations without a socket: commands are yielded, replies are sent in.

The sync and the async client run the same generators, so nothing is decided twice. A call that
names the wrong keys (the places of an SKU or the lines of a hold have changed since they were
learned) is answered RETRY with the right ones, so one round trip is enough as long as nothing has.
"""

from __future__ import annotations

from typing import Any

import msgspec

from sinks.redis.errors import (
    AlreadyConfirmed,
    CapReached,
    GateBusy,
    GateClosed,
    GateError,
    GateFull,
    GateOpen,
    GateUnavailable,
    InvalidHold,
    Mismatch,
    Short,
    Shortage,
    UnknownReservation,
    UnknownSku,
)
from sinks.redis.keys import Keys
from sinks.redis.library import Library
from sinks.redis.scripted import REMEMBERED, TRIES, Command, Remembered, Scripted, Steps
from sinks.redis.settings import GateSettings

__all__ = ["REMEMBERED", "TRIES", "Command", "Protocol", "Remembered", "Steps"]


class Line(msgspec.Struct, array_like=True, frozen=True):
    """A line as the scripts know it."""

    sku: str
    place: str
    quantity: int


class Record(msgspec.Struct):
    """A reservation as a script answers it."""

    state: str
    expires_at: int
    lines: list[Line]
    customer: str
    order: str
    replayed: bool


class Claim(msgspec.Struct):
    """Which keys a reservation has, as a script tells when it was called with others."""

    lines: list[Line]
    customer: str


class Places(msgspec.Struct):
    """The places of SKUs and the lines of a hold to replace, when a call named others."""

    # An empty Lua table is an object: `{}` stands for no SKU.
    places: dict[str, list[str]]
    replaced: list[Line] | None = None


_CAP = msgspec.json.Decoder(dict[str, int])
_WORDS = msgspec.json.Decoder(dict[str, str])
_PAIRS = msgspec.json.Decoder(list[tuple[str, str]])
_SHORT = msgspec.json.Decoder(list[tuple[str, int, int]])


class Retry(Exception):
    """The call named other keys than those it needs; `body` has what it needs."""

    def __init__(self, body: bytes) -> None:
        self.body = body


class Protocol(Scripted):
    """The calls of one pool, and what they remember between them."""

    def __init__(self, settings: GateSettings, library: Library) -> None:
        self.settings = settings
        self.keys = Keys(settings.pool)
        super().__init__(library, self.keys.base, settings.scripting)
        self.places: Remembered[str, tuple[str, ...]] = Remembered()
        self.claims: Remembered[str, Claim] = Remembered()

    def call(self, name: str, keys: list[str], payload: dict[str, Any]) -> Steps[bytes]:
        """Make one call in this epoch.

        Raises:
            Retry: it needs other keys.
            GateError: what the script answered instead of OK.
        """
        payload["epoch"] = self.settings.epoch or ""
        return (yield from super().call(name, keys, payload))

    def full(self) -> GateFull:
        """The error when the server is at its memory limit."""
        return GateFull(
            "Redis is at its memory limit and takes no new hold; nothing was written. "
            "Raise `maxmemory`, and see that the outbox is relayed and trimmed"
        )

    def refused(self, wrong: Exception) -> GateError:
        """The error when the server refused for another reason."""
        return GateError(f"Redis refused a call of the hold gate: {wrong}")

    def unavailable(self, wrong: Exception) -> GateUnavailable:
        """The error when no answer came."""
        return GateUnavailable(
            f"{self.settings!r} gave no answer ({wrong}): it is not known whether the call was "
            "done, make it again with the same id"
        )

    def refusal(self, word: bytes, body: bytes) -> Exception:
        """The error that a script answered instead of OK."""
        match word:
            case b"RETRY":
                return Retry(body)
            case b"CLOSED":
                return GateClosed(self.settings.pool, **_WORDS.decode(body))
            case b"SHORT":
                return Short([Shortage(*row) for row in _SHORT.decode(body)])
            case b"UNKNOWN_SKU":
                return UnknownSku(self.settings.pool, _PAIRS.decode(body))
            case b"CAP":
                return CapReached(**_CAP.decode(body))
            case b"INVALID":
                return InvalidHold(_WORDS.decode(body)["reason"])
            case b"MISMATCH":
                return Mismatch(
                    "the id belongs to a hold with other lines, order, channel or customer: "
                    "use a new id for a new hold"
                )
            case b"CONFIRMED":
                return AlreadyConfirmed("the hold to replace has been paid: cancel its order first")
            case b"GATE_OPEN":
                return GateOpen("the gate is open: close it before it is written again")
            case b"UNKNOWN":
                return UnknownReservation(
                    f"no such hold in pool {self.settings.pool!r}, or it ended more than "
                    f"{self.settings.kept_seconds} s ago"
                )
        return GateError(f"the gate answered {word!r}, which this release does not know")

    @property
    def tombstone(self) -> int:
        """How long an ended reservation keeps answering, in ms."""
        return self.settings.kept_seconds * 1000

    def busy(self, what: str) -> GateBusy:
        """The error after the last try."""
        return GateBusy(f"{what} kept changing during {TRIES} tries: make the call again")
