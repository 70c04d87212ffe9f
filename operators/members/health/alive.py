"""Is a member still a customer? The (modified) BG/NBD model of purchases and leaving.

A member buys at a rate of its own (Gamma r, alpha over members) and after a purchase leaves for
good with a chance of its own (Beta a, b). In the BG/NBD (Fader, Hardie, Lee 2005, Marketing Science
24) nobody leaves after the first purchase, so that who bought once is alive for ever; in the
modified one (Batislam, Denizel, Filiztekin 2007) the coin is tossed after the first, too. Both in
closed form, from three figures: x purchases after the first, the time tx from the first to the
last, and the time T since the first. Any unit of time, the same in all; purchases of one day are
one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Parameters:
    """Gamma(r, alpha) of rates, Beta(a, b) of chances to leave; alpha in the unit of time."""

    r: float
    alpha: float
    a: float
    b: float

    def in_unit(self, times: float) -> Parameters:
        """The same for a unit of time of which `times` make the present one."""
        return Parameters(self.r, self.alpha * times, self.a, self.b)


def alive(given: Parameters, x: float, tx: float, age: float) -> float:
    """The chance that a member is still a customer (modified model)."""
    odds = given.a / (given.b + x)
    odds *= math.exp((given.r + x) * math.log((given.alpha + age) / (given.alpha + tx)))
    return 1 / (1 + odds)


def alive_until(given: Parameters, x: float, tx: float, threshold: float) -> float:
    """The time since the first purchase at which `alive` falls to the threshold, without another.

    May lie before `tx`: then it is below from the last purchase on.
    """
    ratio = (1 / threshold - 1) * (given.b + x) / given.a
    return (given.alpha + tx) * math.exp(math.log(ratio) / (given.r + x)) - given.alpha


def alive_many(given: Parameters, x: Floats, tx: Floats, age: Floats) -> Floats:
    """`alive` of many members."""
    log_odds = np.log(given.a / (given.b + x))
    log_odds += (given.r + x) * np.log((given.alpha + age) / (given.alpha + tx))
    found: Floats = 1 / (1 + np.exp(np.minimum(log_odds, 700.0)))
    return found


def buys_within(given: Parameters, x: float, tx: float, age: float, span: float) -> float:
    """The chance of a purchase within the next `span` (modified model)."""
    shrunk = math.log((given.alpha + age) / (given.alpha + age + span))
    return alive(given, x, tx, age) * -math.expm1((given.r + x) * shrunk)


def buys_within_many(given: Parameters, x: Floats, tx: Floats, age: Floats, span: float) -> Floats:
    """`buys_within` of many members."""
    none = ((given.alpha + age) / (given.alpha + age + span)) ** (given.r + x)
    found: Floats = alive_many(given, x, tx, age) * (1 - none)
    return found
