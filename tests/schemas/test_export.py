"""The exported contract is that of the code, and says what the decoder does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from stock_events import event

from infra.commands.schema import schema
from schemas.envelope import EVENT_STRUCTS, MovementEvent
from schemas.export import CHAIN, JOURNEY, contracts, files, json_schema
from schemas.movement import KINDS, MOVEMENT_TYPE

EXPORTED = Path(__file__).parents[2] / "schemas" / "json"
MORE: dict[str, dict[str, Any]] = {
    "adjusted": {"reason": "found"},
    "transfer_out": {"to_place": "S2"},
    "corrected": {"corrects": "e1"},
}


def test_exported_files_are_those_of_the_code() -> None:
    """If not: tillflow schema export."""
    there = {path.name: path.read_text(encoding="utf-8") for path in EXPORTED.iterdir()}
    assert there == files(), "run `tillflow schema export` and commit schemas/json"


def test_every_event_type_the_chain_and_a_journey_have_a_schema() -> None:
    assert set(contracts()) == {*EVENT_STRUCTS, CHAIN, JOURNEY}
    for name in contracts():
        found = json_schema(name)
        assert found["$id"] == f"urn:tillflow:{name}"
        assert found["$defs"]


def test_a_movement_schema_names_every_kind_and_what_it_needs() -> None:
    definitions = json_schema(MOVEMENT_TYPE)["$defs"]
    kinds = {
        found["properties"]["kind"]["enum"][0]: set(found["required"])
        for found in definitions.values()
        if "kind" in found.get("properties", {})
    }
    assert set(kinds) == set(KINDS)
    for kind, required in kinds.items():
        assert {"kind", "sku", "place"} <= required
        assert MORE.get(kind, {}).keys() <= required
        assert ("quantity" in required) == (kind != "corrected")


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_of_every_kind_decodes_and_comes_back(kind: str) -> None:
    line = msgspec.json.encode(event(kind, 1, **MORE.get(kind, {})))
    decoded = msgspec.json.decode(line, type=MovementEvent)
    assert decoded.data.kind == kind
    again = msgspec.json.decode(msgspec.json.encode(decoded), type=MovementEvent)
    assert again == decoded


def test_unknown_fields_are_left_out_of_the_way() -> None:
    one = event("sold", 1)
    more = {**one, "newattribute": 1, "data": {**one["data"], "colour": ["red"]}}
    assert msgspec.json.decode(msgspec.json.encode(more), type=MovementEvent) == msgspec.convert(
        one, MovementEvent
    )


def test_the_command_writes_and_shows_them(tmp_path: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(schema, ["export", "--out", str(tmp_path)]).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == set(files())
    shown = runner.invoke(schema, ["show", f"{MOVEMENT_TYPE}.json"])
    assert shown.output == files()[f"{MOVEMENT_TYPE}.json"]
