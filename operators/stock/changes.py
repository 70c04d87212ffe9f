"""What a batch of facts comes to: counts, changes that are told at once, rows to write."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from operators.stock.facts import Record, Where
from operators.stock.refusals import Refusal


class Totals(msgspec.Struct, gc=False, array_like=True):
    """What a batch of facts came to."""

    applied: int = 0
    duplicates: int = 0
    raised: int = 0
    cleared: int = 0


class StockChanges(NamedTuple):
    """What a batch changed, save for positions, which are taken when there are enough of them.

    `alerts`: rows of stock_alert (instants in us) that were raised or cleared, `withdrawn`: ids of
    alerts that a late fact shows to never have been, `refusals`: facts that were not accepted.
    `records` are the facts that changed the state, in order: applied again they bring it about.
    `corrections`: where those of them that are corrections stood, by their index. Both are empty
    where no journal is kept.
    """

    alerts: list[tuple[Any, ...]]
    withdrawn: list[str]
    refusals: list[Refusal]
    totals: Totals
    records: list[Record]
    corrections: dict[int, Where]


class StockRows(NamedTuple):
    """Rows that have changed since they were last taken.

    `positions`: rows of stock_position column by column, `alerts`: rows of the alerts that are
    open at these places (instants in us).
    """

    positions: list[list[Any]]
    alerts: list[tuple[Any, ...]]
