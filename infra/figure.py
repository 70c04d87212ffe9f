"""An empty picture for matplotlib to draw into, where it is installed (extra `demo`)."""

from __future__ import annotations

from typing import Any

# Families that have Chinese, as systems bring them; the usual font stands before them.
CHINESE = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "PingFang SC",
    "Hiragino Sans GB",
    "Heiti SC",
    "STHeiti",
    "Microsoft YaHei",
    "SimHei",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "Noto Sans CJK JP",
    "Noto Sans CJK TC",
    "Droid Sans Fallback",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Songti SC",
    "SimSun",
    "AR PL UMing CN",
    "Arial Unicode MS",
)
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


def chinese_font(letters: str) -> str | None:
    """The family of an installed font that has all of these letters; nothing is fetched."""
    from matplotlib.font_manager import fontManager  # noqa: PLC0415 (an extra)
    from matplotlib.ft2font import FT2Font  # noqa: PLC0415

    wanted = {ord(letter) for letter in letters}
    files = {one.name: one.fname for one in fontManager.ttflist if one.name in CHINESE}
    for family in CHINESE:
        try:
            if family in files and wanted <= FT2Font(files[family]).get_charmap().keys():
                return family
        except (OSError, RuntimeError):
            # Taken away since matplotlib wrote its list, or broken.
            continue
    return None
