"""docs/simulator.md names every setting, table and kind of imperfection."""

from __future__ import annotations

from pathlib import Path

import msgspec

from sources.simulator import Settings, Simulation
from sources.simulator.courier import Delivery
from sources.simulator.settings import Channel
from sources.simulator.truth import TABLES

PAGE = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")


def names_of(struct: msgspec.Struct) -> list[str]:
    names = []
    for field in msgspec.structs.fields(struct):
        names.append(field.name)
        value = getattr(struct, field.name)
        if isinstance(value, msgspec.Struct):
            names += names_of(value)
    return names


def test_every_setting_is_described() -> None:
    names = [*names_of(Settings()), *(field.name for field in msgspec.structs.fields(Channel))]
    assert [name for name in names if f"`{name}`" not in PAGE] == []


def test_every_table_and_imperfection_is_described(
    bumpy_run: tuple[Simulation, list[Delivery]],
) -> None:
    simulation, _ = bumpy_run
    names = [*TABLES, *simulation.truth.imperfections]
    assert [name for name in names if f"`{name}`" not in PAGE] == []
