"""`tillflow transfers` on a warehouse file, as a manager uses it."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result
from small_warehouse import position

from flows.settings import load_chain
from infra.cli import main
from schemas.warehouse import STOCK_POSITION
from sinks.warehouse.client import Warehouse

RULES = """
transfers:
  min_net_benefit: 100
  terms: [{unit_margin: 1000, sku: "TEA-*"}, {unit_margin: 0}]
  routes: [{fixed_cost: 100, unit_cost: 10}]
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Tea: one place with plenty, one with nothing, one oversold; coffee that earns nothing."""
    rows = [
        position("TEA", "A", 90, rate=0.5),
        position("TEA-1", "A", 90, rate=1.0),
        position("TEA-1", "B", 0, rate=1.0),
        position("TEA-1", "C", 1, rate=1.0, allocated=3),
        position("COFFEE", "A", 90),
        position("COFFEE", "B", 0),
    ]
    warehouse = Warehouse(tmp_path / "shop.duckdb")
    warehouse.upsert(STOCK_POSITION, pa.Table.from_pylist(rows, schema=STOCK_POSITION.arrow()))
    warehouse.close()
    (tmp_path / "chain.yaml").write_text(RULES, encoding="utf-8")
    return tmp_path / "shop.duckdb"


def call(path: Path, *arguments: str) -> Result:
    more = ["--warehouse", str(path)]
    if arguments[0] != "list":
        more += ["--config", str(path.parent / "chain.yaml")]
    return CliRunner().invoke(main, ["transfers", *arguments, *more])


def done(path: Path, *arguments: str) -> str:
    result = call(path, *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def objects(path: Path, *arguments: str) -> list[dict[str, Any]]:
    found = json.loads(done(path, *arguments, "--format", "json"))
    assert isinstance(found, list)
    return found


def test_a_plan_is_kept_and_shown_promises_first(path: Path) -> None:
    found = objects(path, "plan")
    assert [(one["from_place"], one["to_place"]) for one in found] == [("A", "C"), ("A", "B")]
    assert [one["mode"] for one in found] == ["reactive", "proactive"]
    assert found[0]["reason_codes"][0] == "promise_at_risk"
    assert objects(path, "list") == found
    # Planned again: the same list, not another one.
    assert objects(path, "plan") == found
    lines = list(csv.DictReader(io.StringIO(done(path, "list", "--format", "csv"))))
    assert [line["suggestion"] for line in lines] == [one["suggestion"] for one in found]
    assert list(lines[0]) == list(found[0])
    shown = done(path, "list")
    assert "TEA-1/A>C/" in shown
    assert "promise at risk" in shown
    assert "2 transfers of" in shown


def test_answers_change_the_state_and_are_remembered(path: Path) -> None:
    reactive, proactive = (one["suggestion"] for one in objects(path, "plan"))
    said = done(path, "accept", reactive, "--transfer", "T-1", "--by", "Li")
    assert said.startswith(f"{reactive}: accepted, to leave before 2026-11-25")
    assert done(path, "reject", proactive, "--reason", "stock take") == f"{proactive}: rejected\n"
    (kept,) = objects(path, "list")
    assert (kept["suggestion"], kept["status"], kept["transfer"]) == (reactive, "accepted", "T-1")
    # The refused pair of places is left in peace, the accepted units are not promised again.
    assert [one["suggestion"] for one in objects(path, "plan")] == [reactive]
    assert len(objects(path, "list", "--status", "all")) == 2
    late = done(path, "plan", "--at", "2026-11-26T12:30:00Z", "--format", "json")
    assert {one["from_place"] for one in json.loads(late)} == {"A"}
    (expired,) = objects(path, "list", "--status", "expired")
    assert expired["suggestion"] == reactive


def test_what_is_wrong_is_said_in_words(path: Path, tmp_path: Path) -> None:
    first = objects(path, "plan")[0]["suggestion"]
    done(path, "reject", first)
    over = call(path, "accept", first)
    assert over.exit_code == 1
    assert "is rejected since" in over.output
    unknown = call(path, "accept", "TEA-1/A>X/9")
    assert "near it are TEA-1/A>" in unknown.output
    assert "not an RFC 3339" in call(path, "plan", "--at", "noon").output
    nowhere = CliRunner().invoke(
        main, ["transfers", "list", "--warehouse", str(tmp_path / "none.duckdb")]
    )
    assert "run a flow first" in nowhere.output
    assert not (tmp_path / "none.duckdb").exists()
    empty = Warehouse(tmp_path / "empty.duckdb")
    empty.close()
    assert "holds no positions" in call(tmp_path / "empty.duckdb", "plan").output
    (tmp_path / "chain.yaml").write_text("transfers: {mode: sideways}", encoding="utf-8")
    assert "mode" in call(path, "plan").output


def test_nothing_to_move_is_said(path: Path) -> None:
    (path.parent / "chain.yaml").write_text("transfers: {min_net_benefit: 900000}", "utf-8")
    assert done(path, "plan") == "no transfers\n"


def test_the_configuration_of_the_guide_is_one(tmp_path: Path) -> None:
    guide = Path(__file__).parents[2] / "docs" / "transfers.md"
    text = guide.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "chain.yaml").write_text(text, encoding="utf-8")
    config = load_chain(tmp_path / "chain.yaml").transfers
    assert (config.within, config.terms[0].pack, config.routes[1].allowed) == ("pool", 6, False)
