"""Which arm a member is in: a hash, the same in every process and on every machine.

BLAKE2b of the standard library: Python's `hash()` changes with each process, and a faster hash
would be one more dependency for some ten thousandths of a millisecond a member.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from operators.members.experiments.definition import SLOTS, Experiment


@dataclass(frozen=True, slots=True)
class Assignment:
    """The arm of a member, and the phase of the experiment that gave it."""

    arm: str
    phase: int


def slot(name: str, salt: str, unit: str) -> int:
    """One of 10,000 slots; independent between names and between salts."""
    # The separator cannot be in an identifier, so ("a", "bc") and ("ab", "c") differ.
    key = f"{name}\x1f{salt}\x1f{unit}".encode()
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big") % SLOTS


def takes_part(one: Experiment, unit: str) -> bool:
    """Whether the experiment's part of its layer holds the member."""
    if one.layer is None:
        return True
    first, last = one.layer_slots
    return first <= slot("layer", one.layer, unit) < last


def assign(one: Experiment, unit: str, kept: Assignment | None = None) -> Assignment | None:
    """The member's arm, None for one who takes no part.

    `kept` is the assignment of the member's first exposure, which stays: also when shares change,
    when members are merged, and when the member comes back. Only a roll-out goes over it.
    """
    if kept is not None and not any(p.released for p in one.phases if p.number > kept.phase):
        return kept
    if not takes_part(one, unit):
        return None
    return Assignment(one.phase.arm(slot(one.name, one.salt, unit)), one.phase.number)


def in_holdout(unit: str, share: int, version: str) -> bool:
    """Whether a member is in the global holdout of that version: no journey treats it at all.

    `share` is of 10,000. A larger share keeps those who were in it and adds others.
    """
    return slot("holdout", version, unit) < share
