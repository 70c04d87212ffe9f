"""What goes wrong on the way in real life, put in on purpose: a handful of cases, each stated.

* a shop sends a whole day's sales again the next morning (known already),
* a till is offline for an afternoon and sends its sales the next morning (late, and in time),
* another sends an afternoon's sales four days later (too late to tell whether they are new),
* some lines are cut off on the way.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import duckdb

from schemas.tables import literal
from sources.opening.lines import lines_of
from sources.opening.rule import SupplyRule
from sources.opening.web import Extra

# How many lines are cut off, and after how many bytes.
CUT_LINES = 3
CUT_BYTES = 120


class Mishaps(NamedTuple):
    """What was put in: lines that arrive elsewhere than they stood, and their numbers."""

    extras: list[Extra]
    withheld: list[int]
    resent: int
    late: int
    too_late: int
    cut: int


class _Told(NamedTuple):
    """Sales of one shop from some hour of its busiest day on, and when they are told (again)."""

    shop: int
    from_hour: int
    told_after_days: int
    told_hour: int


# Shops by their number of sales, the busiest being 0; three that are spared by the web shop.
RESENT = _Told(3, 0, 1, 5)
LATE = _Told(4, 12, 1, 7)
TOO_LATE = _Told(5, 15, 4, 9)
# Of these days the busiest is taken, counted back from the last.
DAYS_BACK = (6, 20)


def mishaps(connection: duckdb.DuckDBPyConnection, sales: Path, rule: SupplyRule) -> Mishaps:
    """The mishaps of these sales; a chain with few shops or days has fewer of them."""
    resent = _told(connection, rule, RESENT)
    late = _told(connection, rule, LATE)
    too_late = _told(connection, rule, TOO_LATE)
    everything = (*resent, *late, *too_late)
    lines = lines_of(sales, [n for n, _ in everything])
    extras = [Extra(told, f"mishap/{n:09d}", lines[n]) for n, told in everything]
    cut = resent[:CUT_LINES]
    extras += [Extra(told, f"mishap/{n:09d}/cut", lines[n][:CUT_BYTES]) for n, told in cut]
    withheld = [n for n, _ in (*late, *too_late)]
    return Mishaps(extras, withheld, len(resent), len(late), len(too_late), len(cut))


def _told(
    connection: duckdb.DuckDBPyConnection, rule: SupplyRule, told: _Told
) -> list[tuple[int, int]]:
    """Numbers of the sales and when they are told, in their order."""
    zone = literal(rule.zone)
    rows = connection.execute(
        f"""
WITH shop AS (
  SELECT place FROM sale GROUP BY place ORDER BY count(*) DESC, place LIMIT 1 OFFSET {told.shop}
), busiest AS (
  SELECT local_day FROM sale JOIN shop USING (place)
  WHERE last_day - local_day BETWEEN {DAYS_BACK[0]} AND {DAYS_BACK[1]}
  GROUP BY local_day ORDER BY count(*) DESC, local_day LIMIT 1
)
SELECT n, epoch_us(timezone({zone},
  local_day + {told.told_after_days} + INTERVAL {told.told_hour} HOUR))
FROM sale JOIN shop USING (place) JOIN busiest USING (local_day)
WHERE hour(timezone({zone}, instant)) >= {told.from_hour}
ORDER BY n"""
    ).fetchall()
    return [(n, told_at) for n, told_at in rows]
