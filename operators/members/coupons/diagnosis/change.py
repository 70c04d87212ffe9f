"""Two campaigns side by side: how much of a change is who got it, and how much how well it went.

Kitagawa's decomposition (1955): a difference of two rates over groups is the sum of a part by the
groups' shares (at the mean of their rates) and a part by their rates (at the mean of their shares).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from operators.members.coupons.diagnosis.facts import Receiver, share


@dataclass(frozen=True, slots=True)
class Change:
    """Rates before and after; `who` and `how` add up to their difference."""

    before: float
    after: float
    who: float
    how: float
    words: str


# Members and redemptions of a group.
Group = tuple[int, int]


def change(before: Mapping[str, Group], after: Mapping[str, Group]) -> Change:
    """Split the change of a redemption rate.

    A group that one campaign did not reach has no rate there; it is taken to have the other's, so
    that its coming or going is all `who`.
    """
    totals = [sum(members for members, _ in one.values()) for one in (before, after)]
    who = how = 0.0
    for group in {**before, **after}:
        (m1, r1), (m2, r2) = before.get(group, (0, 0)), after.get(group, (0, 0))
        s1, s2 = share(m1, totals[0]), share(m2, totals[1])
        rate1 = share(r1, m1) if m1 else share(r2, m2)
        rate2 = share(r2, m2) if m2 else rate1
        who += (s2 - s1) * (rate1 + rate2) / 2
        how += (rate2 - rate1) * (s1 + s2) / 2
    old, new = (
        share(sum(redeemed for _, redeemed in one.values()), total)
        for one, total in zip((before, after), totals, strict=True)
    )
    words = (
        f"{old:.1%} to {new:.1%}: {100 * who:+.1f} points because other members got it, "
        f"{100 * how:+.1f} because the same kind of members used it more or less"
    )
    return Change(old, new, who, how, words)


def groups(receivers: Sequence[Receiver]) -> dict[str, Group]:
    """Delivered and redeemed by group."""
    found: dict[str, Group] = {}
    for one in receivers:
        if one.delivered:
            members, redeemed = found.get(one.group, (0, 0))
            found[one.group] = (members + 1, redeemed + one.redeemed)
    return found
