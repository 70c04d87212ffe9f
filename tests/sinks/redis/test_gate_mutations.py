"""The check must be able to fail: each rule is cut out of the Lua source, and it turns red."""

from __future__ import annotations

import pytest
from gate_check import check_gate
from gate_support import new_gate
from redis_server import RedisServer

from sinks.redis.library import Library, load_library

MUTATIONS = {
    "no version guard": ("if f[1] and tonumber(f[1]) >= version then return 0 end", ""),
    "no absorption": ("redis.call('HINCRBY', s, 'held', -units_of(member))", ""),
    "absorbs every confirm": ("local upto = CONFIRMED + absorbed", "local upto = '+inf'"),
    "no sum of lines at a place": ("pair.take = pair.take + units", "pair.take = units"),
    "no sum of lines anywhere": ("(wanted[sku] or 0) + units", "units"),
    "no idempotency": (
        "local r = open(keys[FIRST], p.reservation)\n  if r then",
        "local r\n  if r then",
    ),
    "no fingerprint": ("return r.fingerprint == p.fingerprint", "return true"),
    "projection resets held": (
        "'absorbed', absorbed, 'hold_seq'",
        "'absorbed', absorbed, 'held', 0, 'hold_seq'",
    ),
    "confirms are not numbered": (
        "redis.call('HINCRBY', found[i].s, 'hold_seq', 1)",
        "redis.call('HINCRBY', found[i].s, 'hold_seq', 0)",
    ),
    "gives back what is not held": (
        "if redis.call('ZREM', pair.h, member) == 0 then return false end",
        "redis.call('ZREM', pair.h, member)",
    ),
    "releases what is paid": (
        "if r.state ~= 'held' and (r.state ~= 'expired' or not late) then",
        "if r.state == 'released' then",
    ),
    "lapsed holds count": ("pair.held = pair.held - units_of(member)", ""),
    "late confirm takes what is not there": (
        "if not found[i].known or found[i].free < line[3] then",
        "if false then",
    ),
    "split forgets what it has": ("math.min(rest, free[place])", "free[place]"),
    "no shortage": ("if #short > 0 then", "if false then"),
}


def test_the_shipped_source_passes(server: RedisServer) -> None:
    with new_gate(server) as gate:
        check_gate(gate)


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_source_without_one_rule_is_caught(server: RedisServer, name: str) -> None:
    rule, without = MUTATIONS[name]
    source = load_library().source
    assert source.count(rule) == 1, f"the rule of {name!r} is not in the source as it was"
    mutated = Library(source.replace(rule, without))
    with new_gate(server, library=mutated) as gate, pytest.raises(AssertionError):
        check_gate(gate)
