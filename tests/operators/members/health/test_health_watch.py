"""Health as members live: like the fit's own figures, falling by time alone at its instant."""

from __future__ import annotations

from array import array
from random import Random

import numpy as np
import pytest
from health_models import quick_model

from operators.journeys.journeying import Rules
from operators.journeys.shards import JourneyMemberShard
from operators.members.facts import Erasure, Fact, MemberBatch, Purchase, Refund
from operators.members.health.history import Log, histories
from operators.members.health.model import band, chance, chances
from operators.members.health.watch import Turn, history_of, score_of
from operators.members.outcome import MembersOutcome
from operators.members.rules import MemberRules
from schemas.chain import Chain
from schemas.instants import DAY_US, SECOND_US, parse_instant, to_datetime
from schemas.member_tables import MEMBER_STATE

CHAIN = Chain(timezone="Asia/Shanghai")
RULES = MemberRules(CHAIN)
MODEL = quick_model()
BEGIN = parse_instant("2026-01-05T00:00:00+08:00")
NAMES = MEMBER_STATE.names


class Lived:
    """One shard with a model; keeps the last rows and every change of band."""

    def __init__(self) -> None:
        self.shard = JourneyMemberShard(Rules(CHAIN, RULES, (), MODEL))
        self.rows: dict[str, dict[str, object]] = {}
        self.turns: list[Turn] = []

    def take(self, *facts: Fact) -> None:
        """Facts as one batch."""
        newest = max(one.time for one in facts)
        positions = array("Q", bytes(8 * len(facts)))
        self.keep(
            self.shard.apply([MemberBatch(0, "", positions, list(facts), newest, "live")], newest)
        )

    def pass_to(self, now: int) -> None:
        """Time alone, woken only when something is due."""
        while (due := self.shard.due(0)) is not None and due <= now:
            self.keep(self.shard.tick(due))
        self.keep(self.shard.tick(now))

    def keep(self, outcomes: list[MembersOutcome]) -> None:
        """What came out, with the rows that wait."""
        for out in [*outcomes, *self.shard.flush()]:
            self.turns += [Turn(*one) for one in out.turns]
            for row in out.states:
                self.rows[row[0]] = dict(zip(NAMES, row, strict=True))


def bought(member: str, day: float, amount: int, number: int) -> Purchase:
    """A purchase so many days after the begin."""
    time = BEGIN + round(day * DAY_US)
    return Purchase(time, "s", f"p{number}", "live", member, number, amount, "CNY")


def given_back(one: Purchase, day: float) -> Refund:
    """All of it."""
    time = BEGIN + round(day * DAY_US)
    return Refund(
        time, "s", f"r{one.id}", "live", one.member, one.receipt, one.amount, "CNY", one.receipt
    )


def random_facts(rng: Random, members: int, days: int) -> list[Fact]:
    """Purchases, some on the same day, a sixth given back on a later one."""
    facts: list[Fact] = []
    for number in range(members * 8):
        one = bought(f"m{rng.randrange(members)}", rng.uniform(0, days), 100 + number, number)
        facts.append(one)
        if number % 6 == 0:
            later = (one.time - BEGIN) / DAY_US + rng.uniform(0, 3)
            facts.append(given_back(one, later))
    return sorted(facts, key=lambda one: one.time)


def test_scores_are_those_of_the_fit() -> None:
    """At midnight a member of the stream has the figures that the fit makes from a log."""
    facts = random_facts(Random(3), 30, 80)
    lived = Lived()
    for one in facts:
        lived.take(one)
    end = 90
    names = sorted({one.member for one in facts})
    rows = []
    days = {one.receipt: (one.time - BEGIN) // DAY_US for one in facts if type(one) is Purchase}
    for one in facts:
        assert isinstance(one, Purchase | Refund)
        sign = 1.0 if isinstance(one, Purchase) else -1.0
        day = (one.time - BEGIN) // DAY_US
        rows.append((names.index(one.member), day, days[one.receipt], sign * one.amount))
    member, at_day, of = (np.array([row[at] for row in rows], dtype=np.int64) for at in range(3))
    log = Log(member, at_day, of, np.array([row[3] for row in rows]))
    who, known = histories(log, end)
    wanted = chances(MODEL, known)
    at = BEGIN + end * DAY_US
    for number, right in zip(who, wanted, strict=True):
        found = history_of([lived.shard.members[names[number]]], at, RULES)
        assert found is not None
        assert chance(MODEL, found) == pytest.approx(right, rel=1e-9)
    nobody = [name for name in names if names.index(name) not in who]
    for name in nobody:
        assert score_of(MODEL, [lived.shard.members[name]], at, RULES) is None


def test_a_band_falls_on_an_idle_stream_at_its_instant() -> None:
    """Nothing happens, and the row says so at the second in which the band becomes another."""
    lived = Lived()
    lived.take(bought("m", 0.5, 5_000, 1))
    first = lived.rows["m"]
    assert first["health_band"] == "healthy"
    assert first["health_at"] == BEGIN + DAY_US // 2
    lived.pass_to(BEGIN + 60 * DAY_US)
    falls = [one for one in lived.turns if one.cause == "time"]
    assert [(one.before, one.after) for one in falls] == [
        ("healthy", "watch"),
        ("watch", "at_risk"),
    ]
    assert falls[0].changed_at == first["health_changes_at"]
    for one in falls:
        parts = [lived.shard.members["m"]]
        early, late = (
            history_of(parts, one.changed_at + step, RULES) for step in (-2 * SECOND_US, 0)
        )
        assert early is not None
        assert late is not None
        assert band(MODEL, chance(MODEL, early)) == one.before
        assert band(MODEL, chance(MODEL, late)) == one.after
    last = lived.rows["m"]
    assert last["health_band"] == "at_risk"
    assert last["health_at"] == falls[-1].changed_at
    assert isinstance(last["health"], int)
    assert last["health"] <= 30
    assert "last purchase" in str(last["health_drivers"])
    assert last["health_model"] == "q1"
    # Who buys is well again, and by that event.
    lived.take(bought("m", 61, 5_000, 2))
    assert (lived.turns[-1].cause, lived.turns[-1].event) == ("purchase", "s p2")
    assert lived.turns[-1].after != "at_risk"


def test_rows_do_not_depend_on_order_or_on_when_anybody_looked() -> None:
    """The same facts in another order, in one batch or with time passing between."""
    facts = random_facts(Random(5), 12, 40)
    end = BEGIN + 45 * DAY_US
    found = []
    for seed in range(4):
        lived, mixed = Lived(), list(facts)
        if seed:
            Random(seed).shuffle(mixed)
        if seed == 1:
            lived.take(*mixed)
        else:
            for one in mixed:
                lived.take(one)
        lived.pass_to(end)
        shown = [name for name in NAMES if name.startswith("health")]
        found.append({name: [row[one] for one in shown] for name, row in lived.rows.items()})
    assert found[1:] == found[:-1]
    assert any(row[0] is not None for row in found[0].values())


def test_who_gave_everything_back_or_is_erased_has_none() -> None:
    """No score without a purchase; of who is forgotten nothing is told."""
    lived = Lived()
    one = bought("m", 1, 5_000, 1)
    lived.take(one, bought("n", 1, 5_000, 2))
    lived.take(given_back(one, 2))
    assert lived.rows["m"]["health"] is None
    assert lived.rows["n"]["health"] is not None
    told = len(lived.turns)
    erased = Erasure(BEGIN + 3 * DAY_US, "s", "x", "live", "n")
    lived.take(bought("n", 2.5, 100, 3), erased)
    assert lived.rows["n"]["health"] is None
    assert [one.member for one in lived.turns[told:] if one.changed_at > erased.time] == []
    lived.pass_to(BEGIN + 90 * DAY_US)
    assert lived.shard.watch.stands == {}
    assert to_datetime(erased.time) >= max(to_datetime(one.changed_at) for one in lived.turns)
