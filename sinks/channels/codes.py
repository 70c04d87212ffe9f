"""What a provider's own code says of a message: whose fault it was, if it may work later."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import NamedTuple

from sinks.sending.verdict import ANSWER_KEPT, Verdict

# How long until somebody may have put right what makes every message fail.
OURS_SECONDS = 300.0


class SmsCodes(NamedTuple):
    """Beginnings of codes: nobody knows whether it was sent; we did it wrong; too many at once."""

    sent: str
    doubtful: tuple[str, ...]
    ours: tuple[str, ...]
    busy: tuple[str, ...]
    busy_seconds: float

    def judge(self, code: str, said: str, ref: str = "") -> Verdict:
        """The verdict on a code; what is none of them was refused for good."""
        said = f"{code}: {said}"[:ANSWER_KEPT]
        if code == self.sent:
            return Verdict("sent", said, code=code, ref=ref)
        if code.startswith(self.doubtful):
            return Verdict("unknown", said, whole=True, code=code)
        if code.startswith(self.ours):
            return Verdict("retry", said, whole=True, after_seconds=OURS_SECONDS, code=code)
        if code.startswith(self.busy):
            return Verdict("retry", said, whole=True, after_seconds=self.busy_seconds, code=code)
        return Verdict("refused", said, code=code)


class NumberedCodes(NamedTuple):
    """Numbers of an answer that was not 0: seconds to wait for each, or we did it wrong."""

    limited: Mapping[int, float]
    ours: Set[int]

    def judge(self, code: int, said: str, ref: str = "") -> Verdict:
        """The verdict on a number; what is none of them was refused for good."""
        if code == 0:
            return Verdict("sent", said, code="0", ref=ref)
        wait = OURS_SECONDS if code in self.ours else self.limited.get(code)
        if wait is not None:
            return Verdict("retry", said, whole=True, after_seconds=wait, code=str(code))
        return Verdict("refused", said, code=str(code))
