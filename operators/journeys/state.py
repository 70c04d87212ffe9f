"""What journeys remember of a member, as plain versioned values."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from operators.members.experiments.assignment import Assignment


class Run(msgspec.Struct, array_like=True, gc=False):
    """A member's way through one version of a journey.

    `entry` is what let it in (an event, or an instant) and makes ids of decisions; `node` is where
    it stands, `due` when it goes on, `waiting` the event it waits for. `last` is the last purchase
    when it came in, `acted_at` when something was last done. `first_due` is when what stands at
    `node` was first to be done, `deferred` how often it was put off. `message` is the last one that
    was sent, `heard` what was heard of it, `channels` those in which it has not failed.
    """

    journey: str
    version: str
    entry: str
    entered_at: int
    due: int
    last: int | None
    held_out: bool
    node: int = 0
    waiting: str = ""
    first_due: int | None = None
    deferred: int = 0
    experiment: str = ""
    arm: str = ""
    acted_at: int | None = None
    message: str = ""
    channels: list[str] = []
    heard: list[str] = []


class Entered(msgspec.Struct, array_like=True, gc=False):
    """How often and when last a member came into a journey."""

    times: int
    last: int


class Kept(msgspec.Struct, array_like=True, gc=False):
    """The arm of a member's first exposure to an experiment."""

    arm: str
    phase: int
    at: int

    def assignment(self) -> Assignment:
        """It as the experiments take it."""
        return Assignment(self.arm, self.phase)


class MemberJourneys(msgspec.Struct, array_like=True):
    """All that journeys remember of one member.

    `above`: journeys whose figure is at its level. `armed`: when silence or a schedule next lets
    it in; `silent`: the last purchase whose silence was dealt with. `sent`: marketing messages of
    the longest cap. `absorbed`: what ids that were merged into this one had come into. `queued`:
    when it is next looked at, 0 if not.
    """

    runs: list[Run] = []
    entered: dict[str, Entered] = {}
    above: dict[str, bool] = {}
    armed: dict[str, int] = {}
    silent: dict[str, int] = {}
    sent: list[int] = []
    tags: dict[str, str] = {}
    arms: dict[str, Kept] = {}
    absorbed: dict[str, tuple[dict[str, Entered], list[int]]] = {}
    queued: int = 0

    def wake(self) -> int | None:
        """When it is next to be looked at."""
        times = [run.due for run in self.runs]
        times += self.armed.values()
        return min(times, default=None)

    def running(self, journey: str) -> bool:
        """Whether it is in a journey now."""
        return any(run.journey == journey for run in self.runs)

    def empty(self) -> bool:
        """Whether there is nothing to remember."""
        about = (self.runs, self.entered, self.armed, self.silent, self.sent, self.tags, self.arms)
        return not any(about) and not any(self.above.values()) and not self.absorbed


class PackedDesk(msgspec.Struct, array_like=True):
    """All members of a shard, and the files by which they are treated.

    `current` are the versions in force by journey; `texts` the files of these and of those that
    members are still in.
    """

    now: int
    current: dict[str, str]
    texts: dict[str, str]
    members: dict[str, MemberJourneys]


_encoder = msgspec.msgpack.Encoder()
_desk = msgspec.msgpack.Decoder(PackedDesk)
pack_desk: Callable[[PackedDesk], bytes] = _encoder.encode
unpack_desk: Callable[[bytes], PackedDesk] = _desk.decode


def unite(into: MemberJourneys, other: MemberJourneys, name: str) -> None:
    """Make two ids of a person one: what `name` was in is that of `into`.

    In the same journey the run that is further stays, so that no step is done twice.
    """
    for run in other.runs:
        there = next((one for one in into.runs if one.journey == run.journey), None)
        if there is None:
            into.runs.append(run)
            continue
        if (run.node, -run.due) > (there.node, -there.due):
            into.runs[into.runs.index(there)] = run
    into.absorbed[name] = (dict(other.entered), list(other.sent))
    into.absorbed.update(other.absorbed)
    for journey, entered in other.entered.items():
        mine = into.entered.get(journey)
        times = entered.times + (mine.times if mine else 0)
        last = max(entered.last, mine.last if mine else entered.last)
        into.entered[journey] = Entered(times, last)
    into.above |= {journey: True for journey, is_above in other.above.items() if is_above}
    for journey, last in other.silent.items():
        # A silence that was dealt with is that of the person.
        into.silent[journey] = max(last, into.silent.get(journey, last))
    into.sent = sorted([*into.sent, *other.sent])
    into.tags = other.tags | into.tags
    for experiment, kept in other.arms.items():
        mine_too = into.arms.get(experiment)
        if mine_too is None or kept.at < mine_too.at:
            into.arms[experiment] = kept
