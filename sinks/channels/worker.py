"""The channels worker: takes in decisions, lets the senders send, tells what became of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from operators.channels.heard import Heard
from operators.channels.judge import Judge
from operators.inbox import Batch, Inbox
from schemas.channels import Channels
from schemas.instants import DAY_US, HOUR_US
from schemas.journey_rules import JourneysConfig
from sinks.channels.clients import client_of, secrets_of
from sinks.channels.contacts import Contacts
from sinks.channels.outbox import Outbox
from sinks.channels.sender import Sender
from sinks.channels.store import Store
from sinks.channels.telling import Teller
from sinks.hooks.worker import wall_clock
from sinks.loop import Clock, Steps
from sinks.sqlite import owned

LOG = logging.getLogger("tillflow.channels")

LOOK_SECONDS = 0.2
# How long a run that ends waits for more before it asks whether that was all.
ONCE_SECONDS = 0.02
# So long what has ended is kept.
KEEP_US = 90 * DAY_US


class Worker:
    """Owns a store. Use it as a context manager; `run` goes on until `stop` is set.

    Raises:
        ChannelsProblem: contacts cannot be read.
        LookupError: a secret is not there.
        StoreError: the store belongs to another worker or to a sandbox, or is none.
    """

    def __init__(
        self,
        made: Channels,
        rules: JourneysConfig,
        store: Path,
        env: Mapping[str, str],
        teller: Teller,
        *,
        clock: Clock = wall_clock,
        steps: Steps = lambda _: None,
    ) -> None:
        self._clock = clock
        self._made = steps
        self._teller = teller
        self._open = ExitStack()
        try:
            clients = {
                name: client_of(name, channel, env, made.sandbox)
                for name, channel in made.ways.items()
            }
            self._open.enter_context(owned(store))
            self.store = Store(store)
            self._open.callback(self.store.close)
            self.store.claim(sandbox=made.sandbox is not None)
            contacts, judge = Contacts(Path(made.contacts)), Judge(rules)
            self.senders: dict[str, Sender] = {}
            for name, client in clients.items():
                sender = self.senders[name] = Sender(
                    name,
                    made,
                    client,
                    Outbox(store, name, client.provider),
                    judge,
                    contacts,
                    clock,
                    secrets=secrets_of(made.ways[name], env),
                    steps=steps,
                )
                self._open.callback(sender.stop)
                sender.recover()
        except BaseException:
            self._open.close()
            raise
        self._forget_at = 0

    def step(self, batch: Batch[Heard]) -> int:
        """Take in a batch and tell what is to be told; how many messages are new."""
        now = self._clock()
        for refused in batch.refused:
            where = f"{refused.topic}/{refused.part} at {refused.at}"
            LOG.warning("%s cannot be read and is kept in the store: %s", where, refused.reason)
        new = 0
        self._made("heard")
        if batch.items or batch.positions or batch.refused:
            parts = (batch.items, batch.positions, batch.refused)
            new = self.store.commit(*parts, self.senders, now)
            self._made("committed")
        if now >= self._forget_at:
            self._forget_at = now + HOUR_US
            self.store.prune(now - KEEP_US)
        if new:
            self._wake()
        self.tell()
        return new

    def _wake(self) -> None:
        for sender in self.senders.values():
            sender.wake()

    def tell(self) -> None:
        """Tell what became of messages; told twice after a crash, it is the same events."""
        while True:
            reports, erased = self.store.reports(), self.store.erased()
            if not reports and not erased:
                return
            if not self._teller.tell(reports, erased):
                return
            self._made("told")
            self.store.told(reports, erased)
            # A message that could not go in one channel may wait for another by now.
            self._wake()

    def run(self, inbox: Inbox[Heard], stop: threading.Event, *, once: bool = False) -> None:
        """Read and send until stopped; `once`: until all is read and nothing can leave any more."""
        for sender in self.senders.values():
            sender.start()
        while not stop.is_set():
            batch = inbox.read(ONCE_SECONDS if once else LOOK_SECONDS)
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
            self.tell()
            now = self._clock()
            well = [name for name, sender in self.senders.items() if not sender.paused(now)]
            if not self.store.leaving(well, now):
                self.tell()
                return
            self._wake()
            time.sleep(0.01)

    def _check(self) -> None:
        for sender in self.senders.values():
            if sender.failure is not None:
                raise sender.failure

    def close(self) -> None:
        """End the senders, tell what they have done, and let go of the store."""
        self._open.close()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        wrong: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
