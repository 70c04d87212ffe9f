"""The hold gate in plain Python, written apart from it: no counters, every figure is summed anew.

`answers` are tuples that a test compares with what the real gate did.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Pair = tuple[str, str]


@dataclass
class Truth:
    version: int
    on_hand: int
    allocated: int
    floor: int
    absorbed: int


@dataclass
class Kept:
    state: str
    at: int
    expires_at: int
    content: Any
    customer: str | None
    lines: dict[Pair, int]
    numbers: dict[Pair, int] = field(default_factory=dict)


class GateOracle:
    def __init__(self, max_holds: int, max_units: int) -> None:
        self.now = 0
        self.max_holds, self.max_units = max_holds, max_units
        self.truth: dict[Pair, Truth] = {}
        self.kept: dict[str, Kept] = {}
        self.numbers: dict[Pair, int] = {}

    # What counts.

    def state(self, kept: Kept) -> str:
        lapsed = kept.state == "held" and kept.expires_at <= self.now
        return "expired" if lapsed else kept.state

    def held(self, pair: Pair, without: Kept | None = None) -> int:
        units = 0
        for kept in self.kept.values():
            if pair not in kept.lines or kept is without:
                continue
            waiting = kept.state == "confirmed" and kept.numbers[pair] > self.truth[pair].absorbed
            if waiting or self.state(kept) == "held":
                units += kept.lines[pair]
        return units

    def free(self, pair: Pair, without: Kept | None = None) -> int:
        truth = self.truth[pair]
        return truth.on_hand - truth.allocated - truth.floor - self.held(pair, without)

    def available(self) -> dict[Pair, tuple[int, int]]:
        return {pair: (self.free(pair), self.held(pair)) for pair in self.truth}

    # What is done.

    def project(self, pair: Pair, truth: Truth) -> None:
        known = self.truth.get(pair)
        if known is None or truth.version > known.version:
            self.truth[pair] = truth

    def hold(
        self,
        name: str,
        lines: list[tuple[str, str | None, int]],
        ttl: int,
        policy: tuple[tuple[str, ...], bool, bool],
        customer: str | None,
        replaces: str | None,
    ) -> tuple[Any, ...]:
        fixed: dict[Pair, int] = {}
        anywhere: dict[str, int] = {}
        for sku, place, units in lines:
            if place is None:
                anywhere[sku] = anywhere.get(sku, 0) + units
            else:
                fixed[sku, place] = fixed.get((sku, place), 0) + units
        content = (fixed, anywhere, customer)
        if name in self.kept:
            return self.answer(name) if self.kept[name].content == content else ("mismatch",)
        old = self.kept.get(replaces) if replaces else None
        if old is not None and old.state == "confirmed":
            return ("confirmed",)
        if old is not None and self.state(old) != "held":
            old = None
        if old is not None and old.customer != customer:
            return ("invalid",)
        known = {sku for sku, _ in self.truth}
        if not set(fixed) <= set(self.truth) or not set(anywhere) <= known:
            return ("unknown",)
        short: set[tuple[str, int, int]] = set()
        left = {pair: self.free(pair, old) for pair in self.truth}
        taken: dict[Pair, int] = {}
        for pair, units in fixed.items():
            if units > left[pair]:
                short.add((pair[0], units, max(0, left[pair])))
            left[pair] -= units
            taken[pair] = units
        left = {pair: max(0, units) for pair, units in left.items()}
        for pair, units in self._place(anywhere, left, policy, short).items():
            taken[pair] = taken.get(pair, 0) + units
        if short:
            return ("short", short)
        if customer is not None:
            mine = [k for k in self.kept.values() if k.customer == customer and k is not old]
            units_of = [sum(k.lines.values()) for k in mine if self.state(k) == "held"]
            if len(units_of) + 1 > self.max_holds:
                return ("cap",)
            if sum(units_of) + sum(taken.values()) > self.max_units:
                return ("cap",)
        if old is not None:
            old.state = "released"
        self.kept[name] = Kept("held", self.now, self.now + ttl, content, customer, taken)
        return self.answer(name)

    def _place(
        self,
        wanted: dict[str, int],
        left: dict[Pair, int],
        policy: tuple[tuple[str, ...], bool, bool],
        short: set[tuple[str, int, int]],
    ) -> dict[Pair, int]:
        order, single, split = policy
        taken: dict[Pair, int] = {}

        def by_preference(skus: list[str]) -> list[str]:
            places = {place for sku, place in left if sku in skus}
            sums = {at: sum(left.get((sku, at), 0) for sku in skus) for at in places}
            preferred = [at for at in dict.fromkeys(order) if at in places]
            return preferred + sorted(places - set(preferred), key=lambda at: (-sums[at], at))

        if not wanted:
            return taken
        places = by_preference(list(wanted))
        lacks = [sum(max(0, n - left.get((s, at), 0)) for s, n in wanted.items()) for at in places]
        if min(lacks) == 0 or single:
            best = places[lacks.index(min(lacks))]
            for sku, units in wanted.items():
                if left.get((sku, best), 0) < units:
                    short.add((sku, units, left.get((sku, best), 0)))
                taken[sku, best] = units
            return taken
        for sku, units in wanted.items():
            places = by_preference([sku])
            whole = [at for at in places if left[sku, at] >= units]
            total = sum(left[sku, at] for at in places)
            if whole:
                taken[sku, whole[0]] = units
            elif split and total >= units:
                rest = units
                for at in places:
                    part = min(rest, left[sku, at])
                    rest -= part
                    if part:
                        taken[sku, at] = part
            else:
                short.add((sku, units, total if split else max(left[sku, at] for at in places)))
        return taken

    def confirm(self, name: str) -> tuple[Any, ...]:
        kept = self.kept.get(name)
        if kept is None:
            return ("gone",)
        state = self.state(kept)
        if state == "expired" and any(
            self.free(pair, kept) < units for pair, units in kept.lines.items()
        ):
            kept.state = "expired_short"
        elif state in {"held", "expired"}:
            kept.state = "confirmed"
            for pair in kept.lines:
                self.numbers[pair] = kept.numbers[pair] = self.numbers.get(pair, 0) + 1
        return self.answer(name)

    def release(self, name: str) -> tuple[Any, ...]:
        kept = self.kept.get(name)
        if kept is None:
            return ("gone",)
        if kept.state == "held":
            kept.state = "released" if self.state(kept) == "held" else "expired"
        return self.answer(name)

    def extend(self, name: str, ttl: int) -> tuple[Any, ...]:
        kept = self.kept.get(name)
        if kept is None:
            return ("gone",)
        if self.state(kept) == "held":
            kept.expires_at = max(kept.expires_at, self.now + ttl)
        return self.answer(name)

    def replace(self, pair: Pair) -> tuple[Any, ...]:
        sku, _ = pair
        truth = self.truth.get(pair)
        lack = self.held(pair) - (truth.on_hand - truth.allocated if truth else 0)
        here = [
            (kept.at, name)
            for name, kept in self.kept.items()
            if pair in kept.lines and self.state(kept) == "held"
        ]
        moved, lost, still = [], [], lack
        for _, name in sorted(here, reverse=True):
            if lack <= 0:
                break
            kept = self.kept[name]
            units = kept.lines[pair]
            lack -= units
            others = [(-self.free(p), p[1]) for p in self.truth if p[0] == sku and p != pair]
            fits = sorted(other for other in others if -other[0] >= units)
            if not fits:
                lost.append((name, units))
                continue
            target = fits[0][1]
            del kept.lines[pair]
            kept.lines[sku, target] = kept.lines.get((sku, target), 0) + units
            still -= units
            moved.append((name, target, units))
        return moved, lost, max(0, still)

    def answer(self, name: str) -> tuple[Any, ...]:
        kept = self.kept[name]
        return ("ok", self.state(kept), kept.expires_at, dict(kept.lines))
