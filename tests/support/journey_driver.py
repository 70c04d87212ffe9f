"""Members live through events with journeys in force, and tests look at what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from operators.journeys.compile import read_journey
from operators.journeys.decisions import Decision, Moved
from operators.journeys.lint import lint
from operators.journeys.program import Program
from operators.journeys.replay import Replay
from operators.members.facts import (
    UNITED,
    Answer,
    Consent,
    Erasure,
    Fact,
    Link,
    Purchase,
    Refund,
    Registration,
    Thresholds,
    hashed,
)
from schemas.chain import Chain
from schemas.instants import to_datetime, to_micros
from schemas.journey_rules import JourneysConfig
from schemas.journeys import Heard
from schemas.member_rules import MembersConfig

SHANGHAI = "Asia/Shanghai"
SEND = "send: {class: marketing, channels: [sms], text: hello}"


def chain_of(
    members: dict[str, Any] | None = None, timezone: str = SHANGHAI, **journeys: Any
) -> Chain:
    """A chain with these rules for journeys; without caps unless some are named."""
    config = JourneysConfig(**{"caps": (), **journeys})
    about = MembersConfig(**{"future_hours": 8760.0, **(members or {})})
    return Chain(timezone=timezone, members=about, journeys=config)


def program(text: str, chain: Chain) -> Program:
    """A journey's text made ready; it must have no errors."""
    read = read_journey(text, "test.yaml", chain)
    lint([read], chain)
    wrong = [one for one in read.source.findings if one.level == "error"]
    assert read.program is not None, wrong
    assert not wrong
    return read.program


def journey(name: str, when: str, *steps: str, **more: str) -> str:
    """A journey's text; `more` are further lines."""
    lines = [f"journey: {name}", f"when: {when}", *(f"{key}: {it}" for key, it in more.items())]
    return "\n".join([*lines, "steps:", *(f"  - {one}" for one in steps)])


def instant(text: str, zone: str = SHANGHAI) -> int:
    """Microseconds since 1970 of a local time."""
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)))


class Shop:
    """A chain with members and journeys; times are local texts, amounts units of currency."""

    def __init__(self, *texts: str, chain: Chain | None = None, start: str = "2026-01-01") -> None:
        self.chain = chain or chain_of()
        self.replay = Replay(self.chain)
        self.replay.pass_to(instant(start))
        self._number = 0
        self.publish(*texts)

    def publish(self, *texts: str) -> None:
        """Put journeys in force."""
        self.replay.begin([program(text, self.chain) for text in texts])

    def _head(self, at: str, member: str, id: str, origin: str, zone: str) -> dict[str, Any]:
        self._number += 1
        name = id or f"e{self._number}"
        time = instant(at, zone)
        return {"time": time, "source": "s", "id": name, "origin": origin, "member": member}

    def buy(
        self,
        at: str,
        amount: float = 100,
        member: str = "m",
        *,
        receipt: str = "",
        id: str = "",
        origin: str = "live",
        known: str = "",
        zone: str = SHANGHAI,
    ) -> None:
        """A purchase; `known` is when it is told, if later."""
        head = self._head(at, member, id, origin, zone)
        number = hashed("S1", receipt or str(self._number))
        fact = Purchase(**head, receipt=number, amount=round(amount * 100), currency="CNY")
        self.tell(fact, known, zone)

    def give_back(
        self, at: str, receipt: str, amount: float, member: str = "m", zone: str = SHANGHAI
    ) -> None:
        """A refund."""
        head = self._head(at, member, "", "live", zone)
        money: Any = {"amount": round(amount * 100), "currency": "CNY", "number": self._number}
        self.tell(Refund(**head, receipt=hashed("S1", receipt), **money))

    def answer(
        self, at: str, kind: Heard, message: str, *, channel: str = "", reason: str = ""
    ) -> None:
        """What became of a message to `m`."""
        head = self._head(at, "m", "", "live", SHANGHAI)
        fact = Answer(**head, kind=kind, message=message, channel=channel, reason=reason)
        self.tell(fact)
        self.replay.take(UNITED, fact)

    def allow(
        self,
        at: str,
        what: str = "marketing/any",
        status: str = "granted",
        member: str = "m",
        zone: str = SHANGHAI,
    ) -> None:
        """A word on consent."""
        purpose, _, channel = what.partition("/")
        head = self._head(at, member, "", "live", zone)
        said: Any = {"purpose": purpose, "channel": channel, "status": status}
        self.tell(Consent(**head, **said, text=None, evidence=None))

    def join(
        self, at: str, member: str = "m", *, zone: str | None = None, store: str | None = None
    ) -> None:
        """A registration."""
        self.tell(
            Registration(**self._head(at, member, "", "live", SHANGHAI), store=store, zone=zone)
        )

    def link(self, at: str, member: str, survivor: str, *, merged: bool = True) -> None:
        """A merge, or its reversal."""
        head = self._head(at, member, "", "live", SHANGHAI)
        for name in (member, survivor):
            self.tell(Link(**{**head, "member": name}, merged=merged))
        self.replay.take(UNITED, Link(**head, merged=merged, survivor=survivor))

    def erase(self, at: str, member: str) -> None:
        """A wish to be forgotten."""
        self.tell(Erasure(**self._head(at, member, "", "live", SHANGHAI)))

    def thresholds(self, at: str, version: int, monetary: int) -> None:
        """Other thresholds for all."""
        head = self._head(at, "", "", "live", SHANGHAI)
        fact = Thresholds(**head, version=version, recency_days=30, frequency=3, monetary=monetary)
        for shard in (0, UNITED):
            self.replay.take(shard, fact)

    def tell(self, fact: Fact, known: str = "", zone: str = SHANGHAI) -> None:
        """A fact to its shard."""
        self.replay.take(0, fact, instant(known, zone) if known else None)

    def backfill(self, facts: list[Fact], now: str) -> None:
        """Facts as a flow over files takes them: read in a moment, none of their time passes."""
        for fact in facts:
            self.replay._apply(0, [fact], instant(now))

    def until(self, at: str, zone: str = SHANGHAI) -> None:
        """Let time pass."""
        self.replay.pass_to(instant(at, zone))

    def restart(self) -> None:
        """Go on from what is stored."""
        self.replay.restart()

    def decided(self, decision: str, journey: str = "") -> list[Decision]:
        """All decisions of a kind."""
        return [
            one
            for one in self.replay.decisions
            if one.decision == decision and one.journey.startswith(journey)
        ]

    def sent(self, journey: str = "", zone: str = SHANGHAI) -> list[str]:
        """When messages went."""
        found = self.decided("go", journey)
        return [local(one.decided_at, zone) for one in found if one.action == "send"]

    def gifts(self, journey: str = "") -> list[str]:
        """What was given."""
        return [one.gift for one in self.decided("go", journey) if one.gift]

    def held(self, journey: str = "") -> list[str]:
        """Why things were not done."""
        return [one.reason for one in self.decided("suppress", journey)]

    def put_off(self, journey: str = "") -> list[str]:
        """Why things were put off."""
        return [one.reason for one in self.decided("defer", journey)]

    def left(self, journey: str = "") -> list[str]:
        """Why members left."""
        moves = self.replay.moves
        return [one.reason for one in moves if one.reason and one.journey.startswith(journey)]

    def entries(self, journey: str = "") -> int:
        """How often somebody came in."""
        return len(last_moves(self.replay.moves, journey))

    def where(self, journey: str = "") -> list[Moved]:
        """Where everybody who ever came in stands."""
        return list(last_moves(self.replay.moves, journey).values())


def last_moves(moves: Iterable[Moved], journey: str = "") -> dict[tuple[str, str, str], Moved]:
    """The last word on each run."""
    return {
        (one.member, one.journey, one.entry): one
        for one in moves
        if one.journey.startswith(journey)
    }


def local(at: int, zone: str = SHANGHAI) -> str:
    """An instant by the clock of a zone."""
    return to_datetime(at).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def changed(chain: Chain, **journeys: Any) -> Chain:
    """The chain with other rules for journeys."""
    config = msgspec.structs.replace(chain.journeys, **journeys)
    return msgspec.structs.replace(chain, journeys=config)
