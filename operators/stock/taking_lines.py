"""Takes lines into the state of a shard, place by place: at once where they do nothing but add up.

What is not as plain as that is left to operators.stock.taking.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import is_not, lt

from operators.stock.facts import identity, same_content, unpack_fact
from operators.stock.figures import add
from operators.stock.groups import Group
from operators.stock.lines import LineBatch, SortedLines
from operators.stock.place import CLEAN, DIRTY, STALE
from operators.stock.sku import SkuState
from operators.stock.taking import FactTaker, Run


class LineTaker(FactTaker):
    """Takes lines in groups (operators.stock.groups)."""

    def _take_groups(self, batch: LineBatch, run: Run) -> None:
        """Take lines place by place (operators.stock.groups)."""
        lines = batch.of
        horizon = self._rules.horizon
        for name, begin, end, first, last, oldest, newest, corrects in batch.skus:
            sku = self._skus.get(name)
            if sku is None:
                sku = SkuState(name)
            repeated: set[int] | None = None
            if not (
                corrects
                or sku.pending
                or newest > run.latest
                or oldest < max(newest, sku.newest) - horizon
            ):
                repeated = _note_seen(sku, lines, first, last)
            if repeated is None:
                # Something among them may be late, or not what it seems: one by one, as they came.
                self._take_each(batch, sorted(lines.rows[first:last]), run)
                continue
            for group in batch.groups[begin:end]:
                self._take_group(sku, lines, group, repeated, run)
            run.duplicates += len(repeated)
            run.applied += last - first - len(repeated)
            if self._journaled:
                accepted = (at for at in range(first, last) if at not in repeated)
                run.records += [lines.records[at] for at in accepted]
            if newest > sku.newest:
                self._pass_time(sku, newest, run)

    def _take_group(
        self, sku: SkuState, lines: SortedLines, group: Group, repeated: set[int], run: Run
    ) -> None:
        """Take the accepted lines of one place, all at once where they do nothing but add up."""
        place, begin, end, first, last, plain, more, on_hand, today, falls, releases = group
        rows: Sequence[int] = range(begin, end)
        if repeated and not repeated.isdisjoint(rows):
            rows = [at for at in rows if at not in repeated]
            if not rows:
                return
            times = [lines.times[at] for at in rows]
            first, last = times[0], times[-1]
            plain = all(map(lt, times, times[1:])) and not any(lines.other[at] for at in rows)
        state = sku.places.get(place)
        if state is None:
            state = self._new_place(sku, place)
        if (
            not plain
            or first <= state.tip
            or last >= state.day_end
            # There may have been something to judge on the way.
            or state.on_hand - state.allocated - falls < state.quiet
            or state.allocated < releases
            or first < self._rolled_to
            or state.todo == STALE
        ):
            for at in rows:
                self._advance(sku, lines.fact(lines.rows[at]), lines.records[at], run)
            return
        if state.todo == CLEAN:
            state.todo = DIRTY
            self._dirty.append(state)
        if not state.log:
            sku.active.append(state)
            state.oldest = first
        state.tip = last
        if len(rows) < end - begin:
            state.log += [lines.records[at] for at in rows]
            for at in rows:
                add(state, lines.movement(lines.rows[at]), lines.times[at], place)
            return
        state.log += lines.records[begin:end]
        state.on_hand += on_hand
        state.today += today
        if more:
            for at in rows:
                if lines.more[at]:
                    add(state, lines.movement(lines.rows[at]), lines.times[at], place)


def _note_seen(sku: SkuState, lines: SortedLines, first: int, last: int) -> set[int] | None:
    """Note the lines of a SKU as seen; which of them repeat one that was seen before.

    None where it takes a closer look to tell: then nothing was noted.
    """
    newer, older = sku.seen.newer, sku.seen.older
    keys = lines.keys[first:last]
    if older and not older.keys().isdisjoint(keys):
        return None
    records = lines.records[first:last]
    known = map(is_not, map(newer.setdefault, keys, records), records)
    repeated = set(compress(range(first, last), known))
    for at in repeated:
        there, fact = unpack_fact(newer[lines.keys[at]]), lines.fact(lines.rows[at])
        if identity(there) != identity(fact) or not same_content(there, fact):
            for mine in range(first, last):
                if newer.get(lines.keys[mine]) is lines.records[mine]:
                    del newer[lines.keys[mine]]
            return None
    return repeated
