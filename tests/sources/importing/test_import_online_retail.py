"""The shipped mapping of the UCI "Online Retail" layout, on rows with the traps of the real one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.importing.mapping import load_mapping

HEAD = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
# One line, and what becomes of it: (kind, sku, quantity, reason) or the code of the refusal.
LINES: list[tuple[str, tuple[str, str, int, str | None] | str]] = [
    (
        "536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,17850,UK",
        ("sold", "85123A", 6, None),
    ),
    (
        "536365,84029g,KNITTED UNION FLAG HOT WATER BOTTLE,6,2010-12-01 08:26:00,3.39,17850.0,UK",
        ("sold", "84029G", 6, None),
    ),
    ("536370,POST,POSTAGE,3,12/1/2010 8:45,18,12583,France", "not_goods"),
    ("536544,DOT,DOTCOM POSTAGE,1,12/1/2010 14:32,569.77,,UK", "not_goods"),
    ("C536379,D,Discount,-1,12/1/2010 9:41,27.5,14527,UK", "not_goods"),
    ("C536543,M,Manual,-1,12/1/2010 14:30,11.02,17841,UK", "not_goods"),
    ("537434,BANK CHARGES,Bank Charges,1,12/6/2010 16:57,15,,UK", "not_goods"),
    ("C537600,AMAZONFEE,AMAZON FEE,-1,12/7/2010 12:41,1,,UK", "not_goods"),
    ("544590,CRUK,CRUK Commission,-1,2/21/2011 16:42,1,14096,UK", "not_goods"),
    ("A563185,B,Adjust bad debt,1,8/12/2011 14:50,11062.06,,UK", "not_goods"),
    (
        "544650,gift_0001_20,Dotcomgiftshop Gift Voucher 20.00,1,2/22/2011 17:45,17.02,,UK",
        "not_goods",
    ),
    (
        "539492,DCGS0003,BOXED GLASS ASHTRAY,1,12/20/2010 10:14,2.51,,UK",
        ("sold", "DCGS0003", 1, None),
    ),
    (
        'C536383,35004C,"SET OF 3 COLOURED  FLYING DUCKS",-1,12/1/2010 9:49,4.65,15311,UK',
        ("returned", "35004C", 1, None),
    ),
    ("C536384,35004C,FLYING DUCKS,1,12/1/2010 9:50,4.65,15311,UK", "quantity_negative"),
    ("536589,21777,,-10,12/1/2010 16:50,0,,UK", ("adjusted", "21777", -10, "unexplained")),
    ("537032,21275,?,-30,12/3/2010 16:50,0.0,,UK", ("adjusted", "21275", -30, "unexplained")),
    (
        '540119,22865,"wet, mouldy",-57,1/5/2011 10:07,0,,UK',
        ("adjusted", "22865", -57, "damaged"),
    ),
    ("541010,22423,smashed,-9,1/13/2011 10:07,0,,UK", ("adjusted", "22423", -9, "damaged")),
    (
        "541011,22423,thrown away,-9,1/13/2011 10:07,0,,UK",
        ("adjusted", "22423", -9, "damaged"),
    ),
    ("541012,22423,missing,-2,1/13/2011 10:07,0,,UK", ("adjusted", "22423", -2, "lost")),
    ("541013,22423,lost??,-2,1/13/2011 10:07,0,,UK", ("adjusted", "22423", -2, "lost")),
    ("541014,22423,Found,25,1/13/2011 10:07,0,,UK", ("adjusted", "22423", 25, "found")),
    ("541015,22423,FOUND,25,1/13/2011 10:07,0,,UK", ("adjusted", "22423", 25, "found")),
    ("541016,22423,check,4,1/13/2011 10:07,0,,UK", ("adjusted", "22423", 4, "counted")),
    (
        "541017,22423,amazon adjust,4,1/13/2011 10:07,0,,UK",
        ("adjusted", "22423", 4, "miscoded"),
    ),
    (
        "537197,22841,ROUND CAKE TIN VINTAGE GREEN,1,12/5/2010 14:02,0,12647,Germany",
        ("sold", "22841", 1, None),
    ),
    ("541109,22384,LUNCH BAG PINK POLKADOT,1,1/13/2011 15:10,0,,UK", ("sold", "22384", 1, None)),
    ("541020,22423,REGENCY CAKESTAND 3 TIER,0,1/13/2011 10:07,12.75,13426,UK", "quantity_zero"),
    (
        "541021,22423,REGENCY CAKESTAND 3 TIER,-3,1/13/2011 10:07,12.75,13426,UK",
        "quantity_negative",
    ),
    (
        '581483,23843,"PAPER CRAFT , LITTLE BIRDIE",80995,12/9/2011 9:15,2.08,16446,UK',
        ("sold", "23843", 80995, None),
    ),
    ("541022,22423,CAKESTAND,3,27/3/2011 1:30,12.75,13426,UK", "time_unreadable"),
    ("541023,22423,CAKESTAND,3,3/27/2011 1:30,12.75,13426,UK", "time_in_gap"),
    ("541024,22423,CAKESTAND,3,1/1/2012 0:00,12.75,13426,UK", "time_after_ceiling"),
    ("541025,22423,CAKESTAND,3,1/13/2011 10:07,12.75,13426", "ragged_row"),
]
TWICE = "536409,21866,UNION JACK FLAG LUGGAGE TAG,1,12/1/2010 11:45,1.25,17908,UK\n"


@pytest.fixture
def sample() -> str:
    return HEAD + "".join(f"{line}\n" for line, _ in LINES) + TWICE * 2


def test_each_trap_is_seen(run: Callable[..., Any], sample: str) -> None:
    done = run(sample, mapping=load_mapping("online_retail"))
    found = {
        event.data.order: (
            event.data.kind,
            event.data.sku,
            event.data.quantity,
            getattr(event.data, "reason", None),
        )
        for event in done.events
    }
    refused = {
        (row["InvoiceNo"] or row["tillflow_raw"].split(",")[0]): row["tillflow_code"]
        for row in done.quarantine
    }
    for line, fate in LINES:
        invoice = line.split(",")[0]
        if invoice == "536365":
            continue
        assert (found.get(invoice) or refused.get(invoice)) == fate, line
    assert sum(isinstance(fate, tuple) for _, fate in LINES) + 1 == len(done.events)
    assert {event.data.place for event in done.events} == {"warehouse"}
    assert refused["536409"] == "duplicate_row"
    assert done.report.duplicates.dropped == 1
    assert {kind.kind: kind.units for kind in done.report.kinds} == {
        "sold": 81011,
        "returned": 1,
        "adjusted": -61,
    }


def test_both_notations_of_dates_are_one_instant(run: Callable[..., Any], sample: str) -> None:
    done = run(sample, mapping=load_mapping("online_retail"))
    first = [event for event in done.events if event.data.order == "536365"]
    assert [event.data.sku for event in first] == ["85123A", "84029G"]
    assert {done.times[event.id] for event in first} == {"2010-12-01T08:26:00Z"}


def test_summer_time_of_london(run: Callable[..., Any]) -> None:
    line = "550000,85123A,HEART,1,6/1/2011 12:00,1,17850,UK\n"
    done = run(HEAD + line, mapping=load_mapping("online_retail"))
    assert list(done.times.values()) == ["2011-06-01T11:00:00Z"]


def test_customers_leave_no_trace(run: Callable[..., Any], sample: str) -> None:
    mapping = load_mapping("online_retail")
    one = run(sample, mapping=mapping)
    two = run(sample.replace("17850", "99999"), mapping=mapping)
    assert one.lines == two.lines
    assert not any(b"17850" in line for line in one.lines)
    (column,) = [each for each in one.report.columns if each.column == "CustomerID"]
    assert (column.shown, column.examples, column.smallest) == (False, [], None)
    assert column.empty == sum(",,UK" in line for line, _ in LINES)


def test_pounds_in_latin_1(run: Callable[..., Any]) -> None:
    line = "550000,85123A,£1 HEART,1,6/1/2011 12:00,1,17850,UK\n"
    done = run((HEAD + line).encode("latin-1"), mapping=load_mapping("online_retail"))
    assert done.report.events_out == 1
    assert done.report.files[0].encoding == "latin-1"


def test_the_same_rows_as_typed_parquet(run: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "online_retail.parquet"
    table = pa.table(
        {
            "InvoiceNo": ["536365", "C536383", "536589"],
            "StockCode": ["85123A", "35004C", "21777"],
            "Description": ["HEART", "DUCKS", None],
            "Quantity": [6, -1, -10],
            "InvoiceDate": [datetime(2010, 12, 1, 8, 26)] * 3,  # noqa: DTZ001
            "UnitPrice": [2.55, 4.65, 0.0],
            "CustomerID": [17850.0, 15311.0, None],
            "Country": ["UK"] * 3,
        }
    )
    pq.write_table(table, path)
    done = run(path, mapping=load_mapping("online_retail"))
    assert [(event.data.kind, event.data.quantity) for event in done.events] == [
        ("sold", 6),
        ("returned", 1),
        ("adjusted", -10),
    ]
