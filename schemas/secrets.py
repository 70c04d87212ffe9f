"""References to secrets: configuration says where one is, never what it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:.+")


class Secret:
    """A reference to a secret: `env:NAME` or `file:PATH`. Nothing shows what it stands for."""

    __slots__ = ("reference",)

    def __init__(self, reference: str) -> None:
        if not _REFERENCE.fullmatch(reference):
            msg = (
                "a secret is not written here: say env:NAME, the environment variable that holds "
                "it, or file:PATH"
            )
            raise ValueError(msg)
        self.reference = reference

    def read(self, env: Mapping[str, str]) -> str:
        """The secret itself.

        Raises:
            LookupError: the variable or file is not there or empty; names it.
        """
        kind, _, name = self.reference.partition(":")
        if kind == "env":
            value = env.get(name, "")
        else:
            try:
                value = Path(name).read_text("utf-8")
            except OSError as wrong:
                msg = f"{self.reference} cannot be read: {wrong.strerror}"
                raise LookupError(msg) from None
        if not value.strip():
            what = "is not set" if kind == "env" else "is empty"
            msg = f"{self.reference} {what}: put the secret there before the worker starts"
            raise LookupError(msg)
        return value.strip()

    def __repr__(self) -> str:
        return f"Secret({self.reference!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other.reference == self.reference

    def __hash__(self) -> int:
        return hash(self.reference)


def secret_hook(kind: type, value: Any) -> Any:
    """For msgspec: a text becomes a Secret."""
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    msg = f"Expected `str`, got `{type(value).__name__}`"
    raise TypeError(msg)


def secrets_of(part: msgspec.Struct, env: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets of a channel that are there, to be kept out of whatever a provider answers."""
    found = []
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if isinstance(value, Secret):
            try:
                found.append(value.read(env))
            except LookupError:
                continue
    return tuple(found)
