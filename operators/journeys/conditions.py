"""Tests of a member's figures: read from a file, asked of a view, told in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

from operators.journeys.consents import allowed
from operators.journeys.findings import Path, Said, WordsError, nearest
from operators.journeys.reading import Source
from operators.journeys.units import Range, money, range_of
from operators.journeys.view import View
from operators.members.segments import NONE, SEGMENTS
from schemas.instants import DAY_US
from schemas.journey_words import KEYS
from schemas.member_rules import MembersConfig

Tags = Mapping[str, str]
Sort = Literal["money", "number", "segment", "text", "consent"]
FIELDS: dict[str, tuple[Sort, Said]] = {
    "spent": ("money", Said("spent", "累计消费")),
    "visits": ("number", Said("visits", "到店次数")),
    "orders": ("number", Said("receipts", "单数")),
    "median_basket": ("money", Said("usual basket", "客单价")),
    "days_since_purchase": ("number", Said("days since the last purchase", "未购天数")),
    "days_registered": ("number", Said("days a member", "入会天数")),
    "segment": ("segment", Said("segment", "分群")),
    "store": ("text", Said("home store", "门店")),
    "tier": ("text", Said("tier", "等级")),
    "consent": ("consent", Said("consent", "同意")),
}
_WINDOWED = re.compile(r"(spend|spent|purchases|visits|orders)_(\d+)d")
_MEANT = {"spend": "spent", "purchases": "visits"}


class Condition(Protocol):
    """Something that is true of a member or not."""

    def holds(self, view: View, tags: Tags) -> bool:
        """Whether it is true."""

    def spoken(self, language: str) -> str:
        """It in words."""


class Compared(NamedTuple):
    """A figure within a range."""

    field: str
    within: Range

    def holds(self, view: View, tags: Tags) -> bool:
        """Whether the figure is there and inside."""
        value = figure(self.field, view)
        return value is not None and self.within.holds(value)

    def spoken(self, language: str) -> str:
        """`visits from 2 to 3`."""
        low, high = (_amount(self.field, one) for one in self.within)
        name = _named(self.field, language)
        if language == "zh":
            if low == high:
                return f"{name}为 {low}"
            if low is None or high is None:
                return f"{name}不低于 {low}" if high is None else f"{name}不高于 {high}"
            return f"{name}在 {low} 到 {high} 之间"
        if low == high:
            return f"{name} is {low}"
        if low is None or high is None:
            return f"{name} {low} or more" if high is None else f"{name} {high} or less"
        return f"{name} from {low} to {high}"


class OneOf(NamedTuple):
    """A name among some."""

    field: str
    names: tuple[str, ...]

    def holds(self, view: View, tags: Tags) -> bool:
        """Whether the member's is one of them."""
        if self.field == "segment":
            number = view.figures.segment
            return number != NONE and SEGMENTS[number].code in self.names
        value = view.store if self.field == "store" else tags.get(self.field)
        return value in self.names

    def spoken(self, language: str) -> str:
        """`segment is Lost or Promising new`."""
        names = self.names
        if self.field == "segment":
            names = tuple(segment_spoken(one, language) for one in names)
        joined = ("、" if language == "zh" else " or ").join(names)
        name = _named(self.field, language)
        return f"{name}为{joined}" if language == "zh" else f"{name} is {joined}"


class Allows(NamedTuple):
    """A consent to a purpose, in some channel or in the one that is named."""

    purpose: str
    channel: str | None

    def holds(self, view: View, tags: Tags) -> bool:
        """Whether it was given, and not taken back since."""
        channels = {channel for _, channel in view.consents} - {"any"} or {"any"}
        wanted = channels if self.channel is None else {self.channel}
        return any(allowed(view.consents, self.purpose, one) for one in wanted)

    def spoken(self, language: str) -> str:
        """`allows marketing by sms`."""
        by = "" if self.channel is None else f" ({self.channel})"
        return f"同意 {self.purpose}{by}" if language == "zh" else f"allows {self.purpose}{by}"


class Both(NamedTuple):
    """All of them; none is always true."""

    parts: tuple[Condition, ...]

    def holds(self, view: View, tags: Tags) -> bool:
        """Whether all are true."""
        return all(one.holds(view, tags) for one in self.parts)

    def spoken(self, language: str) -> str:
        """All of them in words."""
        joined = ("，且" if language == "zh" else " and ").join(
            one.spoken(language) for one in self.parts
        )
        return joined or ("所有会员" if language == "zh" else "every member")


class Either(NamedTuple):
    """At least one of them."""

    parts: tuple[Condition, ...]

    def holds(self, view: View, tags: Tags) -> bool:
        """Whether any is true."""
        return any(one.holds(view, tags) for one in self.parts)

    def spoken(self, language: str) -> str:
        """All of them in words."""
        joined = (" 或 " if language == "zh" else " or ").join(
            one.spoken(language) for one in self.parts
        )
        return f"({joined})"


class Neither(NamedTuple):
    """The opposite."""

    part: Condition

    def holds(self, view: View, tags: Tags) -> bool:
        """Whether it is not true."""
        return not self.part.holds(view, tags)

    def spoken(self, language: str) -> str:
        """It in words."""
        inner = self.part.spoken(language)
        return f"并非（{inner}）" if language == "zh" else f"not ({inner})"


def figure(field: str, view: View) -> int | None:
    """A figure of a member, None where there is none."""
    figures = view.figures
    if field == "spent":
        return figures.spent
    if field == "visits":
        return figures.visits
    if field == "orders":
        return figures.orders
    if field == "median_basket":
        return view.median
    since = figures.last if field == "days_since_purchase" else view.registered
    return None if since is None else max(0, view.clock - since) // DAY_US


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
                f"{name}：本连锁的 {field} 按 {days} 天统计；请写 {field}，或修改连锁配置的 members",
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


def segment_spoken(code: str, language: str) -> str:
    """A segment's name in a language."""
    found = next(one for one in SEGMENTS if one.code == code)
    return found.zh if language == "zh" else found.en


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
        return Compared(field, range_of(test, of_money=sort == "money"))
    except WordsError as wrong:
        source.add(path, "no_test", wrong.said)
        return None


def _joined(key: str, parts: tuple[Condition, ...]) -> Condition:
    if key == "not":
        return Neither(Both(parts))
    return Both(parts) if key == "all" else Either(parts)


def _named(field: str, language: str) -> str:
    said = FIELDS[field][1]
    return said.zh if language == "zh" else said.en


def _amount(field: str, value: int | None) -> str | None:
    if value is None:
        return None
    return money_spoken(value) if FIELDS[field][0] == "money" else f"{value:,}"


def money_spoken(minor: int) -> str:
    """`¥500`, `¥19.90`."""
    return f"¥{minor // 100:,}" if minor % 100 == 0 else f"¥{minor / 100:,.2f}"


def level_of(source: Source, path: Path, field: str, value: object) -> int | None:
    """The level that a figure crosses."""
    try:
        if FIELDS[field][0] == "money":
            return money(value)
        return range_of(value, of_money=False).low
    except WordsError as wrong:
        source.add(path, "no_test", wrong.said)
        return None
