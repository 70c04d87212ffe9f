"""Sends what waits for one channel, in its own thread, so that a slow one holds up no other."""

from __future__ import annotations

import logging

from operators.notify.pace import wait_after
from schemas.hooks import Channel, Hooks, Language
from sinks.hooks.channels import Client
from sinks.hooks.outbox import Outbox, Waiting
from sinks.hooks.wording import Writer
from sinks.loop import Clock, Steps
from sinks.sending.sender import HIDDEN, PacedSender, wished
from sinks.sending.verdict import Verdict

LOG = logging.getLogger("tillflow.hooks")


class Sender(PacedSender[Waiting]):
    """One channel, and the language of each route that uses it."""

    _client: Client
    _outbox: Outbox

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
        self._channel: Channel = hooks.channels[name]
        super().__init__(name, clock, self._channel.per_minute, hooks.retry)
        self._languages: dict[str, Language] = {
            route.name: route.language or hooks.language for route in hooks.routes
        }
        self._default = hooks.language
        self._client = client
        self._outbox = outbox
        self._writer = writer
        self._secrets = secrets
        self._made = made

    @property
    def resends(self) -> bool:
        """Whether a message that may have arrived is sent again."""
        return self._client.idempotent or self._channel.when_unknown == "resend"

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

    def _attend(self, one: Waiting, now: int) -> None:
        message, attempts = one
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
        self._rest(verdict, now, name)
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
            self._outbox.again(name, answer, now + max(wished(verdict), wait), now)
