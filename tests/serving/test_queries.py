"""The ready answers against what stands in the warehouse."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest
from small_warehouse import NEWEST, small_warehouse

from serving.queries import Queries, QueryError, open_queries
from sinks.warehouse.client import Warehouse


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_warehouse(tmp_path_factory.mktemp("warehouse") / "shop.duckdb")


@pytest.fixture
def queries(path: Path) -> Iterator[Queries]:
    with open_queries(path) as opened:
        yield opened


def test_a_sku_over_the_places_those_in_need_first(queries: Queries) -> None:
    found = queries.places("TEA-GREEN").objects()
    assert [(row["place"], row["available"]) for row in found] == [
        ("S2", -2),
        ("S1", 12),
        ("W1", 40),
    ]
    assert found[0]["as_of"] == NEWEST
    assert found[0]["as_of"].utcoffset() == timedelta(0)


def test_pools_sum_what_can_be_promised_and_what_is_short(queries: Queries) -> None:
    found = queries.pools("TEA-GREEN").objects()
    assert [(row["pool"], row["places"], row["available"], row["short"]) for row in found] == [
        ("all", 2, 12, 2),
        ("far", 1, 40, 0),
    ]
    assert found[1]["days_of_cover"] is None


def test_an_unknown_sku_names_those_near_it(queries: Queries) -> None:
    with pytest.raises(QueryError, match="TEA-GREN; near it are TEA-GREEN, TEA-BLACK"):
        queries.places("TEA-GREN")
    with pytest.raises(QueryError, match="near it are TEA-BLACK, TEA-GREEN"):
        queries.pools("tea")


def test_alerts_come_worst_first(queries: Queries) -> None:
    found = queries.alerts().objects()
    assert [(row["severity"], row["shortfall"]) for row in found] == [
        ("critical", 5),
        ("critical", 2),
        ("high", 1),
        ("warning", 9),
    ]
    assert all(row["status"] != "cleared" for row in found)
    assert len(queries.alerts(only_open=False).rows) == 5
    assert len(queries.alerts(limit=2).rows) == 2


def test_alerts_by_type_place_and_sku(queries: Queries) -> None:
    def picked(**by: str) -> list[tuple[str, str, str]]:
        return [
            (row["alert_type"], row["sku"], row["place"])
            for row in queries.alerts(**by).objects()  # type: ignore[arg-type]
        ]

    assert picked(alert_type="oversell", sku="TEA-GREEN") == [("oversell", "TEA-GREEN", "S2")]
    assert picked(place="S1") == [("below_safety_stock", "TEA-BLACK", "S1")]
    assert picked(place="W1") == []
    with pytest.raises(QueryError, match="no position of place S3; near it are"):
        picked(place="S3")
    with pytest.raises(QueryError, match="no position of SKU MILK"):
        picked(sku="MILK")


def test_an_alert_names_the_claim_or_else_the_event_that_broke_the_floor(queries: Queries) -> None:
    worst = queries.alerts().objects()[0]
    assert worst["broke_floor"]["claim"] == "sale"
    assert worst["claims"][0]["order"] == "o7"
    (cleared,) = queries.alerts(only_open=False, alert_type="stock_out").objects()
    assert cleared["broke_floor"] == cleared["evidence"][0]


def test_cover_is_of_what_sells_now(queries: Queries) -> None:
    found = queries.cover().objects()
    assert [(row["sku"], row["place"]) for row in found] == [
        ("TEA-GREEN", "S2"),
        ("TEA-BLACK", "S1"),
        ("TEA-GREEN", "S1"),
    ]
    assert [row["place"] for row in queries.cover(place="S1", limit=1).objects()] == ["S1"]
    assert len(queries.cover(least_rate=0.01).rows) == 4


def test_dead_letters_by_reason_and_as_examples(queries: Queries) -> None:
    assert [row[:4] for row in queries.dead_letter_reasons().rows] == [
        ("not_json", 3, "events.jsonl", 3),
        ("too_late", 1, "events.jsonl", 5),
    ]
    assert [row["position"] for row in queries.dead_letters(each=2).objects()] == [3, 7, 5]
    assert [row["position"] for row in queries.dead_letters(reason="not_json").objects()] == [
        3,
        7,
        9,
    ]
    with pytest.raises(QueryError, match="there are not_json, too_late"):
        queries.dead_letters(reason="nonsense")


def test_runs_the_latest_first(queries: Queries) -> None:
    assert [row["run"] for row in queries.runs().objects()] == ["two", "one"]


def test_summary_counts_everything(queries: Queries) -> None:
    found = {(row["figure"], row["of"]): row["value"] for row in queries.summary().objects()}
    assert found == {
        ("positions", None): 6,
        ("places", None): 3,
        ("skus", None): 3,
        ("open_alerts", None): 4,
        ("open_alerts", "oversell"): 2,
        ("open_alerts", "negative_on_hand"): 1,
        ("open_alerts", "below_safety_stock"): 1,
        ("dead_letters", None): 4,
        ("dead_letters", "not_json"): 3,
        ("dead_letters", "too_late"): 1,
        ("newest_event", None): NEWEST,
    }


def test_an_empty_warehouse_answers_too(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    Warehouse(path).close()
    with open_queries(path) as queries:
        assert queries.alerts().rows == []
        assert queries.runs().rows == []
        assert queries.summary().objects()[-1]["value"] is None
        with pytest.raises(QueryError, match="no positions yet"):
            queries.places("TEA")
        with pytest.raises(QueryError, match="there are none at all"):
            queries.dead_letters(reason="not_json")


def test_no_warehouse_says_what_to_run(tmp_path: Path) -> None:
    with (
        pytest.raises(QueryError, match="tillflow run stock"),
        open_queries(tmp_path / "no.duckdb"),
    ):
        pass


def test_a_file_that_is_no_warehouse(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("milk, bread")
    with pytest.raises(QueryError, match="cannot be used as a warehouse"), open_queries(text):
        pass
    other = tmp_path / "other.duckdb"
    duckdb.connect(str(other)).close()
    with (
        pytest.raises(QueryError, match="no warehouse of this tillflow"),
        open_queries(other) as opened,
    ):
        opened.runs()


def test_a_flow_that_is_writing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "busy.duckdb"
    Warehouse(path).close()
    code = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        try:
            with pytest.raises(QueryError, match=rf"a flow is writing .*process {writer.pid}"):
                open_queries(path).__enter__()
        finally:
            writer.terminate()
