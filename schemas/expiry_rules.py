"""The section `expiry:` of a chain's configuration: when a lot that expires is worth a word."""

from __future__ import annotations

from typing import Annotated

import msgspec


class ExpiryConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a lot is reported that will not be sold before it expires.

    `days_before`: from how long before the end of its last day on. `least_units`: so many units
    have to be left over, as sales go. `every_minutes`: how often time alone is looked at.
    """

    days_before: Annotated[float, msgspec.Meta(ge=0, le=365)] = 3.0
    least_units: Annotated[int, msgspec.Meta(ge=1)] = 1
    every_minutes: Annotated[float, msgspec.Meta(gt=0, le=1440)] = 15.0
