"""A machine's state from the stored states of its suggestions, where no stream has kept it.

A warehouse file remembers every state of every suggestion. That is enough to go on: what is open
claims its units, goods that went and refusals leave places in peace for as long as is left of it,
and the numbers go on. What a refusal said about its own quiet time is not stored: the chain's
counts.
"""

from __future__ import annotations

from collections.abc import Iterable

from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.shard import TransferShard
from operators.stock.transfers.state import (
    EXPIRED,
    OPEN,
    REJECTED,
    SHIPPED,
    SkuState,
)
from schemas.instants import to_micros
from schemas.transfer import TransferSuggestion


def shard_from(states: Iterable[TransferSuggestion], rules: TransferRules) -> TransferShard:
    """A machine that knows these states, given in the order of their versions."""
    skus: dict[str, SkuState] = {}
    for one in states:
        state = skus.setdefault(one.sku, SkuState())
        _remember(state, one, rules)
    shard = TransferShard(rules)
    shard.adopt(skus)
    return shard


def _remember(state: SkuState, one: TransferSuggestion, rules: TransferRules) -> None:
    number = one.suggestion.rpartition("/")[2]
    state.number = max(state.number, int(number) if number.isdecimal() else 0)
    at = to_micros(one.updated_at)
    if one.status in (*OPEN, SHIPPED, REJECTED, EXPIRED):
        state.suggestions[one.suggestion] = one
    else:
        state.suggestions.pop(one.suggestion, None)
    if one.status == SHIPPED:
        state.pair(one.from_place, one.to_place).rest(at, rules.cool_down, rules.repeat)
    if one.status in (REJECTED, EXPIRED):
        pair = state.pair(one.from_place, one.to_place)
        pair.quiet_until = max(pair.quiet_until, at + rules.quiet)
