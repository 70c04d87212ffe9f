"""The Lua source of the coupon desk."""

from __future__ import annotations

from importlib import resources

from sinks.redis.library import Library

PARTS = ("records", "till", "restoring", "erasing", "rejecting", "keeping")
# A customer who has paid, or gives back, is served also when the server is at its memory limit.
WHEN_FULL = frozenset(
    {"redeem", "release", "rollback", "look", "due", "expire", "lapse", "restore", "clear", "gone"}
    | {"erase", "swept"}
)


def load_library() -> Library:
    """The library that ships with this release."""
    folder = resources.files("sinks.coupons") / "lua"
    source = "\n".join((folder / f"{part}.lua").read_text("utf-8") for part in PARTS)
    return Library(source, "tillflow_coupons", WHEN_FULL)
