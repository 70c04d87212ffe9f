"""What a movement must be to be one: the decoder itself refuses the rest, and says why."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stock_events import event

from schemas.envelope import MovementEvent
from schemas.movement import KINDS, MAX_QUANTITY, Movement

NEEDS: dict[str, dict[str, Any]] = {
    "adjusted": {"reason": "found"},
    "transfer_out": {"to_place": "S2"},
    "corrected": {"corrects": "e1"},
}
# Kinds that carry lots and shelf life; the others leave with a customer.
GOODS = sorted(
    {"received", "returned", "restocked", "written_off", "transfer_out", "transfer_in"}
    | {"adjusted", "counted"}
)


def movement(kind: str, **fields: Any) -> dict[str, Any]:
    data = {"kind": kind, "sku": "A", "place": "S1", **NEEDS.get(kind, {})}
    return data | ({} if kind == "corrected" else {"quantity": 1}) | fields


def decode(data: dict[str, Any]) -> Movement:
    decoded: Movement = msgspec.json.decode(msgspec.json.encode(data), type=Movement)
    return decoded


def refused(data: dict[str, Any]) -> str:
    with pytest.raises(msgspec.ValidationError) as wrong:
        decode(data)
    return str(wrong.value)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_decode_to_a_struct_of_their_own_and_come_back(kind: str) -> None:
    decoded = decode(movement(kind))
    assert decoded.kind == kind
    assert msgspec.to_builtins(decoded) == movement(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_unknown_fields_are_ignored(kind: str) -> None:
    assert decode(movement(kind, colour=["red"], shelf={"row": 3})) == decode(movement(kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", ["sku", "place"])
def test_what_every_kind_needs(kind: str, missing: str) -> None:
    data = movement(kind)
    del data[missing]
    assert missing in refused(data)
    assert missing in refused(movement(kind, **{missing: ""}))
    assert missing in refused(movement(kind, **{missing: "x" * 201}))


@pytest.mark.parametrize(("kind", "field"), [(k, f) for k, more in NEEDS.items() for f in more])
def test_what_some_kinds_need(kind: str, field: str) -> None:
    data = movement(kind)
    del data[field]
    assert field in refused(data)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "corrected"])
@pytest.mark.parametrize("quantity", [1.5, "1", True, None, MAX_QUANTITY + 1, -MAX_QUANTITY - 1])
def test_a_quantity_is_a_whole_number_within_bounds(kind: str, quantity: object) -> None:
    assert "quantity" in refused(movement(kind, quantity=quantity))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "corrected"])
def test_which_kinds_take_nothing_and_less(kind: str) -> None:
    if kind == "counted":
        assert decode(movement(kind, quantity=0)).quantity == 0
    else:
        assert "quantity" in refused(movement(kind, quantity=0))
    if kind == "adjusted":
        assert decode(movement(kind, quantity=-5)).quantity == -5
    else:
        assert "quantity" in refused(movement(kind, quantity=-5))


@given(st.integers(1, MAX_QUANTITY), st.sampled_from([k for k in KINDS if k != "corrected"]))
def test_every_quantity_within_bounds_is_taken(quantity: int, kind: str) -> None:
    assert decode(movement(kind, quantity=quantity)).quantity == quantity


def test_a_transfer_to_the_place_itself_is_refused() -> None:
    assert "to_place is the place itself" in refused(movement("transfer_out", to_place="S1"))


def test_an_unknown_kind_is_refused_by_its_name() -> None:
    assert "shoplifted" in refused(movement("sold") | {"kind": "shoplifted"})
    assert "kind" in refused({"sku": "A", "place": "S1", "quantity": 1})


@pytest.mark.parametrize("kind", GOODS)
def test_shelf_life_is_a_date(kind: str) -> None:
    decoded = decode(movement(kind, expires_on="2026-12-31"))
    assert msgspec.to_builtins(decoded)["expires_on"] == "2026-12-31"
    assert "expires_on" in refused(movement(kind, expires_on="31.12.2026"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"specversion": "0.3"}, "0.3"),
        ({"type": "stock.movement.v2"}, "stock.movement.v2"),
        ({"time": "2026-11-23T10:15:00"}, "time"),
        ({"id": ""}, "id"),
        ({"source": None}, "source"),
    ],
)
def test_envelopes_that_are_none(change: dict[str, Any], said: str) -> None:
    one = event("sold", 1) | change
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.json.decode(msgspec.json.encode(one), type=MovementEvent)
