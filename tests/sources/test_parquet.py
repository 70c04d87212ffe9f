"""Events from Parquet: the same lines as from JSON, once each, wherever reading was cut off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from operators.stock.decode import Block, Sharder
from sources.blocks import BlockReader
from sources.files import SourceError, find_files

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
DATA = {"kind": "sold", "sku": "TEA", "place": "S1", "quantity": 2}
EXAMPLES = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def event(number: int, **more: Any) -> dict[str, Any]:
    given = {"specversion": "1.0", "id": f"e{number}", "source": "till-1"}
    return {**given, "type": "stock.movement.v1", "time": NOON, "data": DATA, **more}


def write(path: Path, events: list[dict[str, Any]], group: int = 1_000) -> Path:
    pq.write_table(pa.Table.from_pylist(events), path, row_group_size=group)
    return path


def blocks(reader: BlockReader) -> Iterator[Block]:
    while (block := reader.next_block()) is not None:
        yield block


def lines(reader: BlockReader) -> list[tuple[int, dict[str, Any]]]:
    found: list[tuple[int, dict[str, Any]]] = []
    for block in blocks(reader):
        parts = block.lines.split(b"\n")
        assert len(parts) == block.total
        found += [(block.first + at, msgspec.json.decode(line)) for at, line in enumerate(parts)]
    return found


class TestRows:
    def test_nulls_are_not_there(self, tmp_path: Path) -> None:
        """A column that another event needs is no attribute of this one."""
        counted = {"kind": "counted", "sku": "TEA", "place": "S1", "quantity": 5, "order": None}
        sold = {**DATA, "order": "o-1"}
        path = write(tmp_path / "a.parquet", [event(1, data=counted), event(2, data=sold)])
        [(_, first), (_, second)] = lines(BlockReader(str(path)))
        assert first["data"] == {name: what for name, what in counted.items() if what is not None}
        assert second["data"] == sold
        assert first["time"] == "2026-11-23T04:00:00Z"

    def test_data_as_text(self, tmp_path: Path) -> None:
        """JSON in a column of text, on several lines too."""
        text = '{\n "kind": "sold", "sku": "TEA",\n "place": "S1", "quantity": 2}'
        path = write(tmp_path / "a.parquet", [event(1, data=text), event(2, data="{no")])
        [(_, good), (_, bad)] = lines(BlockReader(str(path)))
        assert good["data"] == DATA
        assert bad["data"] == "{no"

    def test_a_bad_row_is_told_with_its_number(self, tmp_path: Path) -> None:
        rows = [event(1), event(2, data={**DATA, "quantity": -2}), event(3)]
        [block] = blocks(BlockReader(str(write(tmp_path / "a.parquet", rows))))
        decoded = Sharder(4).decode(block)
        assert [len(batch.facts) for batch in decoded.batches] == [2]
        [refusal] = decoded.refusals
        assert (refusal.position, refusal.event_id) == (2, "e2")

    def test_beside_lines(self, tmp_path: Path) -> None:
        """A folder may hold both."""
        write(tmp_path / "b.parquet", [event(2)])
        (tmp_path / "a.jsonl").write_bytes(msgspec.json.encode(event(1)) + b"\n")
        (tmp_path / "notes.txt").write_text("no events")
        assert [path.name for path in find_files(str(tmp_path))] == ["a.jsonl", "b.parquet"]
        found = [line["id"] for _, line in lines(BlockReader(str(tmp_path)))]
        assert found == ["e1", "e2"]


class TestPositions:
    @EXAMPLES
    @given(st.integers(0, 60), st.integers(1, 25), st.integers(1, 16), st.integers(0, 8))
    def test_cut_anywhere(
        self, tmp_path: Path, rows: int, group: int, size: int, before: int
    ) -> None:
        """Whatever groups and blocks there are: every row once, with its number."""
        path = tmp_path / "a.parquet"
        pq.write_table(
            pa.table({"id": [f"e{number}" for number in range(1, rows + 1)]}),
            path,
            row_group_size=group,
        )
        first = BlockReader(str(path), block_bytes=size * 256)
        found = [first.next_block() for _ in range(before)]
        read = sum(block.total for block in found if block is not None)
        second = BlockReader(str(path), first.positions(), block_bytes=size * 256)
        assert lines(second) == [(at, {"id": f"e{at}"}) for at in range(read + 1, rows + 1)]

    def test_replaced(self, tmp_path: Path) -> None:
        """Another file under an old name is read from its start."""
        path = write(tmp_path / "a.parquet", [event(1), event(2)])
        reader = BlockReader(str(path))
        assert len(lines(reader)) == 2
        write(path, [event(3), event(4), event(5)])
        again = BlockReader(str(path), reader.positions())
        assert [line["id"] for _, line in lines(again)] == ["e3", "e4", "e5"]


class TestDamage:
    def test_no_parquet(self, tmp_path: Path) -> None:
        path = tmp_path / "a.parquet"
        path.write_bytes(b'{"specversion":"1.0"}\n')
        with pytest.raises(SourceError, match=r"a\.parquet cannot be read as Parquet"):
            BlockReader(str(path)).next_block()

    def test_in_the_middle(self, tmp_path: Path) -> None:
        """Says behind which row."""
        path = write(tmp_path / "a.parquet", [event(at) for at in range(3_000)])
        whole = bytearray(path.read_bytes())
        whole[40:2_000] = b"\xff" * 1_960
        path.write_bytes(whole)
        with pytest.raises(SourceError, match=r"after row \d+"):
            list(blocks(BlockReader(str(path))))
