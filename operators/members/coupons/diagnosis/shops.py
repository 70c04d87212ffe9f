"""What shops did to a campaign: coupons that tills refused, goods that were out of stock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from operators.members.coupons.diagnosis.facts import share

# So many codes and shops are named in a sentence; the figures have all of them.
NAMED = 3


@dataclass(frozen=True, slots=True)
class Absent:
    """A figure that nobody can know here, and why: it is said and not guessed."""

    words: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """An order at which a coupon was asked for: `codes` of refusals, whether it used it at last.

    `store` is empty where the till did not say.
    """

    coupon: str
    order: str
    store: str
    codes: tuple[str, ...]
    used: bool


@dataclass(frozen=True, slots=True)
class Shop:
    """Of one shop: orders or visits in all, and those with trouble."""

    store: str
    trouble: int
    of: int


@dataclass(frozen=True, slots=True)
class Tills:
    """Orders at which a campaign's coupons were asked for, and how many of them were refused it.

    `after_all`: refused first and used then. `codes`: orders by why, most of them first; an order
    may have several. `shops` with refusals, most of them first. `left_out`: refusals of whatever
    campaign that were not told, for too many were there.
    """

    attempts: int
    refused: int
    after_all: int
    codes: tuple[tuple[str, int], ...]
    shops: tuple[Shop, ...]
    left_out: int = 0

    @property
    def share(self) -> float:
        """Refused, of all attempts."""
        return share(self.refused, self.attempts)

    @property
    def words(self) -> str:
        """The figures in a sentence."""
        if not self.refused:
            return f"none of {self.attempts:,} orders with it was refused it"
        codes = ", ".join(f"{code} {count:,}" for code, count in self.codes[:NAMED])
        more = len(self.codes) - NAMED
        text = (
            f"tills refused it with {self.refused:,} of {self.attempts:,} orders "
            f"({self.share:.0%}): {codes}{f' and {more} other reasons' if more > 0 else ''}; "
            f"{concentrated(self.shops)}; {self.after_all:,} used it after all"
        )
        if self.left_out:
            text += f" ({self.left_out:,} refusals of any coupon were not told in that time)"
        return text


@dataclass(frozen=True, slots=True)
class Goods:
    """What a coupon is for: one of these SKUs, and the gift where it is one."""

    skus: tuple[str, ...]
    gift: str | None = None

    @property
    def all(self) -> tuple[str, ...]:
        """Every SKU that is named."""
        return (*self.skus, self.gift) if self.gift is not None else self.skus


@dataclass(frozen=True, slots=True)
class Shelves:
    """Visits to shops that sell a coupon's goods, and those on which the goods were out of stock.

    `hours_out` is a share: how long the goods of these shops were out of stock while it was valid.
    """

    visits: int
    missing: int
    hours_out: float
    shops: tuple[Shop, ...]

    @property
    def share(self) -> float:
        """Visits without the goods, of all."""
        return share(self.missing, self.visits)

    @property
    def words(self) -> str:
        """The figures in a sentence."""
        text = (
            f"on {self.missing:,} of {self.visits:,} visits ({self.share:.0%}) to shops that sell "
            f"its goods these were out of stock"
        )
        if self.missing:
            text += f"; {concentrated(self.shops)}"
        return f"{text}; they were so for {self.hours_out:.0%} of the hours"


Pair = tuple[str, str]  # SKU and place
Span = tuple[datetime, datetime | None]  # out of stock from, until; None: still


def tills_of(attempts: Iterable[Attempt], left_out: int = 0) -> Tills:
    """What attempts come to, each an order."""
    codes: Counter[str] = Counter()
    refused_in: Counter[str] = Counter()
    tried_in: Counter[str] = Counter()
    tried = refused = after_all = 0
    for one in attempts:
        tried += 1
        tried_in[one.store] += 1
        if one.codes:
            refused += 1
            refused_in[one.store] += 1
            after_all += one.used
            codes.update(set(one.codes))
    shops = [Shop(store, count, tried_in[store]) for store, count in refused_in.items()]
    ranked = sorted(codes.items(), key=lambda one: (-one[1], one[0]))
    return Tills(tried, refused, after_all, tuple(ranked), _ranked(shops), left_out)


def shelves_of(
    goods: Goods,
    sold: Collection[Pair],
    out: Mapping[Pair, Sequence[Span]],
    visits: Iterable[tuple[str, datetime]],
    begin: datetime,
    end: datetime,
) -> Shelves | Absent:
    """Visits (shop and when) against the times in which goods were out of stock.

    One of the SKUs is enough for the customer, of those that the shop sells; a gift has to be
    there. Shops that do not sell them say nothing about whether they were out of stock.
    """
    places: dict[str, list[list[str]]] = {}
    for place in {place for _, place in sold}:
        here = [sku for sku in goods.skus if (sku, place) in sold]
        gift = [goods.gift] if goods.gift is not None and (goods.gift, place) in sold else []
        wanted = bool(goods.skus) + (goods.gift is not None)
        groups = [group for group in (here, gift) if group]
        if groups and len(groups) == wanted:
            places[place] = groups
    lacked: Counter[str] = Counter()
    came: Counter[str] = Counter()
    for place, at in visits:
        if place not in places:
            continue
        came[place] += 1
        lacked[place] += any(
            all(_covers(out.get((sku, place), ()), at) for sku in group) for group in places[place]
        )
    if not came:
        return Absent("nobody who had it bought in a shop that sells its goods")
    pairs = [(sku, place) for place, groups in places.items() for group in groups for sku in group]
    shops = [Shop(store, lacked[store], count) for store, count in came.items() if lacked[store]]
    hours = _hours([out.get(pair, ()) for pair in pairs], begin, end)
    return Shelves(came.total(), lacked.total(), hours, _ranked(shops))


def concentrated(shops: Sequence[Shop]) -> str:
    """The fewest shops that have half of the trouble."""
    total, found = sum(one.trouble for one in shops), 0
    for many, one in enumerate(shops, 1):
        found += one.trouble
        if 2 * found >= total:
            named = ", ".join(
                f"{each.store or 'a shop that was not said'} ({each.trouble:,} of {each.of:,})"
                for each in shops[: min(many, NAMED)]
            )
            more = f" and {many - NAMED} more" if many > NAMED else ""
            shop = "shop" if len(shops) == 1 else "shops"
            part = "all" if found == total else f"{share(found, total):.0%}"
            return f"{part} of that in {named}{more}, of {len(shops)} {shop} with any"
    return "in no shop"


def _ranked(shops: Iterable[Shop]) -> tuple[Shop, ...]:
    return tuple(sorted(shops, key=lambda one: (-one.trouble, one.store)))


def _covers(spans: Sequence[Span], at: datetime) -> bool:
    return any(begin <= at and (end is None or at < end) for begin, end in spans)


def _hours(pairs: Sequence[Sequence[Span]], begin: datetime, end: datetime) -> float:
    """The share of a time in which pairs were out of stock; spans of a pair may overlap."""
    whole = (end - begin) * len(pairs)
    gone = timedelta()
    for spans in pairs:
        upto = begin
        for opened, cleared in sorted(spans, key=lambda one: one[0]):
            start, stop = max(opened, upto), min(end if cleared is None else cleared, end)
            if stop > start:
                gone += stop - start
                upto = stop
    return gone / whole if whole > timedelta() else 0.0
