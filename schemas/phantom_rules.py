"""The section `phantom:` of a chain's configuration: when silence makes a record suspicious."""

from __future__ import annotations

from typing import Annotated

import msgspec


class PhantomConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When stock on record is suspected not to be there.

    `probability`: a silence is improbable when a place that has the goods would be silent so long
    with at most this probability. `false_alarms_per_day`: how many suspicions a day may be wrong
    over the whole chain, on average; all pairs share them evenly.
    `memory_days`: how fast what sold long ago is forgotten. `least_sales`: so many sales have to be
    remembered before a silence means anything. `dispersion`: how even demand is, at most; smaller
    is more cautious (the shape of a negative binomial). `every_minutes`: how often a place is
    looked at, in the time of its events.
    """

    enabled: bool = True
    probability: Annotated[float, msgspec.Meta(gt=0, le=0.1)] = 0.001
    false_alarms_per_day: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    memory_days: Annotated[float, msgspec.Meta(ge=1, le=365)] = 28.0
    least_sales: Annotated[float, msgspec.Meta(ge=1)] = 5.0
    dispersion: Annotated[float, msgspec.Meta(ge=1)] = 50.0
    every_minutes: Annotated[float, msgspec.Meta(gt=0, le=1440)] = 60.0
