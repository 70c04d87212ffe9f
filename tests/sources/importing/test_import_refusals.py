"""Every reason to refuse a row: a row that has it, and the words a person reads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sources.importing.checks import CONFLICT, DUPLICATE, checks
from sources.importing.mapping import load_mapping

MAPS = {"codes": {"values": {"TEA": "SKU-TEA"}}}
ADJUSTED: dict[str, Any] = {"event": {"kind": "adjusted"}}
TRANSFER: dict[str, Any] = {"event": {"kind": "transfer_out", "to_place": "note"}}

# code, changed row, changed mapping, words
REFUSALS: list[tuple[str, dict[str, str], dict[str, Any], str]] = [
    ("id_missing", {"bill": " "}, {}, "bill and line make the id of a row; one of them is empty"),
    ("text_too_long", {"bill": "9" * 201}, {}, "longer than 200 characters"),
    ("text_too_long", {"article": "茶" * 201}, {}, "SKU "),
    ("text_too_long", {"shop": "x" * 201}, {}, "place "),
    (
        "no_kind",
        {},
        {"event": {"kind": [{"is": "sold", "when": "bill = 'B9'"}]}},
        "no rule of kind holds for this row",
    ),
    ("sku_missing", {"article": "\u3000"}, {}, "the SKU is empty"),
    (
        "sku_missing",
        {"article": "X"},
        {
            "maps": {"codes": {"values": {"A": "B"}, "missing": "empty"}},
            "event": {"sku": {"column": "article", "map": "codes"}},
        },
        "the SKU is empty",
    ),
    (
        "unknown_sku",
        {"article": "TEE"},
        {"maps": MAPS, "event": {"sku": {"column": "article", "map": "codes"}}},
        'SKU "TEE" is not in the map of the mapping',
    ),
    (
        "unknown_sku",
        {"article": "TEE"},
        {"known": {"sku": {"values": ["TEA"]}}},
        'SKU "TEE" is not among the known ones',
    ),
    ("place_missing", {"shop": ""}, {}, "the place is empty"),
    (
        "unknown_place",
        {},
        {"known": {"place": {"values": ["S2"]}}},
        'place "S1" is not among the known ones',
    ),
    (
        "unknown_place",
        {},
        {"maps": MAPS, "event": {"place": {"column": "shop", "map": "codes"}}},
        'place "S1" is not in the map of the mapping',
    ),
    ("time_missing", {"at": ""}, {}, "the time is empty"),
    (
        "time_unreadable",
        {"at": "2024-02-30 10:00:00"},
        {},
        'time "2024-02-30 10:00:00" cannot be read as %Y-%m-%d %H:%M:%S',
    ),
    (
        "zone_unknown",
        {"note": "Asia/Shangai"},
        {"event": {"time": {"zone": {"column": "note"}}}},
        'there is no time zone "Asia/Shangai"',
    ),
    (
        "time_in_gap",
        {"at": "2024-03-31 01:30:00"},
        {},
        "2024-03-31 01:30:00 did not exist in Europe/London: clocks went forward over it",
    ),
    (
        "time_repeated",
        {"at": "2023-10-29 01:30:00"},
        {"event": {"time": {"repeated_hour": "refuse"}}},
        "2023-10-29 01:30:00 was twice in Europe/London",
    ),
    (
        "time_before_floor",
        {"at": "2023-12-31 23:59:59"},
        {"event": {"time": {"not_before": "2024-01-01"}}},
        'time "2023-12-31 23:59:59" is before 2024-01-01',
    ),
    (
        "time_in_future",
        {"at": "2024-06-01 13:00:01"},
        {},
        'time "2024-06-01 13:00:01" is later than this import, 2024-06-01 12:00 UTC',
    ),
    (
        "time_after_ceiling",
        {"at": "2024-05-01 00:00:00"},
        {"event": {"time": {"not_after": "2024-04-30"}}},
        'time "2024-05-01 00:00:00" is after 2024-04-30',
    ),
    ("quantity_missing", {"pieces": ""}, {}, "the quantity is empty"),
    (
        "quantity_unreadable",
        {"pieces": "1,5"},
        {},
        'quantity "1,5" is not a number written like 1234.5',
    ),
    ("quantity_not_whole", {"pieces": "1.50"}, {}, "1.5 units are not a whole number"),
    ("quantity_zero", {"pieces": "0.0"}, {}, "the quantity is 0: nothing moved"),
    (
        "quantity_negative",
        {"pieces": "-3"},
        {},
        "-3 units cannot be sold; only an adjustment may be below 0",
    ),
    (
        "quantity_negative",
        {"pieces": "3"},
        {"event": {"kind": {"is": "returned", "negate": True}}},
        "-3 units cannot be returned",
    ),
    ("quantity_negative", {"pieces": "-1"}, {"event": {"kind": "counted"}}, "-1 units cannot be"),
    (
        "quantity_too_large",
        {"pieces": "6901234567892"},
        {},
        "6901234567892 units are more than 100,000,000: a code in the quantity column?",
    ),
    (
        "factor_unreadable",
        {"note": "dozen"},
        {"event": {"quantity": {"column": "pieces", "factor": {"column": "note"}}}},
        'units in one, "dozen", is not a number above 0',
    ),
    (
        "factor_unreadable",
        {"note": "BOX"},
        {
            "maps": {"packs": {"values": {"CRATE": "24"}}},
            "event": {
                "quantity": {"column": "pieces", "factor": {"column": "note", "map": "packs"}}
            },
        },
        'units in one, "BOX", is not a number above 0',
    ),
    ("reason_missing", {}, ADJUSTED, "an adjustment needs a reason of 1 to 200 characters"),
    ("to_place_missing", {}, TRANSFER, "a transfer out needs to_place: where the goods go"),
    ("to_place_same", {"note": "S1"}, TRANSFER, "the transfer goes to the place it leaves, S1"),
    (
        "corrects_missing",
        {},
        {"event": {"kind": "corrected", "corrects": "note"}},
        "a correction needs corrects: the id of what it takes back",
    ),
    (
        "unknown_code",
        {"note": "7"},
        {"maps": MAPS, "event": {"order": {"column": "note", "map": "codes"}}},
        'order "7" is not in its map',
    ),
    (
        "date_unreadable",
        {"note": "31.02.2025"},
        {"event": {"expires_on": {"column": "note", "formats": ["%d.%m.%Y"]}}},
        'expires_on "31.02.2025" cannot be read as a date',
    ),
    (
        "device_seq_unreadable",
        {"note": "1.5"},
        {"event": {"device_seq": "note"}},
        'device_seq "1.5" is not a whole number',
    ),
    (
        "not_goods",
        {"article": "POST"},
        {"refuse": [{"when": "article = 'POST'", "code": "not_goods", "because": "{postage}"}]},
        "{postage}",
    ),
]
OF_FILES: dict[str, tuple[str | bytes, str]] = {
    "ragged_row": ("\nB2,1,TEA\n", "the row has 3 values, the header has 7 columns"),
    "broken_quotes": ('\nB2,1,"TEA,S1,2024-05-01 10:00:00,2,\n', 'a " is opened and not closed'),
    "bad_encoding": (b"\nB2,1,\xb2\xe8,S1,2024-05-01 10:00:00,2,\n", "are not utf-8 text"),
}


@pytest.mark.parametrize(
    ("code", "row", "changes", "words"),
    REFUSALS,
    ids=[f"{r[0]}-{n}" for n, r in enumerate(REFUSALS)],
)
def test_a_dirty_row_is_refused_with_its_reason(
    code: str,
    row: dict[str, str],
    changes: dict[str, Any],
    words: str,
    run: Callable[..., Any],
    rows_of: Callable[..., str],
) -> None:
    done = run(rows_of(row), changes=changes)
    assert done.events == []
    (refused,) = done.quarantine
    assert refused["tillflow_code"] == code
    assert words in refused["tillflow_reason"]
    assert (refused["tillflow_row"], refused["tillflow_line"]) == ("1", "2")
    (reason,) = done.report.refused_by_reason
    assert (reason.code, reason.rows) == (code, 1)
    assert reason.example == f"export1.csv, line 2: {refused['tillflow_reason']}"


@pytest.mark.parametrize("code", OF_FILES)
def test_a_row_that_cannot_be_read_is_refused_alone(
    code: str, run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    text, words = OF_FILES[code]
    good = rows_of({}).rstrip("\n").encode()
    done = run(good + (text if isinstance(text, bytes) else text.encode()))
    assert len(done.events) == 1
    (refused,) = done.quarantine
    assert refused["tillflow_code"] == code
    assert words in refused["tillflow_reason"]
    assert refused["tillflow_raw"].startswith("B2,1,")
    assert (refused["tillflow_row"], refused["tillflow_line"]) == ("2", "3")


def test_the_table_above_has_every_reason(shop_mapping: Callable[..., Any]) -> None:
    everything = shop_mapping(
        {
            "maps": MAPS,
            "known": {"sku": {"values": ["TEA"]}},
            "event": {
                "time": {
                    "repeated_hour": "refuse",
                    "not_after": "2025-01-01",
                    "zone": {"column": "note"},
                },
                "quantity": {"column": "pieces", "factor": "2"},
                "order": {"column": "note", "map": "codes"},
                "expires_on": {"column": "note", "formats": ["%Y"]},
                "device_seq": "note",
            },
        }
    )
    known = {check.code for check in checks(everything, datetime.now(UTC))}
    assert {row[0] for row in REFUSALS} - {"not_goods"} == known


def test_the_guide_explains_every_reason() -> None:
    guide = Path(__file__).parents[3].joinpath("docs", "import.md").read_text("utf-8")
    codes = {row[0] for row in REFUSALS} | set(OF_FILES) | {DUPLICATE, CONFLICT}
    assert {code for code in codes - {"not_goods"} if f"`{code}`" not in guide} == set()


def test_the_first_reason_counts(run: Callable[..., Any], rows_of: Callable[..., str]) -> None:
    done = run(rows_of({"article": "", "at": "x", "pieces": "0"}))
    assert list(done.refusals) == ["sku_missing"]
    assert done.report.impossible_times == {"time_unreadable": 1}
    assert done.report.quantities.zero == 1


def test_a_declared_rule_comes_before_every_other_check(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    rule = {"when": "article IS NULL", "code": "free_line", "because": "a line of text"}
    done = run(rows_of({"article": "", "bill": ""}), changes={"refuse": [rule]})
    assert done.refusals == {"free_line": "a line of text"}


def test_skipped_rows_are_counted_and_stay_out_of_the_findings(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    rule = {"when": "article = 'TOTAL'", "because": "a subtotal"}
    rows = rows_of({}, {"article": "TOTAL", "pieces": "0", "at": ""}, {"line": "2"})
    done = run(rows, changes={"skip": [rule]})
    assert (done.report.rows_in, done.report.events_out, done.report.skipped) == (3, 2, 1)
    assert [(s.because, s.rows) for s in done.report.skipped_by_rule] == [("a subtotal", 1)]
    assert done.quarantine == []
    assert done.report.quantities.zero == 0
    assert done.report.impossible_times == {}


def test_the_quarantine_can_be_put_right_and_imported(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    first = run(rows_of({}, {"line": "2", "pieces": "0"}))
    text = Path(first.report.quarantine).read_text("utf-8-sig")
    second = run(text.replace(",0,", ",4,"))
    assert [event.id for event in first.events + second.events] == ["B1:1", "B1:2"]
    assert second.events[0].data.quantity == 4


def test_columns_of_several_files_are_side_by_side_in_quarantine(run: Callable[..., Any]) -> None:
    head = "bill,line,article,shop,at,pieces"
    one = f"{head},Till\nB1,1,TEA,S1,2024-05-01 10:00:00,0,T7\n"
    two = f"{head},colour\nB2,1,TEA,S1,2024-05-01 10:00:00,0,red\n"
    done = run(one, two)
    assert [(r["bill"], r["Till"], r["colour"]) for r in done.quarantine] == [
        ("B1", "T7", ""),
        ("B2", "", "red"),
    ]


def test_shipped_mappings_are_sound() -> None:
    for name in ("completejourney", "online_retail"):
        assert load_mapping(name).title
