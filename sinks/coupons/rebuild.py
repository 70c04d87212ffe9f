"""Writes a desk anew from the lives of its coupons, as they stood on the log.

Whoever does it signs with a token of its own. One that was stopped in the middle, and wakes up
after another has begun, is refused at its next step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import fields
from itertools import islice
from typing import Any

from operators.coupons.life import Life
from sinks.coupons.protocol import Protocol, fingerprint
from sinks.redis.keeper_calls import send
from sinks.redis.scripted import Steps

COUPONS_A_CALL = 64
KEYS_A_CALL = 500
# What a record in Redis has of a life.
_FIELDS = [each.name for each in fields(Life) if each.name not in {"coupon", "rollbacks"}]


def begin(desk: Protocol, token: str) -> Steps[None]:
    """Refuse calls from now on, and every other rebuild."""
    yield from send(("HSET", desk.keys.state, "state", "closed", "rebuilder", token))


def clear(desk: Protocol, token: str) -> Steps[None]:
    """Forget all coupons and what they use; what is published and the outbox stay.

    Raises:
        NotPublished: another rebuild has begun, or the desk is open.
    """
    pattern = re.sub(r"([*?\[\]\\])", r"\\\1", desk.keys.tag) + ":*"
    cursor = b"0"
    while True:
        ((cursor, found),) = yield from send(
            ("SCAN", cursor, "MATCH", pattern, "COUNT", KEYS_A_CALL)
        )
        keys = [key.decode() for key in found]
        payload = {"rebuilder": token, "rules": desk.keys.rule("")[0]}
        yield from desk.call("clear", keys, payload)
        if int(cursor) == 0:
            return


def restore(desk: Protocol, token: str, lives: Iterable[Life]) -> Steps[int]:
    """Write coupons and what they use of their budgets; how many were not there yet.

    Their campaigns must be published. What calls had been answered is forgotten (a repetition is
    judged by the coupon's state), but for rollbacks: what was paid back once stays so.

    Raises:
        NotPublished: another rebuild has begun, or the desk is open.
    """
    written, rest = 0, iter(lives)
    while some := list(islice(rest, COUPONS_A_CALL)):
        written += yield from _piece(desk, token, some)
    return written


def reopen(desk: Protocol, token: str, epoch: str) -> Steps[None]:
    """Take calls again, under a new epoch.

    Raises:
        NotPublished: another rebuild has begun, or the desk is open.
    """
    (info,) = yield from send(("INFO", "server"))
    payload = {"rebuilder": token, "epoch": epoch, "run_id": info["run_id"]}
    yield from desk.call("reopen", [], payload)


def _piece(desk: Protocol, token: str, lives: list[Life]) -> Steps[int]:
    keys: list[str] = []
    rows: list[dict[str, Any]] = []
    issued: list[str] = []
    for life in lives:
        order = life.order if life.state in {"reserved", "redeemed"} else ""
        keys += desk.keys.one(life.coupon, life.campaign, life.member, order)
        row = {"id": life.coupon} | {name: getattr(life, name) for name in _FIELDS}
        rows.append(row | {"rollbacks": life.rollbacks})
        said = {"message": life.message, "experiment": life.experiment, "arm": life.arm}
        issued.append(fingerprint("issue", life.campaign, life.member, said))
    payload = {"rebuilder": token, "coupons": rows, "fingerprints": issued, "kept": desk.kept}
    return int((yield from desk.call("restore", keys, payload)))
