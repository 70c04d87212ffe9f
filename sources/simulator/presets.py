"""Settings for four kinds of chain, and settings from a file and from `key=value` texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from sources.simulator.settings import EVENINGS, MORNINGS, Settings


def _category(name: str, prefix: str, share: float, cheapest: int, dearest: int) -> dict[str, Any]:
    return {
        "name": name,
        "prefix": prefix,
        "share": share,
        "price_from": cheapest,
        "price_to": dearest,
    }


# The defaults of `Settings` are the tea chain; the others say what is different.
PRESETS: dict[str, dict[str, Any]] = {
    "tea": {},
    "bakery": {
        "trade": {
            "opens": "07:00",
            "closes": "21:00",
            "visitors_per_day": 380.0,
            "conversion": 0.74,
            "browse_minutes": 3.5,
            "day": MORNINGS,
        },
        "goods": {
            "zipf": 1.0,
            "lines_per_order": 2.2,
            "units_per_line": 1.3,
            "categories": [
                _category("bread", "BRD", 0.45, 500, 2_800),
                _category("cakes", "CAK", 0.35, 1_200, 19_800),
                _category("drinks", "DRK", 0.2, 600, 2_200),
            ],
        },
        "counter": {"seconds_per_order": 25.0, "seconds_per_item": 9.0},
        "supply": {"store_cover_days": 2.0, "damage_rate": 0.03, "return_rate": 0.003},
    },
    "cosmetics": {
        "trade": {
            "opens": "10:00",
            "closes": "22:00",
            "visitors_per_day": 260.0,
            "conversion": 0.24,
            "browse_minutes": 14.0,
            "day": EVENINGS,
        },
        "goods": {
            "zipf": 0.8,
            "lines_per_order": 1.9,
            "units_per_line": 1.1,
            "categories": [
                _category("skin care", "SKN", 0.5, 8_900, 128_000),
                _category("make-up", "MKP", 0.35, 4_900, 39_800),
                _category("tools", "TLS", 0.15, 1_900, 15_800),
            ],
        },
        "counter": {"seconds_per_order": 95.0, "seconds_per_item": 30.0},
        "supply": {"store_cover_days": 10.0, "shrinkage_rate": 0.025, "return_rate": 0.05},
        "members": {"purchase_share": 0.7},
    },
    "groceries": {
        "trade": {
            "opens": "07:30",
            "closes": "22:00",
            "visitors_per_day": 520.0,
            "conversion": 0.86,
            "browse_minutes": 16.0,
            "day": MORNINGS,
        },
        "goods": {
            "zipf": 0.85,
            "lines_per_order": 4.5,
            "units_per_line": 1.4,
            "categories": [
                _category("fresh", "FRS", 0.35, 200, 4_800),
                _category("dry goods", "DRY", 0.35, 300, 8_800),
                _category("household", "HSE", 0.3, 500, 9_900),
            ],
        },
        "counter": {"seconds_per_order": 30.0, "seconds_per_item": 4.0},
        "supply": {"store_cover_days": 3.0, "damage_rate": 0.012, "shrinkage_rate": 0.015},
    },
}


def settings_from(
    preset: str | None = None,
    file: Path | None = None,
    assignments: Sequence[str] = (),
    **flags: object,
) -> Settings:
    """Settings of a preset, changed by a YAML file, then by `key=value` texts, then by `flags`.

    Keys of a group are written with a dot (`imperfections.lost_scan_rate=0.02`), values as in YAML.
    A flag that is None is left out. Where `preset` is None the file may name it, else it is tea.

    Raises:
        ValueError: a key is not there or a value does not fit; the message says which one.
    """
    written: dict[str, Any] = {}
    if file is not None:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict | None):
            msg = f"{file} is no mapping of settings"
            raise ValueError(msg)
        written = content or {}
    for text in assignments:
        _assign(written, text)
    written.update({name: value for name, value in flags.items() if value is not None})
    chosen = str(preset or written.get("preset", "tea"))
    if chosen not in PRESETS:
        msg = f"preset {chosen!r} is not one of {', '.join(PRESETS)}"
        raise ValueError(msg)
    merged = _merged(PRESETS[chosen], {**written, "preset": chosen})
    try:
        return msgspec.convert(merged, Settings)
    except msgspec.ValidationError as wrong:
        msg = f"settings: {wrong}"
        raise ValueError(msg) from None


def _assign(written: dict[str, Any], text: str) -> None:
    """Puts one `group.key=value` into the nested mapping."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        msg = f"{text!r} is not of the form key=value"
        raise ValueError(msg)
    *groups, name = key.strip().split(".")
    inner = written
    for group in groups:
        inner = inner.setdefault(group, {})
        if not isinstance(inner, dict):
            msg = f"{key}: {group} is no group of settings"
            raise ValueError(msg)
    inner[name] = yaml.safe_load(value)


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, group by group."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(merged.get(key), Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
