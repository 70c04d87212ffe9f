"""Code maps, lookups, known codes, pack sizes and notations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.importing.fields import Numbers
from sources.importing.notation import number_macro
from sources.importing.problems import MappingError


def test_barcodes_lead_to_the_one_sku(
    run: Callable[..., Any],
    shop_mapping: Callable[..., Any],
    rows_of: Callable[..., str],
    tmp_path: Path,
) -> None:
    (tmp_path / "barcodes.csv").write_text(
        "Barcode;Artikel\n6901234567892;TEA\n6901234567885;TEA\n0001;MILK\n0001;MILK\n"
    )
    barcodes = {
        "file": "barcodes.csv",
        "from": "barcode",
        "to": "artikel",
        "format": {"delimiter": ";"},
    }
    mapping = shop_mapping(
        {"maps": {"ean": barcodes}, "event": {"sku": {"column": "article", "map": "ean"}}},
        tmp_path / "shop.yaml",
    )
    codes = ["6901234567892", "6901234567885", " 0001", "1", "1", "6.90123E+12"]
    done = run(
        rows_of(*({"line": str(n), "article": code} for n, code in enumerate(codes))),
        mapping=mapping,
    )
    assert [event.data.sku for event in done.events] == ["TEA", "TEA", "MILK"]
    assert (done.report.unknown_skus.rows, done.report.unknown_skus.codes) == (3, 2)
    assert done.report.unknown_skus.most == [("1", 2), ("6.90123E+12", 1)]


@pytest.mark.parametrize(
    ("missing", "expected"), [("keep", ["web", "7"]), ("empty", ["web", None])]
)
def test_what_becomes_of_a_code_without_meaning(
    missing: str, expected: list[str | None], run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    changes = {
        "maps": {"channel": {"values": {"02": "web"}, "missing": missing}},
        "event": {"device": {"column": "note", "map": "channel"}},
    }
    done = run(rows_of({"note": "02"}, {"line": "2", "note": "7"}), changes=changes)
    assert [event.data.device for event in done.events] == expected


def test_a_lookup_tells_of_another_file(
    run: Callable[..., Any],
    shop_mapping: Callable[..., Any],
    rows_of: Callable[..., str],
    tmp_path: Path,
) -> None:
    table = pa.table({"id": pa.array([1, 2]), "family": ["tea ", "voucher"], "pack": [12, 1]})
    pq.write_table(table, tmp_path / "articles.parquet")
    changes = {
        "lookups": {"articles": {"file": "articles.parquet", "key": "id", "on": "article"}},
        "known": {"sku": {"file": "articles.parquet", "column": "id"}},
        "refuse": {
            "when": "articles.family = 'voucher'",
            "code": "not_goods",
            "because": "a voucher",
        },
        "event": {
            "quantity": {"column": "pieces", "factor": {"sql": "articles.pack"}},
            "reason": {"sql": "articles.family"},
        },
    }
    rows = rows_of({"article": "1"}, {"line": "2", "article": "2"}, {"line": "3", "article": "3"})
    done = run(rows, mapping=shop_mapping(changes, tmp_path / "shop.yaml"))
    (event,) = done.events
    assert (event.data.quantity, event.data.reason) == (24, "tea")
    assert done.refusals == {
        "not_goods": "a voucher",
        "unknown_sku": 'SKU "3" is not among the known ones',
    }
    unknown = shop_mapping(
        {**changes, "refuse": {"when": "articles.famly = 'x'", "code": "x", "because": "x"}},
        tmp_path / "shop.yaml",
    )
    with pytest.raises(MappingError, match=r'there is no column "famly" in .*its columns are id'):
        run(rows, mapping=unknown)
    no_key = shop_mapping(
        {"lookups": {"articles": {"file": "articles.parquet", "key": "id"}}},
        tmp_path / "shop.yaml",
    )
    with pytest.raises(MappingError, match=r'there is no column "id" in .*export1\.csv'):
        run(rows, mapping=no_key)


def test_files_of_codes_are_found_beside_the_rows_too(
    run: Callable[..., Any], rows_of: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "known.csv").write_text("sku\nTEA\n")
    (tmp_path / "sales.csv").write_text(rows_of({}))
    done = run(
        tmp_path / "sales.csv", changes={"known": {"sku": {"file": "known.csv", "column": "SKU"}}}
    )
    assert len(done.events) == 1


def test_packs_and_kilograms(run: Callable[..., Any], rows_of: Callable[..., str]) -> None:
    rows = rows_of({"pieces": "1.5"}, {"line": "2", "pieces": "0.3"}, {"line": "3", "pieces": "-1"})
    done = run(
        rows,
        changes={
            "event": {
                "kind": {"is": "adjusted", "reason": {"constant": "weighed"}},
                "quantity": {"column": "pieces", "factor": 12},
            }
        },
    )
    assert [event.data.quantity for event in done.events] == [18, -12]
    assert done.refusals == {"quantity_not_whole": "3.6 units are not a whole number"}


def test_every_field_of_the_contract_can_be_mapped(
    run: Callable[..., Any], rows_of: Callable[..., str]
) -> None:
    note = {"column": "note"}
    fields = ["order", "lot", "from_place", "transfer", "reason", "device", "subject"]
    fields += ["sequence", "correlationid"]
    event = {
        "kind": [
            {"is": "corrected", "when": "line = '2'"},
            {"is": "counted", "when": "line = '3'"},
            {"is": "transfer_out"},
        ],
        "line": "line",
        "to_place": "note",
        "corrects": "note",
        "device_seq": {"sql": "'00' || line"},
        **dict.fromkeys(fields, note),
    }
    odd = 'a"b\\ü\t茶\u2028🫖'
    rows = [{"note": odd}, {"line": "2", "note": odd, "pieces": ""}, {"line": "3", "pieces": "0"}]
    done = run(rows_of(*rows), changes={"event": event})
    first, second, third = done.events
    assert first.data.kind == "transfer_out"
    assert first.data.to_place == odd
    assert (first.data.line, first.data.device_seq) == ("1", 1)
    assert (first.subject, first.sequence, first.correlationid) == (odd, odd, odd)
    assert all(getattr(first.data, name) == odd for name in fields[:6] if hasattr(first.data, name))
    assert (second.data.kind, second.data.corrects, second.data.quantity) == (
        "corrected",
        odd,
        None,
    )
    assert (third.data.kind, third.data.quantity) == ("counted", 0)


@pytest.mark.parametrize(
    ("decimal", "thousands", "good", "bad"),
    [
        (
            ".",
            "",
            {"1": 1, "-3": -3, "3-": -3, "+3": 3, "1.50": 1.5, ".5": 0.5, "5.": 5, "\u22124": -4},
            ["1,5", "1e3", "0x1", "- 3", "--3", "-3-", "1 2", "", "\u0661", "nan", "9" * 19],
        ),
        (
            ",",
            ".",
            {"1.234,5": 1234.5, "12.345.678": 12345678, "1,5": 1.5, "1234": 1234, "1.234-": -1234},
            ["1.5", "1.2345", "12.34", ".123", "1,234,5"],
        ),
        (".", "'", {"1'234.5": 1234.5}, ["1'23", "1.234'5"]),
        (",", " ", {"1 234,5": 1234.5, "1\u00a0234": 1234, "1\u202f234": 1234}, ["12 34"]),
        (".", ",", {"1,234": 1234, "1,234,567.25": 1234567.25}, ["1,23", ",123", "1234,567"]),
    ],
)
def test_numbers_are_read_as_declared(
    decimal: Any, thousands: Any, good: dict[str, float], bad: list[str]
) -> None:
    connection = duckdb.connect()
    connection.execute(number_macro(Numbers(decimal=decimal, thousands=thousands)))

    def read(text: str) -> float | None:
        (value,) = connection.execute("SELECT number(?::VARCHAR)", [text]).fetchall()[0]
        return None if value is None else float(value)

    assert {text: read(text) for text in good} == good
    assert {text: read(text) for text in bad} == dict.fromkeys(bad)
    assert connection.execute("SELECT number(2.5::DOUBLE), number(3)").fetchall() == [(2.5, 3)]
