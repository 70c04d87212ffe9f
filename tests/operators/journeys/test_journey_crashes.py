"""A crash at every step of a send gives exactly one; state comes back as it was."""

from __future__ import annotations

from array import array
from collections import Counter
from random import Random
from typing import Any

import pytest
from depth import cases
from health_models import quick_model
from journey_driver import SEND, chain_of, instant, journey, program

from operators.journeys.decisions import Decision
from operators.journeys.journeying import Rules
from operators.journeys.program import Program
from operators.journeys.shards import JourneyMemberShard, JourneyPersonShard
from operators.members.facts import (
    UNITED,
    Answer,
    Consent,
    Fact,
    Link,
    MemberBatch,
    Purchase,
    Refund,
)
from operators.members.health.model import HealthModel
from operators.members.rules import MemberRules
from operators.members.shard import MemberShard
from schemas.chain import Chain
from schemas.instants import DAY_US, HOUR_US
from schemas.journey_rules import Cap

START = instant("2026-06-01 12:00")
CHAIN = chain_of(quiet_hours="21:00-09:00", caps=(Cap(2, 1),))
TEXTS = (
    journey("hello", "{event: purchase}", "wait: 1h", SEND, "wait: 1d", SEND, reenter="always"),
    journey("silent", "{no_purchase_for: 2d}", "give: pack", SEND, exit_when="[purchase]",
            reenter="always", limits="{priority: 80, on_capped: wait}"),
    journey("vip", "{crosses: {field: spent, above: 300}}", "set: {tier: VIP}", "give: vip"),
    journey("daily", "{schedule: every day 10:00}", SEND, limits="{priority: 5}"),
)  # fmt: skip
BY_HEALTH = (
    journey("weak", "{schedule: every day 11:00}", "give: weak", who="{health: <40}"),
    journey("strong", "{event: purchase}", "wait: 6h",
            "{if: {health: '>=55'}, then: [{give: strong}]}", reenter="always"),
)  # fmt: skip
BY_ANSWER = journey("asks", "{event: purchase}", SEND,
                    "{wait: {event: opened, timeout: 12h}, then: [{give: glad}], "
                    "else: [{give: sad}]}", reenter="always", limits="{priority: 90}")  # fmt: skip
MODEL = quick_model()
Input = tuple[int, Fact | None, int]


class Process:
    """A shard of members and that of persons, whose journals are durable at each mark."""

    def __init__(
        self, chain: Chain, programs: tuple[Program, ...], health: HealthModel | None = None
    ) -> None:
        self._rules = Rules(chain, MemberRules(chain), programs, health)
        # What went out, by its id: to decide it again is not to do it again.
        self.done: dict[str, Decision] = {}
        self.times: Counter[str] = Counter()
        self.turns: dict[tuple[str, int, str], Any] = {}
        self.shards = {number: self._new(number) for number in (0, UNITED)}
        self._kept: dict[int, list[bytes]] = {number: [] for number in self.shards}
        self._base = {number: shard.dump() for number, shard in self.shards.items()}
        self.mark()

    def _new(self, number: int) -> JourneyMemberShard | JourneyPersonShard:
        kind = JourneyPersonShard if number == UNITED else JourneyMemberShard
        return kind(self._rules, journaled=True)

    def do(self, given: Input) -> None:
        """A fact, or that time has passed."""
        now, fact, number = given
        if fact is None:
            for each, shard in self.shards.items():
                self._keep(shard.tick(now), now)
                self._kept[each].append(shard.tick_entry(now))
                flushed = shard.flush()
                if flushed:
                    self._keep(flushed, now)
                    self._kept[each].append(shard.flush_entry())
        else:
            self._apply(number, fact, now)

    def _apply(self, number: int, fact: Fact, now: int) -> None:
        batch = MemberBatch(number, "", array("Q", [0]), [fact], fact.time, fact.origin)
        shard = self.shards[number]
        out = shard.apply([batch], now)
        self._kept[number].append(shard.journal_entry())
        self._keep(out, now)

    def _keep(self, outcomes: Any, now: int) -> None:
        for out in outcomes:
            for one in out.decisions:
                if one.decision == "go":
                    self.times[one.id] += 1
                    self.done.setdefault(one.id, one)
            self.turns |= {(one.member, one.changed_at, one.after): one for one in out.turns}
            for part in out.parts:
                self._apply(UNITED, part, now)

    def mark(self) -> None:
        """All that was journaled is durable now."""
        self._durable = {number: list(entries) for number, entries in self._kept.items()}

    def crash(
        self, programs: tuple[Program, ...] | None = None, health: HealthModel | None = None
    ) -> None:
        """Lose what was not durable, and start again, with other files where some are given."""
        if programs is not None:
            self._rules = self._rules._replace(programs=programs)
        if health is not None:
            self._rules = self._rules._replace(health=health)
        for number in self.shards:
            shard = self.shards[number] = self._new(number)
            shard.restore(*self._base[number])
            for entry in self._durable[number]:
                shard.replay(entry)
        self._kept = {number: list(entries) for number, entries in self._durable.items()}

    def state(self) -> list[Any]:
        """What the shards hold."""
        return [shard.dump() for shard in self.shards.values()]


def inputs(seed: int) -> list[Input]:
    """Purchases, refunds, words on consent and a merge, with time passing between."""
    rng = Random(seed)
    names = ("a", "b", "c")
    found: list[tuple[int, Fact, int]] = []
    for number in range(14):
        time = START + rng.randrange(6 * DAY_US) // HOUR_US * HOUR_US
        head: Any = {"time": time, "source": "s", "origin": "live", "member": rng.choice(names)}
        money: Any = {"currency": "CNY", "receipt": number}
        found.append((time, Purchase(**head, id=f"p{number}", amount=12_000, **money), 0))
        if rng.random() < 0.3:
            head["time"] = time + DAY_US
            back = Refund(**head, id=f"r{number}", amount=12_000, number=number, **money)
            found.append((time + DAY_US, back, 0))
    for number, name in enumerate(names):
        head = {"time": START, "source": "s", "origin": "live", "member": name}
        said: Any = {"purpose": "marketing", "channel": "any", "status": "granted"}
        consent = Consent(**head, id=f"c{number}", **said, text=None, evidence=None)
        found.append((START, consent, 0))
    merge = START + 4 * DAY_US + HOUR_US // 2
    head = {"time": merge, "source": "s", "id": "m", "origin": "live"}
    found += [(merge, Link(**head, member=name, merged=True), 0) for name in ("a", "b")]
    found.append((merge, Link(**head, member="a", merged=True, survivor="b"), UNITED))
    ticks: list[Input] = [
        (START + number * HOUR_US + HOUR_US // 2, None, 0) for number in range(9 * 24)
    ]
    facts: list[Input] = [(time, fact, number) for time, fact, number in found]
    return sorted([*facts, *ticks], key=lambda one: (one[0], one[1] is None, one[2] == UNITED))


def answered(seed: int, programs: tuple[Program, ...]) -> list[Input]:
    """The inputs, and that every second message of one journey is opened an hour later."""
    given = inputs(seed)
    first = Process(CHAIN, programs)
    for one in given:
        first.do(one)
    asked = [one for one in first.done.values() if one.journey == "asks" and one.action == "send"]
    for number, sent in enumerate(asked[::2]):
        time = sent.decided_at + HOUR_US
        fact = Answer(time, "app", f"o{number}", "live", sent.member, "opened", sent.id)
        given += [(time, fact, 0), (time, fact, UNITED)]
    return sorted(given, key=lambda one: (one[0], one[1] is None, one[2] == UNITED))


@pytest.mark.deep
@pytest.mark.parametrize(
    ("seed", "health"), [(1, MODEL), (0, None), (1, None), (2, MODEL)][: cases(1, 4)]
)
def test_a_crash_at_every_step_gives_each_decision_once(
    seed: int, health: HealthModel | None
) -> None:
    """Whatever is lost is decided again, with the same ids and nothing else; health falls, too."""
    texts = TEXTS if health is None else (*TEXTS, *BY_HEALTH)
    programs = tuple(program(text, CHAIN) for text in (*texts, BY_ANSWER))
    given = answered(seed, programs)
    whole = Process(CHAIN, programs, health)
    for one in given:
        whole.do(one)
    assert len(whole.done) > 20
    assert set(whole.times.values()) == {1}

    crashing = Process(CHAIN, programs, health)
    marked = 0
    for number, one in enumerate(given):
        crashing.do(one)
        # The process dies after each input, and everything since the last mark comes again.
        crashing.crash()
        for again in given[marked : number + 1]:
            crashing.do(again)
        if number % 5 == 4:
            crashing.mark()
            marked = number + 1
    assert {one.id for one in crashing.done.values()} == {one.id for one in whole.done.values()}
    assert crashing.done == whole.done
    assert max(crashing.times.values()) > 1
    assert crashing.state() == whole.state()
    assert crashing.turns == whole.turns
    fallen = {one.cause for one in whole.turns.values()}
    assert fallen >= {"purchase", "time"} if health else not fallen
    by_health = {one.gift for one in whole.done.values()} & {"weak", "strong"}
    assert by_health == ({"weak", "strong"} if health else set())
    assert {one.gift for one in whole.done.values()} >= {"glad", "sad"}


def test_another_model_after_a_crash() -> None:
    """What was journaled under the old model is brought about by it; the new one tells nothing."""
    other = quick_model("q2", weight=-5.0)
    process = Process(CHAIN, (program(BY_HEALTH[0], CHAIN),), MODEL)
    given = inputs(1)
    middle = next(at for at, one in enumerate(given) if one[0] > START + 3 * DAY_US)
    for one in given[:middle]:
        process.do(one)
    process.mark()
    process.crash(health=other)
    before = process.state()
    assert [shard.watch.model for shard in process.shards.values()] == [MODEL, MODEL]
    process.turns.clear()
    process.do((given[middle][0], None, 0))
    assert [shard.watch.model for shard in process.shards.values()] == [other, other]
    assert process.state() != before
    assert not [one for one in process.turns.values() if one.cause != "time"]
    for one in given[middle:]:
        process.do(one)
    process.mark()
    state = process.state()
    process.crash()
    assert process.state() == state


def test_other_files_after_a_crash() -> None:
    """What was journaled under the old files is brought about by them, what comes by the new."""
    old = program(
        journey("j", "{event: purchase}", "wait: 1d", "give: old", reenter="always"), CHAIN
    )
    new = program(journey("j", "{event: purchase}", "give: new", reenter="always"), CHAIN)
    process = Process(CHAIN, (old,))
    given = inputs(1)
    middle = next(at for at, one in enumerate(given) if one[0] > START + 3 * DAY_US)
    for one in given[:middle]:
        process.do(one)
    process.mark()
    process.crash((new,))
    before = process.state()
    process.crash((new,))
    assert process.state() == before
    for one in given[middle : middle + 30]:
        process.do(one)
    process.mark()
    state = process.state()
    process.crash((new,))
    assert process.state() == state
    for one in given[middle + 30 :]:
        process.do(one)
    gifts = Counter(one.gift for one in process.done.values())
    assert gifts["old"] > 0 < gifts["new"]
    late = [one for one in process.done.values() if one.gift == "old"]
    assert max(one.decided_at for one in late) <= given[middle][0] + 2 * DAY_US


def test_state_of_an_older_tillflow_is_taken_up() -> None:
    """A recovery folder from before there were journeys goes on; unknown ones are refused."""
    rules = Rules(CHAIN, MemberRules(CHAIN), (program(TEXTS[2], CHAIN),))
    plain = MemberShard(rules.members)
    head: Any = {"time": START, "source": "s", "id": "p", "origin": "live", "member": "m"}
    fact = Purchase(**head, receipt=1, amount=40_000, currency="CNY")
    plain.apply([MemberBatch(0, "", array("Q", [0]), [fact], START, "live")], START)
    shard = JourneyMemberShard(rules)
    shard.restore(*plain.dump())
    shard.tick(START + DAY_US)
    # Who is above the level already does not cross it.
    assert shard.desk.members["m"].above == {"vip": True}
    assert shard.desk.members["m"].runs == []
    with pytest.raises(ValueError, match="version 9"):
        shard.restore(9, b"")
