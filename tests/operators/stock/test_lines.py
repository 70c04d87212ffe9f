"""Lines taken place by place: the same state as fact by fact, in any blocks."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_driver import Kept, drive
from stock_events import Event, event, random_history, render_lines
from stock_garbage import GARBAGE_KINDS
from stock_strategies import PATIENT, histories, wide_histories

from operators.stock import decode as decoding
from operators.stock import facts, identities, kept_lines
from operators.stock import lines as lines_module
from operators.stock.decode import Block, Sharder
from operators.stock.facts import Batch, unpack_fact
from operators.stock.ledger import StockLedger
from operators.stock.lines import LineBatch
from operators.stock.rules import StockRules
from operators.stock.shard import StockShard
from operators.stock.taking import FactTaker
from schemas.chain import Chain, StockConfig, StockRule

CHAIN = Chain(stock=StockConfig(rules=(StockRule(place="S2", safety_stock=20),)))
NEVER = 1_000_000


@pytest.fixture(autouse=True, scope="module")
def always_sorted() -> Iterator[None]:
    """However few lines there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "FEWEST_AT_ONCE", 1)
        patch.setattr(decoding, "FEWEST_SORTED", 1)
        yield


def decode(lines: list[bytes], shards: int = 1) -> list[Batch]:
    block = Block("a.jsonl", 1, len(lines), b"\n".join(lines))
    return Sharder(shards).decode(block).batches


def one_by_one(lines: list[bytes], size: int) -> Kept:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "FEWEST_AT_ONCE", NEVER)
        return drive(lines, CHAIN, size=size)


@PATIENT
@given(history=st.one_of(histories(), wide_histories()), size=st.integers(1, 40))
def test_as_fact_by_fact(history: list[Event], size: int) -> None:
    """Positions, alerts, dead letters and their reasons, duplicates: no difference."""
    lines = render_lines(history)
    assert drive(lines, CHAIN, size=size) == one_by_one(lines, size)


def test_a_long_history() -> None:
    """With late events, corrections and counts among thousands that only add up."""
    lines = render_lines(random_history(5, 6_000, skus=8, late_hours=3), 5)
    assert drive(lines, CHAIN, size=1_500) == one_by_one(lines, 1_500)


def test_what_only_adds_up_is_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No fact is made of it, and a line that came twice is counted once and left out."""
    ledger = StockLedger(StockRules(Chain()))
    first = event("received", 1_000)
    [batch] = decode(render_lines([first, event("allocated", 9, 0.5, order="W0")]))
    ledger.apply(batch, None)
    trade = [event(kind, 2, at) for at, kind in enumerate(("sold", "returned", "sold"), 1)]
    trade += [event("allocated", 5, 5, order="W1"), event("shipped", 3, 6, order="W1")]
    [batch] = decode(render_lines([*trade, trade[1], first]))
    monkeypatch.delattr(FactTaker, "_advance")
    changes = ledger.apply(batch, None)
    assert (changes.totals.applied, changes.totals.duplicates) == (5, 2)
    columns = ledger.take_rows().positions
    assert [column[0] for column in columns[3:7]] == [993, 11, 2, 0]


@PATIENT
@given(history=histories(min_size=1), cut=st.integers(0, 24))
def test_journal_of_lines(history: list[Event], cut: int) -> None:
    """Its entries bring about the rows of the run itself, whatever the order they were taken in."""
    rules = StockRules(CHAIN)
    shard = StockShard(rules, journaled=True)
    again = StockShard(rules, journaled=True)
    base = shard.dump()
    again.restore(*base)
    for part in (history[:cut], history[cut:]):
        if part:
            shard.apply(decode(render_lines(part)), 2**60)
            again.replay(shard.journal_entry())
    assert rows(again) == rows(shard)


def rows(shard: StockShard) -> list[tuple[object, ...]]:
    return sorted(row for out in shard.flush() for row in zip(*out.positions, strict=True))


def test_batches_of_lines() -> None:
    """Facts in the order of arrival, where they stood, and across processes."""
    lines = render_lines([event("sold", 1, at, sku=f"SKU-{at % 17}") for at in range(300)])
    batches = decode(lines, shards=4)
    found = {}
    for batch in batches:
        assert isinstance(batch, LineBatch)
        assert list(batch.positions) == sorted(batch.positions)
        assert batch.sku_names() == {fact.movement.sku for fact in batch.facts}
        again = pickle.loads(pickle.dumps(batch))
        assert (again.shard, again.positions, again.facts) == (
            batch.shard,
            batch.positions,
            batch.facts,
        )
        for row, fact in zip(batch.rows(), batch.facts, strict=True):
            where = batch.where(row)
            found[where.position] = batch.record(row)
            assert (where.origin, batch.fact(row)) == ("a.jsonl", fact)
    assert [found[at] for at in sorted(found)] == lines


def test_blocks_together() -> None:
    """What is no event among them, a gap and another file cut them; each line keeps its number."""
    lines = render_lines([event("sold", 1, at) for at in range(12)])
    garbage = GARBAGE_KINDS["truncated"][1] if "truncated" in GARBAGE_KINDS else b"{"
    blocks = [
        Block("a", 1, 3, b"\n".join(lines[:3])),
        Block("a", 4, 2, b"\n".join(lines[3:5])),
        Block("a", 6, 3, b"\n".join([lines[5], garbage, lines[6]])),
        Block("a", 9, 2, b"\n".join(lines[7:9])),
        Block("b", 1, 3, b"\n".join(lines[9:])),
    ]
    decoded = Sharder(1).decode(*blocks)
    assert [(refusal.origin, refusal.position) for refusal in decoded.refusals] == [("a", 7)]
    assert [(batch.origin, list(batch.positions)) for batch in decoded.batches] == [
        ("a", [1, 2, 3, 4, 5]),
        ("a", [6, 8]),
        ("a", [9, 10]),
        ("b", [1, 2, 3]),
    ]
    assert decoded.read[:3] == (13, 12, 0)
    assert Sharder(1).decode()[:3] == ([], [], (0, 0, 0, None))


@pytest.mark.parametrize("key", [b"time", b"ti\\u006de"])
def test_a_time_told_twice(key: bytes) -> None:
    """The last one counts, as with all else, and the line can be read again when it has to be."""
    line, plain = render_lines([event("sold", 1, 1), event("received", 9)])
    twice = line.replace(b'"data"', b'"x":1,"data"').replace(b'{"', b'{"%s":"?","' % key, 1)
    [batch] = decode([twice, plain])
    assert isinstance(batch, LineBatch)
    assert [unpack_fact(batch.record(row)) for row in batch.rows()] == batch.facts
    lines = [plain, twice, *render_lines([event("counted", 5, 0.5)])]
    found = drive(lines, CHAIN, size=1, reopen_at=frozenset({2}))
    assert found == one_by_one(lines, 1)
    assert (found.dead_letters, found.positions["TEA", "S1"]["on_hand"]) == ({}, 4)


def test_other_identities_of_one_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hash leads to is compared: with few of them nothing is taken for a repetition."""
    history = random_history(7, 400, skus=3, late_hours=3)
    lines = render_lines(history)
    expected = one_by_one(lines, 80)
    for module in (facts, identities, kept_lines, lines_module):
        monkeypatch.setattr(module, "hash", lambda of: len(of) % 3 - 1, raising=False)
    assert drive(lines, CHAIN, size=80) == expected
    assert one_by_one(lines, 80) == expected


def test_long_lines_are_packed() -> None:
    """What else they hold is not kept for two days."""
    line = render_lines([event("sold", 1)])[0]
    fat = line[:-1] + b',"note":"' + b"x" * 2_000 + b'"}'
    [batch] = decode([fat])
    assert not isinstance(batch, LineBatch)
    assert len(batch.record(0)) < len(line)
