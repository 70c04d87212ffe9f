"""The best answer: minimum-cost flow, and branch and bound over the trips that cost by themselves.

Gains fall and costs rise with each pack, so without trip costs the problem is a minimum-cost flow
over integer packs, which OR-Tools solves exactly. A trip's fixed cost (and its smallest size) is
no flow: it is spread over the most packs of its way, which can only flatter it, and the solution
is a bound from above; where a way is flattered, one branch pays in full and the other closes it.
"""

from __future__ import annotations

from itertools import groupby
from typing import NamedTuple

from ortools.graph.python import min_cost_flow

from operators.stock.transfers.greedy import greedy
from operators.stock.transfers.problem import Packs, Problem, is_allowed, totals, trimmed, worth

# A SKU over a dozen places needs some dozens of nodes. Past the limit the best plan found is taken,
# and the more ways there are the longer a node takes, so that no SKU holds up the others.
MOST_NODES = 300
MOST_WAYS_LOOKED_AT = 8_000

FREE, OPEN, CLOSED = 0, 1, 2


class Plan(NamedTuple):
    """Packs by way, what they are worth, and whether it is proved that nothing is worth more."""

    packs: Packs
    worth: int
    proved: bool


def best_plan(problem: Problem, *, most_nodes: int = MOST_NODES) -> Plan:
    """The packs by way that are worth most; greedy where that is known to be as good."""
    small = trimmed(problem)
    if not small.ways:
        return Plan([0] * len(problem.ways), 0, True)
    found = _best(small, most_nodes)
    packs = dict(zip(small.ways, found.packs, strict=True))
    return found._replace(packs=[packs.get(way, 0) for way in problem.ways])


def _best(problem: Problem, most_nodes: int) -> Plan:
    sides = zip(*((way.donor, way.taker) for way in problem.ways), strict=True)
    one_sided = any(len(set(side)) == 1 for side in sides)
    if len(problem.ways) == 1 or (one_sided and problem.is_plain()):
        start = greedy(problem)
        return Plan(start, worth(problem, start), True)
    # Without trip costs the first flow is the answer, and nothing has to be beaten.
    start = [0] * len(problem.ways) if problem.is_plain() and most_nodes else greedy(problem)
    return _branch(problem, start, min(most_nodes, 1 + MOST_WAYS_LOOKED_AT // len(problem.ways)))


def _branch(problem: Problem, start: Packs, most_nodes: int) -> Plan:
    best, best_worth = start, worth(problem, start)
    waiting: list[tuple[int | None, tuple[int, ...]]] = [(None, (FREE,) * len(problem.ways))]
    seen = 0
    while waiting:
        if seen == most_nodes:
            return Plan(best, best_worth, False)
        bound, state = waiting.pop()
        if bound is not None and bound <= best_worth:
            continue
        seen += 1
        relaxed = _relax(problem, state)
        if relaxed is None or relaxed[1] <= best_worth:
            continue
        packs, bound = relaxed
        # Trips that are too small are left out: what remains is an answer that may be given.
        real = [
            units if units >= way.least else 0
            for units, way in zip(packs, problem.ways, strict=True)
        ]
        if is_allowed(problem, real) and (value := worth(problem, real)) > best_worth:
            best, best_worth = real, value
        at = _most_flattered(problem, state, packs)
        if at is None:
            continue
        for choice in (CLOSED, OPEN):
            waiting.append((bound, (*state[:at], choice, *state[at + 1 :])))
    return Plan(best, best_worth, True)


def _most_flattered(problem: Problem, state: tuple[int, ...], packs: Packs) -> int | None:
    """The way in use whose cost is furthest below the truth; None if all are judged as they are."""
    worst, most = None, -1
    for at, (way, units) in enumerate(zip(problem.ways, packs, strict=True)):
        if state[at] != FREE or not units:
            continue
        hidden = way.fixed - way.fixed // problem.most(way) * units
        if (hidden > 0 or units < way.least) and hidden > most:
            worst, most = at, hidden
    return worst


def _relax(problem: Problem, state: tuple[int, ...]) -> tuple[Packs, int] | None:
    """The best flow with each fixed cost spread out, and its worth; None if there is none."""
    donors, takers = len(problem.costs), len(problem.gains)
    source, sink = donors + takers, donors + takers + 1
    # (tail, head, capacity, cost) for each arc; costs are those of the solver, which minimises.
    arcs: list[tuple[int, int, int, int]] = []
    for donor, costs in enumerate(problem.costs):
        arcs += [(source, donor, len(list(same)), cost) for cost, same in groupby(costs)]
    for taker, gains in enumerate(problem.gains):
        arcs += [(donors + taker, sink, len(list(same)), -gain) for gain, same in groupby(gains)]
    # More than everything together could be worth: what a trip must carry is carried first.
    prize = 1 + sum(map(sum, problem.gains)) + sum(map(sum, problem.costs))
    prize += sum(way.fixed + way.pack_cost * problem.most(way) for way in problem.ways)
    arcs_of_way: list[list[int]] = []
    paid, must = 0, 0
    for way, choice in zip(problem.ways, state, strict=True):
        mine: list[int] = []
        arcs_of_way.append(mine)
        most = problem.most(way)
        if choice == CLOSED:
            continue
        ends = (way.donor, donors + way.taker)
        least = way.least if choice == OPEN else 0
        if choice == OPEN:
            paid += way.fixed
            must += least
            if least:
                mine.append(len(arcs))
                arcs.append((*ends, least, way.pack_cost - prize))
        spread = 0 if choice == OPEN else way.fixed // most
        mine.append(len(arcs))
        arcs.append((*ends, most - least, way.pack_cost + spread))
    units = sum(map(len, problem.costs))
    arcs.append((source, sink, units, 0))
    flow = min_cost_flow.SimpleMinCostFlow()
    for arc in arcs:
        flow.add_arc_with_capacity_and_unit_cost(*arc)
    flow.set_node_supply(source, units)
    flow.set_node_supply(sink, -units)
    status = flow.solve()
    if status != flow.OPTIMAL:
        msg = f"the flow solver gave up with {status} on {problem}"
        raise RuntimeError(msg)
    packs = [sum(flow.flow(arc) for arc in mine) for mine in arcs_of_way]
    value = -flow.optimal_cost() - paid - prize * must
    carried = sum(
        flow.flow(mine[0])
        for mine, way, choice in zip(arcs_of_way, problem.ways, state, strict=True)
        if choice == OPEN and way.least
    )
    if carried < must:
        return None
    given, taken = totals(problem, packs)
    assert all(x <= len(row) for x, row in zip(given, problem.costs, strict=True))
    assert all(x <= len(row) for x, row in zip(taken, problem.gains, strict=True))
    return packs, value
