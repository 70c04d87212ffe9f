"""A journey as an operator writes it: one YAML file, its one form whatever language it is in.

Durations are `30d`, `2h`, `20m`; money `¥500` or `500` in units of the chain's currency; clocks
`20:00`; figures are tested like `>=3`, `<500` or `2..3`. The JSON Schema holds the English words;
schemas.journey_words has the Chinese ones.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from schemas.journey_rules import MessageClass

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[\w-]+$")]
Duration = Annotated[str, msgspec.Meta(description="30d, 2h, 20m, 1w; also 30天, 2小时")]
Share = Annotated[str | float, msgspec.Meta(description="10% or 0.1")]
Figures = Annotated[
    dict[str, Any],
    msgspec.Meta(description="field: test, several are all meant; or all, any, not"),
]
Trigger = Literal["purchase", "refund", "registered", "consent"]
# What is heard of the last message that the journey sent.
Heard = Literal["opened", "delivered", "failed"]
TransitionCause = Literal["purchase", "refund", "time"]


class Crosses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A figure comes to `above` or more, from below; coming back up after a fall is once more."""

    field: str
    above: str | float


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What lets a member in: exactly one trigger.

    `event`, `segment_enters`, `no_purchase_for`, `crosses` and `schedule` are the triggers. `cause`
    narrows segment_enters, `amount` tests the amount of a purchase or refund, `zone` says whose
    clock a schedule goes by.
    """

    event: Trigger | None = None
    segment_enters: str | list[str] | None = None
    no_purchase_for: Duration | None = None
    crosses: Crosses | None = None
    schedule: str | None = None
    cause: list[TransitionCause] | None = None
    amount: str | float | None = None
    zone: Literal["member", "chain"] = "member"


class OncePer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Come in again only so long after coming in."""

    once_per: Duration


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When and how often; what is left out is the chain's.

    A larger `priority` goes first where a cap leaves room for one. `days` are the weekdays on which
    messages may go. `max_event_age`: how old the trigger may be. `ttl`: how long a message may wait
    for quiet hours and caps. `on_capped`: skip the step, wait for room, or leave the journey.
    """

    priority: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 50
    quiet_hours: str | None = None
    days: str | list[str] | None = None
    max_event_age: Duration | None = None
    ttl: Duration | None = None
    on_capped: Literal["skip", "wait", "exit"] = "skip"


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A purchase within so long of coming in is what the journey is for; it ends the journey."""

    purchase_within: Duration
    metric: str | None = None


class Send(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"class_": "class"}):
    """A message: the first of `channels` that the member allows and the provider can reach."""

    class_: MessageClass
    channels: list[str]
    text: str = ""
    template: str = ""
    first_available: bool = True


class Wait(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"for_": "for"}):
    """Wait `for` so long, `until` a clock (`09:00`, `Friday 20:00`), or for an `event`.

    An event is waited for at most `timeout`; then the step's `then` is taken, or else `else`.
    `opened`, `delivered` and `failed` are of the last message that the journey sent.
    `grace`: who comes later than the clock by no more does not wait for the next day.
    """

    for_: Duration | None = None
    until: str | None = None
    event: Trigger | Heard | None = None
    timeout: Duration | None = None
    grace: Duration | None = None


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An experiment: arms with shares that make 100%; the first one is the control.

    `steps` has the steps of each arm; an arm without any goes on with what follows. `rolled_out` is
    the arm that is better: all get it from now on, but for the control, of which `remaining` is
    left (those who have been in it from the first day).
    """

    experiment: Name
    arms: dict[str, Share]
    steps: dict[str, list[Any]] = {}
    salt: str = "1"
    rolled_out: str | None = None
    remaining: Share = "10%"


class Step(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    rename={"if_": "if", "else_": "else"},
):
    """One step: exactly one of wait, if, split, send, give, set, notify_staff, exit.

    `then` and `else` belong to `if` and to a wait for an event; `text` and `valid` to `give`.
    `name` keeps a step's identity when others are put before it.
    """

    wait: str | Wait | None = None
    if_: Figures | None = None
    split: Split | None = None
    send: Send | None = None
    give: str | None = None
    set: dict[str, str] | None = None
    notify_staff: str | None = None
    exit: str | None = None
    then: list[Any] | None = None
    else_: list[Any] | None = None
    text: str = ""
    valid: Duration | None = None
    name: Name | None = None


class Test(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a made-up member lives through, and what has to come of it.

    `given` are events in the order of time, each with `at` (local) and one of purchase, refund,
    registered, consent, tick, restart; `happened` is for what is known later than it happened.
    `member`: its zone and store, what it allows (marketing everywhere unless `consents` says
    otherwise), its tags, whether it is in the holdout, its arms of experiments. `expect`: entered,
    sent, given, held, held_by, exited, tags, at (when it was sent).
    """

    name: str
    given: list[dict[str, Any]]
    expect: dict[str, Any]
    member: dict[str, Any] = {}


class Journey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens to members, from what lets them in to what lets them out.

    `enrol`: `current_and_future` also lets in whom the trigger is already true of when the journey
    first runs. `holdout`: this share comes in, is told nothing and is compared with.
    `exit_when`: purchase, refund, opted_out, or tests of figures; asked at once and again before
    everything that is done.
    """

    journey: Name
    when: When
    steps: list[Step]
    version: Annotated[int, msgspec.Meta(ge=1)] = 1
    title: str = ""
    who: Figures = {}
    enrol: Literal["future_only", "current_and_future"] = "future_only"
    reenter: Literal["never", "always"] | OncePer | None = None
    holdout: Share = 0.0
    limits: Limits = Limits()
    exit_when: list[Any] = []
    goal: Goal | None = None
    tests: list[Test] = []
