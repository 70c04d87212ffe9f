"""The contract for others: JSON Schema of events and configuration, DDL of the warehouse."""

from __future__ import annotations

from typing import Any

import msgspec

from schemas.chain import Chain
from schemas.envelope import EVENT_STRUCTS
from schemas.journeys import Journey
from schemas.warehouse import TABLES, VIEWS

DRAFT = "https://json-schema.org/draft/2020-12/schema"
CHAIN = "chain.v1"
JOURNEY = "journey.v1"
DDL_FILE = "ddl.sql"


def contracts() -> dict[str, type]:
    """What has a JSON Schema, by name: event types, the chain's configuration, a journey."""
    return {**EVENT_STRUCTS, CHAIN: Chain, JOURNEY: Journey}


def json_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event type, of the configuration or of a journey.

    Raises:
        KeyError: there is none of that name.
    """
    schema = msgspec.json.schema(contracts()[name])
    return {"$schema": DRAFT, "$id": f"urn:tillflow:{name}", "title": name, **schema}


def ddl() -> str:
    """The statements that make the warehouse."""
    tables = [statement for table in TABLES for statement in table.ddl()]
    views = [statement for view in VIEWS for statement in view.ddl()]
    return ";\n".join([*tables, *views]) + ";\n"


def files() -> dict[str, str]:
    """Name and text of every file of the exported contract."""
    exported = {
        f"{name}.json": msgspec.json.format(
            msgspec.json.encode(json_schema(name)), indent=2
        ).decode()
        + "\n"
        for name in contracts()
    }
    return {**exported, DDL_FILE: ddl()}
