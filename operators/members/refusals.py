"""Why an event of a member was not counted, in words a person understands."""

from __future__ import annotations

from operators.members.facts import Fact
from operators.members.rules import MemberRules
from operators.stock.refusals import Refusal
from schemas.instants import format_instant

Where = tuple[str, int]


def _refusal(fact: Fact, where: Where, code: str, reason: str) -> Refusal:
    return Refusal(*where, code, reason, fact.source, fact.id, fact.time, b"")


def in_the_future(fact: Fact, where: Where, now: int) -> Refusal:
    """The fact's clock is so far ahead that windows would expire that have not."""
    return _refusal(
        fact,
        where,
        "in_the_future",
        f"{format_instant(fact.time)} is too far ahead of the clock ({format_instant(now)}): "
        f"set the clock of {fact.source} right and send the event again",
    )


def too_late(fact: Fact, where: Where, clock: int, rules: MemberRules) -> Refusal:
    """The fact is older than what is remembered one by one."""
    return _refusal(
        fact,
        where,
        "too_late",
        f"{format_instant(fact.time)} is more than {rules.late_days} days before the newest event "
        f"({format_instant(clock)}), so nobody can tell any more whether it is a duplicate; read "
        "history before what is live, or raise members.late_days",
    )


def conflicting_duplicate(fact: Fact, where: Where) -> Refusal:
    """The same event, or the same receipt, came before with other content."""
    return _refusal(
        fact,
        where,
        "conflicting_duplicate",
        f"id {fact.id} of source {fact.source}, or its receipt, came before with other content, "
        "which stands; give every event its own id and every receipt of a store its own number",
    )


def too_many(fact: Fact, where: Where, rules: MemberRules) -> Refusal:
    """No person buys so often."""
    return _refusal(
        fact,
        where,
        "too_many_purchases",
        f"the member has {rules.most} receipts within reach: this looks like a card of the till "
        "that is used for customers without one; raise members.most_purchases if it is a person",
    )


def other_currency(fact: Fact, where: Where, currency: str, rules: MemberRules) -> Refusal:
    """Sums are of one currency."""
    return _refusal(
        fact,
        where,
        "other_currency",
        f"currency {currency}, members are judged in {rules.currency}: convert it, or set "
        "members.currency",
    )


def unlinked_return(fact: Fact, where: Where) -> Refusal:
    """A receipt below zero does not say what it takes back."""
    return _refusal(
        fact,
        where,
        "unlinked_return",
        "the amount is below 0: send what is given back as pos.refund.v1, which names its receipt",
    )


def merges_itself(fact: Fact, where: Where) -> Refusal:
    """Both ids of a merge are the same."""
    return _refusal(
        fact,
        where,
        "merges_itself",
        "`member` and `survivor` are the same id: name the two ids that are one person",
    )


def conflicting_thresholds(fact: Fact, where: Where, version: int) -> Refusal:
    """Thresholds of one version, with other figures."""
    return _refusal(
        fact,
        where,
        "conflicting_thresholds",
        f"thresholds of version {version} are known with other figures: give them a new version",
    )
