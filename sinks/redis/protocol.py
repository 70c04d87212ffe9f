"""The gate's calls as conversations without a socket: commands are yielded, replies are sent in.

The sync and the async client run the same generators, so nothing is decided twice. A call that
names the wrong keys (the places of an SKU or the lines of a hold have changed since they were
learned) is answered RETRY with the right ones, so one round trip is enough as long as nothing has.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Generic, TypeVar

import msgspec
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError

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
from sinks.redis.server import FUNCTIONS_SINCE, version_of
from sinks.redis.settings import GateSettings

T = TypeVar("T")
K = TypeVar("K")
Command = tuple[Any, ...]
# Yields commands that are sent together, gets their replies; an error reply comes as the exception.
Steps = Generator[list[Command], list[Any], T]

TRIES = 16
REMEMBERED = 20_000


class Remembered(dict[K, T], Generic[K, T]):
    """What was learned of the keys; forgotten as a whole when it grows, for that costs a trip."""

    def keep(self, key: K, value: T) -> None:
        """Remember `value`."""
        if len(self) >= REMEMBERED:
            self.clear()
        self[key] = value


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


class Protocol:
    """The calls of one pool, and what they remember between them."""

    def __init__(self, settings: GateSettings, library: Library) -> None:
        self.settings = settings
        self.library = library
        self.keys = Keys(settings.pool)
        self.places: Remembered[str, tuple[str, ...]] = Remembered()
        self.claims: Remembered[str, Claim] = Remembered()
        self._functions: bool | None = {"functions": True, "scripts": False}.get(settings.scripting)

    def call(self, name: str, keys: list[str], payload: dict[str, Any]) -> Steps[bytes]:
        """Make one call; load the scripts where the server doesn't have them yet.

        Raises:
            Retry: it needs other keys.
            GateError: what the script answered instead of OK.
        """
        payload["epoch"] = self.settings.epoch or ""
        body = msgspec.json.encode(payload)
        keys = [*self.keys.base, *keys]
        if self._functions is None:
            (info,) = yield [("INFO", "server")]
            if isinstance(info, Exception):
                raise self._server_error(info)
            self._functions = version_of(info) >= FUNCTIONS_SINCE
        loaded = False
        while True:
            if self._functions:
                head: Command = ("FCALL", self.library.function_for(name))
            else:
                head = ("EVALSHA", self.library.script_sha)
            (reply,) = yield [(*head, len(keys), *keys, name, body)]
            if not isinstance(reply, Exception):
                break
            # A restarted or failed-over server, or one that was told to forget its scripts.
            missing = "NOSCRIPT" in str(reply) or "function not found" in str(reply).lower()
            if loaded or not (missing or isinstance(reply, NoScriptError)):
                raise self._server_error(reply)
            yield from self._load()
            loaded = True
        word = reply[0]
        if word == b"OK":
            return bytes(reply[1])
        raise self._refusal(word, reply[1])

    def _load(self) -> Steps[None]:
        if self._functions:
            (done,) = yield [("FUNCTION", "LOAD", "REPLACE", self.library.functions)]
        else:
            (done,) = yield [("SCRIPT", "LOAD", self.library.script)]
        if isinstance(done, Exception):
            raise self._server_error(done)

    def _server_error(self, refused: Exception) -> Exception:
        # The scripts write nothing before their last check, so a refusal leaves nothing behind.
        if isinstance(refused, OutOfMemoryError) or "OOM command not allowed" in str(refused):
            return GateFull(
                "Redis is at its memory limit and takes no new hold; nothing was written. "
                "Raise `maxmemory`, and see that the outbox is relayed and trimmed"
            )
        if isinstance(refused, ReadOnlyError):
            return self.unavailable(refused)
        return GateError(f"Redis refused a call of the hold gate: {refused}")

    def unavailable(self, wrong: Exception) -> GateUnavailable:
        """The error when no answer came."""
        return GateUnavailable(
            f"{self.settings!r} gave no answer ({wrong}): it is not known whether the call was "
            "done, make it again with the same id"
        )

    def _refusal(self, word: bytes, body: bytes) -> Exception:
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
