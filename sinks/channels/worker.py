"""The channels worker: takes in decisions, lets the senders send, tells what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from operators.channels.heard import Heard
from operators.channels.judge import Judge
from operators.inbox import Batch
from schemas.channels import Channels
from schemas.journey_rules import JourneysConfig
from schemas.secrets import secrets_of
from sinks.channels.clients import client_of
from sinks.channels.contacts import Contacts
from sinks.channels.outbox import Outbox
from sinks.channels.sender import Sender
from sinks.channels.store import Store
from sinks.channels.telling import Teller
from sinks.loop import Clock, Steps, wall_clock
from sinks.sending.worker import SendingWorker
from sinks.sqlite import owned


class Worker(SendingWorker[Heard, Sender]):
    """What it sends is told by `teller`.

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
        super().__init__(clock, steps)
        self._teller = teller
        try:
            clients = {
                name: client_of(name, channel, env, made.sandbox)
                for name, channel in made.ways.items()
            }
            self._open.enter_context(owned(store))
            self.store: Store = Store(store)
            self._open.callback(self.store.close)
            self.store.claim(sandbox=made.sandbox is not None)
            contacts, judge = Contacts(Path(made.contacts)), Judge(rules)
            for name, client in clients.items():
                sender = Sender(
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
                self._take(sender)
        except BaseException:
            self._open.close()
            raise

    def step(self, batch: Batch[Heard]) -> int:
        """Take in a batch and tell what is to be told; how many messages are new."""
        now = self._clock()
        self._warn(batch)
        new = 0
        self._made("heard")
        if batch.items or batch.positions or batch.refused:
            parts = (batch.items, batch.positions, batch.refused)
            new = self.store.commit(*parts, self.senders, now)
            self._made("committed")
        self._forget(now)
        if new:
            self._wake()
        self.tell()
        return new

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

    def _between(self) -> None:
        self.tell()
        self._wake()
