"""Lua sources, dressed as a function library (Redis 7+) or a script (6.2); that of the gate.

The names carry a digest of the source: processes of two releases share a server without either
replacing what the other one calls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources

PARTS = ("process", "claims", "placing", "hold", "changes", "keeping")
VERSION = 1

# Calls that give memory back, or must not fail a customer who has paid, run also when the server is
# at its memory limit; a new hold is refused then before it has written anything.
WHEN_FULL = frozenset(
    {"confirm", "release", "read", "due", "expire", "available", "project", "replace"}
)


@dataclass(frozen=True)
class Library:
    """One Lua source and what servers call it."""

    source: str
    prefix: str = "tillflow_gate"
    when_full: frozenset[str] = WHEN_FULL

    @cached_property
    def name(self) -> str:
        """The name of the function and of its library."""
        # Not for secrecy: it only tells two sources apart.
        digest = hashlib.sha256(self.source.encode()).hexdigest()[:8]
        return f"{self.prefix}_{VERSION}_{digest}"

    @cached_property
    def functions(self) -> str:
        """The text for FUNCTION LOAD."""
        return (
            f"#!lua name={self.name}\n{self.source}\n"
            f"redis.register_function('{self.name}', dispatch)\n"
            f"redis.register_function{{function_name='{self.name}_full', callback=dispatch, "
            "flags={'allow-oom'}}\n"
        )

    @cached_property
    def script(self) -> str:
        """The text for SCRIPT LOAD."""
        return f"{self.source}\nreturn dispatch(KEYS, ARGV)\n"

    @cached_property
    def script_sha(self) -> str:
        """The name that a server gives `script`."""
        return hashlib.sha1(self.script.encode(), usedforsecurity=False).hexdigest()

    def function_for(self, call: str) -> str:
        """The registered function that serves a call."""
        return f"{self.name}_full" if call in self.when_full else self.name


def read_parts(package: str, parts: Sequence[str]) -> str:
    """The Lua files of a package, one after the other."""
    folder = resources.files(package) / "lua"
    return "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in parts)


def load_library() -> Library:
    """The library that ships with this release."""
    return Library(read_parts("sinks.redis", PARTS))
