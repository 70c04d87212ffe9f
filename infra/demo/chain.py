"""The demo's chain configuration: which alerts a person would want of so many shelves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml

from schemas.chain import AlertRule, AlertRules, Chain, Place, StockConfig, StockRule

# What is said above each part of the file.
_HEAD = """\
# The chain of `tillflow demo`. Most of its shelves sell a few times a year, so alerts are kept to
# those that sell (min_demand_rate, units a day); a record below zero is told of everywhere.
# The safety stock follows the live demand over 9 days: a week between reviews and 2 to deliver.
"""


def demo_chain(places: Sequence[str], zone: str) -> Chain:
    """The configuration for stores of these names."""
    return Chain(
        chain="demo",
        timezone=zone,
        places={place: Place(kind="store", name=f"Store {place}") for place in places},
        stock=StockConfig(
            demand_days=56,
            rules=(StockRule(lead_time_days=9, lead_time_sd_days=1, service_level=0.9),),
            alerts=AlertRules(
                oversell=AlertRule(min_demand_rate=0.4),
                stock_out=AlertRule(min_demand_rate=0.1),
                below_safety_stock=AlertRule(min_demand_rate=0.2, margin_share=0.25),
            ),
        ),
    )


def write_chain(chain: Chain, to: Path) -> None:
    """Write a configuration as YAML, without what is left at its default."""
    kept = _told(msgspec.to_builtins(chain), msgspec.to_builtins(Chain()))
    kept["places"] = {
        name: _told(msgspec.to_builtins(place), msgspec.to_builtins(Place()))
        for name, place in chain.places.items()
    }
    text = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    to.write_text(_HEAD + text, encoding="utf-8", newline="\n")


def _told(value: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """What is not at its default, group by group."""
    return {
        name: _told(inner, default[name]) if isinstance(inner, dict) else inner
        for name, inner in value.items()
        if name != "places" and inner != default[name]
    }
