"""The figures of one SKU at one place along event time: quantities, demand, open alerts.

Figures only ever move forward in event time. What arrives late is put in by going back to an
older copy and moving forward again (operators.stock.place_log), so that the figures are a function
of the set of facts and never of their order of arrival.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import attrgetter

import msgspec

from operators.stock.effects import CLAIMS, DEMAND, EFFECTS, INBOUND, ORDERED
from operators.stock.facts import Fact
from operators.stock.rules import DayClock, Rule
from schemas.movement import Counted, LedgerMovement, Sold

# Above any stock there can be: the bound of a place that must be judged at its next fact.
ALWAYS_JUDGE = 1 << 60
# Days of history before a safety stock from live demand is believed instead of the fixed level.
TRUSTED_DAYS = 7
# 64-bit integers are the widest that MessagePack holds.
LARGEST_SQUARE = 9_000_000_000_000_000_000


# Figures that are numbers, and so have a column in operators.stock.places.
NUMERIC = (
    "on_hand",
    "allocated",
    "quarantined",
    "in_transit",
    "day",
    "day_end",
    "today",
    "days",
    "mean",
    "square",
    "level",
    "stocked",
    "quiet",
)
# All of them, in the order of a snapshot: a storage schema.
FIGURES = (*NUMERIC, "shortage", "record", "orders", "recent")


class OpenAlert(msgspec.Struct, gc=False, array_like=True):
    """An alert that is open: its type, the facts that opened and last changed it, how it stands."""

    type: str
    opened_by: Fact
    changed_by: Fact
    observed: int
    level: int
    clear_level: int


SavedFigures = tuple[
    int,
    int,
    int,
    int,
    int,
    int,
    int,
    int,
    int,
    int,
    int,
    bool,
    int,
    OpenAlert | None,
    OpenAlert | None,
    dict[str, tuple[int, int]] | None,
    list[Fact] | None,
]


class Figures:
    """Where one SKU at one place stands at one moment of event time.

    Quantities are whole base units. Demand: `today` units of the business day that ends at
    `day_end`; over the `days` whole days before it `mean` (thousandths of a unit a day) and
    `square`, the mean of squares (thousandths of a squared unit). `level` is the safety stock in
    force, `orders` what is open of placed orders (units, since when). `quiet`: where on hand -
    allocated is so much there is nothing to judge. `recent`: the latest facts that took units
    while there was.
    """

    # Slots rather than a msgspec.Struct: they are written for every fact, and cost half as much.
    __slots__ = FIGURES

    def __init__(self) -> None:
        self.on_hand = 0
        self.allocated = 0
        self.quarantined = 0
        self.in_transit = 0
        self.day = 0
        self.day_end = 0
        self.today = 0
        self.days = 0
        self.mean = 0
        self.square = 0
        self.level = 0
        self.stocked = False
        self.quiet = ALWAYS_JUDGE
        self.shortage: OpenAlert | None = None
        self.record: OpenAlert | None = None
        self.orders: dict[str, tuple[int, int]] | None = None
        self.recent: list[Fact] | None = None

    @property
    def demand_rate(self) -> float:
        """Units a day that leave to customers; on the first day what has left so far."""
        return self.mean / 1000 if self.days else float(self.today)

    def save(self) -> SavedFigures:
        """The figures as plain values, in the order of FIGURES; they share what is no number."""
        return _values(self)

    def load(self, saved: SavedFigures) -> None:
        """Take up what `save` gave."""
        (
            self.on_hand,
            self.allocated,
            self.quarantined,
            self.in_transit,
            self.day,
            self.day_end,
            self.today,
            self.days,
            self.mean,
            self.square,
            self.level,
            self.stocked,
            self.quiet,
            self.shortage,
            self.record,
            self.orders,
            self.recent,
        ) = saved

    def copy(self) -> SavedFigures:
        """The figures as plain values that stay as they are when these move on."""
        if (
            self.orders is None
            and self.recent is None
            and self.shortage is None
            and self.record is None
        ):
            return _values(self)
        apart = Figures()
        apart.take(_values(self))
        return _values(apart)

    def take(self, saved: SavedFigures) -> None:
        """Stand where saved figures stand; those stay as they are when these move on."""
        self.load(saved)
        if self.orders is not None:
            self.orders = dict(self.orders)
        if self.recent is not None:
            self.recent = list(self.recent)
        if self.shortage is not None:
            self.shortage = msgspec.structs.replace(self.shortage)
        if self.record is not None:
            self.record = msgspec.structs.replace(self.record)


_values: Callable[[Figures], SavedFigures] = attrgetter(*FIGURES)


def move(figures: Figures, fact: Fact, place: str, rule: Rule, clock: DayClock) -> None:
    """Move the figures of `place` on by one fact, which is not older than any before it."""
    if fact.time >= figures.day_end:
        roll_days(figures, fact.time, rule, clock)
    add(figures, fact.movement, fact.time, place)


def add(figures: Figures, movement: LedgerMovement, time: int, place: str) -> None:
    """Move the figures of `place` on by one movement of the business day they stand in."""
    kind = movement.__class__
    quantity: int = movement.quantity  # type: ignore[assignment]
    if kind is Sold:
        # Nine facts in ten: not worth a look into the table.
        figures.on_hand -= quantity
        figures.today += quantity
        return
    if kind is Counted:
        figures.on_hand = quantity
        return
    effect = EFFECTS[kind] if movement.place == place else INBOUND
    on_hand, allocated, quarantined, in_transit = effect
    if on_hand:
        figures.on_hand += on_hand * quantity
    if allocated:
        figures.allocated += allocated * quantity
        if figures.allocated < 0:
            # On hand can now run out without the difference falling below the quiet bound.
            figures.quiet = ALWAYS_JUDGE
    if quarantined:
        figures.quarantined += quarantined * quantity
    if in_transit:
        figures.in_transit += in_transit * quantity
    if kind in DEMAND:
        figures.today += quantity
    if kind in CLAIMS:
        claim(figures, movement, time)


def claim(figures: Figures, movement: LedgerMovement, time: int) -> None:
    """Keep which placed orders are still open: they are who loses when stock runs short."""
    quantity: int = movement.quantity  # type: ignore[assignment]
    order = movement.order or ""
    orders = figures.orders
    if orders is None:
        orders = figures.orders = {}
    units, since = orders.pop(order, (0, time))
    units += quantity if movement.__class__ in ORDERED else -quantity
    if units > 0:
        orders[order] = (units, since)
    elif not orders:
        figures.orders = None


def roll_days(figures: Figures, time: int, rule: Rule, clock: DayClock) -> None:
    """Close the business days before `time` and set the safety stock anew from what they sold.

    Exponentially weighted means of daily totals and of their squares, plain averages until there
    are as many days as the window holds; the variance is the difference (Finch 2009, "Incremental
    calculation of weighted mean and variance"). Days without sales only shrink both, so that a
    product that sells twice a year costs no loop over the days between.
    """
    day, figures.day_end = clock.day_of(time)
    if figures.day == 0:
        figures.day = day
        set_level(figures, rule)
        return
    window = rule.window_days
    days = figures.days + 1
    weight = min(days, window)
    mean = figures.mean + (figures.today * 1000 - figures.mean) // weight
    square = figures.square + (figures.today**2 * 1000 - figures.square) // weight
    empty = day - figures.day - 1
    if empty > 0:
        averaged = min(empty, max(0, window - days))
        share = days / (days + averaged) * (1 - 1 / window) ** (empty - averaged)
        mean, square = int(mean * share), int(square * share)
        days += empty
    figures.day = day
    figures.days = days
    figures.mean = mean
    figures.square = min(square, LARGEST_SQUARE)
    figures.today = 0
    set_level(figures, rule)


def set_level(figures: Figures, rule: Rule) -> None:
    """Set the safety stock in force: the fixed one, or more where the live demand asks for it."""
    level = rule.safety_stock
    if rule.lead_time_days is not None and figures.days >= TRUSTED_DAYS:
        level = max(level, safety_stock(figures.mean, variance_of(figures), rule))
    if level != figures.level:
        figures.level = level
        figures.quiet = ALWAYS_JUDGE


def variance_of(figures: Figures) -> int:
    """Variance of a day's demand, in thousandths of a squared unit."""
    return max(0, figures.square - figures.mean**2 // 1000)


def safety_stock(mean: int, variance: int, rule: Rule) -> int:
    """Units that cover a lead time at the rule's service level: z * sqrt(L * s2 + d2 * sL2).

    `mean` in thousandths of a unit a day, `variance` in thousandths of a squared unit; the formula
    is the usual one for normal demand and an independent lead time (Silver, Pyke and Thomas,
    "Inventory and Production Management in Supply Chains", 4th ed., section 6.10).
    """
    assert rule.lead_time_days is not None
    daily = mean / 1000
    over_lead_time = rule.lead_time_days * (variance / 1000)
    over_lead_time += (daily * rule.lead_time_sd_days) ** 2
    # Rounded before the ceiling: 6.000000000001 units are 6.
    return math.ceil(round(rule.z * math.sqrt(over_lead_time), 6))
