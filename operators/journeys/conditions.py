"""Tests of a member's figures: asked of a view, told in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

from operators.journeys.consents import allowed
from operators.journeys.findings import Said
from operators.journeys.units import Range
from operators.journeys.view import View, median_of
from operators.members.health.watch import score_of
from operators.members.segments import NONE, SEGMENTS
from schemas.instants import DAY_US

Tags = Mapping[str, str]
Sort = Literal["money", "number", "segment", "text", "consent"]
FIELDS: dict[str, tuple[Sort, Said]] = {
    "spent": ("money", Said("spent", "累计消费")),
    "visits": ("number", Said("visits", "到店次数")),
    "orders": ("number", Said("receipts", "单数")),
    "health": ("number", Said("health", "健康分")),
    "median_basket": ("money", Said("usual basket", "客单价")),
    "days_since_purchase": ("number", Said("days since the last purchase", "未购天数")),
    "days_registered": ("number", Said("days a member", "入会天数")),
    "segment": ("segment", Said("segment", "分群")),
    "store": ("text", Said("home store", "门店")),
    "tier": ("text", Said("tier", "等级")),
    "consent": ("consent", Said("consent", "同意")),
}


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


def asks(field: str, condition: Condition) -> bool:
    """Whether a condition has to know a figure."""
    if isinstance(condition, Both | Either):
        return any(asks(field, one) for one in condition.parts)
    if isinstance(condition, Neither):
        return asks(field, condition.part)
    return isinstance(condition, Compared) and condition.field == field


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
        return median_of(view)
    if field == "health":
        return score_of(view.health, view.parts, view.clock, view.rules)
    since = figures.last if field == "days_since_purchase" else view.registered
    return None if since is None else max(0, view.clock - since) // DAY_US


def segment_spoken(code: str, language: str) -> str:
    """A segment's name in a language."""
    found = next(one for one in SEGMENTS if one.code == code)
    return found.zh if language == "zh" else found.en


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
