"""Exposure: the moment a member's arm can make a difference, logged alike for every arm.

The gate's checks (consent, caps, quiet hours, credits) are made before the arm is known, and
whoever fails one is in no arm. Where only the treated were checked, or only they waited for the
morning, the arms would differ by more than the treatment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from operators.members.experiments.assignment import Assignment, assign
from operators.members.experiments.definition import Experiment


@dataclass(frozen=True, slots=True)
class Exposure:
    """A member came to the node of an experiment, at an instant in microseconds since 1970."""

    experiment: str
    unit: str
    arm: str
    phase: int
    at: int
    order: int = 0  # among facts of one instant


@dataclass(frozen=True, slots=True)
class Passage:
    """What the gate says: the exposure to log, the arm to follow, or why there is neither."""

    exposure: Exposure | None
    arm: str | None
    refused: tuple[str, ...] = ()


def at_gate(
    one: Experiment,
    unit: str,
    at: int,
    *,
    refused: Sequence[str],
    kept: Assignment | None = None,
    order: int = 0,
    held_out: bool = False,
) -> Passage:
    """Let a member through to its arm.

    `refused` are the reasons of the checks, which are the same for all arms; `held_out` is the
    global holdout, whose members are in no experiment.
    """
    if refused:
        return Passage(None, None, tuple(refused))
    if held_out:
        return Passage(None, None, ("holdout",))
    found = assign(one, unit, kept)
    if found is None:
        return Passage(None, None, ("other_experiment_of_the_layer",))
    exposure = Exposure(one.name, unit, found.arm, found.phase, at, order)
    return Passage(exposure, found.arm)
