"""Values of the warehouse as programs take them: instants in UTC, JSON decoded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec


def plain(value: Any, kind: str) -> Any:
    """A value of the column type `kind`."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if kind == "JSON" and value is not None:
        return msgspec.json.decode(value)
    return value
