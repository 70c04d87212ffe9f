"""Test blocks of a journey's file: a made-up member lives through events, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, cast, get_args
from zoneinfo import ZoneInfo

from operators.journeys.decisions import Decision
from operators.journeys.findings import Said, WordsError
from operators.journeys.program import Program, SplitArms
from operators.journeys.replay import Replay
from operators.journeys.triggers import held_out
from operators.journeys.units import money
from operators.journeys.wall import zone_of
from operators.members.experiments.assignment import assign
from operators.members.facts import Answer, Consent, Fact, Purchase, Refund, Registration, hashed
from operators.members.health.model import always
from schemas.chain import Chain
from schemas.instants import DAY_US, to_datetime, to_micros
from schemas.journeys import Heard
from schemas.journeys import Test as TestBlock

SOURCE = "test"
STORE = "S1"
DOINGS = (
    "purchase",
    "refund",
    "registered",
    "consent",
    "opened",
    "delivered",
    "failed",
    "tick",
    "restart",
)
EXPECTED = ("entered", "sent", "given", "held", "held_by", "exited", "tags", "at")
CANDIDATES = 20_000


class Tried(NamedTuple):
    """What came of one test: `wrong` has a line for each thing that is not as expected."""

    name: str
    wrong: tuple[str, ...]


def try_out(test: TestBlock, program: Program, chain: Chain) -> Tried:
    """Run one test block."""
    try:
        return Tried(test.name, tuple(_Trial(test, program, chain).run()))
    except WordsError as wrong:
        return Tried(test.name, (str(wrong),))


class _Trial:
    def __init__(self, test: TestBlock, program: Program, chain: Chain) -> None:
        self._test, self._program = test, program
        about = test.member
        self._zone = zone_of(str(about.get("zone") or chain.timezone)) or ZoneInfo(chain.timezone)
        self._named_zone = about.get("zone")
        self._member = _member(program, chain, about)
        score = about.get("health")
        self._replay = Replay(chain, health=None if score is None else always(_score(score)))

    def run(self) -> list[str]:
        """What is not as expected."""
        given = self._test.given
        if not given:
            raise WordsError(Said("given is empty: nothing happens in this test", "“假设”为空"))
        first = self._at(given[0])
        self._prepare(first - DAY_US)
        self._replay.begin([self._program])
        for number, one in enumerate(given):
            self._happen(number, one)
        self._replay.pass_to(self._at(given[-1]))
        return list(self._compare())

    def _prepare(self, time: int) -> None:
        """What is known of the member before the journey is."""
        about = self._test.member
        consents = about.get("consents", {"marketing/any": "granted"})
        store, member = about.get("store"), self._member
        named = store and str(store)
        fact = Registration(time, SOURCE, "registered", "live", member, named, self._named_zone)
        self._replay.take(0, fact)
        if isinstance(consents, dict):
            for number, (what, status) in enumerate(consents.items()):
                self._replay.take(0, self._consent(time, f"c{number}", what, status))
        self._replay.pass_to(time)

    def _happen(self, number: int, one: Mapping[str, Any]) -> None:
        doing = [word for word in DOINGS if word in one]
        if len(doing) != 1:
            there = ", ".join(DOINGS)
            raise WordsError(
                Said(f"given {number + 1}: one of {there}", f"第 {number + 1} 条：{there}")
            )
        at = self._at(one)
        if doing[0] == "restart":
            self._replay.pass_to(at)
            self._replay.restart()
        elif doing[0] == "tick":
            self._replay.pass_to(at)
        else:
            fact = self._fact(number, one, doing[0])
            self._replay.take(0, fact, at)

    def _fact(self, number: int, one: Mapping[str, Any], doing: str) -> Fact:
        time = self._at(one, "happened") if "happened" in one else self._at(one)
        origin = one.get("origin", "live")
        head = (time, SOURCE, str(one.get("id", f"e{number}")), origin, self._member)
        currency = "CNY"
        if doing == "purchase":
            receipt = hashed(STORE, str(one.get("receipt", f"#{number}")))
            return Purchase(*head, receipt, money(one["purchase"]), currency)
        if doing == "refund":
            receipt = hashed(STORE, str(one.get("receipt", "")))
            back = hashed(STORE, f"back {number}")
            return Refund(*head, receipt, money(one["refund"]), currency, back)
        if doing == "registered":
            return Registration(*head, None, self._named_zone)
        if doing in get_args(Heard):
            # Of the last message that was sent by then, in whatever channel.
            self._replay.pass_to(self._at(one))
            sent = [
                each.id
                for each in self._replay.decisions
                if each.action == "send" and each.decision == "go"
            ]
            heard = cast(Heard, doing)
            return Answer(*head, heard, sent[-1] if sent else "", reason="no_channel")
        what, _, status = str(one["consent"]).partition(" ")
        return self._consent(time, f"c{number}", what, status or "granted")

    def _consent(self, time: int, id: str, what: str, status: Any) -> Consent:
        purpose, _, channel = what.partition("/")
        said: Any = (purpose, channel or "any", status, None, None)
        return Consent(time, SOURCE, id, "live", self._member, *said)

    def _at(self, one: Mapping[str, Any], key: str = "at") -> int:
        text = str(one.get(key, ""))
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            raise WordsError(
                Said(f"{text!r} is no time: write 2026-11-27 20:00", f"“{text}”不是时间")
            ) from None
        return to_micros(local if local.tzinfo else local.replace(tzinfo=self._zone))

    def _compare(self) -> list[str]:
        found, wrong = self._found(), []
        for key, value in self._test.expect.items():
            if key not in EXPECTED:
                wrong.append(f"{key} is nothing to expect: there are {', '.join(EXPECTED)}")
                continue
            if key == "given" and isinstance(value, dict):
                mine: Any = found["gifts"]
            else:
                mine = found[key]
            right = _plain(value)
            if key == "tags":
                mine = {name: mine.get(name) for name in right}
            if mine != right:
                wrong.append(f"{key}: expected {_told(right)}, came {_told(mine)}")
        return wrong

    def _found(self) -> dict[str, Any]:
        decisions, moves = self._replay.decisions, self._replay.moves
        done = [one for one in decisions if one.decision == "go"]
        held = [one for one in decisions if one.decision == "suppress"]
        gifts: dict[str, int] = {}
        for one in done:
            if one.gift is not None:
                gifts[one.gift] = gifts.get(one.gift, 0) + 1
        by: dict[str, int] = {}
        for one in held:
            by[one.reason] = by.get(one.reason, 0) + 1
        exits = [one.reason for one in moves if one.status == "exited"]
        sent = [one for one in done if one.action == "send"]
        return {
            "entered": len({one.entry for one in moves}),
            "sent": len(sent),
            "given": sum(gifts.values()),
            "gifts": gifts,
            "held": len(held),
            "held_by": by,
            "exited": exits[-1] if exits else False,
            "tags": self._replay.tags(self._member),
            "at": [self._local(one) for one in sent],
        }

    def _local(self, one: Decision) -> str:
        return to_datetime(one.decided_at).astimezone(self._zone).strftime("%Y-%m-%d %H:%M")


def _member(program: Program, chain: Chain, about: Mapping[str, Any]) -> str:
    """An id that is in the holdout or not, and in the arms, as the test asks."""
    out = bool(about.get("holdout", False))
    wanted = about.get("arm") or {}
    splits = [one.experiment for one in program.nodes if isinstance(one, SplitArms)]
    for number in range(CANDIDATES):
        name = f"T-{number}"
        if held_out(program, name, chain.journeys) != out:
            continue
        arms = {one.name: assign(one, name) for one in splits}
        if all(
            (found := arms.get(key)) is not None and found.arm == arm for key, arm in wanted.items()
        ):
            return name
    raise WordsError(
        Said(
            "no member can be as this test wants it: is there a holdout, and such an arm?",
            "没有会员符合测试要求：是否设置了对照组、是否有该分组？",
        )
    )


def _score(value: object) -> int:
    if isinstance(value, int) and 0 <= value <= 100:
        return value
    raise WordsError(
        Said(f"health: {value} is no score, 0 to 100", f"健康分 {value} 应为 0 到 100")
    )


def _plain(value: Any) -> Any:
    return [str(one) for one in value] if isinstance(value, list) else value


def _told(value: Any) -> str:
    return "nothing" if value in ({}, [], None) else str(value)
