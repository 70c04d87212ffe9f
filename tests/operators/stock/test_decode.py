"""Lines to facts: every line ends as a fact, another flow's event, a blank, or with a reason."""

from __future__ import annotations

import pickle
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stock_events import NOON, Event, event, instant_text, render
from stock_garbage import GARBAGE_KINDS
from stock_strategies import PATIENT, histories, renderings

from operators.stock import decode as module
from operators.stock.decode import RAW_LIMIT, Block, Decoded, Sharder
from operators.stock.facts import Fact
from operators.stock.refusals import Refusal
from schemas.instants import parse_instant

SALE = render(event("sold", 1))
OTHER = render(event("received", 2, 1))
VISIT = b'{"specversion":"1.0","id":"1","source":"d","type":"store.visit.v1","data":{}}'
ORDER = b'{"type":"pos.order.v1"}'


def decode(*lines: bytes, shards: int = 1, first: int = 1) -> Decoded:
    return Sharder(shards).decode(Block("a.jsonl", first, len(lines), b"\n".join(lines)))


def places(decoded: Decoded) -> list[int]:
    """Numbers of the lines that became facts, in order."""
    return sorted(position for batch in decoded.batches for position in batch.positions)


def codes(decoded: Decoded) -> dict[int, str]:
    return {refusal.position: refusal.code for refusal in decoded.refusals}


def facts(decoded: Decoded) -> list[Fact]:
    return [fact for batch in decoded.batches for fact in batch.facts]


class TestGarbage:
    """Each kind by itself, in a block of its own kind, and among events."""

    @pytest.mark.parametrize("name", GARBAGE_KINDS)
    @pytest.mark.parametrize("around", [0, 2])
    def test_gives_its_reason(self, name: str, around: int) -> None:
        """Its code, its line, words for a person and the bytes as they came."""
        code, line = GARBAGE_KINDS[name]
        decoded = decode(*[SALE] * around, line, *[SALE] * around, first=11)
        [refusal] = decoded.refusals
        assert (refusal.origin, refusal.position, refusal.code) == ("a.jsonl", 11 + around, code)
        assert len(refusal.reason) > 10
        assert refusal.raw == line[:RAW_LIMIT]
        assert decoded.read[:3] == (1 + 2 * around, 2 * around, 0)

    def test_all_of_it_at_once(self) -> None:
        """No kind hides another."""
        lines = [line for _, line in GARBAGE_KINDS.values()]
        Random(1).shuffle(lines)
        wanted = {line: code for code, line in GARBAGE_KINDS.values()}
        assert codes(decode(*lines)) == {at: wanted[line] for at, line in enumerate(lines, 1)}

    def test_says_whose_event_it_was(self) -> None:
        """Where source and id can be read they are kept."""
        [refusal] = decode(render(event("sold", 0, id="17", source="till-9"))).refusals
        assert (refusal.event_source, refusal.event_id) == ("till-9", "17")
        [refusal] = decode(b"{").refusals
        assert (refusal.event_source, refusal.event_id, refusal.time) == (None, None, None)

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            (render(event("sold", 0)), "quantity: expected a whole number >= 1"),
            (SALE.replace(b'"quantity":1', b'"quantity":"1"'), "a whole number, got a text"),
            (SALE.replace(b'"quantity":1', b'"quantity":null'), "a whole number, got nothing"),
            (SALE.replace(b',"quantity":1', b""), "missing required field `quantity`"),
            (SALE.replace(b'"sold"', b'"stolen"'), "kind: invalid value 'stolen'"),
            (SALE.replace(b"+08:00", b""), "wanted: RFC 3339 like 2026-11-23T10:15:00+08:00"),
            (SALE.replace(b"movement.v1", b"movement.v2"), "this flow reads stock.movement.v1"),
            (SALE.replace(b"TEA", b"\xb2\xe8"), "export as UTF-8"),
            (SALE + SALE, "one whole event a line"),
            (b"2026-11-23,TEA,1", "one whole event a line"),
            (b"{}", "no `type`"),
        ],
    )
    def test_reason_in_words(self, line: bytes, words: str) -> None:
        """What was wrong, where, and what would be right."""
        [refusal] = decode(line).refusals
        assert words in refusal.reason

    @pytest.mark.parametrize(
        ("change", "code"),
        [
            # What a database writes for "no date", with the offset of the machine it ran on.
            ({"time": "0001-01-01T00:00:00+08:00"}, "invalid_time"),
            ({"time": "0001-01-01T00:00:00Z"}, "invalid_time"),
            ({"time": "9999-12-31T23:59:59-08:00"}, "invalid_time"),
            ({"time": "9999-12-31T23:59:59Z"}, "invalid_time"),
            ({"data": {"device_seq": 10**25}}, "invalid_event"),
            ({"data": {"device_seq": -(10**25)}}, "invalid_event"),
            ({"data": {"kind": "corrected", "corrects": "x", "quantity": 10**25}}, "invalid_event"),
        ],
    )
    @pytest.mark.parametrize("around", [0, 1])
    def test_beyond_what_can_be_kept(self, change: dict[str, Any], code: str, around: int) -> None:
        """No calendar or integer of the warehouse reaches there: such a line must stop nothing."""
        of = event("sold", 1)
        line = render({**of, **change, "data": of["data"] | change.get("data", {})})
        decoded = decode(*[SALE] * around, line, *[OTHER] * around)
        assert codes(decoded) == {1 + around: code}
        assert len(facts(decoded)) == 2 * around


class TestLines:
    def test_blank_lines_are_nothing(self) -> None:
        """They have numbers all the same."""
        decoded = decode(b"", SALE, b" \t", b"\r", b"{", b"", OTHER, b"")
        assert decoded.read == (3, 2, 0, NOON + 60_000_000)
        assert (places(decoded), codes(decoded)) == ([2, 7], {5: "not_json"})

    def test_carriage_returns(self) -> None:
        """Files from Windows, whole blocks of them and mixed ones."""
        decoded = decode(SALE + b"\r", OTHER + b"\r")
        assert (places(decoded), codes(decoded)) == ([1, 2], {})
        decoded = decode(SALE + b"\r", b"\r", b"{\r", OTHER + b" \r")
        assert (places(decoded), codes(decoded)) == ([1, 4], {3: "not_json"})

    def test_events_of_other_flows(self) -> None:
        """Counted, and no more: other flows judge them."""
        decoded = decode(VISIT, SALE, ORDER)
        assert decoded.read == (3, 1, 2, NOON)
        assert (places(decoded), codes(decoded)) == ([2], {})

    @pytest.mark.parametrize(
        "lines",
        [
            (SALE + OTHER, b""),
            (b"", SALE + OTHER),
            (SALE, SALE + OTHER, b"  "),
            (SALE + b" " + OTHER, SALE[:60], SALE[60:]),
            (SALE + OTHER, SALE[: SALE.index(b'"data":') + 7], SALE[SALE.index(b'"data":') + 7 :]),
        ],
    )
    def test_two_events_on_a_line(self, lines: tuple[bytes, ...]) -> None:
        """As many events as lines is not an event a line."""
        decoded = decode(*lines)
        together = [decode(line) for line in lines]
        wanted = {at: each.refusals[0].code for at, each in enumerate(together, 1) if each.refusals}
        assert codes(decoded) == wanted
        assert len(wanted) >= 1

    def test_unknown_fields_are_left_alone(self) -> None:
        """Whatever else an event carries, however deep."""
        line = SALE[:-1] + b',"x":' + b'{"y":' * 50 + b"1" + b"}" * 50 + b"}"
        assert facts(decode(line)) == facts(decode(SALE))


class TestFacts:
    def test_what_a_fact_holds(self) -> None:
        """Instants in microseconds; the time of recording is 0 where it was not given."""
        plain = event("counted", 3, 1, id="c")
        late = event("counted", 3, 2, id="d", recorded_at=60, zone_minutes=-300)
        one, two = facts(decode(render(plain), render(late)))
        assert (one.time, one.source, one.id, one.recorded) == (NOON + 60_000_000, "till-1", "c", 0)
        assert (two.time, two.recorded) == (NOON + 120_000_000, NOON + 3_600_000_000)
        assert one.movement == two.movement

    @PATIENT
    @given(data=st.data())
    def test_whole_blocks_and_single_lines_agree(self, data: st.DataObject) -> None:
        """The quick way through a block gives what the slow way gives line by line."""
        history: list[Event] = data.draw(histories(min_size=1))
        lines = data.draw(renderings(history))
        whole = decode(*lines, shards=3)
        single = [decode(line, shards=3, first=at) for at, line in enumerate(lines, 1)]
        found = sorted(zip(places(whole), _by_place(whole), strict=True))
        wanted = [(at, fact) for at, one in enumerate(single, 1) for fact in facts(one)]
        assert found == wanted
        reads = [(one.read.lines, one.read.events, one.read.others) for one in single]
        assert whole.read[:3] == tuple(map(sum, zip(*reads, strict=True)))

    @given(
        micros=st.integers(
            parse_instant("1971-01-01T00:00:00Z"), parse_instant("2200-01-01T00:00:00Z")
        ),
        zones=st.lists(st.integers(-1439, 1439), min_size=1, max_size=4),
    )
    def test_instants(self, micros: int, zones: list[int]) -> None:
        """Any offset, any day, one after the other in one block."""
        lines = [
            render({**event("sold", 1), "time": instant_text(micros + number, zone)})
            for number, zone in enumerate(zones)
        ]
        assert [fact.time for fact in facts(decode(*lines))] == [
            micros + number for number in range(len(zones))
        ]

    def test_newest(self) -> None:
        """The diary shows how far the stream is."""
        assert decode(b"{").read.newest is None
        assert decode(SALE, OTHER).read.newest == NOON + 60_000_000


def _by_place(decoded: Decoded) -> list[Any]:
    """Facts in the order of the lines they stood on."""
    found = [
        (position, fact)
        for batch in decoded.batches
        for position, fact in zip(batch.positions, batch.facts, strict=True)
    ]
    return [fact for _, fact in sorted(found, key=lambda pair: pair[0])]


class TestShards:
    def test_every_event_of_a_sku_in_one_shard(self) -> None:
        """The same on every machine, and spread over all of them."""
        lines = [render(event("sold", 1, sku=f"SKU-{number % 50}")) for number in range(200)]
        decoded = decode(*lines, shards=16)
        shards = {
            batch.shard: {fact.movement.sku for fact in batch.facts} for batch in decoded.batches
        }
        assert sum(map(len, shards.values())) == 50
        assert len(shards) > 10
        sharder = Sharder(16)
        assert {sku: shard for shard, skus in shards.items() for sku in skus} == {
            f"SKU-{number}": sharder.of(f"SKU-{number}") for number in range(50)
        }

    def test_shards_are_part_of_the_stored_state(self) -> None:
        """Written down, for a changed hash would look for states where they are not."""
        sharder = Sharder(16)
        assert [sharder.of(sku) for sku in ("TEA", "CUP", "SKU-0001", "深圳", "🍵")] == [
            8,
            14,
            6,
            12,
            3,
        ]

    def test_forgets_where_skus_belong(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """More SKUs than it remembers are looked up again, with the same answer."""
        monkeypatch.setattr(module, "KNOWN_SKUS", 3)
        lines = [render(event("sold", 1, sku=f"SKU-{number}")) for number in range(20)] * 2
        decoded = decode(*lines, shards=4)
        assert len(facts(decoded)) == 40
        for batch in decoded.batches:
            assert {Sharder(4).of(fact.movement.sku) for fact in batch.facts} == {batch.shard}

    def test_crosses_processes(self) -> None:
        """A batch is packed on the way and is the same on the other side."""
        [batch] = decode(SALE, OTHER, first=5).batches
        again = pickle.loads(pickle.dumps(batch))
        assert (again.shard, again.origin, again.positions, again.facts) == (
            batch.shard,
            batch.origin,
            batch.positions,
            batch.facts,
        )


def test_refusal_is_plain() -> None:
    """It crosses processes too."""
    [refusal] = decode(b"{").refusals
    again: object = pickle.loads(pickle.dumps(refusal))
    assert (type(again), again) == (Refusal, refusal)
