"""What a real gate tells comes to the rows of its holds, in whatever order it is read."""

from __future__ import annotations

from random import Random

from gate_support import MakeGate, position

from operators.records import Record, RecordBlock
from operators.stock.decode import Sharder
from operators.stock.decode_records import RecordDecoder
from schemas.reservation_tables import RESERVATION
from serving.keeper.events import relayed
from sinks.redis.model import HoldLine
from sinks.warehouse.tuple_rows import newest_rows


def test_rows_are_what_the_gate_answers(make_gate: MakeGate) -> None:
    """Held, extended, paid, given back, lapsed, moved: state, units, number and end are its own."""
    gate = make_gate()
    gate.project([position("tea", "P1", 300), position("tea", "P2", 300)])
    rng = Random(1)
    names = [f"r{number}" for number in range(60)]
    for name in names:
        ttl_seconds = 0.001 if rng.randrange(6) == 0 else 600
        gate.hold(name, [HoldLine("tea", 2, "P1")], ttl_seconds=ttl_seconds, order=f"O-{name}")
        for call in rng.choices("exc", (3, 1, 2), k=2):
            if call == "e":
                gate.extend(name, ttl_seconds=1_200)
            elif call == "x":
                gate.release(name)
            else:
                gate.confirm(name)
    # A till sold what was held: some go to the other place.
    gate.project([position("tea", "P1", 60, version=2)])
    gate.replace("tea", "P1")
    while gate.sweep():
        pass
    entries = gate.outbox(count=5_000)
    rng.shuffle(entries)
    told = [
        Record(key, value, headers, offset, 0)
        for offset, (_, key, value, headers) in enumerate(relayed(entries, "hold-gate/all/1"))
    ]
    decoded = RecordDecoder(Sharder(1)).decode(RecordBlock("holds", 0, told))
    assert decoded.refusals == []
    rows = newest_rows(RESERVATION, decoded.reservations)
    found = {
        (row["reservation"], row["place"]): row
        for row in rows.to_pylist()
        if row["state"] != "released"
    }
    moved = released = 0
    for name in names:
        hold = gate.read(name)
        if hold.state == "released":
            released += 1
            continue
        [line] = hold.lines
        moved += line.place == "P2"
        row = found.pop((name, line.place))
        assert (row["state"], row["quantity"], row["order"]) == (hold.state, 2, f"O-{name}")
        until = hold.expires_at if hold.state == "held" else None
        assert row["expires_at"] == until
    assert found == {}
    assert moved
    assert released
