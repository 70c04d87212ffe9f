"""Ids that stay, and rows that are there twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CONTENT: dict[str, Any] = {"event": {"id": {"key": None, "content": "*"}}}


def ids(done: Any) -> list[str]:
    return [event.id for event in done.events]


def test_the_same_rows_get_the_same_ids_whatever_stands_around_them(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    some = [{"bill": f"B{number}", "line": str(number % 3)} for number in range(6)]
    once = ids(run(rows_of(*some), changes=CONTENT))
    assert len(set(once)) == 6
    assert set(ids(run(rows_of(*reversed(some)), changes=CONTENT))) == set(once)
    assert set(once) < set(ids(run(rows_of(*some, {"bill": "B7"}), changes=CONTENT)))
    assert ids(run(rows_of(*some[:3]), rows_of(*some[3:]), changes=CONTENT)) == once


def test_ids_do_not_depend_on_the_order_of_columns_or_on_other_columns_when_named(
    run: Callable[..., Any],
) -> None:
    named = {"event": {"id": {"key": None, "content": ["article", "bill", "at"]}}}
    one = "bill,line,article,shop,at,pieces\nB1,1,TEA,S1,2024-05-01 10:00:00,1\n"
    two = "at,ARTICLE,clerk,bill,line,shop,pieces\n2024-05-01 10:00:00,TEA,Ann,B1,1,S1,1\n"
    assert ids(run(one, changes=named)) == ids(run(two, changes=named))
    turned = "\n".join(",".join(reversed(line.split(","))) for line in one.splitlines())
    assert ids(run(one, changes=CONTENT)) == ids(run(turned, changes=CONTENT))


def test_equal_rows_are_kept_with_numbers_or_dropped_as_declared(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    text = rows_of({}, {"line": "2"}, {}, {})
    kept = run(text, changes=CONTENT)
    first = ids(kept)[0].removesuffix("-1")
    assert [i for i in ids(kept) if i.startswith(first)] == [f"{first}-{n}" for n in (1, 2, 3)]
    assert kept.report.duplicates.found == 2
    assert any("declare duplicates: drop" in warning for warning in kept.report.warnings)
    said = run(text, changes={**CONTENT, "duplicates": "keep"})
    assert (ids(said), said.report.warnings) == (ids(kept), [])
    dropped = run(text, changes={**CONTENT, "duplicates": "drop"})
    assert len(dropped.events) == 2
    assert set(ids(dropped)) < set(ids(kept))
    assert [row["tillflow_row"] for row in dropped.quarantine] == ["3", "4"]
    assert dropped.refusals["duplicate_row"].startswith("the same in all columns as row 1 of ")


def test_overlapping_exports_count_once(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    monday = rows_of({"bill": "B1"}, {"bill": "B2"}, {"bill": "B2"})
    tuesday = rows_of({"bill": "B2"}, {"bill": "B3"})
    done = run(monday, tuesday, changes={**CONTENT, "duplicates": "keep"})
    assert done.report.events_out == 4
    assert done.report.duplicates.dropped == done.report.duplicates.across_files == 1
    (row,) = done.quarantine
    assert row["tillflow_file"].endswith("export2.csv")
    assert row["tillflow_reason"].endswith("row 2 of " + done.report.files[0].file)


def test_different_rows_never_share_an_id(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    done = run(rows_of({"pieces": "1"}, {"pieces": "2"}, {"pieces": "1"}))
    assert ids(done) == ["B1:1"]
    assert [row["tillflow_code"] for row in done.quarantine] == ["id_conflict", "duplicate_row"]
    words = done.refusals["id_conflict"]
    assert words == f"row 1 of {done.report.files[0].file} has the same id, B1:1, and other values"


def test_a_row_that_differs_only_in_unmapped_columns_is_another_row(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    text = rows_of({"note": "till 1"}, {"note": "till 2"})
    assert list(run(text).refusals) == ["id_conflict"]
    named = {"event": {"id": {"key": None, "content": ["bill", "article", "at", "pieces"]}}}
    assert [i[-2:] for i in ids(run(text, changes=named))] == ["-1", "-2"]
    assert len(run(text, changes=CONTENT).events) == 2


@pytest.mark.parametrize(
    ("one", "two"), [(("a:b", "c"), ("a", "b:c")), (("a%3A", "c"), ("a:", "c"))]
)
def test_keys_do_not_run_into_each_other(
    one: tuple[str, str],
    two: tuple[str, str],
    run: Callable[..., Any],
    rows_of: Callable[..., str],
) -> None:
    rows = [{"bill": bill, "line": line} for bill, line in (one, two)]
    assert len(set(ids(run(rows_of(*rows))))) == 2


def test_ids_do_not_change_when_rules_do(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    text = rows_of({"note": "a"}, {"note": "b"}, {"note": "c"})
    named = {"id": {"key": None, "content": ["bill", "article"]}}
    rule = {"when": "note = 'a'", "because": "asked to"}
    all_rows = run(text, changes={"event": named})
    without = run(text, changes={"event": named, "skip": rule})
    assert ids(without) == ids(all_rows)[1:]
