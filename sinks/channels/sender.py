"""Sends what waits for one channel and learns what became of it, in a thread of its own.

A message is written down as `sending` before its request leaves. If no answer to it is known
afterwards, whether by a broken connection or by the worker's own end, it is in doubt, and then
  - a provider that can be asked is asked: there, it was sent; not there, it is sent again;
  - a provider that drops what comes twice gets it again while it remembers;
  - a message that used up its member's last consent is sent again: WeChat takes no second one;
  - of all others nothing can be learned: `when_unknown` says which side to err on.
"""

from __future__ import annotations

import logging
from functools import partial

from operators.channels.filling import Outgoing
from operators.channels.heard import Asked
from operators.channels.judge import Judge, Judged, Standing
from operators.notify.pace import wait_after
from schemas.channels import COUPONS, Channels, Way
from schemas.instants import HOUR_US, MINUTE_US, SECOND_US
from sinks.channels.client import Client, Found
from sinks.channels.contacts import Contacts
from sinks.channels.coupons import FOR_EVER_US
from sinks.channels.gifts import WAITS, Gift
from sinks.channels.outbox import Outbox, Waiting
from sinks.channels.wechat import NO_CREDIT
from sinks.channels.writing import Writer
from sinks.loop import Clock, Steps
from sinks.sending.sender import HIDDEN, PacedSender, wished
from sinks.sending.store import DIED
from sinks.sending.verdict import Verdict

LOG = logging.getLogger("tillflow.channels")
# A provider may list a message some moments after it took it.
FIRST_QUESTION_US = 5 * SECOND_US
# A message that waits for its gift is told when that is settled; so often it looks by itself.
GIFT_US = 15 * MINUTE_US
# What cannot be done as things are is tried again after a minute, then twice that, and so on.
MOST_KEPT_US = 15 * MINUTE_US


class Sender(PacedSender[Waiting]):
    """One channel: sends, and asks what became of what it sent."""

    _client: Client
    _outbox: Outbox

    def __init__(
        self,
        name: str,
        made: Channels,
        client: Client,
        outbox: Outbox,
        judge: Judge,
        contacts: Contacts,
        clock: Clock,
        *,
        secrets: tuple[str, ...] = (),
        steps: Steps = lambda _: None,
    ) -> None:
        self._channel: Way = made.ways[name]
        super().__init__(name, clock, self._channel.per_minute, made.retry)
        self._desk = COUPONS in made.ways
        self._writer = Writer(name, made, contacts)
        self._client = client
        self._outbox = outbox
        self._judge = judge
        self._secrets = secrets
        self._made = steps

    def recover(self) -> None:
        """Settle what was on its way when the last worker ended."""
        self._outbox.try_kept(self._clock())
        for one in self._outbox.on_its_way():
            self._in_doubt(one, DIED, "", one.left_at, self._clock())

    def _attend(self, one: Waiting, now: int) -> None:
        if one.state == "ready":
            self._deliver(one, now)
        else:
            self._ask(one, now)

    def _deliver(self, one: Waiting, now: int) -> None:
        gift = self._outbox.gift_of(one.asked)
        written, missing = self._writer.written(one.id, one.asked, gift)
        if written is None:
            self._refused(one, missing, "", "nothing to send it with", now)
            return
        judge = partial(self._judged, one.asked, gift, now)
        template = written.code if self._client.credits else None
        judged = self._outbox.claim(one, judge, template, now)
        if judged.verdict == "hold":
            self._outbox.again(one, judged.reason, judged.until, now, doubted=one.doubted)
            return
        if judged.verdict != "go":
            if one.doubted and self._client.finds:
                self._outbox.doubt(one, f"{judged.reason}; an earlier try may have come", now, now)
                return
            if one.doubted:
                self._outbox.unknown(one, "", f"{judged.reason}; an earlier try may have come", now)
                return
            stop = judged.verdict == "stop"
            self._outbox.refused(one, judged.reason, "", judged.reason, now, stop=stop)
            return
        self._made("intended")
        verdict = self._client.send(written, now)
        self._made("answered")
        self._settle(one, written, verdict)
        self._made("recorded")

    def _judged(self, asked: Asked, gift: Gift, now: int, standing: Standing) -> Judged:
        judged = self._judge.judge(asked, self.name, standing, now)
        if judged.verdict == "go" and self._desk:
            # Nobody is promised a coupon that is not there.
            if gift.state == "refused":
                return Judged("stop", "no_gift")
            if gift.state == "waits":
                return Judged("hold", WAITS, min(now + GIFT_US, asked.not_after + 1))
        return judged

    def _settle(self, one: Waiting, written: Outgoing, verdict: Verdict) -> None:
        now = self._clock()
        answer = self._hidden(verdict.answer, written)
        code = self._hidden(verdict.code, written)
        if verdict.outcome == "sent":
            self._troubles = 0
            receipts = self._client.receipts and self._channel.receipt_hours > 0
            ask_at = now + FIRST_QUESTION_US if receipts else None
            until = verdict.until
            self._outbox.accepted(one, verdict.ref, code, answer, now, ask_at=ask_at, until=until)
            return
        self._rest(verdict, now, self.name)
        if self._certain and verdict.outcome != "unknown":
            one = one._replace(doubted=False)
        if verdict.outcome == "unknown":
            LOG.warning("%s: message %s may not have arrived: %s", self.name, one.id, answer)
            self._in_doubt(one, answer, code, one.left_at if one.doubted else now, now)
        elif verdict.outcome == "kept":
            LOG.warning("%s: message %s is kept: %s", self.name, one.id, answer)
            wait = min(MOST_KEPT_US, MINUTE_US << min(one.attempts, 8))
            self._outbox.kept(one, verdict.code, answer, now + wait, now)
        elif verdict.outcome == "refused":
            self._refused(one, "refused", code, answer, now, template=written.code)
        else:
            self._later(one, verdict, code, answer, now)

    def _later(self, one: Waiting, verdict: Verdict, code: str, answer: str, now: int) -> None:
        # Trouble of the whole channel is no message's own: it waits until that is over.
        tries = 1 if verdict.whole else one.attempts + 1
        wait = wait_after(tries, self._retry, one.id)
        if wait is None:
            self._refused(one, "gave_up", code, answer, now)
            return
        LOG.warning("%s: message %s failed, try %d: %s", self.name, one.id, tries, answer)
        self._outbox.again(one, answer, now + max(wished(verdict), wait), now, doubted=one.doubted)

    def _refused(
        self, one: Waiting, reason: str, code: str, answer: str, now: int, *, template: str = ""
    ) -> None:
        spent = self._client.credits and code == NO_CREDIT
        if one.doubted:
            # An earlier request may have arrived: another channel could make it two.
            self._outbox.unknown(one, code, f"{answer}; an earlier try may have come", now)
            return
        LOG.info("%s: message %s: %s: %s", self.name, one.id, reason, answer)
        reason = "no_credit" if spent else reason
        out_of = template if spent else None
        self._outbox.refused(one, reason, code, answer, now, out_of=out_of)

    def _in_doubt(self, one: Waiting, answer: str, code: str, left_at: int, now: int) -> None:
        """A request left, first at `left_at`, and its answer is not known."""
        client, channel = self._client, self._channel
        if self._certain:
            self._outbox.again(one, answer, now, now, doubted=True)
            return
        if client.finds:
            settle = round(channel.settle_seconds * SECOND_US)
            self._outbox.doubt(one, answer, now + min(settle, FIRST_QUESTION_US), now)
            return
        policy = channel.when_unknown
        resend = (policy.marketing if one.asked.marketing else policy.service) == "resend"
        remembered = now - left_at < client.remembers_us
        if resend or remembered or (client.credits and self._outbox.last_credit(one)):
            wait = wait_after(one.attempts + 1, self._retry, one.id)
            if wait is not None:
                self._outbox.again(one, answer, now + wait, now, doubted=True)
                return
        self._outbox.unknown(one, code, answer, now)

    def _ask(self, one: Waiting, now: int) -> None:
        """Ask the provider what became of a message."""
        written, missing = self._writer.written(one.id, one.asked, self._outbox.gift_of(one.asked))
        if written is None:
            found = Found("unclear", missing)
        else:
            self._outbox.question(now)
            found = self._client.find(written, one.left_at, one.ref, now)
            self._made("asked")
            found = found._replace(answer=self._hidden(found.answer, written))
        now = self._clock()
        self._found(one, found, now)
        self._made("learned")

    def _found(self, one: Waiting, found: Found, now: int) -> None:
        ref = found.ref or one.ref
        if found.status == "delivered":
            self._outbox.delivered(one, ref, found.code, found.answer, now)
        elif found.status == "failed":
            self._outbox.refused(one, "not_delivered", found.code, found.answer, now)
        elif found.status == "accepted" and one.state == "doubt":
            ask_at = now + FIRST_QUESTION_US if self._client.receipts else None
            until = found.until
            self._outbox.accepted(
                one, ref, found.code, found.answer, now, ask_at=ask_at, until=until
            )
        else:
            self._ask_later(one, found, now)

    def _ask_later(self, one: Waiting, found: Found, now: int) -> None:
        settled = one.left_at + round(self._channel.settle_seconds * SECOND_US)
        absent = found.status == "absent" and self._client.absence_proves
        if absent and one.state == "doubt":
            if now >= settled:
                LOG.info("%s: message %s never came to the provider", self.name, one.id)
                self._outbox.again(one, found.answer, now, now, doubted=False)
            else:
                self._outbox.doubt(one, found.answer, settled, now)
            return
        if now - one.left_at < self._channel.receipt_hours * HOUR_US:
            wait = min(HOUR_US, FIRST_QUESTION_US * 2 ** min(one.questions, 20))
            self._outbox.doubt(one, found.answer, now + wait, now)
        elif one.state == "accepted":
            self._outbox.settled(one, found.answer, now)
        else:
            self._outbox.unknown(one, found.code, found.answer, now)

    @property
    def _certain(self) -> bool:
        """Whether whatever comes twice is done once, so that nothing is ever in doubt for long."""
        return self._client.remembers_us >= FOR_EVER_US

    def _hidden(self, text: str, written: Outgoing) -> str:
        for secret in (*self._secrets, written.address, written.employee):
            if secret:
                text = text.replace(secret, HIDDEN)
        return text
