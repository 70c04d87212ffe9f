"""The page's charts as inline SVG: colours come from the page's own style, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from infra.demo.history import Moment
from infra.demo.scene import ALERT_WORDS
from serving.overview import Episode

WIDTH = 1000
# How much of a shelf's history is shown: more would hide single days.
SHOWN_DAYS = 120
_LEFT = 136
_RIGHT = 16
_LANE = 20


def stock_chart(
    moments: Sequence[Moment], episodes: Sequence[Episode], until: datetime, zone: str
) -> str:
    """What a shelf could promise over time, its deliveries, and a lane for each kind of alert."""
    since = max(until - timedelta(days=SHOWN_DAYS), moments[0].time)
    scale = _Time(since, until)
    inside = [moment for moment in moments if since <= moment.time <= until]
    before = [moment for moment in moments if moment.time < since]
    levels = [moment.available for moment in (*before[-1:], *inside)]
    low, high = min(0, *levels), max(1, *levels)
    step = _round_step((high - low) / 4)
    low, high = low // step * step, -(-high // step) * step
    height = 250

    def y(units: float) -> float:
        return 14 + (high - units) / (high - low) * (height - 20)

    parts = [
        _line(_LEFT, y(mark), WIDTH - _RIGHT, y(mark), "zero" if mark == 0 else "grid")
        for mark in range(low, high + 1, step)
    ]
    parts += [
        _text(_LEFT - 8, y(mark) + 4, f"{mark:,}", "end") for mark in range(low, high + 1, step)
    ]
    parts += [_text(14, 22, "units", "start")]
    for start, label in scale.weeks(zone):
        parts.append(_line(scale(start), 14, scale(start), height, "grid"))
        parts.append(_text(scale(start), height + 18, label, "middle"))
    points = [(since, levels[0])] if before else []
    points += [(moment.time, moment.available) for moment in inside]
    path = f"M{scale(points[0][0]):.1f} {y(points[0][1]):.1f}"
    for time, units in points[1:]:
        path += f"H{scale(time):.1f}V{y(units):.1f}"
    path += f"H{scale(until):.1f}"
    area = f"{path}V{y(0):.1f}H{scale(points[0][0]):.1f}Z"
    parts.append(f'<path class="area" d="{area}"/><path class="stock" d="{path}"/>')
    for moment in inside:
        if moment.received:
            x, top = scale(moment.time), y(moment.available)
            told = f"{moment.received:,} units came in, {moment.time:%Y-%m-%d}"
            parts.append(
                f'<path class="came" d="M{x - 4:.1f} {top - 9:.1f}h8l-4 7z">'
                f"<title>{escape(told)}</title></path>"
            )
    top = height + 34
    for alert_type, word in ALERT_WORDS.items():
        parts.append(_text(_LEFT - 8, top + 13, word, "end"))
        parts.append(
            f'<rect class="lane" x="{_LEFT}" y="{top + 4}" '
            f'width="{WIDTH - _RIGHT - _LEFT}" height="12" rx="3"/>'
        )
        for episode in episodes:
            ends = episode.cleared_at or until
            if episode.alert_type != alert_type or ends < since:
                continue
            x0, x1 = scale(max(since, episode.opened_at)), scale(min(until, ends))
            told = f"{word}: {episode.opened_at:%Y-%m-%d %H:%M}Z to " + (
                f"{episode.cleared_at:%Y-%m-%d %H:%M}Z" if episode.cleared_at else "now"
            )
            parts.append(
                f'<rect class="s-{episode.severity}" x="{x0:.1f}" y="{top + 4}" '
                f'width="{max(2.5, x1 - x0):.1f}" height="12" rx="2">'
                f"<title>{escape(told)}</title></rect>"
            )
        top += _LANE
    return _svg(top + 6, parts, "Stock of one shelf over time with its alerts")


def cover_chart(classes: Sequence[tuple[str, int]]) -> str:
    """How many shelves have how many days of cover."""
    most = max(1, *(count for _, count in classes))
    wide, height = 520, 250
    step = (wide - 20) / len(classes)
    parts = []
    for number, (name, count) in enumerate(classes):
        x = 10 + number * step
        tall = count / most * (height - 60)
        style = ("s-high", "s-high", "s-warning", "s-warning")[number] if number < 4 else "bar"
        parts.append(
            f'<rect class="{style}" x="{x + 5:.1f}" y="{height - 28 - tall:.1f}" '
            f'width="{step - 10:.1f}" height="{max(tall, 1):.1f}" rx="3"/>'
        )
        parts.append(_text(x + step / 2, height - 34 - tall, f"{count:,}", "middle", "strong"))
        parts.append(_text(x + step / 2, height - 10, name, "middle"))
    parts.append(_line(10, height - 28, wide - 10, height - 28, "zero"))
    return _svg(height, parts, "Shelves by days of cover", wide)


def days_chart(days: Sequence[tuple[date, int]]) -> str:
    """How many shelves ran out on each day."""
    wide, height = 520, 250
    first, last = days[0][0], days[-1][0]
    span = max(1, (last - first).days + 1)
    most = max(count for _, count in days)
    step = _round_step(most / 4)
    top = -(-most // step) * step
    left = 38

    def x(day: date) -> float:
        return left + (day - first).days / span * (wide - left - 8)

    def y(count: float) -> float:
        return 10 + (1 - count / top) * (height - 38)

    parts = []
    for mark in range(0, top + 1, step):
        parts.append(_line(left, y(mark), wide - 8, y(mark), "zero" if mark == 0 else "grid"))
        parts.append(_text(left - 6, y(mark) + 4, f"{mark:,}", "end"))
    bar = max(1.0, (wide - left - 8) / span * 0.8)
    worst = {day for day, _ in sorted(days, key=lambda each: -each[1])[:5]}
    for day, count in days:
        parts.append(
            f'<rect class="{"s-high" if day in worst else "bar"}" x="{x(day):.1f}" '
            f'y="{y(count):.1f}" width="{bar:.1f}" height="{y(0) - y(count):.1f}">'
            f"<title>{day}: {count:,}</title></rect>"
        )
    for day, label in _labels(first, last):
        parts.append(_text(x(day), height - 8, label, "start"))
    return _svg(height, parts, "Shelves that ran out, by day", wide)


class _Time:
    """Instants to places on the horizontal axis."""

    def __init__(self, since: datetime, until: datetime) -> None:
        self._since = since
        self._until = until
        self._seconds = max(1.0, (until - since).total_seconds())

    def __call__(self, instant: datetime) -> float:
        share = (instant - self._since).total_seconds() / self._seconds
        return _LEFT + share * (WIDTH - _RIGHT - _LEFT)

    def weeks(self, zone: str) -> list[tuple[datetime, str]]:
        """Local midnights to mark, far enough apart for their labels."""
        first = self._since.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
        last = self._until.astimezone(ZoneInfo(zone)).date()
        days = (last - first).days + 1
        every = next((each for each in (1, 2, 7, 14, 28) if days / each <= 10), 56)
        marks = [last - timedelta(days=back) for back in range(0, days, every)]
        found = []
        for day in marks:
            midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
            # A label that would be cut off at an edge is left out.
            if _LEFT + 20 <= self(midnight) <= WIDTH - 24:
                found.append((midnight, f"{day.day} {day:%b}"))
        return found


def _labels(first: date, last: date) -> list[tuple[date, str]]:
    days = (last - first).days + 1
    if days > 62:
        months = [first.replace(day=1) + timedelta(days=31 * number) for number in range(14)]
        starts = [month.replace(day=1) for month in months]
        return [
            (day, f"{day:%b}") for day in starts if first <= day and (last - day).days >= days // 30
        ]
    every = max(1, days // 6)
    marks = [first + timedelta(days=number) for number in range(0, days, every)]
    return [(day, f"{day.day} {day:%b}") for day in marks if (last - day).days >= days // 8]


def _round_step(wanted: float) -> int:
    step = 1
    for factor in (2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000):
        if step >= wanted:
            break
        step = factor
    return step


def _line(x0: float, y0: float, x1: float, y1: float, style: str) -> str:
    return f'<line class="{style}" x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(height: float, parts: Sequence[str], label: str, wide: int = WIDTH) -> str:
    return (
        f'<svg viewBox="0 0 {wide} {height:.0f}" role="img" aria-label="{escape(label)}">'
        + "".join(parts)
        + "</svg>"
    )
