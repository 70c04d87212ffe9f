"""The report for a person at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from sources.importing.report import ColumnProfile, Report

_MOST_GAPS = 10
_MOST_UNKNOWN = 5


def shown(report: Report) -> RenderableType:
    """The whole report, the account of rows first and the columns last."""
    parts: list[RenderableType] = [
        Text(report.balance, style="bold"),
        Text(f"from {_span(report)}; SKUs: {report.skus:,}, places: {report.places:,}"),
        _table(
            "Events",
            ("kind", "events", "units"),
            [(kind.kind, f"{kind.events:,}", f"{kind.units:,}") for kind in report.kinds],
        ),
    ]
    if report.refused_by_reason:
        refused = [(each.code, f"{each.rows:,}", each.example) for each in report.refused_by_reason]
        parts.append(
            _table("Refused (all in quarantine)", ("reason", "rows", "for example"), refused)
        )
    if report.skipped_by_rule:
        skipped = [(each.because, f"{each.rows:,}") for each in report.skipped_by_rule]
        parts.append(_table("Skipped by rule", ("because", "rows"), skipped))
    parts.append(_table("Worth a look", ("what", "found"), list(_looks(report))))
    if report.gaps:
        parts.append(_gaps(report))
    parts.append(_columns(report))
    parts += [Text(f"note: {warning}", style="yellow") for warning in report.warnings]
    parts.append(
        Text(
            f"\n{report.out} has the events, {report.quarantine} the "
            f"{report.refused + report.duplicates_dropped:,} rows that are none; "
            f"{report.seconds:.1f} s"
        )
    )
    return Group(*parts)


def _span(report: Report) -> str:
    if report.first_time is None:
        return "no time to no time (there are no events)"
    return f"{report.first_time} to {report.last_time}"


def _looks(report: Report) -> Iterator[tuple[str, str]]:
    twice = report.duplicates
    yield (
        "rows that are the same in all columns as one before",
        f"{twice.found:,} ({twice.dropped:,} dropped, {twice.across_files:,} of another file)",
    )
    yield "quantities of 0", f"{report.quantities.zero:,}"
    yield "quantities below 0", f"{report.quantities.negative:,}"
    unknown = report.unknown_skus
    most = ", ".join(f"{code} ({rows:,})" for code, rows in unknown.most[:_MOST_UNKNOWN])
    yield "rows with an unknown SKU", f"{unknown.rows:,}" + (f": {most}" if most else "")
    faults = ", ".join(f"{code} {rows:,}" for code, rows in report.impossible_times.items())
    yield "impossible times", faults or "0"
    yield "silent places", f"{len(report.gaps):,}"


def _gaps(report: Report) -> RenderableType:
    rows = [
        (gap.place, gap.first_day, gap.last_day, f"{gap.days}", f"{gap.expected:.1g}")
        for gap in report.gaps[:_MOST_GAPS]
    ]
    names = ("place", "first silent day", "last", "days", "expected by chance")
    more = len(report.gaps) - len(rows)
    table = _table("Silent places" + (f" ({more:,} more)" if more > 0 else ""), names, rows)
    return Group(table, Text(f"judged so: {report.gap_rule}", style="dim"))


def _columns(report: Report) -> RenderableType:
    names = ("column", "type", "empty", "distinct", "smallest", "largest", "examples")
    files = sum(each.rows for each in report.files)
    title = f"Columns (files: {len(report.files)}, rows: {files:,})"
    return _table(title, names, [_column(each) for each in report.columns])


def _column(each: ColumnProfile) -> tuple[str, ...]:
    distinct = f"{'~' if each.distinct_estimated else ''}{each.distinct:,}"
    if not each.shown:
        return (each.column, each.type, f"{each.empty:,}", distinct, "", "", "(not in events)")
    examples = ", ".join(each.examples)
    low, high = each.smallest or "", each.largest or ""
    return (each.column, each.type, f"{each.empty:,}", distinct, low, high, examples)


def _table(title: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(
        title="\n" + title, title_justify="left", title_style="bold", box=None, pad_edge=False
    )
    for name in names:
        is_count = name in ("rows", "events", "units", "empty", "distinct", "days")
        table.add_column(name, justify="right" if is_count else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table
