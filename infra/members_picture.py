"""Members as pictures: how many are in each segment, over time and now, and who moved where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from infra.figure import INK, QUIET, RULE, chinese_font, empty_figure
from operators.members.segments import SEGMENTS, place

# From the most valuable to the lost; warm colours are those that slip away.
ORDER = ("high_value", "high_potential", "high_value_leaving", "high_value_lapsed",
         "loyal_small_basket", "promising_new", "small_basket_slipping", "lost")  # fmt: skip
COLOURS = {
    "high_value": "#1f5fa8",
    "high_potential": "#5b9bd5",
    "high_value_leaving": "#d9822b",
    "high_value_lapsed": "#b4452c",
    "loyal_small_basket": "#3a8f6b",
    "promising_new": "#8cc5a2",
    "small_basket_slipping": "#e3b872",
    "lost": "#b9bec6",
}
CAUSES = {
    "purchase": "#3a8f6b",
    "refund": "#8a5fb4",
    "time": "#d9822b",
    "merge": "#5b9bd5",
    "unmerge": "#a9cbe8",
    "thresholds": "#b9bec6",
}
Names = Mapping[str, str]
# Steps of one member from segment to segment: from, to, cause, how many.
Step = tuple[str | None, str | None, str, int]
Day = tuple[date, Mapping[str, int]]


def over_time(changes: Sequence[tuple[date, str | None, str | None, int]]) -> list[Day]:
    """Members of each segment at the end of each day, from how many changed on it.

    `changes`: (day, from, to, how many), the earliest day first.
    """
    found: list[Day] = []
    held = dict.fromkeys(ORDER, 0)
    for at, (day, before, after, many) in enumerate(changes):
        if before is not None:
            held[before] -= many
        if after is not None:
            held[after] += many
        if at + 1 == len(changes) or changes[at + 1][0] != day:
            if found and day - found[-1][0] > timedelta(1):
                # Nothing changed until the day before.
                found.append((day - timedelta(1), found[-1][1]))
            found.append((day, dict(held)))
    return found


@contextmanager
def _names() -> Iterator[Names]:
    """What segments are called while a picture is drawn: in Chinese, too, if a font has that."""
    from matplotlib import rc_context, rcParams  # noqa: PLC0415 (an extra)

    family = chinese_font("".join(one.zh for one in SEGMENTS))
    if family is None:
        yield {one.code: one.en for one in SEGMENTS}
        return
    with rc_context({"font.family": [*rcParams["font.family"], family]}):
        yield {one.code: f"{one.en}  {one.zh}" for one in SEGMENTS}


def draw_segments(now: Mapping[str, int], days: Sequence[Day], to: Path) -> bool:
    """Segments over time above, recency by frequency below; False where there is no matplotlib."""
    figure = empty_figure(9.5, 8.2)
    if figure is None:
        return False
    with _names() as names:
        grid = figure.add_gridspec(2, 2, height_ratios=(1.25, 1))
        _areas(figure.add_subplot(grid[0, :]), days, names)
        for column, valuable in enumerate((True, False)):
            _cells(figure.add_subplot(grid[1, column]), now, names, valuable=valuable)
        figure.savefig(to)
    return True


def _areas(axes: Any, days: Sequence[Day], names: Names) -> None:
    shown = [code for code in reversed(ORDER) if any(held[code] for _, held in days)]
    axes.stackplot(
        [day for day, _ in days],
        [[held[code] for _, held in days] for code in shown],
        colors=[COLOURS[code] for code in shown],
        labels=[names[code] for code in shown],
        linewidth=0.4,
        edgecolor="white",
    )
    axes.set_title("Members by segment, at the end of each day", loc="left", fontsize=11, color=INK)
    axes.set_ylabel("members", color=QUIET, fontsize=9)
    axes.margins(x=0)
    axes.tick_params(colors=QUIET, labelsize=8)
    for label in axes.get_xticklabels():
        label.set_rotation(20)
    _plain(axes)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1],
        labels[::-1],
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        fontsize=8,
        labelcolor=INK,
    )


def _cells(axes: Any, now: Mapping[str, int], names: Names, *, valuable: bool) -> None:
    all_of_them, most = max(sum(now.values()), 1), max(now.values(), default=0)
    for x, near in enumerate((True, False)):
        for y, frequent in enumerate((False, True)):
            code = SEGMENTS[place(near=near, frequent=frequent, valuable=valuable)].code
            many = now.get(code, 0)
            share = many / most if most else 0.0
            axes.add_patch(_box(x, y, COLOURS[code], 0.12 + 0.6 * share))
            axes.text(x + 0.5, y + 0.62, f"{many:,}", ha="center", fontsize=13, color=INK)
            axes.text(
                x + 0.5, y + 0.42, f"{many / all_of_them:.1%}", ha="center", fontsize=8, color=INK
            )
            # Beside each other both names would be wider than their box.
            name = names[code].replace("  ", "\n")
            axes.text(x + 0.5, y + 0.3, name, ha="center", va="top", fontsize=7.5, color=INK)
    axes.set(xlim=(0, 2), ylim=(0, 2), xticks=(0.5, 1.5), yticks=(0.5, 1.5))
    axes.set_xticklabels(["bought lately", "long ago"], fontsize=8, color=QUIET)
    axes.set_yticklabels(["seldom", "often"], fontsize=8, color=QUIET, rotation=90, va="center")
    axes.tick_params(length=0)
    title = "Spends much" if valuable else "Spends little"
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    for side in axes.spines.values():
        side.set_visible(False)


def _box(x: float, y: float, colour: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 (an extra)

    return Rectangle((x + 0.02, y + 0.02), 0.96, 0.96, color=colour, alpha=alpha, linewidth=0)


def draw_transitions(steps: Sequence[Step], title: str, to: Path) -> bool:
    """Who moved from where to where, and because of what; False where there is no matplotlib."""
    figure = empty_figure(11.5, 6.2)
    if figure is None:
        return False
    with _names() as names:
        grid = figure.add_gridspec(1, 2, width_ratios=(1.9, 1))
        _moves(figure.add_subplot(grid[0]), steps, title, names)
        _causes(figure.add_subplot(grid[1]), steps, names)
        figure.savefig(to)
    return True


def _moves(axes: Any, steps: Sequence[Step], title: str, names: Names) -> None:
    """From where to where."""
    rows = [None, *ORDER]
    columns = [*ORDER, None] if any(after is None for _, after, _, _ in steps) else [*ORDER]
    counts = [
        [sum(n for b, a, _, n in steps if (b, a) == (before, after)) for after in columns]
        for before in rows
    ]
    most = max((max(row) for row in counts), default=0)
    # By the square root: a few large streams would leave all others white.
    axes.imshow(
        [[many**0.5 for many in row] for row in counts],
        cmap="Blues",
        vmin=0,
        vmax=max(most, 1) ** 0.5 * 1.15,
        aspect="auto",
    )
    for y, row in enumerate(counts):
        for x, many in enumerate(row):
            if many:
                colour = "white" if many > most * 0.45 else INK
                axes.text(x, y, f"{many:,}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(columns)))
    axes.set_xticklabels(
        ["(none any more)" if one is None else names[one] for one in columns],
        rotation=35,
        ha="right",
        rotation_mode="anchor",
    )
    axes.set_yticks(range(len(rows)))
    axes.set_yticklabels(["(first purchase)" if one is None else names[one] for one in rows])
    axes.tick_params(colors=INK, labelsize=8, length=0)
    axes.set_xlabel("to", color=QUIET, fontsize=9)
    axes.set_ylabel("from", color=QUIET, fontsize=9)
    axes.set_title(title, loc="left", fontsize=11, color=INK)
    for side in axes.spines.values():
        side.set_color(RULE)


def _causes(axes: Any, steps: Sequence[Step], names: Names) -> None:
    """For each segment what brought members into it."""
    shown = [code for code in ORDER if any(after == code for _, after, _, _ in steps)]
    begins = [0] * len(shown)
    for cause, colour in CAUSES.items():
        lengths = [sum(n for _, after, why, n in steps if (after, why) == (code, cause))
                   for code in shown]  # fmt: skip
        if any(lengths):
            axes.barh(range(len(shown)), lengths, left=begins, color=colour, label=cause)
            begins = [begin + length for begin, length in zip(begins, lengths, strict=True)]
    axes.set_yticks(range(len(shown)))
    axes.set_yticklabels([names[code] for code in shown])
    axes.invert_yaxis()
    axes.tick_params(colors=INK, labelsize=8, length=0)
    axes.set_xlabel("members that came into it", color=QUIET, fontsize=9)
    axes.set_title("Because of", loc="left", fontsize=11, color=INK)
    if shown:
        axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    _plain(axes)


def _plain(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
