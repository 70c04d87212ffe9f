"""An empty picture for matplotlib to draw into, where it is installed (extra `demo`)."""

from __future__ import annotations

from typing import Any

INK, QUIET, RULE, BLUE = "#1b1f24", "#646c77", "#e3e5e8", "#2b6cb0"
DPI = 110


def empty_figure(wide: float, high: float, **padding: float) -> Any | None:
    """A white figure of so many inches, or None where there is no matplotlib."""
    try:
        # Only a figure and its canvas: pyplot would look for a screen.
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        return None
    figure = Figure(figsize=(wide, high), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", **padding)
    return figure
