"""What a desk needs to know: where Redis is, its name, how long a coupon is remembered."""

from __future__ import annotations

import msgspec

from sinks.redis.settings import check, without_password

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
        check(self, "desk", "kept_days", "ttl_seconds", "timeout_seconds")

    def __repr__(self) -> str:
        """The settings without the password in the address."""
        url = without_password(self.url)
        return f"DeskSettings(url={url!r}, desk={self.desk!r})"
