"""How probable a silence is, and how improbable one must be before somebody is sent to count."""

from __future__ import annotations

import msgspec

from schemas.instants import DAY_US

# Whole days over which the number of silences a day is averaged.
DAYS_AVERAGED = 7


def silence_probability(sales: float, trade: float, meanwhile: float, dispersion: float) -> float:
    """The probability that a product which is there sells nothing during `meanwhile`.

    It sold `sales` times while `trade` was done. With Poisson sales and the reference prior 1/rate
    the rate is Gamma(sales, trade) after the last sale, and the posterior predictive of no sale is
    a negative binomial's: (1 + expected / shape) ** -shape, shape = sales. That is the exact
    F(2, 2 * sales) law of the next gap over the mean of the earlier ones, so under steady demand it
    is uniform over silences. A shape of `dispersion` at most keeps room for demand that is not
    steady: the tail of a negative binomial rather than of a Poisson.
    """
    shape = min(sales, dispersion)
    return float((1.0 + expected_sales(sales, trade, meanwhile) / shape) ** -shape)


def expected_sales(sales: float, trade: float, meanwhile: float) -> float:
    """Sales that were to be expected during `meanwhile`."""
    return sales / trade * meanwhile


class Budget(msgspec.Struct, array_like=True):
    """How improbable is improbable, so that false alarms stay within so many a day.

    Every sale or count begins a silence, and each silence crosses a threshold of probability p with
    chance p at most, however often it is looked at while it lasts. So p times the silences that
    begin in a day is what is to be expected of false alarms.
    """

    days: dict[int, int] = {}

    def begin(self, time: int) -> None:
        """One more silence that will be judged begins."""
        day = time // DAY_US
        self.days[day] = self.days.get(day, 0) + 1
        if len(self.days) > DAYS_AVERAGED + 1:
            del self.days[min(self.days)]

    def a_day(self) -> float:
        """Silences that begin in a day: the mean of the last whole days, or the newest if more."""
        if not self.days:
            return 1.0
        newest = max(self.days)
        whole = [count for day, count in self.days.items() if day != newest]
        mean = sum(whole) / len(whole) if whole else 0.0
        return max(1.0, mean, float(self.days[newest]))

    def threshold(self, probability: float, false_alarms: float) -> float:
        """The probability below which a silence is told."""
        return min(probability, false_alarms / self.a_day())
