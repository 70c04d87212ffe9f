"""Sends what waits for one channel at its pace, in a thread of its own."""

from __future__ import annotations

from abc import abstractmethod
from typing import Generic, Protocol, TypeVar

from operators.notify.pace import earliest, wait_after
from schemas.hooks import Retry
from schemas.instants import SECOND_US
from sinks.loop import Clock, Loop
from sinks.sending.verdict import Verdict

# Stands where a secret, or whoever is addressed, was in a provider's answer.
HIDDEN = "***"

W = TypeVar("W")
W_co = TypeVar("W_co", covariant=True)


class Closing(Protocol):
    """Something to let go of."""

    def close(self) -> None:
        """Let go of it."""
        ...


class Queue(Closing, Protocol[W_co]):
    """What waits for one channel; one connection to the store, used by one thread."""

    def next(self, now: int) -> W_co | None:
        """What is due."""
        ...

    def next_due(self, now: int) -> int | None:
        """When something is due after `now`; None when nothing is."""
        ...

    def requests(self) -> list[int]:
        """When requests left within the last minute, ascending."""
        ...


class PacedSender(Loop, Generic[W]):
    """One channel: `step` does one thing and says when to come back, `start` repeats it.

    No more than `per_minute` requests leave in any minute, and the channel as a whole is left alone
    for a while after trouble.
    """

    _client: Closing
    _outbox: Queue[W]

    def __init__(self, name: str, clock: Clock, per_minute: int, retry: Retry) -> None:
        super().__init__(name, clock)
        self._per_minute = per_minute
        self._retry = retry
        self._troubles = 0
        self._paused_until = 0

    @abstractmethod
    def recover(self) -> None:
        """Settle what was on its way when the last worker ended."""

    @abstractmethod
    def _attend(self, one: W, now: int) -> None:
        """Do what is to be done with something that is due."""

    def paused(self, now: int) -> bool:
        """Whether the channel is left alone for a while, after trouble."""
        return self._paused_until > now

    def step(self) -> int | None:
        """Do at most one thing; when there is something to do next, None for not yet known."""
        now = self._clock()
        if self._paused_until > now:
            return self._paused_until
        one = self._outbox.next(now)
        if one is None:
            return self._outbox.next_due(now)
        free = earliest(self._outbox.requests(), self._per_minute, now)
        if free > now:
            return free
        self._attend(one, now)
        return self._clock()

    def _rest(self, verdict: Verdict, now: int, seed: str) -> None:
        """After trouble of the whole channel: however many messages fail, all of them wait."""
        self._troubles = self._troubles + 1 if verdict.whole else 0
        if verdict.whole:
            tries = min(self._troubles, self._retry.attempts - 1) or 1
            pause = wait_after(tries, self._retry, seed) or 0
            self._paused_until = now + max(wished(verdict), pause)

    def stop(self) -> None:
        """End after the message that is on its way."""
        super().stop()
        self._client.close()
        self._outbox.close()


def wished(verdict: Verdict) -> int:
    """So many microseconds the provider wants to be left alone, 0 where it says nothing."""
    return round((verdict.after_seconds or 0) * SECOND_US)
