"""What a desk needs to know: where Redis is, its name, how long a coupon is remembered."""

from __future__ import annotations

import re

import msgspec

MAX_TTL_SECONDS = 86_400


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one desk.

    `kept_days` after its validity (or its use) a coupon's record is forgotten: refunds that come
    later find it no more. `ttl_seconds`: so long a till's reservation lasts where it does not say.
    """

    url: str = "redis://localhost:6379/0"
    desk: str = "all"
    kept_days: int = 180
    ttl_seconds: float = 600.0
    scripting: str = "auto"
    timeout_seconds: float = 2.0

    def __post_init__(self) -> None:
        """Refuse what could not work.

        Raises:
            ValueError: a setting is out of range; the message says which.
        """
        if not self.desk:
            msg = "desk is empty: every key needs it as its hash tag"
            raise ValueError(msg)
        if self.scripting not in {"auto", "functions", "scripts"}:
            msg = f"scripting is {self.scripting!r}, not auto, functions or scripts"
            raise ValueError(msg)
        for name in ("kept_days", "ttl_seconds", "timeout_seconds"):
            if getattr(self, name) <= 0:
                msg = f"{name} is {getattr(self, name)}: it must be above 0"
                raise ValueError(msg)

    def __repr__(self) -> str:
        """The settings without the password in the address."""
        url = re.sub(r"//[^/@]*@", "//***@", self.url)
        return f"DeskSettings(url={url!r}, desk={self.desk!r})"
