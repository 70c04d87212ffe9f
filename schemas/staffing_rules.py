"""The configuration of the roster flow: `staffing:` of the chain's file."""

from __future__ import annotations

from typing import Annotated

import msgspec

from schemas.footfall_rules import Minutes

HeadIntervals = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class IntradayRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When roster and need are so far apart that somebody should hear of it.

    Amounts are heads times quarters of an hour: two heads short for an hour are 8. A stretch is
    raised at `raise_at` or more, and cleared below `clear_below`: what swings between the two
    changes nothing. An open alert is told again when its amount moved by `update_by`. Stretches
    with `bridge` quarters or fewer between them are one. Who comes or leaves hears of it
    `stay_minutes`, `go_minutes` or `call_minutes` before. `proposals`: how many, at most. A day is
    looked at from `begin_minutes` before anybody is needed: nobody wants to hear of it at midnight.
    """

    raise_at: HeadIntervals = 4
    clear_below: HeadIntervals = 2
    update_by: HeadIntervals = 3
    over_raise_at: HeadIntervals = 8
    over_clear_below: HeadIntervals = 4
    bridge: Annotated[int, msgspec.Meta(ge=0, le=16)] = 2
    stay_minutes: Minutes = 30.0
    go_minutes: Minutes = 15.0
    call_minutes: Minutes = 90.0
    begin_minutes: Minutes = 120.0
    proposals: Annotated[int, msgspec.Meta(ge=0, le=20)] = 5


class StaffingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the roster flow plans.

    `shops`: roster files by shell pattern, seen from the chain's file (`shops/*.yaml`); a shop may
    have one for each week, the newest that has begun counts. `weather`: as of
    `tillflow forecast --weather`. `days`: how many are planned at the planning hour, today among
    them. Without a clock, a store counts as quiet when it is `quiet_hours` behind the others.
    """

    shops: tuple[str, ...] = ()
    weather: str | None = None
    days: Annotated[int, msgspec.Meta(ge=1, le=14)] = 2
    quiet_hours: Annotated[float, msgspec.Meta(gt=0, le=168)] = 6.0
    intraday: IntradayRules = IntradayRules()
