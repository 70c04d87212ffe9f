"""Writes a lost desk again from the lives of its coupons, as they stood on the log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from operators.coupons.life import Life
from sinks.coupons.protocol import Protocol, fingerprint
from sinks.redis.keeper_calls import send
from sinks.redis.scripted import Steps

COUPONS_A_CALL = 64
# What a record in Redis has of a life.
_FIELDS = [each.name for each in fields(Life) if each.name not in {"coupon", "refunds"}]


def restore(desk: Protocol, lives: Iterable[Life]) -> Steps[int]:
    """Write coupons and what they use of their budgets; how many were not there yet.

    Their campaigns must be published. What calls had been answered is forgotten: a repetition is
    judged by the coupon's state.

    Raises:
        NotPublished: the desk is open.
    """
    written, waiting = 0, list[Life]()
    for life in lives:
        waiting.append(life)
        if len(waiting) == COUPONS_A_CALL:
            written += yield from _piece(desk, waiting)
            waiting = []
    if waiting:
        written += yield from _piece(desk, waiting)
    return written


def reopen(desk: Protocol, epoch: str) -> Steps[None]:
    """Take calls again, under a new epoch."""
    yield from send(("HSET", desk.keys.state, "state", "open", "epoch", epoch))


def close(desk: Protocol) -> Steps[None]:
    """Refuse calls from now on."""
    yield from send(("HSET", desk.keys.state, "state", "closed"))


def _piece(desk: Protocol, lives: list[Life]) -> Steps[int]:
    keys: list[str] = []
    rows: list[dict[str, Any]] = []
    issued: list[str] = []
    for life in lives:
        order = life.order if life.state in {"reserved", "redeemed"} else ""
        keys += desk.keys.one(life.coupon, life.campaign, life.member, order)
        rows.append({"id": life.coupon} | {name: getattr(life, name) for name in _FIELDS})
        said = {"message": life.message, "experiment": life.experiment, "arm": life.arm}
        issued.append(fingerprint("issue", life.campaign, life.member, said))
    payload = {"coupons": rows, "fingerprints": issued, "kept": desk.kept}
    return int((yield from desk.call("restore", keys, payload)))
