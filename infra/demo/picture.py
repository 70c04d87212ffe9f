"""The same as one picture, for a README; drawn by matplotlib (the extra `demo`)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from infra.demo.charts import SHOWN_DAYS
from infra.demo.scene import ALERT_WORDS, Scene
from infra.figure import BLUE, INK, QUIET, RULE, empty_figure

_COLOURS = {"critical": "#b4234c", "high": "#cf5a17", "warning": "#d6a921"}
_INCHES = (11.5, 7.4)


def draw(scene: Scene, to: Path) -> bool:
    """Draw the picture; False where there is no matplotlib or no shelf to show."""
    if scene.shelf is None or not scene.moments:
        return False
    figure = empty_figure(*_INCHES, w_pad=0.14, h_pad=0.1)
    if figure is None:
        return False
    grid = figure.add_gridspec(3, 2, height_ratios=(3.0, 1.0, 2.6))
    stock = figure.add_subplot(grid[0, :])
    lanes = figure.add_subplot(grid[1, :], sharex=stock)
    _stock(stock, scene)
    _lanes(lanes, scene)
    _cover(figure.add_subplot(grid[2, 0]), scene)
    _days(figure.add_subplot(grid[2, 1]), scene)
    figure.suptitle(
        f"{scene.origin.title}: {scene.run['events']:,} movements, {scene.positions:,} shelves, "
        f"{scene.open_total:,} open alerts",
        fontsize=13,
        fontweight="bold",
        color=INK,
    )
    figure.savefig(to, facecolor="white")
    return True


def _stock(axes: Any, scene: Scene) -> None:
    assert scene.shelf is not None
    since = max(scene.newest - timedelta(days=SHOWN_DAYS), scene.moments[0].time)
    times = [moment.time for moment in scene.moments] + [scene.newest]
    levels = [moment.available for moment in scene.moments]
    levels.append(levels[-1])
    axes.step(times, levels, where="post", color=BLUE, linewidth=1.6)
    axes.fill_between(times, levels, step="post", color=BLUE, alpha=0.12, linewidth=0)
    came = [moment for moment in scene.moments if moment.received and moment.time >= since]
    axes.plot(
        [moment.time for moment in came],
        [moment.available for moment in came],
        linestyle="none",
        marker="v",
        markersize=5,
        color=QUIET,
        label="delivery",
    )
    axes.axhline(0, color=QUIET, linewidth=0.8)
    shown = [level for time, level in zip(times, levels, strict=True) if time >= since]
    room = max(1, max(shown) - min(0, *shown)) * 0.12
    axes.set_ylim(min(0, *shown) - room, max(1, *shown) + room)
    axes.set_xlim(since, scene.newest)
    name = scene.name(scene.shelf.sku) or f"SKU {scene.shelf.sku}"
    _plain(axes, f"{name} in shop {scene.shelf.place}: units that can be promised")
    axes.tick_params(labelbottom=False)
    if came:
        axes.legend(loc="upper left", frameon=False, labelcolor=QUIET, fontsize=9)


def _lanes(axes: Any, scene: Scene) -> None:
    words = list(ALERT_WORDS.items())
    for row, (alert_type, _) in enumerate(words):
        for episode in scene.episodes:
            if episode.alert_type == alert_type:
                ends = episode.cleared_at or scene.newest
                # An hour at least, or it could not be seen.
                width = max(ends - episode.opened_at, timedelta(hours=6))
                axes.broken_barh(
                    [(episode.opened_at, width)],
                    (row - 0.32, 0.64),
                    color=_COLOURS[episode.severity],
                    linewidth=0,
                )
    axes.set_yticks(range(len(words)), [word for _, word in words])
    axes.set_ylim(len(words) - 0.4, -0.6)
    _plain(axes, "alerts of this shelf")
    _dated(axes, ZoneInfo(scene.origin.zone))


def _cover(axes: Any, scene: Scene) -> None:
    names = [name for name, _ in scene.cover]
    counts = [count for _, count in scene.cover]
    warm = [_COLOURS["high"]] * 2 + [_COLOURS["warning"]] * 2
    colours = (warm + [BLUE] * len(counts))[: len(counts)]
    bars = axes.bar(range(len(counts)), counts, color=colours, alpha=0.85)
    axes.bar_label(bars, [f"{count:,}" for count in counts], fontsize=8.5, color=INK, padding=2)
    axes.set_xticks(range(len(names)), names)
    axes.set_ylim(0, max(1, *counts) * 1.14)
    axes.set_yticks([])
    _plain(axes, "shelves that sell, by days of cover")


def _days(axes: Any, scene: Scene) -> None:
    axes.bar(
        [day for day, _ in scene.stock_outs],
        [count for _, count in scene.stock_outs],
        width=0.9,
        color=BLUE,
        alpha=0.8,
    )
    _plain(axes, "shelves that sell and ran out, by day")
    _dated(axes, None)


def _dated(axes: Any, zone: ZoneInfo | None) -> None:
    from matplotlib import dates as matplotlib_dates  # noqa: PLC0415

    dates: Any = matplotlib_dates
    locator = dates.AutoDateLocator(tz=zone)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=zone))


def _plain(axes: Any, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=10.5, color=INK)
    axes.tick_params(colors=QUIET, labelsize=9, length=0)
    axes.grid(axis="y", color=RULE, linewidth=0.7)
    axes.set_axisbelow(True)
    for name, spine in axes.spines.items():
        spine.set_visible(name == "bottom")
        spine.set_color(RULE)
