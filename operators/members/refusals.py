"""Why an event of a member was not counted, in words a person understands."""

from __future__ import annotations

from operators.members.facts import Fact
from operators.members.rules import MemberRules
from operators.refused import Where, refused_fact
from operators.stock.refusals import Refusal
from schemas.instants import format_instant


def too_late(fact: Fact, where: Where, clock: int, rules: MemberRules) -> Refusal:
    """The fact is older than what is remembered one by one."""
    return refused_fact(
        fact,
        where,
        "too_late",
        f"{format_instant(fact.time)} is more than {rules.late_days} days before the newest event "
        f"({format_instant(clock)}), so nobody can tell any more whether it is a duplicate; read "
        "history before what is live, or raise members.late_days",
    )


def conflicting_duplicate(fact: Fact, where: Where) -> Refusal:
    """The same event, or the same receipt, came before with other content."""
    return refused_fact(
        fact,
        where,
        "conflicting_duplicate",
        f"id {fact.id} of source {fact.source}, or its receipt, came before with other content, "
        "which stands; give every event its own id and every receipt of a store its own number",
    )


def too_many(fact: Fact, where: Where, rules: MemberRules) -> Refusal:
    """No person buys so often."""
    return refused_fact(
        fact,
        where,
        "too_many_purchases",
        f"the member has {rules.most} receipts within reach: this looks like a card of the till "
        "that is used for customers without one; raise members.most_purchases if it is a person",
    )


def other_currency(fact: Fact, where: Where, currency: str, rules: MemberRules) -> Refusal:
    """Sums are of one currency."""
    return refused_fact(
        fact,
        where,
        "other_currency",
        f"currency {currency}, members are judged in {rules.currency}: convert it, or set "
        "members.currency",
    )


def unlinked_return(fact: Fact, where: Where) -> Refusal:
    """A receipt below zero does not say what it takes back."""
    return refused_fact(
        fact,
        where,
        "unlinked_return",
        "the amount is below 0: send what is given back as pos.refund.v1, which names its receipt",
    )


def merges_itself(fact: Fact, where: Where) -> Refusal:
    """Both ids of a merge are the same."""
    return refused_fact(
        fact,
        where,
        "merges_itself",
        "`member` and `survivor` are the same id: name the two ids that are one person",
    )


def conflicting_thresholds(fact: Fact, where: Where, version: int) -> Refusal:
    """Thresholds of one version, with other figures."""
    return refused_fact(
        fact,
        where,
        "conflicting_thresholds",
        f"thresholds of version {version} are known with other figures: give them a new version",
    )
