"""Why a report or an order was not counted, in words a person understands."""

from __future__ import annotations

from operators.footfall.facts import Fact, VisitFact
from operators.footfall.rules import FootfallRules
from operators.stock.refusals import Refusal
from schemas.instants import HOUR_US, format_instant

Where = tuple[str, int]


def _refusal(fact: Fact, where: Where, code: str, reason: str) -> Refusal:
    return Refusal(*where, code, reason, fact.source, fact.id, fact.time, b"")


def too_late(fact: Fact, where: Where, newest: int, rules: FootfallRules) -> Refusal:
    """The fact is older than what can still be revised."""
    what = "door report" if isinstance(fact, VisitFact) else "order"
    return _refusal(
        fact,
        where,
        "too_late",
        f"{format_instant(fact.time)} is more than {rules.late / HOUR_US:g} hours before the "
        f"newest {what} of {fact.store} ({format_instant(newest)}), so its window is not revised "
        "any more; raise footfall.late_hours if such events should count",
    )


def too_far_apart(fact: Fact, where: Where, newest: int, rules: FootfallRules) -> Refusal:
    """Doors and tills of the store are too far apart."""
    return _refusal(
        fact,
        where,
        "too_late",
        f"{format_instant(fact.time)} is more than {rules.apart / HOUR_US:g} hours before the "
        f"newest event of {fact.store} ({format_instant(newest)}): doors and tills of a store must "
        "be read side by side; raise footfall.apart_hours if they cannot be",
    )


def conflicting_duplicate(fact: Fact, where: Where) -> Refusal:
    """The same source and id came before with other content."""
    return _refusal(
        fact,
        where,
        "conflicting_duplicate",
        f"source {fact.source} sent id {fact.id} before with other content, which stands; give "
        "every event its own id",
    )


def in_the_future(fact: Fact, where: Where, now: int) -> Refusal:
    """The fact's clock is so far ahead that it would close windows that have not begun."""
    return _refusal(
        fact,
        where,
        "in_the_future",
        f"{format_instant(fact.time)} is too far ahead of the clock ({format_instant(now)}): "
        f"set the clock of {fact.source} right and send the event again",
    )


def unknown_store(fact: Fact, where: Where) -> Refusal:
    """The configuration does not know the store and says to refuse such."""
    return _refusal(
        fact,
        where,
        "unknown_place",
        f"store {fact.store} is not in the chain's configuration; list it under `places`, or set "
        "`unknown_places: accept`",
    )
