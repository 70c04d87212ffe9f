"""What can be set about a simulated chain. Rates are shares (0 to 1); every unit is in its name.

`docs/simulator.md` says why each default is what it is.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Clock = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):(00|15|30|45)$")]
Whole = Annotated[int, msgspec.Meta(ge=0)]
Counting = Annotated[int, msgspec.Meta(ge=1)]
Week = Annotated[tuple[Positive, ...], msgspec.Meta(min_length=7, max_length=7)]
Day = Annotated[tuple[NotNegative, ...], msgspec.Meta(min_length=24, max_length=24)]

# Weights of the 24 local hours; only those between opening and closing count.
AFTERNOONS = (*(0.0,) * 7, 1, 1.5, 2, 3, 5, 7, 7, 8, 9, 8, 7, 7, 7, 6, 4, 2, 1)
MORNINGS = (*(0.0,) * 6, 3, 8, 9, 6, 4, 5, 6, 5, 4, 4, 5, 8, 8, 5, 3, 2, 1, 0.0)
EVENINGS = (*(0.0,) * 7, 1, 2, 3, 4, 5, 5, 5, 6, 6, 6, 6, 7, 9, 9, 7, 4, 2)
MEALS = (*(0.0,) * 7, 1, 2, 2, 3, 8, 9, 5, 3, 3, 4, 8, 9, 6, 4, 3, 2, 1)
NIGHTS = (3, 2, 1, *(0.5,) * 4, 1, 2, 3, 4, 4, 5, 4, 4, 4, 4, 4, 5, 6, 8, 9, 8, 5)


class _Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A group of settings: closed, so that a misspelt name is refused."""


class Trade(_Group, frozen=True):
    """Shops and the people who come in."""

    opens: Clock = "09:00"
    closes: Clock = "21:30"
    visitors_per_day: Positive = 600.0  # of the middle shop on an average day
    level_spread: NotNegative = 0.35  # standard deviation of log level between shops
    shock_spread: NotNegative = 0.08  # the same from day to day in one shop
    week: Week = (0.92, 0.90, 0.93, 0.97, 1.10, 1.18, 1.00)  # weights, Monday first
    day: Day = AFTERNOONS  # weights of footfall by local hour
    conversion: Share = 0.52  # of the people who come in, those who go to the counter
    browse_minutes: Positive = 6.0  # mean time from the door to the counter, or back out
    doors: Counting = 2  # at most; each shop has 1 to this many
    door_report_minutes: Literal[5, 15] = 15
    stores_per_city: Counting = 6
    wet_share: Share = 0.3  # of the days, rain
    wet_factor: Positive = 0.85  # footfall on a wet day
    wet_online_factor: Positive = 1.2
    holiday_factor: Positive = 1.45
    campaigns_per_week: NotNegative = 0.5  # of two days each, somewhere in the range
    campaign_factor: Positive = 1.25  # footfall
    campaign_category_factor: Positive = 2.5  # weight of the category that is promoted
    campaign_online_factor: Positive = 1.8

    def __post_init__(self) -> None:
        """A shop that closes before it opens would have no day."""
        if self.opens >= self.closes:
            msg = f"trade.opens {self.opens} must be before trade.closes {self.closes}"
            raise ValueError(msg)


class Category(_Group, frozen=True):
    """One part of the range. Prices in minor units (fen)."""

    name: str
    prefix: str
    share: Positive
    price_from: Counting
    price_to: Counting


class Goods(_Group, frozen=True):
    """The range and the baskets."""

    zipf: NotNegative = 0.9  # exponent of popularity over rank
    taste_spread: NotNegative = 0.5  # standard deviation of log weight of a SKU between shops
    categories: Annotated[tuple[Category, ...], msgspec.Meta(min_length=1)] = (
        Category(name="leaf tea", prefix="TEA", share=0.4, price_from=2_800, price_to=16_800),
        Category(name="tea drinks", prefix="DRK", share=0.35, price_from=900, price_to=2_600),
        Category(name="snacks", prefix="SNK", share=0.25, price_from=600, price_to=3_800),
    )
    packs: Annotated[tuple[Counting, ...], msgspec.Meta(min_length=1)] = (1, 2, 4, 6, 12)
    lines_per_order: Positive = 1.7
    units_per_line: Positive = 1.2


class Counter(_Group, frozen=True):
    """Service at the counter: first come, first served, by the staff on duty."""

    seconds_per_order: Positive = 35.0
    seconds_per_item: NotNegative = 22.0
    spread: NotNegative = 0.45  # standard deviation of the log of a service time
    patience_minutes: Positive = 12.0  # mean wait at which a customer gives up
    patience_spread: NotNegative = 0.5
    staffing_spread: NotNegative = 0.12  # how far a shop's heads are from what it needs
    shift_hours: Positive = 8.0


class Supply(_Group, frozen=True):
    """How goods come in, move and go missing."""

    store_cover_days: Positive = 4.0
    warehouse_cover_days: Positive = 5.0
    central_cover_days: Positive = 12.0
    safety_z: NotNegative = 1.3  # standard deviations of demand over the cover kept on top
    supplier_days_from: Positive = 1.5
    supplier_days_to: Positive = 3.5
    direct_share: Share = 0.12  # of the SKUs, those the supplier brings to the shop
    transfers_per_store_day: NotNegative = 1.5
    transfer_short_rate: Share = 0.02  # of the transfer lines, those that arrive short
    short_found_share: Share = 0.3  # of the missing units' lines, those that turn up later
    shrinkage_rate: Share = 0.01  # of the units that sell, those that vanish unrecorded
    damage_rate: Share = 0.004  # of the units that sell, those that break and are written down
    return_rate: Share = 0.02  # of the lines, those that come back
    restock_share: Share = 0.75
    count_share_per_day: Share = 0.04  # of a place's SKUs
    count_in_trade_share: Share = 0.4  # of the counts, those taken while the shop is open
    count_on_short_pick: bool = True

    def __post_init__(self) -> None:
        """A span that ends before it begins is a typing error."""
        if self.supplier_days_from > self.supplier_days_to:
            msg = "supply.supplier_days_from is after supply.supplier_days_to"
            raise ValueError(msg)


class Channel(_Group, frozen=True):
    """One way to order from afar; it is served by shops or by forward warehouses."""

    name: str
    share: Positive
    served_by: Literal["stores", "warehouses"]
    day: Day = MEALS
    cache_minutes: NotNegative = 0.0  # how old its view of stock may be
    ship_minutes_from: Positive = 10.0
    ship_minutes_to: Positive = 25.0

    def __post_init__(self) -> None:
        """Something must be ordered at some hour, and a span must not end before it begins."""
        if not any(self.day):
            msg = f"channel {self.name}: every hour of its day has the weight 0"
            raise ValueError(msg)
        if self.ship_minutes_from > self.ship_minutes_to:
            msg = f"channel {self.name}: ship_minutes_from is after ship_minutes_to"
            raise ValueError(msg)


class Online(_Group, frozen=True):
    """Carts, paid orders and what is promised."""

    carts_per_store_day: NotNegative = 45.0
    paid_share: Share = 0.72
    pay_minutes: Positive = 6.0  # mean time from cart to payment
    cart_minutes: Positive = 15.0  # an unpaid cart is given up after this
    cancel_share: Share = 0.04  # of the paid orders, those cancelled before they are shipped
    lines_per_order: Positive = 1.8
    flashes_per_city_week: NotNegative = 2.0  # flash sales: one SKU, many carts, little time
    flash_carts: Whole = 120
    flash_minutes: Positive = 10.0
    channels: Annotated[tuple[Channel, ...], msgspec.Meta(min_length=1)] = (
        Channel(
            name="web",
            share=0.4,
            served_by="warehouses",
            day=NIGHTS,
            ship_minutes_from=120.0,
            ship_minutes_to=1_200.0,
        ),
        Channel(name="platform/a", share=0.36, served_by="stores", cache_minutes=10.0),
        Channel(name="platform/b", share=0.24, served_by="stores", cache_minutes=30.0),
    )


class Members(_Group, frozen=True):
    """Members buy at gamma rates and may drop out after each purchase (modified BG/NBD)."""

    per_store: Counting = 600
    purchase_share: Share = 0.4  # of the orders, those by somebody who is or was a member
    away_share: Share = 0.08  # of these, those not in the member's favourite shop
    rate_shape: Counting = 1  # gamma shape of purchase rates; 1: a few buy most
    drop_a: Counting = 1  # beta parameters of the chance to drop out after a purchase
    drop_b: Counting = 40
    history_days: Counting = 365  # members joined up to this long before the start


class Imperfections(_Group, frozen=True):
    """What goes wrong between what happens and what is known."""

    lost_scan_rate: Share = 0.004  # of the till lines: no event at all
    wrong_scan_rate: Share = 0.004  # of the till lines: another SKU recorded
    unnoticed_share: Share = 0.15  # of the wrong scans, those never taken back
    correction_first_share: Share = 0.2  # of the corrections, those that arrive before the event
    duplicate_rate: Share = 0.01  # of the events: delivered again, once to three times
    late_rate: Share = 0.01  # of the events: made known minutes to hours later
    late_count_rate: Share = 0.15  # of the counts
    out_of_order_rate: Share = 0.02  # of the events: overtaken by later ones of their source
    offline_rate: Share = 0.06  # of the till days: hours without a line, then a burst
    offline_hours: Positive = 6.0  # at most
    network_ms: Whole = 800  # mean time from record to delivery
    door_miss_rate: Share = 0.03  # of the people through a door
    door_outage_rate: Share = 0.02  # of the door days: some hours without reports


PERFECT = Imperfections(
    lost_scan_rate=0.0,
    wrong_scan_rate=0.0,
    duplicate_rate=0.0,
    late_rate=0.0,
    late_count_rate=0.0,
    out_of_order_rate=0.0,
    offline_rate=0.0,
    network_ms=0,
    door_miss_rate=0.0,
    door_outage_rate=0.0,
)


class SpecialDay(_Group, frozen=True):
    """A day that is not like its day of the week."""

    date: date
    kind: Literal["holiday", "moved_working_day"]


class Settings(_Group, frozen=True):
    """A chain and a stretch of time. All randomness comes from `seed`."""

    seed: int = 7
    days: Annotated[int, msgspec.Meta(ge=1, le=3_660)] = 7
    start: date = date(2026, 3, 2)
    preset: Literal["tea", "bakery", "cosmetics", "groceries"] = "tea"
    stores: Counting = 12
    forward_warehouses: Whole = 2
    central_warehouses: Counting = 1
    skus: Counting = 400
    timezones: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("Asia/Shanghai",)
    max_lateness_hours: Annotated[float, msgspec.Meta(ge=0.1, le=2_400)] = 24.0
    special_days: tuple[SpecialDay, ...] | None = None  # none: China's of 2026
    trade: Trade = Trade()
    goods: Goods = Goods()
    counter: Counter = Counter()
    supply: Supply = Supply()
    online: Online = Online()
    members: Members = Members()
    imperfections: Imperfections = Imperfections()

    def __post_init__(self) -> None:
        """Zones are looked up here, where a misspelt one can still be named."""
        for name in self.timezones:
            try:
                ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                msg = f"timezones: {name!r} is no IANA time zone"
                raise ValueError(msg) from None


def clean(settings: Settings) -> Settings:
    """The same chain where everything that happens is known at once and as it is.

    Shrinkage and short transfers are left out too: nobody records them, so a record without
    imperfections could not be the truth.
    """
    replace = msgspec.structs.replace
    channels = tuple(replace(channel, cache_minutes=0.0) for channel in settings.online.channels)
    return replace(
        settings,
        imperfections=PERFECT,
        supply=replace(settings.supply, shrinkage_rate=0.0, transfer_short_rate=0.0),
        online=replace(settings.online, channels=channels),
    )
