"""What a gate needs to know: where Redis is, which pool, how long and how much may be held."""

from __future__ import annotations

import re
from typing import Protocol

import msgspec

MAX_TTL_SECONDS = 7 * 86_400


class GateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one pool's gate.

    `epoch` None takes any open epoch; a name takes only that one. `kept_seconds`: so long after its
    end a hold's id still gives the same answer. `max_holds` and `max_units` cap what one customer
    may hold unpaid; `customer_salt` keeps the pseudonym of a customer from being guessed.
    `scripting`: `auto` takes functions on Redis 7 and newer and scripts before.
    """

    url: str = "redis://localhost:6379/0"
    pool: str = "all"
    epoch: str | None = None
    kept_seconds: int = 2 * 86_400
    max_holds: int | None = None
    max_units: int | None = None
    customer_salt: str = ""
    scripting: str = "auto"
    timeout_seconds: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what could not work.

        Raises:
            ValueError: a setting is out of range; the message says which.
        """
        check(self, "pool", "kept_seconds", "max_holds", "max_units", "timeout_seconds")

    def __repr__(self) -> str:
        """The settings without the password in the address and without the salt."""
        url = without_password(self.url)
        return f"GateSettings(url={url!r}, pool={self.pool!r}, epoch={self.epoch!r})"


class Scripted(Protocol):
    """Settings of what runs scripts in Redis."""

    @property
    def scripting(self) -> str:
        """Which way."""
        ...


def check(settings: Scripted, tag: str, *above_zero: str) -> None:
    """Refuse what could not work: no name for the hash tag, an unknown way to run scripts.

    Raises:
        ValueError: a setting is out of range; the message says which.
    """
    if not getattr(settings, tag):
        msg = f"{tag} is empty: every key needs it as its hash tag"
        raise ValueError(msg)
    if settings.scripting not in {"auto", "functions", "scripts"}:
        msg = f"scripting is {settings.scripting!r}, not auto, functions or scripts"
        raise ValueError(msg)
    for name in above_zero:
        value = getattr(settings, name)
        if value is not None and value <= 0:
            msg = f"{name} is {value}: it must be above 0"
            raise ValueError(msg)


def without_password(url: str) -> str:
    """An address as it may be shown."""
    return re.sub(r"//[^/@]*@", "//***@", url)
