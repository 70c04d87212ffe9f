"""Where a warehouse is: a file, or an address that a server answers at."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

DEFAULT_PORT = 9494
# `quack:/host` is what a path makes of `quack://host`; DuckDB itself writes `quack:host`.
_ADDRESS = re.compile(
    r"quack(?P<plain>\+plain)?:/{0,2}(?P<host>\[[0-9a-fA-F:]+\]|[^/:\s\[\]]+)(:(?P<port>\d+))?/?"
)
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


class WarehouseError(Exception):
    """The warehouse cannot be used; the message says why and what to do."""


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A served warehouse and the token that opens it.

    `tls`: whether the way there is encrypted. On the own machine it is not; everywhere else it
    is, by a proxy in front of the server, unless the address is `quack+plain://`.
    """

    host: str
    port: int = DEFAULT_PORT
    tls: bool = False
    token: str = ""

    @property
    def uri(self) -> str:
        """The address as DuckDB takes it."""
        return f"quack:{self.host}:{self.port}"

    def __str__(self) -> str:
        """The address as a person writes it, without its token."""
        plain = "" if self.tls or self.host in _LOOPBACK else "+plain"
        return f"quack{plain}://{self.host}:{self.port}"

    def __repr__(self) -> str:
        """No token in logs and tracebacks."""
        return f"Address({self})"


Target = Path | str | Address


def parse_target(
    text: Target, *, token: str | None = None, token_file: Path | None = None
) -> Path | Address:
    """A file's path, or the address `quack://HOST:PORT` with its token.

    `token_file` holds tokens, one a line; the first one is taken.

    Raises:
        WarehouseError: the address is none, or the token cannot be read.
    """
    if isinstance(text, Address):
        return text
    if not str(text).startswith(("quack:", "quack+")):
        return Path(text)
    found = _ADDRESS.fullmatch(str(text))
    port = int(found["port"] or DEFAULT_PORT) if found else 0
    if found is None or not 0 < port < 65536:
        msg = f"{text} is no address of a warehouse: write quack://HOST:PORT"
        raise WarehouseError(msg)
    host = found["host"].lower()
    if not token and token_file is not None:
        token = read_tokens(token_file)[0]
    tls = host not in _LOOPBACK and not found["plain"]
    return Address(host=host, port=port, tls=tls, token=token or "")


def read_tokens(path: Path) -> list[str]:
    """The tokens of a file, one a line; empty lines and those that begin with `#` are left out.

    Raises:
        WarehouseError: there is no such file, or no token in it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as wrong:
        msg = f"cannot read the token file {path}: {getattr(wrong, 'strerror', None) or wrong}"
        raise WarehouseError(msg) from None
    tokens = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not tokens:
        msg = f"{path} holds no token: write one a line, of 16 characters or more"
        raise WarehouseError(msg)
    return tokens
