"""Why a report or an order was not counted, in words a person understands."""

from __future__ import annotations

from operators.footfall.facts import Fact, VisitFact
from operators.footfall.rules import FootfallRules
from operators.refused import Where, refused_fact
from operators.stock.refusals import Refusal
from schemas.instants import HOUR_US, format_instant


def too_late(fact: Fact, where: Where, newest: int, rules: FootfallRules) -> Refusal:
    """The fact is older than what can still be revised."""
    what = "door report" if isinstance(fact, VisitFact) else "order"
    return refused_fact(
        fact,
        where,
        "too_late",
        f"{format_instant(fact.time)} is more than {rules.late / HOUR_US:g} hours before the "
        f"newest {what} of {fact.store} ({format_instant(newest)}), so its window is not revised "
        "any more; raise footfall.late_hours if such events should count",
    )


def too_far_apart(fact: Fact, where: Where, newest: int, rules: FootfallRules) -> Refusal:
    """Doors and tills of the store are too far apart."""
    return refused_fact(
        fact,
        where,
        "too_late",
        f"{format_instant(fact.time)} is more than {rules.apart / HOUR_US:g} hours before the "
        f"newest event of {fact.store} ({format_instant(newest)}): doors and tills of a store must "
        "be read side by side; raise footfall.apart_hours if they cannot be",
    )


def conflicting_duplicate(fact: Fact, where: Where) -> Refusal:
    """The same source and id came before with other content."""
    return refused_fact(
        fact,
        where,
        "conflicting_duplicate",
        f"source {fact.source} sent id {fact.id} before with other content, which stands; give "
        "every event its own id",
    )


def unknown_store(fact: Fact, where: Where) -> Refusal:
    """The configuration does not know the store and says to refuse such."""
    return refused_fact(
        fact,
        where,
        "unknown_place",
        f"store {fact.store} is not in the chain's configuration; list it under `places`, or set "
        "`unknown_places: accept`",
    )
