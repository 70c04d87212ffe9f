"""What an experiment is: arms with shares, in phases; and how shares change without mixing arms.

A member's slot (0 to 9,999) never changes, a phase says which arm holds which slots. A change of
shares moves as few slots as it can, from arms that shrink to arms that grow. So whoever is left in
the control after a roll-out has been in it from the first day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

SLOTS = 10_000
_WHOLE_LAYER = (0, SLOTS)


class ExperimentError(ValueError):
    """An experiment that cannot be run as it is written; the text says what to change."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Who holds which slots: `table` is (end, arm) in order, each from the end before it.

    In a phase that is `released`, members who were exposed in an earlier one follow the table, too:
    a roll-out reaches those who were in the control. In any other they keep their arm.
    """

    number: int
    table: tuple[tuple[int, str], ...]
    released: bool = False

    def arm(self, slot: int) -> str:
        """The arm that holds a slot."""
        return next(arm for end, arm in self.table if slot < end)

    def shares(self) -> dict[str, int]:
        """Slots of each arm."""
        held: dict[str, int] = {}
        start = 0
        for end, arm in self.table:
            held[arm] = held.get(arm, 0) + end - start
            start = end
        return held


@dataclass(frozen=True, slots=True)
class Experiment:
    """Arms (the first is the control) and the phases that they went through, newest last.

    Experiments of one layer with slots that do not overlap never meet in one member.
    """

    name: str
    salt: str
    arms: tuple[str, ...]
    phases: tuple[Phase, ...]
    layer: str | None = None
    layer_slots: tuple[int, int] = _WHOLE_LAYER

    @property
    def control(self) -> str:
        """What the other arms are measured against."""
        return self.arms[0]

    @property
    def phase(self) -> Phase:
        """The running phase."""
        return self.phases[-1]


def experiment(
    name: str,
    shares: Mapping[str, int],
    *,
    salt: str = "1",
    layer: str | None = None,
    layer_slots: tuple[int, int] = _WHOLE_LAYER,
) -> Experiment:
    """An experiment in its first phase; shares are of 10,000 and the first arm is the control."""
    _check(name, shares)
    first, last = layer_slots
    if not 0 <= first < last <= SLOTS:
        msg = f"experiment {name}: layer slots {first}-{last} are not within 0-{SLOTS}"
        raise ExperimentError(msg)
    if layer is None and layer_slots != _WHOLE_LAYER:
        msg = f"experiment {name}: layer slots need the name of their layer"
        raise ExperimentError(msg)
    table, end = [], 0
    for arm, share in shares.items():
        end += share
        if share:
            table.append((end, arm))
    phase = Phase(1, tuple(table))
    return Experiment(name, salt, tuple(shares), (phase,), layer, layer_slots)


def reweighted(old: Experiment, shares: Mapping[str, int]) -> Experiment:
    """The next phase, with other shares: those who were exposed keep their arms."""
    return _next(old, shares, released=False)


def rolled_out(old: Experiment, winner: str, remaining: int = SLOTS // 10) -> Experiment:
    """The next phase, in which all but a remaining control get the winner's treatment."""
    if winner == old.control:
        msg = f"experiment {old.name}: {winner} is the control; to end it, stop the journey's split"
        raise ExperimentError(msg)
    held = old.phase.shares().get(old.control, 0)
    if not 0 < remaining <= held:
        msg = (
            f"experiment {old.name}: a remaining control of {remaining / 100:g}% must be more than "
            f"nothing and at most the {held / 100:g}% that are in it now"
        )
        raise ExperimentError(msg)
    shares = dict.fromkeys(old.arms, 0) | {old.control: remaining, winner: SLOTS - remaining}
    return _next(old, shares, released=True)


def check_layers(experiments: Mapping[str, Experiment]) -> None:
    """Refuse experiments of one layer that would meet in a member."""
    by_layer: dict[str, list[Experiment]] = {}
    for one in experiments.values():
        if one.layer is not None:
            by_layer.setdefault(one.layer, []).append(one)
    for layer, found in by_layer.items():
        found.sort(key=lambda one: one.layer_slots)
        for before, after in pairwise(found):
            if after.layer_slots[0] < before.layer_slots[1]:
                msg = (
                    f"layer {layer}: {before.name} holds slots {before.layer_slots[0]}-"
                    f"{before.layer_slots[1]} and {after.name} begins at {after.layer_slots[0]}; "
                    "give them slots that do not overlap, or different layers"
                )
                raise ExperimentError(msg)


def _check(name: str, shares: Mapping[str, int]) -> None:
    if not name or len(shares) < 2:
        msg = f"experiment {name or '(no name)'}: it needs a name and two arms or more"
        raise ExperimentError(msg)
    if min(shares.values()) < 0 or sum(shares.values()) != SLOTS:
        told = ", ".join(f"{arm} {share / 100:g}%" for arm, share in shares.items())
        total = sum(shares.values()) / 100
        msg = f"experiment {name}: shares make {total:g}%, they must make 100%: {told}"
        raise ExperimentError(msg)


def _next(old: Experiment, shares: Mapping[str, int], *, released: bool) -> Experiment:
    _check(old.name, shares)
    if set(shares) != set(old.arms):
        msg = f"experiment {old.name}: its arms are {', '.join(old.arms)}; others need another one"
        raise ExperimentError(msg)
    now = old.phase.shares()
    grow = {arm: shares[arm] - now.get(arm, 0) for arm in old.arms}
    wanted = [(arm, by) for arm, by in grow.items() if by > 0]
    pieces: list[tuple[int, str]] = []
    left = dict(shares)
    start = 0
    for end, arm in old.phase.table:
        keeps = min(left[arm], end - start)
        left[arm] -= keeps
        if keeps:
            pieces.append((start + keeps, arm))
        at = start + keeps
        while at < end:
            taker, by = wanted.pop(0)
            takes = min(by, end - at)
            at += takes
            left[taker] -= takes
            pieces.append((at, taker))
            if by > takes:
                wanted.insert(0, (taker, by - takes))
        start = end
    return replace(
        old,
        phases=(*old.phases, Phase(old.phase.number + 1, _joined(pieces), released)),
    )


def _joined(pieces: list[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    """Neighbours of one arm as one."""
    joined: list[tuple[int, str]] = []
    for end, arm in pieces:
        if joined and joined[-1][1] == arm:
            joined.pop()
        joined.append((end, arm))
    return tuple(joined)
