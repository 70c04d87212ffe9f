"""A roster file as YAML text that reads back as the same file."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from schemas.roster import RosterFile


def written_roster(file: RosterFile, heading: str = "") -> str:
    """The text of a roster file; what is as usual is left out. `heading` becomes a comment."""
    plain = _plain(file)
    plain["rules"] = {name: rule or "on" for name, rule in plain.get("rules", {}).items()}
    text = yaml.safe_dump(
        plain, default_flow_style=None, sort_keys=False, allow_unicode=True, width=110
    )
    return "".join(f"# {line}\n" for line in heading.splitlines()) + text


def _plain(part: Any) -> Any:
    """Structs as mappings without what equals its default, tuples as lists."""
    if isinstance(part, msgspec.Struct):
        values = ((one, getattr(part, one.name)) for one in msgspec.structs.fields(type(part)))
        return {one.name: _plain(value) for one, value in values if value != _default(one)}
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items()}
    if isinstance(part, tuple):
        return [_plain(one) for one in part]
    return part


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default
