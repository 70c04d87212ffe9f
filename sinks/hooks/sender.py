"""Sends what waits for one channel, in its own thread, so that a slow one holds up no other."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from operators.notify.pace import earliest, wait_after
from schemas.hooks import Channel, Hooks, Language
from schemas.instants import SECOND_US
from schemas.secrets import Secret
from sinks.hooks.channels import Client
from sinks.hooks.outbox import Outbox, Waiting
from sinks.hooks.verdicts import Verdict
from sinks.hooks.wording import Writer
from sinks.loop import Clock, Loop, Steps

LOG = logging.getLogger("tillflow.hooks")

HIDDEN = "***"


class Sender(Loop):
    """One channel: `step` does one thing and says when to come back, `start` repeats it."""

    def __init__(
        self,
        name: str,
        hooks: Hooks,
        client: Client,
        outbox: Outbox,
        writer: Writer,
        clock: Clock,
        *,
        secrets: tuple[str, ...] = (),
        made: Steps = lambda _: None,
    ) -> None:
        super().__init__(name, clock)
        self._channel: Channel = hooks.channels[name]
        self._languages: dict[str, Language] = {
            route.name: route.language or hooks.language for route in hooks.routes
        }
        self._default = hooks.language
        self._retry = hooks.retry
        self._client = client
        self._outbox = outbox
        self._writer = writer
        self._secrets = secrets
        self._made = made
        self._troubles = 0
        self._paused_until = 0

    @property
    def resends(self) -> bool:
        """Whether a message that may have arrived is sent again."""
        return self._client.idempotent or self._channel.when_unknown == "resend"

    def paused(self, now: int) -> bool:
        """Whether the channel is left alone for a while, after trouble."""
        return self._paused_until > now

    def recover(self) -> None:
        """Settle what was on its way when the last worker ended."""
        resent, unknown = self._outbox.recover(resend=self.resends, now=self._clock())
        if resent:
            LOG.info("%s: %d messages were on their way and are sent again", self.name, resent)
        if unknown:
            LOG.warning(
                "%s: %d messages were on their way and may not have arrived: tillflow hooks list",
                self.name,
                unknown,
            )

    def step(self) -> int | None:
        """Send at most one message; when there is something to do next, None for not yet known."""
        now = self._clock()
        if self._paused_until > now:
            return self._paused_until
        waiting = self._outbox.next(now)
        if waiting is None:
            return self._outbox.next_due(now)
        free = earliest(self._outbox.requests(), self._channel.per_minute, now)
        if free > now:
            return free
        self._deliver(waiting)
        return self._clock()

    def _deliver(self, waiting: Waiting) -> None:
        message, attempts = waiting
        language = self._languages.get(message.route, self._default)
        written = self._writer.write(message, language, self._client.markup, self._client.limit)
        now = self._clock()
        self._outbox.intend(message.id, now)
        self._made("intended")
        verdict = self._client.send(written, now)
        self._made("answered")
        self._settle(message.id, attempts + 1, verdict)
        self._made("recorded")

    def _settle(self, name: str, attempts: int, verdict: Verdict) -> None:
        now = self._clock()
        answer = verdict.answer
        for secret in self._secrets:
            answer = answer.replace(secret, HIDDEN)
        if verdict.outcome == "sent":
            self._troubles = 0
            self._outbox.sent(name, answer, now)
            return
        self._troubles = self._troubles + 1 if verdict.whole else 0
        asked = round((verdict.after_seconds or 0) * SECOND_US)
        if verdict.whole:
            # However many messages fail on it: the channel as a whole is left alone for a while.
            pause = wait_after(
                min(self._troubles, self._retry.attempts - 1) or 1, self._retry, name
            )
            self._paused_until = now + max(asked, pause or 0)
        if verdict.outcome == "unknown" and not self.resends:
            LOG.warning("%s: message %s may not have arrived: %s", self.name, name, answer)
            self._outbox.unknown(name, answer, now)
            return
        wait = None if verdict.outcome == "refused" else wait_after(attempts, self._retry, name)
        if wait is None:
            LOG.error("%s: message %s is undeliverable: %s", self.name, name, answer)
            self._outbox.undeliverable(name, answer, now)
        else:
            LOG.warning("%s: message %s failed, try %d: %s", self.name, name, attempts, answer)
            self._outbox.again(name, answer, now + max(asked, wait), now)

    def stop(self) -> None:
        """End after the message that is on its way."""
        super().stop()
        self._client.close()
        self._outbox.close()


def secrets_of(channel: Channel, env: Mapping[str, str]) -> tuple[str, ...]:
    """The secrets of a channel, to be kept out of whatever a provider answers."""
    values = (getattr(channel, name) for name in channel.__struct_fields__)
    return tuple(value.read(env) for value in values if isinstance(value, Secret))
