"""Proposals for a stretch: the moves that are legal and help, cheapest first."""

from __future__ import annotations

from operators.roster.evaluate import evaluate
from operators.roster.intraday.moves import Change, Notice, moves
from operators.roster.intraday.watch import Stretch
from operators.roster.people_at_work import Presence
from operators.roster.problem import Problem, clock
from operators.roster.roster import Roster
from schemas.staffing import Proposal


class Options:
    """The published roster of a problem, against which changes are judged."""

    def __init__(self, problem: Problem, roster: Roster) -> None:
        self.problem = problem
        self.roster = roster
        self._broken = frozenset(evaluate(problem, roster).violations)

    def legal(self, roster: Roster) -> bool:
        """Whether it breaks nothing that the published one does not break, by the same rules."""
        return self._broken.issuperset(evaluate(self.problem, roster).violations)

    def changes(self, stretch: Stretch, day: int, now: int, notice: Notice) -> list[Change]:
        """Each person's changes that help, by person, the one to be had rather first.

        Who stays or comes should do so for as much of the stretch as they can, at the least cost.
        Sending somebody home only counts where it pays more than the waiting it causes.
        """
        serving = Presence(self.problem, self.roster).serving
        found = moves(self.problem, self.roster, serving, stretch, (day, now), notice)
        helping = [one for one in found if one.covers > 0 and (one.move != "go" or one.net < 0)]
        return sorted(helping, key=_wanted)

    def proposals(
        self, stretch: Stretch, day: int, now: int, notice: Notice, most: int
    ) -> list[Proposal]:
        """At most so many, one a person, each legal by itself; the cheapest first.

        What counts is the cost of a head-interval that is covered, or all that going home saves.
        Those that do it together are marked.
        """
        legal: dict[int, Change] = {}
        for one in self.changes(stretch, day, now, notice):
            if one.person not in legal and self.legal(one.applied(self.roster)):
                legal[one.person] = one
        chosen = sorted(legal.values(), key=_price)[:most]
        together = self._together(chosen, stretch, day)
        return [self._told(one, stretch, one in together) for one in chosen]

    def _together(self, chosen: list[Change], stretch: Stretch, day: int) -> list[Change]:
        """The first of them that, done one after the other, still help and stay legal."""
        roster, taken = self.roster, list[Change]()
        left = stretch.amount
        for one in chosen:
            if left <= 0:
                break
            after = one.applied(roster)
            better = left - self._amount(after, stretch, day)
            if better > 0 and self.legal(after):
                roster, left = after, left - better
                taken.append(one)
        return taken

    def _amount(self, roster: Roster, stretch: Stretch, day: int) -> int:
        """What is left of a stretch with another roster."""
        serving = Presence(self.problem, roster).serving
        base = day * 96
        amount = 0
        for slot in range(base + stretch.start, base + stretch.end):
            demand = self.problem.demands.get(stretch.task, {}).get(slot)
            if demand is not None:
                off = serving.get((stretch.task, slot), 0) - demand.heads
                amount += max(0, -off if stretch.kind == "short_staffed" else off)
        return amount

    def _told(self, one: Change, stretch: Stretch, together: bool) -> Proposal:
        new, old = one.new, one.old
        before = 0 if old is None else old.end - old.start
        minutes = (new.end - new.start - before) * 15
        who, ends = self.problem.people[one.person].name, clock(new.end)
        what = {
            "stay": f"{who} stays until {ends} instead of {clock(old.end) if old else ''}",
            "go": f"{who} goes home at {ends} instead of {clock(old.end) if old else ''}",
            "call": f"{who} comes in from {clock(new.start)} to {ends}",
        }[one.move]
        return Proposal(
            move=one.move,
            employee=who,
            starts=clock(new.start),
            ends=ends,
            minutes=minutes,
            task=stretch.task,
            pay_change=one.pay,
            waiting_change=one.waiting,
            covers=one.covers,
            together=together,
            words=f"{what}: pay {one.pay:+,}, waiting {one.waiting:+,}",
        )


def _wanted(one: Change) -> tuple[int, int, int, int, int]:
    covers = 0 if one.move == "go" else one.covers
    return (one.person, -covers, one.net, one.new.end, one.new.pause or 0)


def _price(one: Change) -> tuple[float, int, int]:
    return (one.net if one.move == "go" else one.net / one.covers, -one.covers, one.person)
