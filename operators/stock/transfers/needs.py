"""Who needs how much and who can spare how much of one SKU, and what a pack is worth to each."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

from operators.stock.transfers.loss import lost_by_stock
from operators.stock.transfers.rules import Terms, TransferRules
from schemas.instants import DAY_US

# Values are whole thousandths of a minor money unit.
MILLI = 1_000
PROMISE_AT_RISK = "promise_at_risk"
STOCK_OUT = "stock_out"
BELOW_SAFETY_STOCK = "below_safety_stock"
LOW_COVER = "low_cover"


class Stock(NamedTuple):
    """A SKU at one place as planning sees it; units, and units a day.

    `incoming` is on the road or suggested to come, `outgoing` suggested to leave and still there;
    `at_risk` promised units that are not there. `may_give` and `may_take` say whether the place
    is asked at all.
    """

    place: str
    pool: str
    available: int
    incoming: int
    outgoing: int
    safety_stock: int
    rate: float
    at_risk: int
    may_give: bool
    may_take: bool
    version: int
    orders: tuple[str, ...] = ()

    @property
    def supply(self) -> int:
        """What the place will have for its customers; below 0 are promises it cannot keep."""
        return (-self.at_risk if self.at_risk > 0 else self.available) + self.incoming

    @property
    def left(self) -> int:
        """What the place has, less what it is about to give."""
        return self.available - self.outgoing

    @property
    def short(self) -> int:
        """Promised units that nothing on the way will make good."""
        return max(0, -self.supply)


def current_rate(rate: float, available: int, as_of: int, now: int, rules: TransferRules) -> float:
    """The demand rate of a place whose newest event was at `as_of`.

    A position is only written anew when something happens. Where goods stood for sale since, every
    day without an event is a day without a sale and shrinks the average as operators.stock.figures
    would; where there was nothing to sell it says nothing, until the SKU counts as given up.
    """
    days = (now - as_of) // DAY_US
    if days <= 0:
        return rate
    if available > 0:
        return float(rate * rules.daily_memory**days)
    return rate if now - as_of < rules.stale else 0.0


def protected(stock: Stock, rules: TransferRules) -> int:
    """The level below which a place gives nothing: its safety stock and its own coming demand."""
    return max(stock.safety_stock, units_over(stock.rate, rules.config.protected_days))


def spare(stock: Stock, rules: TransferRules) -> int:
    """Units the place can give."""
    if not stock.may_give or stock.at_risk > 0:
        return 0
    return max(0, stock.left - protected(stock, rules))


def trigger_level(stock: Stock, rules: TransferRules) -> int:
    """A place whose supply is below this takes; at it, it does not."""
    return max(stock.safety_stock, units_over(stock.rate, rules.config.trigger_days))


def target_level(stock: Stock, rules: TransferRules) -> int:
    """What a taker is filled up to: never below what would make it take again at once."""
    return max(trigger_level(stock, rules), units_over(stock.rate, rules.config.target_days))


def is_reactive(stock: Stock, rules: TransferRules) -> bool:
    """Whether the place takes because it has promised what it does not have."""
    return stock.short > 0 and rules.config.mode != "proactive"


def needs(stock: Stock, rules: TransferRules) -> bool:
    """Whether the place takes."""
    if not stock.may_take:
        return False
    low = rules.config.mode != "reactive" and stock.supply < trigger_level(stock, rules)
    return low or is_reactive(stock, rules)


def most_packs(stock: Stock, terms: Terms, rules: TransferRules) -> int:
    """The most packs the place can use: up to its target, and no more than it sells in time.

    A promise counts in whole packs, whatever the rest of its last pack will do.
    """
    if not stock.may_take:
        return 0
    mode = rules.config.mode
    short = stock.short if mode != "proactive" else 0
    wanted = short if mode == "reactive" else target_level(stock, rules) - stock.supply
    sold = math.floor(stock.rate * rules.config.burn_out_days + 1e-9) - stock.supply
    promised = -(-short // terms.pack)
    return max(0, min(-(-wanted // terms.pack), max(promised, sold // terms.pack)))


def reasons(stock: Stock, rules: TransferRules) -> list[str]:
    """Why the place takes, the gravest first."""
    found = [PROMISE_AT_RISK] if is_reactive(stock, rules) else []
    if stock.available <= 0:
        found.append(STOCK_OUT)
    if stock.supply < stock.safety_stock:
        found.append(BELOW_SAFETY_STOCK)
    if stock.supply < units_over(stock.rate, rules.config.trigger_days):
        found.append(LOW_COVER)
    return found


def lost_here(stock: Stock, units: int, rules: TransferRules, lead_time_h: float) -> list[float]:
    """Expected lost sales at a taker with 0, 1, ... `units` more, over the horizon.

    The horizon begins when they arrive: what is lost until then nothing can save.
    """
    config = rules.config
    sold = min(max(stock.supply, 0), math.floor(stock.rate * lead_time_h / 24))
    begin = stock.supply - sold
    return lost_by_stock(stock.rate * config.horizon_days, begin, begin + units)


def lost_there(stock: Stock, units: int, rules: TransferRules) -> list[float]:
    """Expected lost sales at a donor with `units`, ..., 1, 0 fewer, over the horizon."""
    return lost_by_stock(stock.rate * rules.config.horizon_days, stock.left - units, stock.left)


def pack_gains(lost: list[float], terms: Terms) -> list[int]:
    """What each pack brings a taker, falling."""
    values = lost[:: terms.pack]
    gains: list[int] = []
    for before, after in pairwise(values):
        gain = round((before - after) * terms.margin * MILLI)
        # Floats may rise by a last digit where the function is a straight line.
        gains.append(min(gain, gains[-1]) if gains else gain)
    return gains


def pack_costs(lost: list[float], terms: Terms) -> list[int]:
    """What each pack costs a donor in sales of its own, rising."""
    values = lost[::-1][:: terms.pack]
    costs: list[int] = []
    for before, after in pairwise(values):
        cost = round((after - before) * terms.margin * MILLI)
        costs.append(max(cost, costs[-1]) if costs else cost)
    return costs


def units_over(rate: float, days: float) -> int:
    """Whole units that last so many days."""
    # Rounded before the ceiling: 6.000000000001 units are 6.
    return math.ceil(round(rate * days, 6))
