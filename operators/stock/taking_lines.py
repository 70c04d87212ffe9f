"""Takes lines into the state of a shard, place by place: at once where they do nothing but add up.

What is not as plain as that is left to operators.stock.taking.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import lt

from operators.stock.figures import add, open_figures
from operators.stock.groups import Group
from operators.stock.kept_lines import Kept, repeats
from operators.stock.lines import LineBatch, SortedLines
from operators.stock.place import CLEAN, DIRTY, STALE, PlaceState
from operators.stock.sku import SkuState
from operators.stock.taking import FactTaker, Run
from schemas.movement import Received


class LineTaker(FactTaker):
    """Takes lines in groups (operators.stock.groups)."""

    def _take_groups(self, batch: LineBatch, run: Run) -> None:
        """Take lines place by place (operators.stock.groups)."""
        lines = batch.of
        horizon = self._rules.horizon
        kept, known = self._kept.take(batch)
        known_at = sorted(known)
        for name, begin, end, first, last, oldest, newest, corrects in batch.skus:
            sku = self._skus.get(name)
            if sku is None:
                sku = SkuState(name, self._kept)
            repeated: set[int] | None = None
            if not (
                corrects
                or sku.pending
                or newest > run.latest
                or oldest < max(newest, sku.newest) - horizon
            ):
                repeated = set()
                if known_at:
                    some = known_at[bisect_left(known_at, first) : bisect_left(known_at, last)]
                    repeated.update(some)
                if not _are_repeats(sku, lines, (first, last), repeated, known):
                    repeated = None
            if repeated is None:
                # Something among them may be late, or not what it seems: one by one, as they came.
                kept.leave(first, last)
                self._take_each(batch, batch.rows_between(first, last), run)
                continue
            for group in batch.groups[begin:end]:
                self._take_group(sku, lines, group, repeated, kept, run)
            run.duplicates += len(repeated)
            run.applied += last - first - len(repeated)
            if self._journaled:
                accepted = (at for at in range(first, last) if at not in repeated)
                run.records += map(lines.sorted_record, accepted)
            if newest > sku.newest:
                self._pass_time(sku, newest, run)
        self._kept.settle(kept)

    def _take_group(
        self,
        sku: SkuState,
        lines: SortedLines,
        group: Group,
        repeated: set[int],
        kept: Kept,
        run: Run,
    ) -> None:
        """Take the accepted lines of one place, all at once where they do nothing but add up."""
        place, begin, end, first, last, plain = group[:6]
        more_from, more_to, on_hand, today, falls, releases = group[6:]
        rows: Sequence[int] = range(begin, end)
        if repeated and not repeated.isdisjoint(rows):
            rows = [at for at in rows if at not in repeated]
            if not rows:
                kept.leave(begin, end)
                return
            times = [lines.time(at) for at in rows]
            first, last = times[0], times[-1]
            plain = all(map(lt, times, times[1:])) and not any(map(lines.is_other, rows))
        state = sku.places.get(place)
        opens = False
        if state is None:
            state = self._new_place(sku, place)
            opens = plain and last < self._opens(state, lines, rows[0], first, falls, releases)
        if not opens and (
            not plain
            or first <= state.tip
            or last >= state.day_end
            # There may have been something to judge on the way.
            or state.on_hand - state.allocated - falls < state.quiet
            or state.allocated < releases
            or first < self._rolled_to
            or state.todo == STALE
        ):
            kept.leave(begin, end)
            for at in rows:
                record = lines.sorted_record(at)
                sku.seen.put(lines.keys.item(at), record)
                self._advance(sku, lines.sorted_fact(at), record, run)
            return
        if state.todo == CLEAN:
            state.todo = DIRTY
            self._dirty.append(state)
        if not state.log:
            sku.active.append(state)
            state.oldest = first
        state.tip = last
        state.facts += len(rows)
        kept.holders.append(state)
        if len(rows) < end - begin:
            for at in range(begin, end):
                if at in repeated:
                    kept.leave(at, at + 1)
                    continue
                state.log.append((kept, at, at + 1))
                add(state, lines.sorted_movement(at), lines.time(at), place)
            return
        state.log.append((kept, begin, end))
        state.on_hand += on_hand
        state.today += today
        for movement, time in lines.more[more_from:more_to]:
            add(state, movement, time, place)

    def _opens(
        self, state: PlaceState, lines: SortedLines, at: int, time: int, falls: int, releases: int
    ) -> int:
        """Begin the figures of a place with its first line, where that alone is worth judging.

        Says until when that holds (microseconds since 1970); 0: it has to be judged as others are.
        """
        movement = lines.sorted_movement(at)
        rule = state.rule
        quiet = max(rule.safety_stock, 1) + rule.floor
        if (
            movement.__class__ is not Received
            or (movement.quantity or 0) - falls < quiet
            or releases
            or time < self._rolled_to
        ):
            return 0
        return open_figures(state, rule, state.clock, time, quiet)


def _are_repeats(
    sku: SkuState,
    lines: SortedLines,
    between: tuple[int, int],
    repeated: set[int],
    known: dict[int, bytes],
) -> bool:
    """Whether each line of a SKU either is new or says again what is known; which ones do.

    `repeated` are those whose identity is known among kept lines; others are added.
    """
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
