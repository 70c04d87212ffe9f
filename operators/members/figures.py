"""Recency, frequency and monetary of a person at one moment, exact whatever was given back."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from operators.members.facts import Thresholds
from operators.members.member import BACK, BOUGHT, Member
from operators.members.rules import MemberRules
from operators.members.segments import NONE, place
from schemas.instants import DAY_US


class Figures(NamedTuple):
    """What a person comes to; `wake`: when passing time next changes it."""

    last: int | None
    first: int | None
    visits: int
    spent: int
    orders: int
    days: int
    wake: int | None
    segment: int


def judge(
    parts: Sequence[Member],
    clock: int,
    rules: MemberRules,
    thresholds: Thresholds,
    *,
    count_days: bool = False,
) -> Figures:
    """The figures of one person, of one id or of several.

    `count_days`: `days` and `first` are for rows alone, and would take half of the time.
    """
    bought = _bought(parts)
    times, amounts = _counting(bought, _given(parts), rules)
    last = times[-1] if times else None
    first, days = None, 0
    for part in parts:
        if part.past is not None:
            before, began, ended = part.past
            days += before
            first = began if first is None or began < first else first
            last = ended if last is None or ended > last else last
    # Purchases are sorted, so of each window the first one that is still inside leaves it first.
    inside = _first_inside(times, clock, rules.monetary_days, rules)
    spent, orders = sum(amounts[inside:]), len(times) - inside
    leaves_monetary = rules.expires(times[inside], rules.monetary_days) if orders else None
    inside = _first_inside(times, clock, rules.frequency_days, rules)
    visits, leaves_frequency = len(times) - inside, None
    if visits:
        leaves_frequency = rules.expires(times[inside], rules.frequency_days)
        if rules.visit_gap:
            near = zip(times[inside:], times[inside + 1 :], strict=False)
            visits = 1 + sum(late - early > rules.visit_gap for early, late in near)
    far, segment = None, NONE
    if last is not None:
        far = rules.expires(last, thresholds.recency_days)
        segment = place(
            near=far > clock,
            frequent=visits >= thresholds.frequency,
            valuable=spent >= thresholds.monetary,
        )
    wake = far if far is not None and far > clock else None
    for leaves in (leaves_monetary, leaves_frequency):
        if leaves is not None and (wake is None or leaves < wake):
            wake = leaves
    if wake is None and bought:
        # Nothing changes any more, but then there is something to forget.
        wake = bought[len(bought) - BOUGHT] + rules.keep + 2 * DAY_US
    if count_days and times:
        first = times[0] if first is None else min(first, times[0])
        days += len({rules.day_of(one) for one in times})
    return Figures(last, first, visits, spent, orders, days, wake, segment)


class Kept(NamedTuple):
    """Purchases that count: when, and what of each was not given back; `paid` before it was."""

    times: Sequence[int]
    nets: Sequence[int]
    paid: int


def kept_of(parts: Sequence[Member], rules: MemberRules) -> Kept:
    """What one person bought and kept, of one id or of several; of what is not forgotten."""
    bought = _bought(parts)
    return Kept(*_counting(bought, _given(parts), rules), sum(bought[3::BOUGHT]))


def forget(member: Member, clock: int, rules: MemberRules) -> None:
    """Let go of what is in no window and cannot be told again; its days stay counted."""
    bought = member.bought
    if not bought or bought[0] >= clock - rules.keep:
        return
    before = rules.forgets_before(clock)
    given = _given([member])
    end = 0
    counted = []
    while end < len(bought) and bought[end] < before:
        time = bought[end]
        if _kept(time, bought[end + 3], given.get(bought[end + 1]), rules) is not None:
            counted.append(time)
        end += BOUGHT
    if counted:
        days = len({rules.day_of(time) for time in counted})
        past = member.past or (0, counted[0], counted[-1])
        member.past = (past[0] + days, min(past[1], counted[0]), max(past[2], counted[-1]))
    del bought[:end]
    back = member.back
    if back is not None:
        # A clock may have put a refund before its purchase, so these stay a little longer.
        end = 0
        while end < len(back) and back[end] < before - rules.late:
            end += BACK
        del back[:end]


def _counting(
    bought: array[int], given: dict[int, list[tuple[int, int]]], rules: MemberRules
) -> tuple[Sequence[int], Sequence[int]]:
    """Times and amounts of the purchases that count, the oldest first."""
    amounts = bought[3::BOUGHT]
    if not given and (not amounts or min(amounts) >= rules.least):
        return bought[::BOUGHT], amounts
    times, nets = [], []
    for at in range(0, len(bought), BOUGHT):
        kept = _kept(bought[at], bought[at + 3], given.get(bought[at + 1]), rules)
        if kept is not None:
            times.append(bought[at])
            nets.append(kept)
    return times, nets


def _first_inside(times: Sequence[int], clock: int, days: int, rules: MemberRules) -> int:
    """How many of these have left the last so many days."""
    if rules.exact:
        return bisect_right(times, clock - days * DAY_US)
    return bisect_right(times, clock, key=lambda time: rules.expires(time, days))


def _kept(
    time: int, amount: int, given: list[tuple[int, int]] | None, rules: MemberRules
) -> int | None:
    """What of a purchase was not given back while it was in any window; None if it does not count.

    What cost nothing counts where the configuration says so, until anything is given back for it.
    """
    if amount < rules.least:
        return None
    if given is None:
        return amount
    back = [each for at, each in given if at < time + rules.window]
    if not back:
        return amount
    return amount - sum(back) if amount > sum(back) else None


def _bought(parts: Sequence[Member]) -> array[int]:
    if len(parts) == 1:
        return parts[0].bought
    # The same receipt under several ids of a person is one.
    found: dict[int, tuple[int, ...]] = {}
    for part in parts:
        held = part.bought
        for at in range(0, len(held), BOUGHT):
            words = tuple(held[at : at + BOUGHT])
            there = found.get(words[1])
            if there is None or words < there:
                found[words[1]] = words
    united = array("q")
    for words in sorted(found.values()):
        united.extend(words)
    return united


def _given(parts: Sequence[Member]) -> dict[int, list[tuple[int, int]]]:
    """Refunds by receipt; the same refund under several ids of a person is one."""
    given: dict[int, list[tuple[int, int]]] = {}
    seen = set()
    for part in parts:
        back = part.back
        if back is None:
            continue
        for at in range(0, len(back), BACK):
            if back[at + 4] not in seen:
                seen.add(back[at + 4])
                given.setdefault(back[at + 1], []).append((back[at], back[at + 3]))
    return given
