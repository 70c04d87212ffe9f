"""Tests of figures as a file says them; what is wrong goes to the file's findings."""

from __future__ import annotations

import re
from typing import Any

from operators.journeys.conditions import (
    FIELDS,
    Allows,
    Both,
    Compared,
    Condition,
    Either,
    Neither,
    OneOf,
)
from operators.journeys.findings import Path, Said, WordsError, nearest
from operators.journeys.reading import Source
from operators.journeys.units import money, range_of
from operators.members.segments import SEGMENTS
from schemas.journey_words import KEYS
from schemas.member_rules import MembersConfig

_WINDOWED = re.compile(r"(spend|spent|purchases|visits|orders)_(\d+)d")
MOST = 100
_SCORES = Said(
    "health is the chance to buy in 30 days, 0 to 100: write `health: <30`",
    "健康分是未来 30 天的购买概率，0 到 100：请写 “健康分: <30”",
)
_MEANT = {"spend": "spent", "purchases": "visits"}


def read_condition(source: Source, path: Path, value: Any, members: MembersConfig) -> Condition:
    """The condition that a part of a file says; what is wrong goes to the file's findings."""
    if not isinstance(value, dict):
        said = Said(
            "write tests here, like `visits: 2..3`; several are all meant",
            "此处应写条件，例如 “到店次数: 2..3”，多条同时满足",
        )
        source.add(path, "no_condition", said)
        return Both(())
    parts = []
    for key, test in value.items():
        at = (*path, key)
        if key in ("all", "any", "not"):
            listed = test if isinstance(test, list) else [test]
            inner = [
                read_condition(
                    source, (*at, number) if isinstance(test, list) else at, one, members
                )
                for number, one in enumerate(listed)
            ]
            parts.append(_joined(key, tuple(inner)))
            continue
        found = _tested(source, at, key, test, members)
        if found is not None:
            parts.append(found)
    return parts[0] if len(parts) == 1 else Both(tuple(parts))


def field_of(source: Source, path: Path, name: str, members: MembersConfig) -> str | None:
    """The field that a name stands for, `spend_365d` for `spent`, too."""
    windowed = _WINDOWED.fullmatch(name)
    if windowed is not None:
        field = _MEANT.get(windowed[1], windowed[1])
        days = members.frequency_days if field == "visits" else members.monetary_days
        if int(windowed[2]) != days:
            said = Said(
                f"{name}: the chain counts {field} over {days} days; write {field}, or change "
                "the days under `members:` of the chain's file",
                f"{name}：本连锁的 {field} 按 {days} 天统计，请写 {field}，或修改连锁配置",
            )
            source.add(path, "other_window", said)
            return None
        return field
    field = KEYS.get(name, name)
    if field not in FIELDS:
        hint = nearest(name, [*FIELDS, *KEYS])
        said = Said(
            f"there is no figure {name}{hint.en or ': there are ' + ', '.join(FIELDS)}",
            f"没有“{name}”这个指标{hint.zh or '，可用：' + '、'.join(FIELDS)}",
        )
        source.add(path, "no_such_figure", said)
        return None
    return field


def segment_of(source: Source, path: Path, name: object) -> str | None:
    """The code of a segment by its code or one of its names."""
    for one in SEGMENTS:
        if str(name) in one:
            return one.code
    known = [name for one in SEGMENTS for name in one]
    hint = nearest(str(name), known)
    said = Said(
        f"there is no segment {name}{hint.en or ': there are ' + ', '.join(known[::3])}",
        f"没有“{name}”这个分群{hint.zh or '，可用：' + '、'.join(one.zh for one in SEGMENTS)}",
    )
    source.add(path, "no_such_segment", said)
    return None


def _tested(
    source: Source, path: Path, key: str, test: Any, members: MembersConfig
) -> Condition | None:
    field = field_of(source, path, key, members)
    if field is None:
        return None
    sort = FIELDS[field][0]
    if sort == "consent":
        purpose, _, channel = str(test).partition("/")
        return Allows(purpose, channel or None)
    if sort in ("segment", "text"):
        listed = test if isinstance(test, list) else [test]
        names = [segment_of(source, path, one) if sort == "segment" else str(one) for one in listed]
        return OneOf(field, tuple(one for one in names if one is not None))
    try:
        within = range_of(test, of_money=sort == "money")
    except WordsError as wrong:
        source.add(path, "no_test", _SCORES if field == "health" else wrong.said)
        return None
    if field == "health" and any(one is not None and not 0 <= one <= MOST for one in within):
        source.add(path, "no_score", _SCORES)
    return Compared(field, within)


def _joined(key: str, parts: tuple[Condition, ...]) -> Condition:
    if key == "not":
        return Neither(Both(parts))
    return Both(parts) if key == "all" else Either(parts)


def level_of(source: Source, path: Path, field: str, value: object) -> int | None:
    """The level that a figure crosses."""
    try:
        if FIELDS[field][0] == "money":
            return money(value)
        return range_of(value, of_money=False).low
    except WordsError as wrong:
        source.add(path, "no_test", wrong.said)
        return None
