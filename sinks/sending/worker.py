"""A worker: reads, commits, lets a sender for each channel send, until stopped."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from operators.inbox import Batch, Inbox
from schemas.instants import DAY_US, HOUR_US
from sinks.loop import Clock, Steps
from sinks.sending.sender import PacedSender

LOG = logging.getLogger("tillflow.sending")

# How soon what another process wrote into the store is noticed while nothing arrives.
LOOK_SECONDS = 0.2
# How long a run that ends waits for more before it asks whether that was all.
ONCE_SECONDS = 0.02
# So long what has ended is kept: to be listed, and for links to work.
KEEP_US = 90 * DAY_US

T = TypeVar("T")
S = TypeVar("S", bound=PacedSender[Any])


class Leaving(Protocol):
    """The part of a store that the end of a run needs."""

    def leaving(self, channels: Collection[str], now: int) -> bool:
        """Whether a message of those channels is about to leave."""
        ...

    def prune(self, before: int) -> int:
        """Forget what ended before an instant; how many."""
        ...


class SendingWorker(ABC, Generic[T, S]):
    """Owns a store. Use it as a context manager; `run` goes on until `stop` is set.

    Whoever derives from it opens `store` and fills `senders`; what `_open` holds is closed last
    come, first closed.
    """

    store: Leaving

    def __init__(self, clock: Clock, made: Steps) -> None:
        self.senders: dict[str, S] = {}
        self._clock = clock
        self._made = made
        self._open = ExitStack()
        self._forget_at = 0

    @abstractmethod
    def step(self, batch: Batch[T]) -> int:
        """Take in a batch and whatever is due by now; how many messages are new."""

    def _take(self, sender: S) -> None:
        """Settle what a channel had on its way, and stop its sender before what it uses."""
        self.senders[sender.name] = sender
        self._open.callback(sender.stop)
        sender.recover()

    def _warn(self, batch: Batch[T]) -> None:
        for refused in batch.refused:
            where = f"{refused.topic}/{refused.part} at {refused.at}"
            LOG.warning("%s cannot be read and is kept in the store: %s", where, refused.reason)

    def _forget(self, now: int) -> bool:
        """Once an hour, forget what ended long ago; whether it is time for that."""
        if now < self._forget_at:
            return False
        self._forget_at = now + HOUR_US
        self.store.prune(now - KEEP_US)
        return True

    def _wake(self) -> None:
        for sender in self.senders.values():
            sender.wake()

    def run(self, inbox: Inbox[T], stop: threading.Event, *, once: bool = False) -> None:
        """Read and send until stopped; `once`: until all is read and nothing can leave any more."""
        for sender in self.senders.values():
            sender.start()
        while not stop.is_set():
            batch = inbox.read(ONCE_SECONDS if once else self._patience())
            self._made("read")
            self.step(batch)
            self._check()
            if once and not batch.positions and not batch.items and inbox.ended():
                break
        if once:
            self.drain(stop)

    def drain(self, stop: threading.Event) -> None:
        """Wait until no message is about to leave; channels in trouble are not waited for."""
        while not stop.is_set():
            self._check()
            self._between()
            now = self._clock()
            well = [name for name, sender in self.senders.items() if not sender.paused(now)]
            if not self.store.leaving(well, now):
                self._between()
                return
            time.sleep(0.01)

    def _patience(self) -> float:
        """How long reading may wait."""
        return LOOK_SECONDS

    def _between(self) -> None:
        """Done again and again while it waits for messages to leave, and after the last."""

    def _check(self) -> None:
        for sender in self.senders.values():
            if sender.failure is not None:
                raise sender.failure

    def close(self) -> None:
        """End the senders and let go of the store."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        wrong: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
