"""Who may import whom, which names are ours, and step ids that stored state hangs on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from flows import steps

ROOT = Path(__file__).resolve().parents[1]
# Folder -> the folders of ours that it may import from, beside itself.
MAY_IMPORT: dict[str, set[str]] = {
    "schemas": set(),
    "operators": {"schemas"},
    "sources": {"schemas", "operators"},
    "sinks": {"schemas", "operators"},
    "serving": {"schemas", "sinks"},
    "flows": {"schemas", "operators", "sources", "sinks"},
    "infra": {"schemas", "operators", "sources", "sinks", "serving", "flows"},
}
OURS = frozenset(MAY_IMPORT)
# Module -> the folders that may import it.
CLIENTS = {
    "duckdb": ("sources", "sinks", "serving"),
    "redis": ("sources", "sinks", "serving"),
    "confluent_kafka": ("sources", "sinks", "serving"),
}
# The pure rules know no clock, no environment, no files and no sockets; the engine's own module
# is the one that passes the time to them.
IMPURE = frozenset({"os", "time", "socket", "subprocess", "pathlib", "random", "httpx", "sqlite3"})
# What state on disk is found by: never rename one of these, add to them.
FROZEN_STEPS = {
    "StockStep": {
        "FLOW": "stock",
        "READ": "read",
        "DECODE": "decode",
        "SPLIT": "split",
        "LEDGER": "ledger",
        "MERGE": "merge",
        "WAREHOUSE": "warehouse",
        "READ_KAFKA": "read_kafka",
        "DECODE_KAFKA": "decode_kafka",
        "KAFKA": "kafka",
        "TABLES": "tables",
    },
    "TransferStep": {
        "FLOW": "transfers",
        "READ_KAFKA": "read_kafka",
        "DECODE_KAFKA": "decode_kafka",
        "SPLIT": "split",
        "PLAN": "plan",
        "MERGE": "merge",
        "KAFKA": "kafka",
        "WAREHOUSE": "warehouse",
    },
    "FootfallStep": {
        "FLOW": "footfall",
        "READ": "read",
        "DECODE": "decode",
        "READ_KAFKA": "read_kafka",
        "DECODE_KAFKA": "decode_kafka",
        "SPLIT": "split",
        "WINDOWS": "windows",
        "MERGE": "merge",
        "KAFKA": "kafka",
        "WAREHOUSE": "warehouse",
    },
    "RosterStep": {
        "FLOW": "roster",
        "READ": "read",
        "DECODE": "decode",
        "READ_KAFKA": "read_kafka",
        "DECODE_KAFKA": "decode_kafka",
        "READ_WAREHOUSE": "read_warehouse",
        "SPLIT": "split",
        "STAFFING": "staffing",
        "MERGE": "merge",
        "KAFKA": "kafka",
        "WAREHOUSE": "warehouse",
    },
    "MembersStep": {
        "FLOW": "members",
        "READ": "read",
        "DECODE": "decode",
        "READ_KAFKA": "read_kafka",
        "DECODE_KAFKA": "decode_kafka",
        "SPLIT": "split",
        "SIDES": "sides",
        "JUDGE": "judge",
        "PARTS": "parts",
        "WHO": "who",
        "PERSONS": "persons",
        "MERGE": "merge",
        "KAFKA": "kafka",
        "WAREHOUSE": "warehouse",
    },
    "CouponsStep": {
        "FLOW": "coupons",
        "READ": "read",
        "DECODE": "decode",
        "READ_KAFKA": "read_kafka",
        "DECODE_KAFKA": "decode_kafka",
        "KAFKA": "kafka",
        "WAREHOUSE": "warehouse",
    },
}


@cache
def imports() -> list[tuple[Path, str]]:
    """Every import of the packages: the file, relative to the root, and the module it names."""
    return list(_imports())


def _imports() -> Iterator[tuple[Path, str]]:
    for folder in sorted(OURS):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from ((file.relative_to(ROOT), alias.name) for alias in node.names)
                elif isinstance(node, ast.ImportFrom):
                    assert node.level == 0, f"{file}: relative import"
                    yield file.relative_to(ROOT), node.module or ""


def test_the_walk_finds_imports() -> None:
    """An empty walk would pass everything below."""
    assert (Path("flows/stock.py"), "operators.engine") in imports()
    assert len(imports()) > 500


@pytest.mark.parametrize("folder", sorted(OURS))
def test_imports_go_one_way(folder: str) -> None:
    """schemas <- operators <- sources, sinks <- flows <- infra; serving reads sinks."""
    wrong = [
        f"{file} imports {module}"
        for file, module in imports()
        if file.parts[0] == folder
        and (top := module.partition(".")[0]) in OURS
        and top != folder
        and top not in MAY_IMPORT[folder]
    ]
    assert wrong == []


def test_engine_stays_at_the_edge() -> None:
    """Bytewax is known by one module of the rules, by partition shims and by flows."""

    def allowed(file: Path) -> bool:
        return (
            file.parts[0] == "flows"
            or file == Path("operators/engine.py")
            or (file.parts[0] in {"sources", "sinks"} and file.name == "partition.py")
        )

    wrong = [
        f"{file} imports {module}"
        for file, module in imports()
        if module.partition(".")[0] == "bytewax" and not allowed(file)
    ]
    assert wrong == []


def test_clients_stay_at_the_edge() -> None:
    """Databases and brokers are known by those who talk to them."""
    wrong = [
        f"{file} imports {module}"
        for file, module in imports()
        for client, folders in CLIENTS.items()
        if module.partition(".")[0] == client and file.parts[0] not in folders
    ]
    assert wrong == []


def test_rules_are_pure() -> None:
    """No clock, environment, file or socket in operators: those come in as arguments."""
    wrong = [
        f"{file} imports {module}"
        for file, module in imports()
        if file.parts[0] == "operators" and module.partition(".")[0] in IMPURE
    ]
    assert wrong == []


def test_names_are_ours() -> None:
    """No dependency ships a top-level package of one of our names."""
    shipped = packages_distributions()
    others = {name: set(shipped.get(name, ())) - {"tillflow"} for name in OURS}
    assert others == {name: set() for name in OURS}


@pytest.mark.parametrize("name", FROZEN_STEPS)
def test_steps_are_frozen(name: str) -> None:
    """A renamed step would start with empty state while its input goes on where it was."""
    found: type[StrEnum] = getattr(steps, name)
    assert {step.name: step.value for step in found} == FROZEN_STEPS[name]


def test_all_steps_are_frozen() -> None:
    """Whoever adds steps writes them down here."""
    defined = {
        name
        for name, found in vars(steps).items()
        if isinstance(found, type) and issubclass(found, StrEnum) and found is not StrEnum
    }
    assert defined == set(FROZEN_STEPS)
