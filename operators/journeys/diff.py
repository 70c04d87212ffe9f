"""Two versions of a journey, and what changed, in sentences."""

from __future__ import annotations

from difflib import SequenceMatcher

from operators.journeys.explain import head, steps
from operators.journeys.program import Program


def diff(old: Program, new: Program, language: str = "en") -> list[str]:
    """What is no more (`-`) and what is new (`+`), and what becomes of members who are in it."""
    before = head(old, language) + [_bare(one) for one in steps(old, language)]
    after = head(new, language) + [_bare(one) for one in steps(new, language)]
    found = []
    for what, low, high, start, end in SequenceMatcher(None, before, after, False).get_opcodes():
        if what != "equal":
            found += [f"- {one}" for one in before[low:high]]
            found += [f"+ {one}" for one in after[start:end]]
    if not found:
        same = "做的事完全相同" if language == "zh" else "both do the same"
        return [f"{old.version} = {new.version}: {same}"]
    note = (
        f"已在旅程中的会员继续走 {old.version}，之后进入的走 {new.version}。"
        if language == "zh"
        else f"Members who are in it finish {old.version}; who comes in from then on is in "
        f"{new.version}."
    )
    return [*found, note]


def _bare(sentence: str) -> str:
    """A step without its number: one put before it changes nothing about it."""
    return sentence.strip().partition(". ")[2]
