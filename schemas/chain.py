"""The configuration of a chain: places, pools, zones and the rules of stock. One YAML file."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from schemas.expiry_rules import ExpiryConfig
from schemas.footfall_rules import FootfallConfig
from schemas.forecast_rules import ForecastConfig
from schemas.journey_rules import JourneysConfig
from schemas.member_rules import MembersConfig
from schemas.movement import MAX_QUANTITY
from schemas.phantom_rules import PhantomConfig
from schemas.staffing_rules import StaffingConfig
from schemas.transfer_rules import TransferConfig

NonNegative = Annotated[int, msgspec.Meta(ge=0, le=MAX_QUANTITY)]
Hours = Annotated[float, msgspec.Meta(gt=0)]
PlaceKind = Literal["store", "forward_warehouse", "central_warehouse"]


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One place; what is left out comes from the chain."""

    kind: PlaceKind = "store"
    pool: str | None = None
    timezone: str | None = None
    name: str | None = None


class StockRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What applies to the SKUs and places that match; the first rule that matches counts.

    `sku` and `place` are shell patterns (`TEA-*`). `safety_stock` is a fixed level in units; where
    `lead_time_days` is given, the level follows the live demand instead and `safety_stock` is its
    lower bound. `floor` is never promised to anybody.
    """

    sku: str = "*"
    place: str = "*"
    safety_stock: NonNegative = 0
    floor: NonNegative = 0
    lead_time_days: Annotated[float, msgspec.Meta(gt=0, le=365)] | None = None
    lead_time_sd_days: Annotated[float, msgspec.Meta(ge=0, le=365)] = 0.0
    service_level: Annotated[float, msgspec.Meta(ge=0.5, lt=1.0)] = 0.95


class AlertRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When one type of alert is raised and cleared.

    `margin` is how many units above its level an alert needs before it is cleared;
    `margin_share` does the same as a share of the level, the larger of the two counts.
    `min_demand_rate` (units a day) keeps quiet about what hardly sells.
    """

    enabled: bool = True
    margin: NonNegative = 1
    margin_share: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.0
    min_demand_rate: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class AlertRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule for each alert type of the stock flow."""

    oversell: AlertRule = AlertRule()
    negative_on_hand: AlertRule = AlertRule()
    stock_out: AlertRule = AlertRule()
    below_safety_stock: AlertRule = AlertRule(margin_share=0.1)


class StockConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the stock flow judges.

    `horizon_hours`: how far behind the newest event of its SKU an event may be and still be
    judged: duplicates, late counts and corrections are recognised that long, what is older goes to
    dead_letter. `future_hours`: how far ahead of the clock an event may be before it is refused.
    `demand_days`: the memory of the demand rate, N of an N-day exponential average.
    """

    horizon_hours: Hours = 48.0
    future_hours: Hours = 24.0
    demand_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 28
    rules: tuple[StockRule, ...] = ()
    alerts: AlertRules = AlertRules()


class Chain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chain of shops.

    `business_day_starts` is local time (`04:00`): what sells at 01:00 belongs to the day before.
    `unknown_places`: `accept` puts a place that is not listed into `default_pool`, `refuse` sends
    its events to dead_letter.
    """

    chain: str = "chain"
    timezone: str = "Asia/Shanghai"
    business_day_starts: Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = (
        "00:00"
    )
    default_pool: str = "all"
    unknown_places: Literal["accept", "refuse"] = "accept"
    places: dict[str, Place] = {}
    stock: StockConfig = StockConfig()
    transfers: TransferConfig = TransferConfig()
    phantom: PhantomConfig = PhantomConfig()
    expiry: ExpiryConfig = ExpiryConfig()
    footfall: FootfallConfig = FootfallConfig()
    forecast: ForecastConfig = ForecastConfig()
    staffing: StaffingConfig = StaffingConfig()
    members: MembersConfig = MembersConfig()
    journeys: JourneysConfig = JourneysConfig()
