"""What a shard of members hands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from operators.members.facts import Answer, Part
from operators.members.rows import Row
from operators.stock.refusals import Refusal
from schemas.member_events import Origin


class Totals(NamedTuple):
    """What became of the facts of a batch; `erased`: they were of somebody who is forgotten."""

    applied: int = 0
    duplicates: int = 0
    erased: int = 0


class MembersOutcome(NamedTuple):
    """What a shard hands on: rows, ids whose history is to go, refusals, parts of persons.

    Among `parts` is, too, what was heard of messages to ids of persons. The history of `erased`
    goes first: `transitions` of these ids are of what came after.
    `decisions` and `runs` are of journeys: operators.journeys.decisions says what they hold;
    `turns` of health: operators.members.health.watch does. `read_up`: the shard knows by now all
    that was there when the run began.
    """

    states: list[Row]
    transitions: list[Row]
    erased: list[str]
    refusals: list[Refusal]
    parts: list[Part | Answer]
    totals: Totals = Totals()
    newest: int = 0
    newest_origin: Origin = "live"
    decisions: Sequence[Row] = ()
    runs: Sequence[Row] = ()
    turns: Sequence[Row] = ()
    read_up: bool = False
    block: str = ""

    def forget(self, name: str) -> None:
        """Have all that was told of an id deleted."""
        self.erased.append(name)
        self.transitions[:] = [row for row in self.transitions if row[0] != name]
