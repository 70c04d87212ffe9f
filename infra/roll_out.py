"""The better arm of a journey's experiment into its file, so that all get it from now on."""

from __future__ import annotations

import os
from pathlib import Path

from operators.journeys.amend import AmendError, rolled_out_text
from operators.journeys.compile import read_journey
from operators.journeys.lint import lint
from operators.members.experiments.decide import Decision, Verdict
from operators.members.experiments.definition import Experiment
from operators.members.experiments.readout import Readout
from schemas.chain import Chain


class RollOut:
    """What a read-out means for the file of its journey."""

    def __init__(self, split: Experiment, found: Readout, decision: Decision) -> None:
        self._split, self._best = split, decision.arm
        self._unsure = [
            arm
            for arm in split.arms
            if arm != self._best and not (self._best and _better(found, self._best, arm))
        ]
        self._decided = decision.verdict is Verdict.ROLL_OUT and self._best in split.arms
        held = split.phase.shares().get(split.control, 0)
        self.remaining = min(found.rules.remaining, held)

    @property
    def due(self) -> bool:
        """Whether an arm is clearly better than all others, and not everybody's yet."""
        return (
            self._decided
            and not self._unsure
            and self._best != self._split.control
            and not self._split.phase.released
        )

    @property
    def words(self) -> str | None:
        """What to do about the file, None where there is nothing to say."""
        best, split = self._best, self._split
        if split.phase.released:
            return "an arm is rolled out already; its control stays the measure"
        if not self._decided:
            return None
        if self._unsure:
            told = ", ".join(self._unsure)
            return f"{best} and {told} cannot be told apart yet: leave the arms as they are"
        if best == split.control:
            return f"{best} is the control of the split: take the split out, and keep its steps"
        return (
            f"to roll it out, say --roll-out, or write `rolled_out: {best}`, "
            f"`remaining: {self.remaining / 100:g}%` beside the arms and a higher version"
        )

    def write(self, file: Path, chain: Chain) -> None:
        """Change the file; it is another one only when it is whole and right.

        Raises:
            AmendError: it has to be done by hand.
        """
        assert self._best is not None
        text = file.read_text("utf-8-sig")
        text = rolled_out_text(text, self._split.name, self._best, self.remaining)
        read = read_journey(text, str(file), chain)
        lint([read], chain)
        if read.program is None or read.source.broken:
            wrong = next(one for one in read.source.findings if one.level == "error")
            msg = f"the changed file would be wrong, it stays as it is: {wrong.shown(str(file))}"
            raise AmendError(msg)
        beside = file.with_name(f".{file.name}.new")
        beside.write_text(text, "utf-8")
        os.replace(beside, file)


def _better(found: Readout, best: str, other: str) -> bool:
    reduce = found.rules.reduce
    pair = found.pair(best, other)
    if pair is not None:
        return pair.judged(reduce).low > 0
    pair = found.pair(other, best)
    return pair is not None and pair.judged(reduce).high < 0
