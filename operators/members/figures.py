"""Recency, frequency and monetary of a person at one moment, exact whatever was given back."""

from __future__ import annotations

from array import array
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
    bought, given = _bought(parts), _given(parts)
    past = [one.past for one in parts if one.past is not None]
    last = max((one[2] for one in past), default=None)
    exact, monetary, frequency = rules.exact, rules.monetary_us, rules.frequency_us
    gap, least = rules.visit_gap, rules.least
    visits = spent = orders = 0
    # Purchases are sorted, so of each window the first one that is still inside leaves it first.
    leaves_monetary = leaves_frequency = before = None
    counted = []
    for at in range(0, len(bought), BOUGHT):
        time, amount = bought[at], bought[at + 3]
        if given:
            kept = _kept(time, amount, given.get(bought[at + 1]), rules)
            if kept is None:
                continue
            amount = kept
        elif amount < least:
            continue
        last = time if last is None or time > last else last
        if count_days:
            counted.append(time)
        expires = time + monetary if exact else rules.expires(time, rules.monetary_days)
        if expires > clock:
            spent += amount
            orders += 1
            if leaves_monetary is None:
                leaves_monetary = expires
        expires = time + frequency if exact else rules.expires(time, rules.frequency_days)
        if expires > clock:
            if leaves_frequency is None:
                leaves_frequency = expires
                visits = 1
            elif not gap or before is None or time - before > gap:
                visits += 1
        before = time
    far, segment = None, NONE
    if last is not None:
        far = rules.expires(last, thresholds.recency_days)
        segment = place(
            near=far > clock,
            frequent=visits >= thresholds.frequency,
            valuable=spent >= thresholds.monetary,
        )
    wakes = [one for one in (leaves_monetary, leaves_frequency, far) if one and one > clock]
    wake = min(wakes) if wakes else None
    if wake is None and bought:
        # Nothing changes any more, but then there is something to forget.
        wake = bought[len(bought) - BOUGHT] + rules.keep + 2 * DAY_US
    first = min((one[1] for one in past), default=None)
    if counted:
        first = counted[0] if first is None else min(first, counted[0])
    days = sum(one[0] for one in past) + len({rules.day_of(one) for one in counted})
    return Figures(last, first, visits, spent, orders, days, wake, segment)


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
