"""One id of a member: what it bought and gave back, what it allowed, and what was told of it."""

from __future__ import annotations

from array import array
from typing import Literal

from operators.members.facts import Answer, Consent, Purchase, Refund, Registration, hashed
from operators.members.segments import NONE

Verdict = Literal["applied", "duplicate", "conflict", "too_many"]
# Words of a purchase (time, receipt, event, amount) and of a refund (the same, and its number):
# whole numbers of 8 bytes side by side take a tenth of what objects would.
BOUGHT, BACK = 4, 5
NEVER = 0
# Opened messages that are remembered; their weight halves every two months.
MOST_OPENED = 32
# Of two statements at one instant the stricter one counts.
STRICTNESS = {"granted": 0, "denied": 1, "withdrawn": 2}

ConsentKey = tuple[str, str]
# time, strictness, tie, status, text version, evidence
Statement = tuple[int, int, int, str, str | None, str | None]
# time, tie, home store, zone
Profile = tuple[int, int, str | None, str | None]


class Member:
    """State of one id; purchases and refunds are sorted by time, whatever order they came in.

    `past`: days with a purchase, the first and the last one, among what is forgotten. `linked`:
    it was ever merged with another, so persons are its judge. `here`: among persons, whether its
    part has arrived.
    """

    __slots__ = (
        "back",
        "bought",
        "consents",
        "here",
        "linked",
        "newest",
        "number",
        "opened",
        "past",
        "profile",
        "queued",
        "registered",
        "segment",
        "since",
    )

    def __init__(self) -> None:
        self.bought = array("q")
        self.back: array[int] | None = None
        self.past: tuple[int, int, int] | None = None
        self.consents: dict[ConsentKey, Statement] | None = None
        self.profile: Profile | None = None
        self.registered: int | None = None
        self.newest: int | None = None
        # Messages that it opened, each (time, hash), the latest ones.
        self.opened: array[int] | None = None
        self.linked = False
        self.here = False
        self.segment = NONE
        self.since = 0
        self.number = 0
        # When the member is next looked at; NEVER if not.
        self.queued = NEVER

    def buy(self, fact: Purchase, most: int) -> Verdict:
        """Take a purchase: once for its receipt, under whatever id it is told again."""
        bought = self.bought
        event = hashed(fact.source, fact.id)
        if fact.receipt in bought[1::BOUGHT] or event in bought[2::BOUGHT]:
            return self._known(bought, BOUGHT, (fact.time, fact.receipt, event, fact.amount))
        if len(bought) >= most * BOUGHT:
            return "too_many"
        _insert(bought, BOUGHT, (fact.time, fact.receipt, event, fact.amount))
        self._note(fact.time)
        return "applied"

    def give_back(self, fact: Refund, most: int) -> Verdict:
        """Take a refund: its purchase may still be on its way."""
        event = hashed(fact.source, fact.id)
        words = (fact.time, fact.receipt, event, fact.amount, fact.number)
        if self.back is None:
            self.back = array("q")
        back = self.back
        if fact.number in back[4::BACK] or event in back[2::BACK]:
            return self._known(back, BACK, words)
        if len(back) >= most * BACK:
            return "too_many"
        _insert(back, BACK, words)
        self._note(fact.time)
        return "applied"

    def register(self, fact: Registration) -> Verdict:
        """Take a registration: the first one says since when, the last one says what."""
        mine = (fact.time, hashed(fact.source, fact.id), fact.store, fact.zone)
        if mine == self.profile:
            return "duplicate"
        self.registered = fact.time if self.registered is None else min(self.registered, fact.time)
        if self.profile is None or mine[:2] > self.profile[:2]:
            self.profile = mine
        self._note(fact.time)
        return "applied"

    def consent(self, fact: Consent) -> Verdict:
        """Take a statement: the last one for its purpose and channel counts."""
        if self.consents is None:
            self.consents = {}
        key = (fact.purpose, fact.channel)
        tie = hashed(fact.source, fact.id)
        mine = (fact.time, STRICTNESS[fact.status], tie, fact.status, fact.text, fact.evidence)
        there = self.consents.get(key)
        if there == mine:
            return "duplicate"
        if there is None or mine[:3] > there[:3]:
            self.consents[key] = mine
        self._note(fact.time)
        return "applied"

    def hear(self, fact: Answer) -> Verdict:
        """Take that it opened a message: the first time counts."""
        held = array("q") if self.opened is None else self.opened
        tie = hashed("opened", fact.message)
        if tie in held[1::2]:
            at = 2 * held[1::2].index(tie)
            if held[at] <= fact.time:
                return "duplicate"
            del held[at : at + 2]
        _insert(held, 2, (fact.time, tie))
        self.opened = held[-2 * MOST_OPENED :]
        self._note(fact.time)
        return "applied"

    def _note(self, time: int) -> None:
        self.newest = time if self.newest is None else max(self.newest, time)

    @staticmethod
    def _known(held: array[int], width: int, words: tuple[int, ...]) -> Verdict:
        """A receipt that is told again is the same if all but the event's id is."""
        receipt_at = width - 1 if width == BACK else 1
        for at in range(0, len(held), width):
            there = held[at : at + width]
            if there[receipt_at] == words[receipt_at]:
                there[2] = words[2]
                return "duplicate" if tuple(there) == words else "conflict"
        return "conflict"


def _insert(held: array[int], width: int, words: tuple[int, ...]) -> None:
    at = len(held)
    while at and (held[at - width], held[at - width + 1]) > words[:2]:
        at -= width
    held[at:at] = array("q", words)
