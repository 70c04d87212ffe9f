"""The configuration of footfall: `footfall:` of the chain's file."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec

Minutes = Annotated[float, msgspec.Meta(ge=0, le=1440)]
Hours = Annotated[float, msgspec.Meta(gt=0, le=8760)]
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]
# YAML reads an unquoted 10:00 as 600: minutes since midnight, which is what it means here too.
TimeOfDay = (
    Annotated[str, msgspec.Meta(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
    | Annotated[int, msgspec.Meta(ge=0, le=1440)]
)


class OpeningHours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the stores that match are open; the first rule that matches store and day counts.

    `store` is a shell pattern, `weekdays` are 1 (Monday) to 7, `dates` single days; both empty:
    every day. Days are business days: what opens before `business_day_starts` does so at their end.
    Times are the store's own. `closes` at or before `opens` is on the next day, the same time twice
    is around the clock. With `closed` the store does not open at all.
    """

    store: str = "*"
    weekdays: tuple[Weekday, ...] = ()
    dates: tuple[date, ...] = ()
    opens: TimeOfDay = "09:00"
    closes: TimeOfDay = "21:00"
    closed: bool = False


class ServiceRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What service is expected to take; the first rule that matches store and task counts.

    Without one it is measured: see `rate_days`.
    """

    store: str = "*"
    task: str = "*"
    seconds_per_order: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0
    seconds_per_item: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0


class SilenceConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a door or till that reports nothing is taken to be dead.

    Only sensors that reported in `regular_share` of the windows are judged; they are silent once
    so many windows without a report are less likely than `probability`. After `forget_days` a
    sensor is taken to be gone, unless the store has no other of its kind.
    """

    probability: Annotated[float, msgspec.Meta(gt=0, lt=0.5)] = 0.0001
    regular_share: Annotated[float, msgspec.Meta(ge=0.05, le=0.99)] = 0.5
    forget_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 7


class FootfallConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How footfall windows are made.

    `delay_minutes`: how long a window waits for its events before its figures are final; later
    ones make a new version. `late_hours`: how far behind the newest report of its kind (doors or
    tills of a store) an event may be, what is older goes to dead_letter. `apart_hours`: how far
    doors and tills of a store may be apart, as they are while two topics are caught up with.
    `future_hours`: how far ahead of the clock an event may be before it is refused.
    `hours`: opening hours; a store without any is open while something of it reports.
    `rates`: expected service times; where none matches, they follow the store's own orders of the
    last `rate_days` business days that no late event can change any more.
    """

    delay_minutes: Minutes = 5.0
    late_hours: Hours = 48.0
    apart_hours: Hours = 168.0
    future_hours: Hours = 1.0
    hours: tuple[OpeningHours, ...] = ()
    rates: tuple[ServiceRate, ...] = ()
    rate_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 7
    silence: SilenceConfig = SilenceConfig()
