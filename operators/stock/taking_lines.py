"""Takes lines into the state of a shard, all places at once where lines do nothing but add up.

What is not as plain as that is left to operators.stock.taking.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import compress, repeat

import numpy as np

from operators.stock.facts import Record
from operators.stock.figures import claim
from operators.stock.group_taking import LEFT_OUT, NEW, Flags, Taking, days_of, without_repeated
from operators.stock.groups import Integers
from operators.stock.kept_lines import Kept, repeats, spans
from operators.stock.lines import LineBatch
from operators.stock.place import NEVER
from operators.stock.places import COLUMN
from operators.stock.sku import SkuState
from operators.stock.taking import FactTaker, Run


class LineTaker(FactTaker):
    """Takes lines in groups (operators.stock.groups)."""

    def _take_groups(self, batch: LineBatch, run: Run) -> None:
        """Take lines place by place (operators.stock.groups)."""
        kept, known = self._kept.take(batch)
        taking, passing = self._choose(batch, kept, known, run)
        if taking.repeated:
            taking = without_repeated(taking)
        self._roll(taking)
        plain = self._plain(taking)
        opening = self._opening(taking)
        self._open(taking, opening)
        self._add(taking, plain)
        for at in np.flatnonzero(~(plain | opening) & (taking.numbers != LEFT_OUT)).tolist():
            self._take_one_by_one(taking, at, run)
        for sku, newest in passing:
            self._pass_time(sku, newest, run)
        self._kept.settle(kept)

    def _choose(
        self, batch: LineBatch, kept: Kept, known: dict[int, Record], run: Run
    ) -> tuple[Taking, list[tuple[SkuState, int]]]:
        """The groups of SKUs whose lines each are new or repeat what is known.

        Among those of the others something may be late, or not what it seems: they are taken one
        by one, as they came. Beside it: SKUs that have come to a later instant.
        """
        horizon = self._rules.horizon
        known_at = sorted(known)
        repeated: set[int] = set()
        owners: list[SkuState] = []
        numbers: list[int] = []
        passing: list[tuple[SkuState, int]] = []
        taken: list[tuple[int, int]] = []
        for name, begin, end, first, last, oldest, newest, corrects in batch.skus:
            sku = self._skus.get(name)
            if sku is None:
                sku = SkuState(name, self._kept)
            mine: set[int] = set()
            if known_at:
                mine.update(known_at[bisect_left(known_at, first) : bisect_left(known_at, last)])
            owners += repeat(sku, end - begin)
            if (
                corrects
                or sku.pending
                or newest > run.latest
                or oldest < max(newest, sku.newest) - horizon
                or not _are_repeats(sku, batch, (first, last), mine, known)
            ):
                kept.leave(first, last)
                self._take_each(batch, batch.rows_between(first, last), run)
                numbers += repeat(LEFT_OUT, end - begin)
                continue
            places = sku.places
            numbers += [places.get(place, NEW) for place in batch.places[begin:end]]
            if mine:
                repeated |= mine
                run.duplicates += len(mine)
            run.applied += last - first - len(mine)
            taken.append((first, last))
            if newest > sku.newest:
                passing.append((sku, newest))
        if self._journaled:
            run.records += batch.of.sorted_records(taken, repeated)
        for at in repeated:
            kept.leave(at, at + 1)
        some = slice(batch.skus[0][1], batch.skus[-1][2])
        groups, places_of = batch.groups.some(some), batch.places[some]
        found = np.array(numbers, np.int64)
        return Taking(batch, groups, places_of, found, owners, repeated, kept), passing

    def _roll(self, taking: Taking) -> None:
        """Close the business day of places where it ends before their first line, if plain to do.

        That is where the next day follows at once, and demand does not set the safety stock.
        """
        places, groups, rule = self._places, taking.groups, self._rules.uniform
        if rule is None or rule.lead_time_days is not None:
            return
        known = groups.plain & (taking.numbers >= 0)
        places.put_back(taking.numbers[known])
        cells = places.cells[np.where(known, taking.numbers, 0)]
        day_end = cells[:, COLUMN["day_end"]]
        rolls = known & (groups.first >= day_end) & (groups.first > cells[:, COLUMN["tip"]])
        rolls &= (day_end > 0) & (groups.first >= self._rolled_to)
        at = np.flatnonzero(rolls)
        if len(at):
            names = [taking.names[row] for row in at.tolist()]
            days = days_of(self._rules, names, groups.first[at])
            places.roll(taking.numbers[at], *days, rule.window_days)

    def _plain(self, taking: Taking) -> Flags:
        """Which groups do nothing but add to the figures of places that are known."""
        places, groups, numbers = self._places, taking.groups, taking.numbers
        plain: Flags = groups.plain & (numbers >= 0)
        places.put_back(numbers[plain])
        cells = places.cells[np.where(plain, numbers, 0)]
        on_hand, allocated = cells[:, COLUMN["on_hand"]], cells[:, COLUMN["allocated"]]
        plain &= groups.first > cells[:, COLUMN["tip"]]
        plain &= groups.last < cells[:, COLUMN["day_end"]]
        # There may have been something to judge on the way.
        plain &= on_hand - allocated - groups.falls >= cells[:, COLUMN["quiet"]]
        plain &= allocated >= groups.releases
        plain &= groups.first >= self._rolled_to
        return plain

    def _add(self, taking: Taking, plain: Flags) -> None:
        """Add plain groups to the figures of their places."""
        places, groups, numbers = self._places, taking.groups.some(plain), taking.numbers[plain]
        at = np.flatnonzero(plain)
        cells = places.cells[numbers]
        for name in ("on_hand", "allocated", "quarantined", "in_transit", "today"):
            cells[:, COLUMN[name]] += getattr(groups, name)
        cells[:, COLUMN["tip"]] = groups.last
        begins = cells[:, COLUMN["oldest"]] == NEVER
        cells[begins, COLUMN["oldest"]] = groups.first[begins]
        for row in np.flatnonzero(begins).tolist():
            taking.owners[at.item(row)].active.append(numbers.item(row))
        places.cells[numbers] = cells
        places.touched[numbers] = True
        self._keep(taking, at, numbers.tolist())

    def _keep(self, taking: Taking, at: Integers, numbers: list[int]) -> None:
        """Put groups into the logs of their places; keep which orders are open."""
        places, groups, repeated = self._places, taking.groups.some(at), taking.repeated
        kept, logs, claims = taking.kept, places.logs, taking.batch.of.claims
        facts = places.cells[:, COLUMN["facts"]]
        begins, ends = groups.begin.tolist(), groups.end.tolist()
        facts[numbers] += groups.end - groups.begin
        named = spans(kept, groups.begin, groups.end)
        for number, one in zip(numbers, named, strict=True):
            logs[number].append(one)
        kept.holders += numbers
        if repeated:
            holes = np.unique(np.searchsorted(groups.end, sorted(repeated), side="right"))
            for row in holes.tolist():
                if row < len(numbers) and not repeated.isdisjoint(range(begins[row], ends[row])):
                    number = numbers[row]
                    logs[number][-1:] = taking.spans(at.item(row))
                    left_out = len(repeated.intersection(range(begins[row], ends[row])))
                    facts[number] -= left_out
        claiming = groups.claims_end > groups.claims
        firsts, lasts = groups.claims[claiming].tolist(), groups.claims_end[claiming].tolist()
        claimed = compress(numbers, claiming.tolist())
        for number, first, last in zip(claimed, firsts, lasts, strict=True):
            state = places.states[number] or places.known(number)
            for line, movement, time in claims[first:last]:
                if line not in repeated:
                    claim(state, movement, time)

    def _opening(self, taking: Taking) -> Flags:
        """Which groups begin a place so that there is nothing to judge once its day has begun.

        Their first line brings goods, and even what all others take leaves more than enough.
        """
        groups, rules = taking.groups, self._rules
        opening: Flags = groups.plain & (taking.numbers == NEW) & (groups.first >= self._rolled_to)
        opening &= (groups.releases == 0) & (groups.received > 0)
        at = np.flatnonzero(opening)
        if not len(at):
            return opening
        levels, floors = self._levels(taking, at)
        quiet = np.maximum(levels, 1) + floors
        days = days_of(rules, [taking.names[row] for row in at.tolist()], groups.first[at])
        enough = (groups.received[at] - groups.falls[at] >= quiet) & (groups.last[at] < days[1])
        opening[at] = enough
        return opening

    def _levels(self, taking: Taking, at: Integers) -> tuple[Integers, Integers]:
        """Safety stocks and floors of groups by the rules."""
        rule = self._rules.uniform
        if rule is not None:
            ones = np.ones(len(at), np.int64)
            return ones * rule.safety_stock, ones * rule.floor
        rules = [
            self._rules.rule(taking.owners[row].name, taking.names[row]) for row in at.tolist()
        ]
        levels = np.array([rule.safety_stock for rule in rules], np.int64)
        return levels, np.array([rule.floor for rule in rules], np.int64)

    def _open(self, taking: Taking, opening: Flags) -> None:
        """Begin places (see _opening): what moving on by their facts and a judge would come to."""
        at = np.flatnonzero(opening)
        if not len(at):
            return
        places, groups, rows = self._places, taking.groups.some(at), at.tolist()
        owners = [taking.owners[row] for row in rows]
        names = [taking.names[row] for row in rows]
        numbers = places.add([sku.name for sku in owners], names, [[] for _ in rows])
        for sku, name, number in zip(owners, names, numbers, strict=True):
            sku.places[name] = number
            sku.active.append(number)
        levels, floors = self._levels(taking, at)
        day, day_end = days_of(self._rules, names, groups.first)
        cells = places.cells[numbers.start : numbers.stop]
        for name, column in (
            ("on_hand", groups.on_hand),
            ("allocated", groups.allocated),
            ("quarantined", groups.quarantined),
            ("in_transit", groups.in_transit),
            ("today", groups.today),
            ("day", day),
            ("day_end", day_end),
            ("level", levels),
            ("quiet", np.maximum(levels, 1) + floors),
            ("oldest", groups.first),
            ("tip", groups.last),
        ):
            cells[:, COLUMN[name]] = column
        cells[:, COLUMN["stocked"]] = 1
        places.floors[numbers.start : numbers.stop] = floors
        places.touched[numbers.start : numbers.stop] = True
        self._keep(taking, at, list(numbers))

    def _take_one_by_one(self, taking: Taking, at: int, run: Run) -> None:
        """Take the lines of a group, each by itself."""
        lines, sku = taking.batch.of, taking.owners[at]
        for row in taking.rows(at):
            taking.kept.leave(row, row + 1)
            record = lines.sorted_record(row)
            sku.seen.put(lines.keys.item(row), record)
            self._advance(sku, lines.sorted_fact(row), record, run)


def _are_repeats(
    sku: SkuState,
    batch: LineBatch,
    between: tuple[int, int],
    repeated: set[int],
    known: dict[int, Record],
) -> bool:
    """Whether each line of a SKU either is new or says again what is known; which ones do.

    `repeated` are those whose identity is known among kept lines; others are added.
    """
    lines = batch.of
    for at in repeated:
        if not repeats(known[at], lines.sorted_record(at)):
            return False
    newer, older = sku.seen.newer, sku.seen.older
    if newer or older:
        first, last = between
        keys = lines.keys[first:last].tolist()
        if not older.keys().isdisjoint(keys):
            return False
        if not newer.keys().isdisjoint(keys):
            for at, key in enumerate(keys, first):
                if key in newer:
                    if not repeats(newer[key], lines.sorted_record(at)):
                        return False
                    repeated.add(at)
    return True
