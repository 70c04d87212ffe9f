"""What the API needs to know; picklable, so that every server process gets the same."""

from __future__ import annotations

from pathlib import Path

import msgspec

from sinks.coupons.settings import DeskSettings
from sinks.redis.settings import MAX_TTL_SECONDS, GateSettings


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of one API in front of one pool.

    `gate.customer_salt` comes from the file of keys where it is left empty.
    """

    gate: GateSettings
    keys: Path
    default_ttl_seconds: float = 600.0
    max_ttl_seconds: float = 86_400.0
    retry_after_seconds: int = 1

    @property
    def desk(self) -> DeskSettings:
        """The coupon desk of the same name, in the same Redis."""
        return DeskSettings(
            url=self.gate.url,
            desk=self.gate.pool,
            scripting=self.gate.scripting,
            timeout_seconds=self.gate.timeout_seconds,
        )

    def __post_init__(self) -> None:
        """Refuse what could not work.

        Raises:
            ValueError: a time is out of range; the message says which.
        """
        if not 0 < self.max_ttl_seconds <= MAX_TTL_SECONDS:
            msg = f"max_ttl_seconds is {self.max_ttl_seconds}: from above 0 to {MAX_TTL_SECONDS}"
            raise ValueError(msg)
        if not 0 < self.default_ttl_seconds <= self.max_ttl_seconds:
            msg = (
                f"default_ttl_seconds is {self.default_ttl_seconds}: from above 0 to "
                f"max_ttl_seconds, {self.max_ttl_seconds}"
            )
            raise ValueError(msg)
