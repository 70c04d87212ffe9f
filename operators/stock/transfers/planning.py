"""Plans the transfers of one SKU: who gives whom how many units, and what each of them is worth.

The plan is a function of the places' stocks, whatever order they come in. A suggestion's value is
`expected sales saved at the taker x margin - transport - the donor's own expected loss x margin`,
each over the horizon (operators.stock.transfers.loss). `min_net_benefit` is asked for each trip on
top of its cost, so in the best plan every trip brings at least that, given all others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from operators.stock.transfers.exact import best_plan
from operators.stock.transfers.needs import (
    MILLI,
    Stock,
    lost_here,
    lost_there,
    most_packs,
    needs,
    pack_costs,
    pack_gains,
    spare,
)
from operators.stock.transfers.problem import Problem, Way
from operators.stock.transfers.rules import Road, Terms, TransferRules

# A taker looks at so many donors, those first that are cheapest for what it needs: with hundreds
# of places the others could only win by a hair, and the solver's time grows with the ways.
DONORS_LOOKED_AT = 12


class Move(NamedTuple):
    """Units of a SKU from one place to another."""

    from_place: str
    to_place: str
    quantity: int


class Valued(NamedTuple):
    """A move with what it is worth, after the moves before it; money is thousandths.

    `given_before` units of its donor and `taken_before` of its taker went to moves before it.
    """

    move: Move
    road: Road
    saved: float
    donor_loss: float
    transport_cost: int
    net: int
    given_before: int
    taken_before: int


# Pairs of places, giver first, between which nothing may move.
Blocked = Collection[tuple[str, str]]


def plan_moves(
    sku: str, stocks: Iterable[Stock], rules: TransferRules, blocked: Blocked
) -> list[Move]:
    """The best moves of a SKU; `blocked` pairs of places are left in peace."""
    terms = rules.terms(sku)
    known = sorted(stocks)
    wanted = [(stock, most_packs(stock, terms, rules)) for stock in known if needs(stock, rules)]
    takers = [(stock, packs) for stock, packs in wanted if packs]
    if not takers:
        return []
    short = {stock.place for stock, _ in wanted}
    donors = [
        (stock, packs)
        for stock in known
        if stock.place not in short and (packs := spare(stock, rules) // terms.pack)
    ]
    ways = _ways(donors, takers, terms, rules, blocked)
    if not ways:
        return []
    most = sum(packs for _, packs in takers)
    given = [(stock, min(packs, most)) for stock, packs in donors]
    problem = Problem(
        [pack_costs(lost_there(stock, packs * terms.pack, rules), terms) for stock, packs in given],
        [
            pack_gains(
                lost_here(stock, packs * terms.pack, rules, _lead(stock.place, known, rules)),
                terms,
            )
            for stock, packs in takers
        ],
        ways,
    )
    found = best_plan(problem)
    moves = [
        Move(
            donors[way.donor][0].place,
            takers[way.taker][0].place,
            packs * terms.pack,
        )
        for way, packs in zip(ways, found.packs, strict=True)
        if packs
    ]
    return sorted(moves)


def _ways(
    donors: Sequence[tuple[Stock, int]],
    takers: Sequence[tuple[Stock, int]],
    terms: Terms,
    rules: TransferRules,
    blocked: Blocked,
) -> list[Way]:
    """The ways from donors to takers, for each taker those of its cheapest donors."""
    hurdle = rules.config.min_net_benefit
    found = []
    for taker, (there, wanted) in enumerate(takers):
        near = []
        for donor, (here, packs) in enumerate(donors):
            road = rules.road(here.place, there.place)
            if road is None or not _in_reach(here, there, rules):
                continue
            if min(packs, wanted) < terms.least_packs or (here.place, there.place) in blocked:
                continue
            way = Way(
                donor,
                taker,
                road.unit_cost * terms.pack * MILLI,
                (road.fixed_cost + hurdle) * MILLI,
                terms.least_packs,
            )
            moved = min(packs, wanted)
            near.append(((way.fixed + way.pack_cost * moved) / moved, here.place, way))
        found += [way for *_, way in sorted(near)[:DONORS_LOOKED_AT]]
    return found


def _in_reach(here: Stock, there: Stock, rules: TransferRules) -> bool:
    return rules.config.within == "chain" or here.pool == there.pool


def _lead(there: str, stocks: Sequence[Stock], rules: TransferRules) -> float:
    """Hours of the shortest road to a place.

    One figure a taker: a gain that depended on the road would tie the moves to each other.
    """
    roads = (rules.road(stock.place, there) for stock in stocks)
    return min((road.lead_time_h for road in roads if road is not None), default=0.0)


def value_moves(
    sku: str, stocks: Iterable[Stock], moves: Iterable[Move], rules: TransferRules
) -> list[Valued]:
    """What each move is worth after those before it; together that is what all are worth.

    A move that no road allows any more is left out.
    """
    terms = rules.terms(sku)
    known = {stock.place: stock for stock in sorted(stocks)}
    given: dict[str, int] = {}
    taken: dict[str, int] = {}
    valued = []
    for move in moves:
        here, there = known.get(move.from_place), known.get(move.to_place)
        road = rules.road(move.from_place, move.to_place)
        if here is None or there is None or road is None:
            continue
        lead = _lead(there.place, list(known.values()), rules)
        gave, took = given.get(here.place, 0), taken.get(there.place, 0)
        before = lost_here(there, took + move.quantity, rules, lead)
        saved = before[took] - before[-1]
        own = lost_there(here, gave + move.quantity, rules)[::-1]
        donor_loss = own[-1] - own[gave]
        cost = road.fixed_cost + road.unit_cost * move.quantity
        net = round((saved - donor_loss) * terms.margin * MILLI) - cost * MILLI
        valued.append(Valued(move, road, saved, donor_loss, cost, net, gave, took))
        given[here.place] = gave + move.quantity
        taken[there.place] = took + move.quantity
    return valued
