"""An experiment as a picture: each arm's difference from the control, look by look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from infra.figure import INK, QUIET, RULE, empty_figure
from operators.members.experiments.looks import Look
from operators.members.experiments.readout import Metric, Scale

_ARMS = ("#2b6cb0", "#cf5a17", "#3a8f6b", "#8a5fb4", "#b4234c")
_UNITS = {Scale.RATE: (100, "points"), Scale.MONEY: (0.01, "a member"), Scale.NUMBER: (1, "")}


def draw(
    metric: Metric, control: str, found: Mapping[str, Sequence[Look]], planned: float, to: Path
) -> bool:
    """Draw the picture, in the format of the file's ending; False where there is no matplotlib."""
    times, unit = _UNITS[metric.scale]
    figure = empty_figure(9.5, 1.2 + 2.9 * len(found))
    if figure is None:
        return False
    grid = figure.add_gridspec(len(found), 1)
    for place, (arm, seen) in enumerate(found.items()):
        axes = figure.add_subplot(grid[place])
        colour = _ARMS[place % len(_ARMS)]
        # The first looks are so wide that the rest would be a line.
        shown = seen[min(3, len(seen) // 10) :]
        members = [one.members for one in shown]
        axes.fill_between(
            members,
            [times * one.always.low for one in shown],
            [times * one.always.high for one in shown],
            color=colour,
            alpha=0.18,
            linewidth=0,
            label="always valid",
        )
        for side in ("low", "high"):
            axes.plot(
                members,
                [times * getattr(one.once, side) for one in shown],
                color=QUIET,
                linewidth=0.8,
                linestyle=(0, (3, 3)),
                label="valid for one look" if side == "low" else None,
            )
        axes.plot(members, [times * one.always.value for one in shown], color=colour, linewidth=1.8)
        axes.axhline(0, color=INK, linewidth=0.9)
        axes.axvline(planned, color=RULE, linewidth=1.5, zorder=0, label="narrowest as planned")
        first = next((one for one in seen if one.always.clear), None)
        said = f"first clear at {first.members:,} members" if first else "not clear"
        axes.set_title(f"{arm} less {control}: {said}", loc="left", fontsize=10, color=INK)
        axes.set_ylabel(f"{metric.name}, {unit}" if unit else metric.name, color=QUIET)
        axes.tick_params(colors=QUIET, labelsize=8)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.legend(frameon=False, fontsize=8, labelcolor=QUIET)
    axes.set_xlabel("members of both arms, in the order of exposure", color=QUIET, fontsize=9)
    figure.savefig(to)
    return True
