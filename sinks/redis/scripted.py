"""Calls of one Lua library as conversations without a socket: commands out, replies in.

The library is loaded where a server doesn't have it yet. What its refusals mean is told by those
who build on this: the hold gate and the coupon desk.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import Any, Generic, TypeVar

import msgspec
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError

from sinks.redis.library import Library
from sinks.redis.server import FUNCTIONS_SINCE, version_of

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


class Scripted(ABC):
    """Calls of a library; `base` are the first keys of each."""

    def __init__(self, library: Library, base: list[str], scripting: str = "auto") -> None:
        self.library = library
        self._base = base
        self._functions: bool | None = {"functions": True, "scripts": False}.get(scripting)

    @abstractmethod
    def unavailable(self, wrong: Exception) -> Exception:
        """The error when no answer came."""

    @abstractmethod
    def full(self) -> Exception:
        """The error when the server is at its memory limit."""

    @abstractmethod
    def refused(self, wrong: Exception) -> Exception:
        """The error when the server refused for another reason."""

    @abstractmethod
    def refusal(self, word: bytes, body: bytes) -> Exception:
        """The error that a script answered instead of OK."""

    def call(self, name: str, keys: list[str], payload: dict[str, Any]) -> Steps[bytes]:
        """Make one call; load the scripts where the server doesn't have them yet.

        Raises:
            Exception: what the script answered instead of OK.
        """
        body = msgspec.json.encode(payload)
        keys = [*self._base, *keys]
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
        raise self.refusal(word, reply[1])

    def _load(self) -> Steps[None]:
        if self._functions:
            (done,) = yield [("FUNCTION", "LOAD", "REPLACE", self.library.functions)]
        else:
            (done,) = yield [("SCRIPT", "LOAD", self.library.script)]
        if isinstance(done, Exception):
            raise self._server_error(done)

    def _server_error(self, wrong: Exception) -> Exception:
        # The scripts write nothing before their last check, so a refusal leaves nothing behind.
        if isinstance(wrong, OutOfMemoryError) or "OOM command not allowed" in str(wrong):
            return self.full()
        if isinstance(wrong, ReadOnlyError):
            return self.unavailable(wrong)
        return self.refused(wrong)
