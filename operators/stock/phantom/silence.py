"""How probable a silence is, and how improbable one must be before somebody is sent to count."""

from __future__ import annotations


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


def threshold(probability: float, false_alarms: float, pairs: int, sales_a_day: float) -> float:
    """The probability below which a pair's silence is told.

    Every sale begins a silence, and a silence crosses a threshold p with chance p at most, however
    often it is looked at while it lasts. So p times the sales of a day is what is to be expected
    of false alarms. `false_alarms` a day over the chain are shared evenly by its `pairs`: what
    sells fast is silent anew many times a day and needs a smaller p than what sells slowly.
    """
    return min(probability, false_alarms / (max(1, pairs) * max(sales_a_day, 1e-9)))
