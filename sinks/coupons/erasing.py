"""Members who asked to be forgotten: nothing at the desk names them any more.

Their coupons are looked for among all, page by page: there is no list of what a member has used.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import msgspec

from sinks.coupons.protocol import Protocol, digest
from sinks.redis.keeper_calls import send
from sinks.redis.scripted import Steps

COUPONS_A_PAGE = 500
FIRST_PAGE = "0"


class _Record(msgspec.Struct):
    """What of a coupon says whose it is."""

    id: str
    campaign: str
    member: str
    order: str = ""
    by: str = ""


_record = msgspec.json.Decoder(_Record)


def waiting(desk: Protocol, members: Sequence[str]) -> Steps[list[str]]:
    """Those whose coupons have not all been looked for."""
    if not members:
        return []
    fields = [f"gone:{digest(one)}" for one in members]
    (found,) = yield from send(("HMGET", desk.keys.state, *fields))
    return [one for one, mark in zip(members, found, strict=True) if mark != b"2"]


def gone(desk: Protocol, members: Sequence[str]) -> Steps[frozenset[str]]:
    """Those of them who have asked to be forgotten, whatever was done about it so far."""
    if not members:
        return frozenset()
    fields = [f"gone:{digest(one)}" for one in members]
    (found,) = yield from send(("HMGET", desk.keys.state, *fields))
    return frozenset(one for one, mark in zip(members, found, strict=True) if mark is not None)


def mark(desk: Protocol, members: Sequence[str]) -> Steps[None]:
    """Issue nothing to them from now on, and forget how many coupons they had."""
    (names,) = yield from send(("HKEYS", desk.keys.rules))
    counts = [desk.keys.counts(name.decode()) for name in names]
    yield from desk.call("gone", counts, _named(members))


def page(desk: Protocol, members: Collection[str], cursor: str) -> Steps[tuple[str, int]]:
    """Look at some coupons; where to go on (`FIRST_PAGE`: all were seen), and how many were theirs.

    A page that is looked at again changes nothing.
    """
    pattern = re.sub(r"([*?\[\]\\])", r"\\\1", desk.keys.coupon("")) + "*"
    ((after, keys),) = yield from send(("SCAN", cursor, "MATCH", pattern, "COUNT", COUPONS_A_PAGE))
    bodies: list[bytes | None] = []
    if keys:
        (bodies,) = yield from send(("MGET", *keys))
    erased = 0
    for body in bodies:
        one = _record.decode(body) if body is not None else None
        for who in (one.member, one.by) if one is not None else ():
            if one is not None and who in members:
                erased += yield from _erase(desk, one, who)
    return str(int(after)), erased


def done(desk: Protocol, members: Sequence[str]) -> Steps[None]:
    """All of their coupons have been looked at."""
    yield from send(("DEL", *(desk.keys.member(one) for one in members)))
    yield from desk.call("swept", [], _named(members))


def erase(desk: Protocol, members: Sequence[str]) -> Steps[int]:
    """All of it at once; how many coupons had named them."""
    if not members:
        return 0
    yield from mark(desk, members)
    cursor, erased = yield from page(desk, members, FIRST_PAGE)
    while cursor != FIRST_PAGE:
        cursor, more = yield from page(desk, members, cursor)
        erased += more
    yield from done(desk, members)
    return erased


def _erase(desk: Protocol, one: _Record, who: str) -> Steps[int]:
    keys = desk.keys.one(one.id, one.campaign, one.member, one.order)
    return int((yield from desk.call("erase", keys, {"who": who, "kept": desk.kept})))


def _named(members: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    return {"members": [(one, digest(one)) for one in members]}
