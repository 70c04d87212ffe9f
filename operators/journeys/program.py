"""A journey made ready to run: what lets members in and out, and its steps as a flat list.

Steps refer to each other by their place in the list. `step` names one for good: its place as an
operator counts (`2`, `3.then.1`), or the name it was given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from operators.journeys.conditions import Condition, asks
from operators.journeys.units import Range
from operators.journeys.wall import EVERY_DAY, Hours, Schedule
from operators.members.experiments.definition import Experiment
from schemas.journey_rules import MessageClass
from schemas.member_events import Cause

Verb = Literal["send", "give", "set", "notify_staff"]


class OnEvent(NamedTuple):
    """Something happened to the member."""

    event: str
    amount: Range | None


class OnSegment(NamedTuple):
    """The member came into one of the segments."""

    segments: tuple[str, ...]
    causes: tuple[Cause, ...]


class OnSilence(NamedTuple):
    """No purchase for so long, in microseconds."""

    length: int


class OnCrossing(NamedTuple):
    """A figure came to the level from below."""

    field: str
    level: int


class OnSchedule(NamedTuple):
    """A time came, by the member's clock or by the chain's."""

    schedule: Schedule
    zone: Literal["member", "chain"]


Trigger = OnEvent | OnSegment | OnSilence | OnCrossing | OnSchedule


class WaitFor(NamedTuple):
    """Wait so long."""

    step: str
    length: int


class WaitUntil(NamedTuple):
    """Wait for a clock on the member's wall."""

    step: str
    minute: int
    days: frozenset[int] = EVERY_DAY
    grace: int = 0


class WaitEvent(NamedTuple):
    """Wait for an event, then go on at `came`; after `timeout` go on at `missed`."""

    step: str
    event: str
    timeout: int
    came: int
    missed: int


class Branch(NamedTuple):
    """Go on at one of two places."""

    step: str
    condition: Condition
    yes: int
    no: int


class SplitArms(NamedTuple):
    """Go on at the place of the member's arm."""

    step: str
    experiment: Experiment
    places: dict[str, int]


class Act(NamedTuple):
    """Something that is done to the member: a message, a gift, a tag, a word to staff."""

    step: str
    verb: Verb
    class_: MessageClass | None = None
    channels: tuple[str, ...] = ()
    text: str = ""
    template: str = ""
    first_available: bool = True
    gift: str | None = None
    valid: int | None = None
    tags: tuple[tuple[str, str], ...] = ()


class Jump(NamedTuple):
    """Go on elsewhere."""

    step: str
    to: int


class Leave(NamedTuple):
    """The journey is over for the member."""

    step: str
    reason: str


Node = WaitFor | WaitUntil | WaitEvent | Branch | SplitArms | Act | Jump | Leave


@dataclass(frozen=True, slots=True)
class Program:
    """One version of a journey; `version` is the operator's number and a hash of what it does.

    `reenter`: None never, 0 always, else microseconds after coming in. `text` is the file, kept so
    that members who are in it can finish it after the file was changed.
    """

    name: str
    version: str
    title: str
    text: str
    trigger: Trigger
    who: Condition
    nodes: tuple[Node, ...]
    priority: int
    reenter: int | None
    enrol_current: bool
    holdout: int
    hours: Hours
    max_age: int
    ttl: int
    on_capped: Literal["skip", "wait", "exit"]
    exit_events: frozenset[str]
    exit_when: tuple[Condition, ...]
    goal: int | None

    def asks(self, field: str) -> bool:
        """Whether it has to know a figure of its members."""
        branches = (node.condition for node in self.nodes if isinstance(node, Branch))
        return any(asks(field, one) for one in (self.who, *self.exit_when, *branches))
