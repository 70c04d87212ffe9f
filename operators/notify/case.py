"""What is remembered of an alert and of a route, and what is said, as plain data."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

from operators.notify.notice import Notice
from schemas.instants import parse_instant

Kind = Literal["raised", "updated", "cleared", "escalated"]
MessageKind = Literal["raised", "updated", "cleared", "escalated", "digest"]


# A replay brings back states in the order they were made; this many are known by name, and what is
# older than all of them was seen as well.
SEEN_KEPT = 200


class Told(msgspec.Struct, frozen=True, array_like=True):
    """The state that people on a route were told last."""

    state: str
    severity: str
    observed: int
    at: int


class Thread(msgspec.Struct, array_like=True):
    """One alert on one route: from its first message to its closing one.

    `due`: when something is to be said; `held`: quiet hours put it off; `pooled`: it waits for the
    route's digest; `asked`: another route passed it on; `escalate_at`: when it is passed on from
    here; `passed_on`: it was; `alarmed`: it was told as passed on; `done`: nothing is left to say.
    """

    told: Told | None = None
    due: int | None = None
    held: bool = False
    pooled: bool = False
    asked: bool = False
    escalate_at: int | None = None
    passed_on: bool = False
    done: bool = False
    alarmed: bool = False


class Case(msgspec.Struct, array_like=True):
    """One alert as the desk knows it.

    `seen` are the states that were read, oldest first; `judged` the severity that the routes were
    last asked for, empty before that.
    """

    notice: Notice
    seen: list[str]
    judged: str = ""
    acknowledged_at: int | None = None
    threads: dict[str, Thread] = {}

    @property
    def id(self) -> str:
        """The id of the alert."""
        return self.notice.alert

    def take_in(self, notice: Notice) -> bool:
        """Remember a state by name; False when it was seen before."""
        if notice.state in self.seen:
            return False
        if len(self.seen) >= SEEN_KEPT:
            if notice.updated_at < parse_instant(self.seen[0].split("#")[1]):
                return False
            del self.seen[0]
        self.seen.append(notice.state)
        return True

    @property
    def open(self) -> bool:
        """Whether the alert is open as far as is known."""
        return self.notice.open


class RouteState(msgspec.Struct, array_like=True):
    """What a route said lately, and the alerts that wait for its digest."""

    said: list[int] = []
    pool: list[str] = []
    pool_due: int | None = None


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One alert in a message."""

    kind: Kind
    notice: Notice

    @property
    def key(self) -> str:
        """What is told exactly once for an alert on a route."""
        suffix = "#escalated" if self.kind == "escalated" else ""
        return self.notice.state + suffix


class Message(msgspec.Struct, frozen=True, array_like=True):
    """One message of a route, about one alert or, a digest, several."""

    route: str
    kind: MessageKind
    items: tuple[Item, ...]
    made_at: int

    @property
    def id(self) -> str:
        """The same for the same content, whenever and however often it is made."""
        told = [(item.notice.alert, item.key, item.kind) for item in self.items]
        content = msgspec.json.encode((self.route, self.kind, told))
        return hashlib.sha256(content).hexdigest()[:24]
