"""One SKU at one place: its figures now, and the facts of the window from which they can be redone.

`base` is where the figures stood before the window (None: nothing had happened), `log` the facts
of the window in order. A fact that is newer than all of them moves the figures on; anything else
(a late one, a second one of the same instant, a correction) has the figures made anew from base
and log once the batch is through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter

import msgspec

from operators.stock.facts import (
    Record,
    unpack_fact,
)
from operators.stock.figures import ALWAYS_JUDGE, NUMERIC, Figures, SavedFigures, set_level
from operators.stock.kept_lines import Entry, KeptLines
from operators.stock.rules import DayClock, Rule, StockRules

# Before any event.
NEVER = -(1 << 62)

# What of a place is a number, and so has a column in operators.stock.places.
NUMBERS = (
    *NUMERIC,
    "oldest",
    "tip",
    "facts",
    "corrections",
    "corrected_at",
    "held_seq",
)


class SavedPlace(msgspec.Struct, gc=False, array_like=True):
    """A place as a snapshot holds it."""

    place: str
    figures: SavedFigures
    base: SavedFigures | None
    tip: int
    folded: int
    corrections: int
    corrected_at: int
    log: list[Record]
    raised: tuple[str, ...]
    held_seq: int = 0


class PlaceState(Figures):
    """What the ledger keeps for one SKU at one place: its figures, and how they came about.

    `base` is where the figures stood before the window; `log` are the facts of the window in order,
    from the instant `oldest` to the instant `tip`, and `facts` is how many there have been in all.
    `corrections`, the last of them at `corrected_at`, took back facts. `raised`: ids of alerts
    raised inside the window. `held_seq`: number of the last confirmed hold among its facts.
    `kept`: where spans of the log lead to. `stale`: the figures have to be made anew. `number` and
    `is_out`: see operators.stock.places.
    """

    __slots__ = (
        "base",
        "clock",
        "corrected_at",
        "corrections",
        "facts",
        "held_seq",
        "is_out",
        "kept",
        "log",
        "number",
        "oldest",
        "place",
        "raised",
        "rule",
        "sku",
        "stale",
        "tip",
    )

    def __init__(self, sku: str, place: str, rules: StockRules, kept: KeptLines) -> None:
        super().__init__()
        self.sku = sku
        self.place = place
        self.rule: Rule = rules.rule(sku, place)
        self.clock: DayClock = rules.day_clock(place)
        # Plain values: a base is made for nearly every fact, and looked at for hardly any.
        self.base: SavedFigures | None = None
        self.oldest = NEVER
        self.tip = NEVER
        self.facts = 0
        self.corrections = 0
        self.corrected_at = NEVER
        self.log: list[Entry] = []
        self.kept = kept
        self.raised: tuple[str, ...] = ()
        self.held_seq = 0
        self.stale = False
        self.number = -1
        self.is_out = False

    def load_numbers(self, numbers: Sequence[int]) -> None:
        """Take up what `numbers_of` gave."""
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
            stocked,
            self.quiet,
            self.oldest,
            self.tip,
            self.facts,
            self.corrections,
            self.corrected_at,
            self.held_seq,
        ) = numbers
        self.stocked = bool(stocked)

    def has_more(self) -> bool:
        """Whether there is anything beside numbers and the log."""
        return (
            self.base is not None
            or self.orders is not None
            or self.recent is not None
            or self.shortage is not None
            or self.record is not None
            or self.raised != ()
        )

    def dump(self) -> SavedPlace:
        """The state as a snapshot holds it; figures must not be stale."""
        log = list(self.kept.records(self.log))
        return SavedPlace(
            self.place,
            self.save(),
            self.base,
            self.tip,
            self.facts - len(log),
            self.corrections,
            self.corrected_at,
            log,
            self.raised,
            self.held_seq,
        )

    @classmethod
    def restore(
        cls, sku: str, saved: SavedPlace, rules: StockRules, same_rules: bool, kept: KeptLines
    ) -> PlaceState:
        """The state a snapshot held, under the rules of today."""
        state = cls(sku, saved.place, rules, kept)
        state.load(saved.figures)
        state.base = saved.base
        state.tip = saved.tip
        state.facts = saved.folded + len(saved.log)
        state.corrections = saved.corrections
        state.corrected_at = saved.corrected_at
        state.log = list(saved.log)
        if saved.log:
            state.oldest = time_of(saved.log[0])
        state.raised = saved.raised
        state.held_seq = saved.held_seq
        if not same_rules:
            state.take_new_rule()
        return state

    def take_new_rule(self) -> None:
        """Judge anew by the rule of today."""
        self.quiet = ALWAYS_JUDGE
        set_level(self, self.rule)
        if self.base is not None:
            base = Figures()
            base.load(self.base)
            base.quiet = ALWAYS_JUDGE
            set_level(base, self.rule)
            self.base = base.save()


# The numbers of a place, in the order of NUMBERS.
numbers_of: Callable[[PlaceState], tuple[int, ...]] = attrgetter(*NUMBERS)


def time_of(record: Record) -> int:
    """The instant of a fact, in microseconds since 1970."""
    return unpack_fact(record).time
