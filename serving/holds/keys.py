"""API keys: made here, shown once, kept as hashes in a YAML file.

A key is 32 random bytes, so one round of SHA-256 is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
import yaml
from msgspec import Meta

Scope = Literal[
    "holds:write",
    "holds:read",
    "availability:read",
    "coupons:issue",
    "coupons:redeem",
    "coupons:read",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "tfk"
# How soon a key that was added or revoked is known to a server that runs.
LOOK_SECONDS = 1.0


class KeysError(Exception):
    """The file of keys cannot be used; the message says what, where and what to do."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One key as the file has it: never the key itself.

    `rate` is requests a second that it may make in the long run, `burst` at once.
    """

    id: Annotated[str, Meta(min_length=1, max_length=40)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    channel: Annotated[str, Meta(min_length=1, max_length=200)]
    scopes: list[Scope]
    rate: Annotated[float, Meta(gt=0)] = 100.0
    burst: Annotated[float, Meta(ge=1)] = 200.0
    created_at: datetime | None = None


class KeyFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The whole file; `customer_salt` makes the pseudonyms of customers, the same everywhere."""

    customer_salt: str = ""
    keys: list[ApiKey] = []


def load_keys(path: Path) -> KeyFile:
    """Read the file.

    Raises:
        KeysError: it is not there, no YAML, or not of its form.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        found = msgspec.convert(content, KeyFile)
    except FileNotFoundError:
        msg = f"{path} is not there: make a first key with `tillflow holds keys new`"
        raise KeysError(msg) from None
    except OSError as wrong:
        msg = f"cannot read the keys in {path}: {wrong.strerror}"
        raise KeysError(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        # The parser's own words would quote the file.
        msg = f"{path} is no YAML: keep what `tillflow holds keys new` writes"
        raise KeysError(msg) from None
    except msgspec.ValidationError as wrong:
        msg = f"{path}: {wrong}"
        raise KeysError(msg) from None
    ids = [key.id for key in found.keys]
    twice = sorted({one for one in ids if ids.count(one) > 1})
    if twice:
        msg = f"{path}: key {twice[0]} is there twice: remove one"
        raise KeysError(msg)
    return found


def save_keys(path: Path, content: KeyFile) -> None:
    """Write the file as a whole, readable by its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write("# Keys of the hold API: hashes only. `tillflow holds keys` changes this file.\n")
        yaml.safe_dump(msgspec.to_builtins(content), out, sort_keys=False)
    Path(name).replace(path)


def new_key(
    path: Path, channel: str, scopes: list[Scope], *, rate: float, burst: float
) -> tuple[str, ApiKey]:
    """Make a key and append its hash to the file (made where there is none); the key itself."""
    content = load_keys(path) if path.exists() else KeyFile()
    content.customer_salt = content.customer_salt or secrets.token_hex(32)
    key_id = secrets.token_hex(4)
    key = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    made = ApiKey(
        id=key_id,
        sha256=_hash(key),
        channel=channel,
        scopes=list(dict.fromkeys(scopes)),
        rate=rate,
        burst=burst,
        created_at=datetime.now(UTC).replace(microsecond=0),
    )
    content.keys.append(made)
    save_keys(path, content)
    return key, made


def revoke_key(path: Path, key_id: str) -> ApiKey:
    """Take a key out of the file.

    Raises:
        KeysError: it is not there.
    """
    content = load_keys(path)
    for key in content.keys:
        if key.id == key_id:
            content.keys.remove(key)
            save_keys(path, content)
            return key
    msg = f"{path} has no key {key_id!r}; `tillflow holds keys list` shows them"
    raise KeysError(msg)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


class KeyRing:
    """The keys of a running server; follows the file without a restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed: tuple[int, int] | None = None
        self._look_at = 0.0
        self._keys: dict[str, ApiKey] = {}
        self.customer_salt = ""
        self.problem: str | None = None
        self._read()

    def find(self, presented: str) -> ApiKey | None:
        """The key that was presented, or None."""
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._follow()
        key_id = presented.split("_", 2)[1] if presented.count("_") >= 2 else ""
        key = self._keys.get(key_id)
        # Compared also where there is no such id, so that an answer takes as long.
        known = "" if key is None else key.sha256
        return key if hmac.compare_digest(_hash(presented), known) else None

    def _follow(self) -> None:
        """Read the file again where it has changed; a broken one leaves the keys as they were."""
        try:
            self._read()
        except KeysError as wrong:
            self.problem = str(wrong)

    def _read(self) -> None:
        try:
            stat = self._path.stat()
            changed = (stat.st_mtime_ns, stat.st_ino)
        except OSError:
            changed = None
        if changed is not None and changed == self._changed:
            return
        content = load_keys(self._path)
        self._changed, self.problem = changed, None
        self._keys = {key.id: key for key in content.keys}
        self.customer_salt = content.customer_salt
