"""The report: profile, silent places, warnings, and how it looks."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from math import comb
from typing import Any

import msgspec
import pytest
from rich.console import Console

from sources.importing.report import GAP_LIMIT, Report
from sources.importing.show import shown


def column(report: Report, name: str) -> Any:
    (found,) = [each for each in report.columns if each.column == name]
    return found


def test_columns_are_profiled(run: Callable[..., Any], rows_of: Callable[..., str]) -> None:
    rows = [
        {"pieces": "9", "note": "Ann"},
        {"line": "2", "pieces": "10"},
        {"line": "3", "shop": ""},
    ]
    done = run(rows_of(*rows))
    pieces = column(done.report, "pieces")
    assert (pieces.type, pieces.empty, pieces.distinct) == ("text (numbers)", 0, 3)
    assert (pieces.smallest, pieces.largest, pieces.examples) == ("2", "10", ["9", "10", "2"])
    shop = column(done.report, "shop")
    assert (shop.type, shop.empty, shop.distinct, shop.smallest) == ("text", 1, 1, "S1")
    note = column(done.report, "note")
    assert (note.empty, note.distinct, note.shown) == (2, 1, False)
    assert b"Ann" not in msgspec.json.encode(done.report), "not an event's business, so no value"


def test_the_profile_is_over_all_files(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    one = rows_of({"pieces": "5"})
    two = (
        rows_of({"bill": "B2", "pieces": "7"})
        .replace(",note", ",Colour")
        .replace("pieces", "PIECES")
    )
    done = run(one, two)
    assert [each.column for each in done.report.columns][-3:] == ["pieces", "note", "Colour"]
    pieces = column(done.report, "pieces")
    assert (pieces.smallest, pieces.largest, pieces.empty) == ("5", "7", 0)
    assert column(done.report, "Colour").empty == 2


def sales(days: list[int], shop: str) -> list[dict[str, str]]:
    start = date(2023, 1, 1)
    return [
        {
            "bill": f"{shop}-{day}",
            "shop": shop,
            "at": f"{start + timedelta(days=day)} 23:30:00",
        }
        for day in days
    ]


def chance(days: list[int], silent: int, places: int) -> float:
    """Expected silences of that length, counted out of all ways to place the days."""
    span, active = max(days) - min(days) + 1, len(days)
    ways = comb(span - 2 - silent, active - 2) / comb(span - 2, active - 2)
    return places * (active - 1) * ways


def test_silent_places_are_found_and_judged(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    closed_a_fortnight = [day for day in range(120) if not 40 <= day < 54]
    sundays_off = [day for day in range(120) if day % 7]
    rarely = [0, 50, 119]
    shops = {"A": closed_a_fortnight, "B": sundays_off, "C": rarely, "D": [7]}
    done = run(rows_of(*(row for shop, days in shops.items() for row in sales(days, shop))))
    (gap,) = done.report.gaps
    assert (gap.place, gap.first_day, gap.last_day, gap.days) == (
        "A",
        "2023-02-10",
        "2023-02-23",
        14,
    )
    assert gap.expected == pytest.approx(chance(closed_a_fortnight, 14, 4), rel=1e-6, abs=0)
    assert chance(sundays_off, 1, 4) > GAP_LIMIT < chance(rarely, 68, 4)


def test_days_of_a_place_are_local(run: Callable[..., Any], rows_of: Callable[..., str]) -> None:
    """23:30 in Los Angeles is the next day in UTC; the silent days are those of the shop."""
    days = [day for day in range(60) if day not in range(20, 30)]
    done = run(rows_of(*sales(days, "A")), changes={"timezone": "America/Los_Angeles"})
    assert [(gap.first_day, gap.days) for gap in done.report.gaps] == [("2023-01-21", 10)]


def test_most_rows_refused_is_a_warning(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    done = run(rows_of({}, {"article": ""}, {"article": ""}))
    assert "more than half of the rows were refused: does the mapping fit these files?" in (
        done.report.warnings
    )


def test_the_report_as_a_person_sees_it(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    rule = {"when": "article = 'TOTAL'", "because": "a subtotal"}
    rows = [{}, {}, {"line": "[red]2", "pieces": "0"}, {"line": "3", "article": "TOTAL"}]
    rows += sales([day for day in range(60) if day not in range(20, 30)], "A")
    done = run(rows_of(*rows), changes={"skip": rule})
    console = Console(width=160, file=io.StringIO())
    with console.capture() as printed:
        console.print(shown(done.report))
    text = printed.get()
    for words in (
        "54 rows in = 51 events + 1 refused + 1 duplicates dropped + 1 skipped by rule",
        "SKUs: 1, places: 2",
        "quantity_zero",
        "export1.csv, line 4: the quantity is 0: nothing moved",
        "a subtotal",
        "1 (1 dropped, 0 of another file)",
        "2023-01-21",
        "judged so: a place has n days with events",
        "[red]2",
        "(not in events)",
    ):
        assert words in text, words


def test_the_report_survives_json(run: Callable[..., Any], rows_of: Callable[..., str]) -> None:
    report = run(rows_of({}, {"pieces": "0"})).report
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
