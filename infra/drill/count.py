"""Counts after a drill: what was sent and promised, against what the stack has. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from infra.drill.fold import Pair, Sent, Stock, fold
from schemas.reservation import Reservation

DRILL = "drill/"
# docs/holds.md: with `everysec` a Redis that loses its data may have lost about a second.
WINDOW_SECONDS = 1.5
RUSH = "RUSH-"


class Row(NamedTuple):
    """One pair as one part of the stack has it."""

    on_hand: int
    allocated: int
    quarantined: int
    in_transit: int


class GateRow(NamedTuple):
    """One pair as the gate has it."""

    on_hand: int
    available: int
    held: int


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment that a customer was told of."""

    reservation: str
    at: float
    units: tuple[tuple[str, str, int], ...]


@dataclass(slots=True)
class Evidence:
    """All that the count rests on. Instants are of this machine's steady clock.

    `tried`: payments that were asked for, also those that nobody answered. `lost_at`: when Redis
    lost its data. `topups`: (instant, SKU, units) of what was put on the shelves of the rush.
    """

    sent: list[Sent]
    reservations: dict[str, Reservation]
    paid: list[Paid]
    tried: set[str]
    lost_at: list[float]
    topups: list[tuple[float, str, int]]
    warehouse: Mapping[Pair, Row] = field(default_factory=dict)
    topic: Mapping[Pair, Row] = field(default_factory=dict)
    gate: Mapping[Pair, GateRow] = field(default_factory=dict)


class Number(NamedTuple):
    """One figure of the result; `zero`: anything else is a failure."""

    name: str
    value: int
    zero: bool
    detail: str = ""


def count(seen: Evidence) -> list[Number]:
    """The figures of a drill."""
    confirmed = _confirmed(seen.reservations.values())
    expected = expected_rows(seen)
    missing = _missing(seen, confirmed)
    outside = [one for one in missing if not _in_window(one.at, seen.lost_at)]
    ghosts = {name for name in confirmed if name not in {one.reservation for one in seen.paid}}
    unasked = {name for name in ghosts if name not in seen.tried}
    lost, lost_pairs = _lost_units(seen, expected)
    held = sum(row.held for row in seen.gate.values())
    return [
        Number(
            "oversold units",
            _oversold(
                seen, {one.reservation for one in missing} - {one.reservation for one in outside}
            ),
            True,
            "units of the rush paid beyond the shelf",
        ),
        Number("lost units", lost, True, _some(lost_pairs) or "gate: on hand - claims - available"),
        _wrong("wrong positions, warehouse", seen.warehouse, expected),
        _wrong("wrong positions, topic", seen.topic, expected),
        Number("units still held", held, True, "after all holds have ended"),
        Number("payments forgotten", len(outside), True, _some(one.reservation for one in outside)),
        Number(
            "payments in the lost second",
            len(missing) - len(outside),
            False,
            f"{_units_of(missing) - _units_of(outside)} units; told to customers within "
            f"{WINDOW_SECONDS:g} s of Redis losing its data, and sold again",
        ),
        Number("claims nobody asked for", len(unasked), True, _some(unasked)),
        Number(
            "claims without an answer",
            len(ghosts - unasked),
            False,
            "paid, but Redis lost the answer with its data",
        ),
        Number("holes in claim numbers", _holes(seen.reservations.values()), True),
    ]


def expected_rows(seen: Evidence) -> dict[Pair, Row]:
    """Every pair by what was sent, and the claims by what the log says was paid."""
    stock = fold(seen.sent)
    rows = {}
    claims: Counter[Pair] = Counter()
    for one in seen.reservations.values():
        if one.state == "confirmed":
            claims[one.sku, one.place] += one.quantity
    for pair in stock.keys() | claims.keys():
        found = stock.get(pair, Stock())
        allocated = found.allocated + claims[pair]
        rows[pair] = Row(found.on_hand, allocated, found.quarantined, found.in_transit)
    return rows


def disagreements(
    seen: Evidence, recorded: Iterable[tuple[Any, ...]], promised: Set[str], cancelled: str
) -> list[Pair]:
    """Pairs of the simulated chain where its hidden books differ from the fold over what was sent.

    `promised` are the reservations that its own channels paid and told their customers of;
    `cancelled` the source of what they gave back because nobody had answered, of which the books
    know nothing.
    """

    def of_chain(one: Sent) -> bool:
        return not one.source.startswith(DRILL) and one.source != cancelled

    stock = fold(seen.sent, of_chain)
    claims: Counter[Pair] = Counter()
    for paid in seen.paid:
        if paid.reservation in promised:
            for sku, place, units in paid.units:
                claims[sku, place] += units
    wrong = []
    for place, sku, on_hand, allocated, quarantined, in_transit, *_ in recorded:
        found = stock.get((sku, place), Stock())
        claimed = found.allocated + claims[sku, place]
        if (found.on_hand, claimed, found.quarantined, found.in_transit) != (
            on_hand,
            allocated,
            quarantined,
            in_transit,
        ):
            wrong.append((sku, place))
    return wrong


def _confirmed(reservations: Iterable[Reservation]) -> dict[str, Counter[Pair]]:
    found: defaultdict[str, Counter[Pair]] = defaultdict(Counter)
    for one in reservations:
        if one.state == "confirmed":
            found[one.reservation][one.sku, one.place] += one.quantity
    return dict(found)


def _missing(seen: Evidence, confirmed: Mapping[str, Counter[Pair]]) -> list[Paid]:
    """Payments that customers were told of, and that the log does not have with these units."""
    missing = []
    for one in seen.paid:
        told: Counter[Pair] = Counter()
        for sku, place, units in one.units:
            told[sku, place] += units
        if confirmed.get(one.reservation) != told:
            missing.append(one)
    return missing


def _in_window(at: float, lost_at: Iterable[float]) -> bool:
    return any(lost - WINDOW_SECONDS <= at <= lost + WINDOW_SECONDS for lost in lost_at)


def _units_of(payments: Iterable[Paid]) -> int:
    return sum(units for one in payments for _, _, units in one.units)


def _oversold(seen: Evidence, lost: set[str]) -> int:
    """The most units of rush SKUs that were paid beyond what had been put on the shelves.

    A payment that went down with the data of Redis is not among them: it is a number of its own.
    """
    changes: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    for at, sku, units in seen.topups:
        changes[sku].append((at, units))
    for one in seen.paid:
        if one.reservation in lost:
            continue
        for sku, _, units in one.units:
            if sku.startswith(RUSH):
                changes[sku].append((one.at, -units))
    worst = 0
    for found in changes.values():
        left = lowest = 0
        for _, units in sorted(found, key=lambda change: (change[0], -change[1])):
            left += units
            lowest = min(lowest, left)
        worst += -lowest
    return worst


def _lost_units(seen: Evidence, expected: Mapping[Pair, Row]) -> tuple[int, list[Pair]]:
    """Units that are neither available, nor held, nor claimed, and such as are twice."""
    lost, pairs = 0, []
    for pair, row in expected.items():
        gate = seen.gate.get(pair)
        available = None if gate is None else gate.available + gate.held
        wanted = row.on_hand - row.allocated
        if available != wanted:
            lost += abs(wanted - (available or 0))
            pairs.append(pair)
    return lost, pairs


def _wrong(name: str, found: Mapping[Pair, Row], expected: Mapping[Pair, Row]) -> Number:
    wrong = [
        pair for pair in expected.keys() | found.keys() if found.get(pair) != expected.get(pair)
    ]
    return Number(name, len(wrong), True, _some(wrong) or f"of {len(expected):,}")


def _holes(reservations: Iterable[Reservation]) -> int:
    """Confirmed lines of a pair are numbered 1, 2, 3 …: numbers that lack or are there twice."""
    numbers: defaultdict[Pair, list[int]] = defaultdict(list)
    for one in reservations:
        if one.state == "confirmed":
            numbers[one.sku, one.place].append(one.hold_seq)
    return sum(
        len(set(range(1, max(found) + 1)) ^ set(found)) + len(found) - len(set(found))
        for found in numbers.values()
    )


def _some(names: Iterable[object]) -> str:
    found = sorted(" at ".join(one) if isinstance(one, tuple) else str(one) for one in names)
    return ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
