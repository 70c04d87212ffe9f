"""Facts and records of a shop with tea, for those who test suspicions of phantom stock."""

from __future__ import annotations

from gate_support import position
from msgspec.structs import replace

from operators.stock.facts import Fact
from schemas.instants import parse_instant, to_datetime
from schemas.movement import (
    LedgerMovement,
    Sold,
)
from schemas.phantom_rules import PhantomConfig
from schemas.position import Position

START = parse_instant("2026-11-02T09:00:00+08:00")
CONFIG = PhantomConfig()
BLIND = PhantomConfig(probability=1e-300)


def fact(at: int, movement: LedgerMovement, id: str = "") -> Fact:
    return Fact(at, "till/1", id or f"{movement.kind}-{movement.sku}-{at}", movement, 0)


def sold(at: int, sku: str = "tea", place: str = "S1", id: str = "") -> Fact:
    return fact(at, Sold(sku=sku, place=place, quantity=1), id)


def record(on_hand: int, version: int, at: int, sku: str = "tea", place: str = "S1") -> Position:
    return replace(position(sku, place, on_hand, version), as_of=to_datetime(at))
