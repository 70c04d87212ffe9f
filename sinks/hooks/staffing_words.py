"""Alerts about rosters in words: why, and what could be done, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from operators.notify.notice import Notice
from sinks.hooks.markup import MarkupName, escaped

_FIELD = re.compile(r"\{(\w+)\}")
# Less than this off the forecast is as forecast.
_AS_FORECAST = 0.02


def staffing_fields(notice: Notice, words: Mapping[str, str]) -> dict[str, str]:
    """Fields for the texts; empty ones for alerts of other kinds."""
    more = notice.more
    if "proposals" not in more:
        return dict.fromkeys(("task", "stretch", "heads", "why"), "")
    fields = {name: str(more.get(name, "")) for name in ("task", "stretch", "heads")}
    said = []
    if more.get("off") is not None and more.get("measure"):
        off = float(more["off"])
        way = "as_forecast" if abs(off) < _AS_FORECAST else "above" if off > 0 else "below"
        about = {
            "measure": words.get(f"measure.{more['measure']}", str(more["measure"])),
            "percent": f"{abs(off) * 100:.0f}",
            "since": str(more.get("since", "")),
        }
        said.append(_filled(words[f"staffing.{way}"], about))
    what = "short" if notice.type == "short_staffed" else "over"
    said.append(_filled(words[f"staffing.{what}"], fields))
    return {**fields, "why": "; ".join(said)}


def proposal_lines(notice: Notice, words: Mapping[str, str], markup: MarkupName, shown: int) -> str:
    """The proposals, one a line; those that do it together are marked."""
    proposals = notice.more.get("proposals")
    if proposals is None or not notice.open or not shown:
        return ""
    if not proposals:
        return escaped(words["staffing.none"], markup)
    together = sum(bool(one.get("together")) for one in proposals) > 1
    return "".join(f"\n- {_line(one, words, markup, together)}" for one in proposals[:shown])


def _line(one: dict[str, Any], words: Mapping[str, str], markup: MarkupName, together: bool) -> str:
    named = {name: str(one.get(name, "")) for name in ("employee", "starts", "ends")}
    price = {
        "pay": f"{int(one.get('pay_change', 0)) / 100:+,.2f}",
        "waiting": f"{int(one.get('waiting_change', 0)) / 100:+,.2f}",
    }
    what = _filled(words[f"staffing.{one.get('move')}"], named)
    text = f"{what} ({_filled(words['staffing.price'], price)})"
    mark = f" ← {words['staffing.together']}" if together and one.get("together") else ""
    return escaped(text, markup) + mark


def _filled(text: str, fields: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), text)
