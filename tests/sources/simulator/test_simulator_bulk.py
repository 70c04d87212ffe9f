"""The fast generator: exact counts, every line readable, the same bytes again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import MovementEvent
from schemas.instants import to_micros
from schemas.movement import Allocated, Shipped
from sources.simulator.bulk import write_bulk

DECODER = msgspec.json.Decoder(MovementEvent)


@given(
    movements=st.integers(0, 3_000),
    pairs=st.integers(1, 400),
    seed=st.integers(0, 9),
    duplicates=st.sampled_from([0.0, 0.01, 0.3]),
)
@settings(max_examples=25, deadline=None)
def test_counts_are_exact_and_every_line_decodes(
    tmp_path_factory: pytest.TempPathFactory,
    movements: int,
    pairs: int,
    seed: int,
    duplicates: float,
) -> None:
    path = tmp_path_factory.mktemp("bulk") / "bulk.jsonl"
    write_bulk(path, movements, pairs, seed, 0.5, duplicates)
    lines = path.read_bytes().splitlines()
    events = [DECODER.decode(line) for line in lines]
    assert len(events) == movements
    assert len({(e.data.sku, e.data.place) for e in events}) == min(movements, pairs)
    repeated = int((movements - min(movements, pairs)) * duplicates)
    assert len(set(lines)) == len({(e.source, e.id) for e in events}) == movements - repeated
    first = list({e.id: e for e in events}.values())
    times = [to_micros(e.time) for e in first]
    assert times == sorted(times)
    if times:
        assert times[-1] - times[0] <= 43_200_000_000
    claims: Counter[str] = Counter()
    for event in first:
        if isinstance(event.data, Allocated):
            claims[event.data.order or ""] += event.data.quantity
        elif isinstance(event.data, Shipped):
            claims[event.data.order or ""] -= event.data.quantity
    assert all(left >= 0 for left in claims.values())


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_bulk(tmp_path / name, 20_000, 100, 3)
    write_bulk(tmp_path / "c", 20_000, 100, 4)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_refuses_what_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pairs 0 1 or more"):
        write_bulk(tmp_path / "x", 10, 0, 1)
