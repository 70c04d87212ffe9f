"""The configuration of forecasts: `forecast:` of the chain's file. All of it is known ahead."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from schemas.footfall_rules import TimeOfDay

Measure = Literal["entries", "orders"]


class StoreKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the stores that match are; the first rule that matches counts.

    Stores of one `group` (mall, station, ...) are taken to be alike: new ones borrow from it.
    `weather_at` names their place in the weather's table.
    """

    store: str = "*"
    group: str = ""
    weather_at: str = ""


class Campaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A campaign of the stores that match, from `first` to `last`, both included.

    Campaigns of one `kind` are taken to work alike. Only what was known beforehand belongs here: a
    campaign that is entered afterwards makes every backtest too good.
    """

    first: date
    last: date
    kind: str = "campaign"
    store: str = "*"


class SchoolHoliday(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days without school, both ends included, for the stores that match."""

    first: date
    last: date
    store: str = "*"


class Mask(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Windows that say nothing about demand, for one measure or (without `measure`) both.

    Goods out of stock, works in the street, a sensor known to be wrong: such windows are left out,
    never learned as zeros.
    """

    since: datetime
    until: datetime
    store: str = "*"
    measure: Measure | None = None
    reason: str = ""


class ForecastConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How footfall and orders are forecast.

    `country` (ISO code, like CN) brings its public holidays with moved working days.
    At `planning` o'clock of each zone the coming days are forecast, and every `refresh_minutes`
    (0: never) the rest of the running one: see `tillflow forecast watch`.
    `history_days`: how far back is learned from, at most. `windows`: days of the backtest.
    """

    country: str | None = None
    planning: TimeOfDay = "20:00"
    refresh_minutes: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 60
    history_days: Annotated[int, msgspec.Meta(ge=21, le=400)] = 90
    windows: Annotated[int, msgspec.Meta(ge=4, le=60)] = 8
    stores: tuple[StoreKind, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    school_holidays: tuple[SchoolHoliday, ...] = ()
    masks: tuple[Mask, ...] = ()

    @property
    def planning_minutes(self) -> int:
        """The planning hour in minutes since midnight."""
        if isinstance(self.planning, int):
            return self.planning
        hours, minutes = self.planning.split(":")
        return int(hours) * 60 + int(minutes)
