"""The Lua source of the coupon desk."""

from __future__ import annotations

from sinks.redis.library import Library, read_parts

SHARED = ("process",)
PARTS = ("records", "till", "restoring", "erasing", "rejecting", "keeping")
# A customer who has paid, or gives back, is served also when the server is at its memory limit.
WHEN_FULL = frozenset(
    {"redeem", "release", "rollback", "look", "due", "expire", "lapse", "restore", "clear", "gone"}
    | {"erase", "swept"}
)


def load_library() -> Library:
    """The library that ships with this release."""
    source = "\n".join((read_parts("sinks.redis", SHARED), read_parts("sinks.coupons", PARTS)))
    return Library(source, "tillflow_coupons", WHEN_FULL)
