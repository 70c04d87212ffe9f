"""The hooks worker: reads alerts, asks the desk, commits, and lets the senders send."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from operators.inbox import Batch
from operators.notify.desk import Desk
from operators.notify.notice import Notice
from operators.notify.routing import Zones
from schemas.hooks import Hooks
from schemas.instants import HOUR_US, SECOND_US
from schemas.secrets import secrets_of
from sinks.hooks.channels import client_of
from sinks.hooks.outbox import Outbox
from sinks.hooks.sender import Sender
from sinks.hooks.store import Store
from sinks.hooks.wording import Writer
from sinks.loop import Clock, Steps, wall_clock
from sinks.sending.worker import LOOK_SECONDS, SendingWorker
from sinks.sqlite import owned


class Worker(SendingWorker[Notice, Sender]):
    """What alerts make of messages is the desk's to say.

    Raises:
        HooksProblem: a template is wrong.
        LookupError: a secret is not there.
        StoreError: the store belongs to another worker, or is none.
    """

    def __init__(
        self,
        hooks: Hooks,
        store: Path,
        zones: Zones,
        writer: Writer,
        env: Mapping[str, str],
        *,
        clock: Clock = wall_clock,
        made: Steps = lambda _: None,
    ) -> None:
        super().__init__(clock, made)
        self._channels = {route.name: route.channel for route in hooks.routes}
        self._desk = Desk(hooks.routes, zones, stale_us=round(hooks.stale_hours * HOUR_US))
        try:
            clients = {name: client_of(each, env) for name, each in hooks.channels.items()}
            self._open.enter_context(owned(store))
            self.store: Store = Store(store)
            self._open.callback(self.store.close)
            self.store.restore(self._desk)
            for name, client in clients.items():
                sender = Sender(
                    name,
                    hooks,
                    client,
                    Outbox(store, name),
                    writer,
                    clock,
                    secrets=secrets_of(hooks.channels[name], env),
                    made=made,
                )
                self._take(sender)
        except BaseException:
            self._open.close()
            raise
        self._looked_at = -1

    def step(self, batch: Batch[Notice]) -> int:
        """Take in a batch and whatever is due by now; how many messages were made."""
        now = self._clock()
        for notice in batch.items:
            self._desk.hear(notice, now)
        self._warn(batch)
        applied, noticed = self._look(now)
        messages = [(each, self._channels[each.route]) for each in self._desk.tick(now)]
        gone = self._desk.forget(now) if self._forget(now) else []
        self._made("heard")
        if messages or batch.positions or applied or noticed or gone or self._desk.changed_cases:
            self.store.commit(
                self._desk,
                messages,
                batch.positions,
                batch.refused,
                now=now,
                gone=gone,
                applied=applied,
                noticed=noticed,
            )
            self._made("committed")
        for channel in {channel for _, channel in messages}:
            self.senders[channel].wake()
        return len(messages)

    def _look(self, now: int) -> tuple[list[str], list[str]]:
        """What others wrote into the store: acknowledgements, failed messages, resends."""
        version = self.store.data_version()
        if version == self._looked_at:
            return [], []
        self._looked_at = version
        applied = []
        for alert, at in self.store.acknowledged():
            self._desk.acknowledge(alert, at)
            applied.append(alert)
        noticed = []
        for message, route, alerts in self.store.failed():
            self._desk.give_up(route, alerts, now)
            noticed.append(message)
        self._wake()
        return applied, noticed

    def _patience(self) -> float:
        """How long reading may wait: not past what is due, and short enough to notice others."""
        due = self._desk.next_due()
        if due is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.0, (due - self._clock()) / SECOND_US))
