"""The hooks worker: reads alerts, asks the desk, commits, and lets the senders send."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from operators.inbox import Batch, Inbox
from operators.notify.desk import Desk
from operators.notify.notice import Notice
from operators.notify.routing import Zones
from schemas.hooks import Hooks
from schemas.instants import DAY_US, HOUR_US, SECOND_US
from sinks.hooks.channels import client_of
from sinks.hooks.outbox import Outbox
from sinks.hooks.sender import Sender, secrets_of
from sinks.hooks.store import Store
from sinks.hooks.wording import Writer
from sinks.loop import Clock, Steps
from sinks.sqlite import owned

LOG = logging.getLogger("tillflow.hooks")

# How soon an acknowledgement, or a resend from another process, is noticed while nothing arrives.
LOOK_SECONDS = 0.2
# How long a run that ends waits for more before it asks whether that was all.
ONCE_SECONDS = 0.02
# Sent messages are kept so long for `tillflow hooks list`, and for links to work.
KEEP_US = 90 * DAY_US


def wall_clock() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class Worker:
    """Owns a store. Use it as a context manager; `run` goes on until `stop` is set.

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
        self._clock = clock
        self._made = made
        self._channels = {route.name: route.channel for route in hooks.routes}
        self._desk = Desk(hooks.routes, zones, stale_us=round(hooks.stale_hours * HOUR_US))
        self._open = ExitStack()
        try:
            clients = {name: client_of(each, env) for name, each in hooks.channels.items()}
            self._open.enter_context(owned(store))
            self.store = Store(store)
            self._open.callback(self.store.close)
            self.store.restore(self._desk)
            self.senders: dict[str, Sender] = {}
            for name, client in clients.items():
                sender = self.senders[name] = Sender(
                    name,
                    hooks,
                    client,
                    Outbox(store, name),
                    writer,
                    clock,
                    secrets=secrets_of(hooks.channels[name], env),
                    made=made,
                )
                self._open.callback(sender.stop)
                sender.recover()
        except BaseException:
            self._open.close()
            raise
        self._looked_at = -1
        self._forget_at = 0

    def step(self, batch: Batch[Notice]) -> int:
        """Take in a batch and whatever is due by now; how many messages were made."""
        now = self._clock()
        for notice in batch.items:
            self._desk.hear(notice, now)
        for refused in batch.refused:
            where = f"{refused.topic}/{refused.part} at {refused.at}"
            LOG.warning("%s cannot be read and is kept in the store: %s", where, refused.reason)
        applied, noticed = self._look(now)
        messages = [(each, self._channels[each.route]) for each in self._desk.tick(now)]
        gone = []
        if now >= self._forget_at:
            self._forget_at = now + HOUR_US
            gone = self._desk.forget(now)
            self.store.prune(now - KEEP_US)
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
        for sender in self.senders.values():
            sender.wake()
        return applied, noticed

    def run(self, inbox: Inbox[Notice], stop: threading.Event, *, once: bool = False) -> None:
        """Read and send until stopped; `once`: until all is read and nothing can leave any more."""
        for sender in self.senders.values():
            sender.start()
        while not stop.is_set():
            batch = inbox.read(ONCE_SECONDS if once else self._patience())
            self._made("read")
            self.step(batch)
            for sender in self.senders.values():
                if sender.failure is not None:
                    raise sender.failure
            if once and not batch.positions and not batch.items and inbox.ended():
                break
        if once:
            self.drain(stop)

    def drain(self, stop: threading.Event) -> None:
        """Wait until no message is about to leave; channels in trouble are not waited for."""
        while not stop.is_set():
            now = self._clock()
            well = [name for name, sender in self.senders.items() if not sender.paused(now)]
            if not self.store.leaving(well, now):
                return
            time.sleep(0.01)

    def _patience(self) -> float:
        """How long reading may wait: not past what is due, and short enough to notice others."""
        due = self._desk.next_due()
        if due is None:
            return LOOK_SECONDS
        return min(LOOK_SECONDS, max(0.0, (due - self._clock()) / SECOND_US))

    def close(self) -> None:
        """End the senders and let go of the store."""
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
