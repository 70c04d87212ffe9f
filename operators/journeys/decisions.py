"""What journeys hand on: decisions to act or not, and how members move through them."""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal, NamedTuple

from operators.journeys.program import Program
from operators.journeys.state import Run
from schemas.journey_rules import MessageClass

Verdict = Literal["go", "defer", "suppress"]
# Of one decision, what cannot be taken back is never written over.
WEIGHT: dict[Verdict, int] = {"defer": 0, "suppress": 1, "go": 2}


class Decision(NamedTuple):
    """One decision; of the same id the one with the larger `version_of` counts.

    `id` is the same however often it is decided: whoever acts on it acts once. `not_after`: acting
    later than this does harm. `first_due`: when it would have been done without being put off.
    """

    id: str
    member: str
    journey: str
    journey_version: str
    entry: str
    step: str
    action: str
    decision: Verdict
    reason: str
    decided_at: int
    first_due: int
    next_at: int | None
    not_after: int
    message_class: MessageClass | None
    channels: tuple[str, ...]
    text: str
    template: str
    first_available: bool
    gift: str | None
    valid_seconds: int | None
    tags: tuple[tuple[str, str], ...]
    held_out: bool
    experiment: str
    arm: str
    zone: str
    segment: str | None
    visits: int
    spent: int


class Moved(NamedTuple):
    """Where a member stands in a journey: `waiting`, or `exited` with a reason.

    `regret`: something was done that would not have been, had this purchase been known in time.
    """

    member: str
    journey: str
    journey_version: str
    entry: str
    status: Literal["waiting", "exited"]
    reason: str
    step: str
    entered_at: int
    at: int
    next_at: int | None
    held_out: bool
    experiment: str
    arm: str
    regret: bool


def decision_id(member: str, run: Run, step: str) -> str:
    """32 hexadecimal digits of member, journey, version, step and entry."""
    key = "\x1f".join((member, run.journey, run.version, step, run.entry))
    return blake2b(key.encode(), digest_size=16).hexdigest()


def moved(
    member: str, run: Run, program: Program, at: int, reason: str = "", *, regret: bool = False
) -> Moved:
    """Where a run stands, or why it has ended."""
    return Moved(
        member,
        run.journey,
        run.version,
        run.entry,
        "exited" if reason else "waiting",
        reason,
        program.nodes[run.node].step,
        run.entered_at,
        at,
        None if reason else run.due,
        run.held_out,
        run.experiment,
        run.arm,
        regret,
    )
