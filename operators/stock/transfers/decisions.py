"""What people answer to suggestions, and what becomes of those that nobody answers."""

from __future__ import annotations

from operators.stock.refusals import Refusal
from operators.stock.transfers.facts import Decided
from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.state import (
    ACCEPTED,
    EXECUTED,
    EXPIRED,
    OPEN,
    PROPOSED,
    REJECTED,
    SHIPPED,
    SkuState,
)
from operators.stock.transfers.suggestions import advance
from schemas.instants import HOUR_US, format_instant, to_datetime, to_micros
from schemas.transfer import TransferSuggestion


def decide(
    state: SkuState, decided: Decided, now: int, rules: TransferRules
) -> tuple[list[TransferSuggestion], Refusal | None]:
    """Follow a decision; one that is known already changes nothing.

    A suggestion that is over cannot be answered any more: its units may be promised elsewhere.
    """
    decision = decided.decision
    one = state.suggestions.get(decision.suggestion)
    if one is None:
        return [], _refusal(
            decided,
            "unknown_suggestion",
            f"there is no suggestion {decision.suggestion} of {decision.sku}, or it was over long "
            "ago: see tillflow transfers list",
        )
    if decision.decision == one.status:
        return [], None
    if decision.decision == ACCEPTED and one.status == PROPOSED:
        after = advance(
            state,
            one,
            ACCEPTED,
            now,
            transfer=decision.transfer or one.suggestion,
            not_after=to_datetime(now + rules.ship),
        )
        return [after], None
    if decision.decision == REJECTED and one.status in OPEN:
        quiet = rules.quiet
        if decision.quiet_hours is not None:
            quiet = round(decision.quiet_hours * HOUR_US)
        state.pair(one.from_place, one.to_place).quiet_until = now + quiet
        state.dirty_at = state.dirty_at or now
        return [advance(state, one, REJECTED, now)], None
    if decision.decision == ACCEPTED and one.status in (SHIPPED, EXECUTED):
        # The goods were faster than the answer.
        return [], None
    return [], _refusal(
        decided,
        "suggestion_is_over",
        f"{one.suggestion} is {one.status} since {format_instant(to_micros(one.updated_at))} and "
        f"cannot be {decision.decision} any more: its units may be promised to others",
    )


def expire(state: SkuState, now: int, rules: TransferRules) -> list[TransferSuggestion]:
    """Close what nobody answered or sent in time, and leave its places in peace for a while."""
    late = [
        one
        for one in state.suggestions.values()
        if one.status in OPEN and to_micros(one.not_after) <= now
    ]
    changed = []
    for one in late:
        pair = state.pair(one.from_place, one.to_place)
        pair.quiet_until = max(pair.quiet_until, now + rules.quiet)
        state.dirty_at = state.dirty_at or now
        changed.append(advance(state, one, EXPIRED, now))
    return changed


def _refusal(decided: Decided, code: str, reason: str) -> Refusal:
    return Refusal(
        decided.origin,
        decided.position,
        code,
        reason,
        None,
        decided.decision.suggestion,
        decided.time,
        decided.raw,
    )
