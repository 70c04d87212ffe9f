"""Plans a SKU anew: which open suggestions stand, which are replaced, which are new."""

from __future__ import annotations

from collections.abc import Collection

from operators.stock.transfers.needs import Stock, most_packs, protected
from operators.stock.transfers.planning import Move, plan_moves, value_moves
from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.state import ACCEPTED, PROPOSED, SUPERSEDED, SkuState
from operators.stock.transfers.stocks import blocked_pairs, stocks_of
from operators.stock.transfers.suggestions import advance, propose
from schemas.transfer import TransferSuggestion


def review(state: SkuState, sku: str, now: int, rules: TransferRules) -> list[TransferSuggestion]:
    """Plan a SKU at `now`; what changed comes out, and is in the state.

    Open suggestions stand while they are still possible and useful, give or take
    `material_share`, and while planning everything anew would not be worth more by that share.
    So sales of a few units change nothing, and nobody is sent the same list every quarter hour.
    """
    state.planned_at, state.dirty_at = now, 0
    proposed = [one for one in state.suggestions.values() if one.status == PROPOSED]
    accepted = {one.suggestion for one in state.suggestions.values() if one.status == ACCEPTED}
    without = stocks_of(state, now, rules, accepted)
    state.planned_risk = {stock.place: stock.at_risk for stock in without if stock.at_risk}

    def moves_with(kept: Collection[str]) -> list[Move]:
        open_ones = accepted | set(kept)
        blocked = blocked_pairs(state, now, open_ones)
        return plan_moves(sku, stocks_of(state, now, rules, open_ones), rules, blocked)

    def worth_of(moves: list[Move]) -> int:
        return sum(one.net for one in value_moves(sku, without, moves, rules))

    kept = _still_good(state, proposed, sku, now, rules, accepted)
    fresh = moves_with(())
    more = moves_with({one.suggestion for one in kept}) if kept else fresh
    if kept:
        together = worth_of([_move(one) for one in kept] + more)
        anew = worth_of(fresh)
        if anew - together > max(
            rules.config.material_share * anew, rules.config.min_net_benefit * 1_000
        ):
            wanted = set(fresh)
            kept = [one for one in kept if _move(one) in wanted]
            standing = {_move(one) for one in kept}
            more = [move for move in fresh if move not in standing]
    return _change(state, sku, now, rules, accepted, proposed, kept, more)


def _still_good(
    state: SkuState,
    proposed: list[TransferSuggestion],
    sku: str,
    now: int,
    rules: TransferRules,
    accepted: set[str],
) -> list[TransferSuggestion]:
    """The suggestions that are still possible and useful, the oldest first.

    A donor is never asked for what it has promised, and for its protected units only as far as
    sales since the suggestion have eaten into it by `material_share`.
    """
    terms = rules.terms(sku)
    kept: list[TransferSuggestion] = []
    for one in proposed:
        open_ones = accepted | {other.suggestion for other in kept}
        known = {stock.place: stock for stock in stocks_of(state, now, rules, open_ones)}
        here, there = known.get(one.from_place), known.get(one.to_place)
        if here is None or there is None:
            continue
        drift = rules.config.material_share * one.quantity
        left = here.left - one.quantity
        usable = most_packs(there, terms, rules) * terms.pack
        if (
            here.may_give
            and left >= 0
            and left >= protected(here, rules) - drift
            and usable >= one.quantity - drift
            and rules.road(one.from_place, one.to_place) is not None
            and (one.from_place, one.to_place) not in blocked_pairs(state, now, open_ones)
            and not _more_at_risk(one, there)
        ):
            kept.append(one)
    return kept


def _more_at_risk(one: TransferSuggestion, there: Stock) -> bool:
    """Whether a promise came into danger after a suggestion that knew of none."""
    return one.mode == "proactive" and there.short > 0


def _change(
    state: SkuState,
    sku: str,
    now: int,
    rules: TransferRules,
    accepted: set[str],
    proposed: list[TransferSuggestion],
    kept: list[TransferSuggestion],
    more: list[Move],
) -> list[TransferSuggestion]:
    """Close what does not stand and open what is new."""
    standing = {one.suggestion for one in kept}
    gone = [one for one in proposed if one.suggestion not in standing]
    changed = [advance(state, one, SUPERSEDED, now) for one in gone]
    stocks = stocks_of(state, now, rules, accepted | standing)
    known = {stock.place: stock for stock in stocks}
    for valued in value_moves(sku, stocks, more, rules):
        move = valued.move
        before = _replaced(gone, move)
        changed.append(
            propose(
                state,
                sku,
                valued,
                known[move.from_place],
                known[move.to_place],
                now,
                rules,
                before.suggestion if before is not None else None,
            )
        )
    return changed


def _replaced(gone: list[TransferSuggestion], move: Move) -> TransferSuggestion | None:
    """The suggestion that a move stands in for: the same way first, then the same taker."""
    for same in (
        lambda one: (one.from_place, one.to_place) == move[:2],
        lambda one: one.to_place == move.to_place,
    ):
        for one in gone:
            if same(one):
                gone.remove(one)
                return one
    return None


def _move(one: TransferSuggestion) -> Move:
    return Move(one.from_place, one.to_place, one.quantity)
