"""The shard behind the engine: journal entries bring the same state about, live time passes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from stock_events import NOON, Event, correction, event, render_lines
from stock_strategies import PATIENT, wide_histories

from operators.stock.decode import Block, Sharder
from operators.stock.facts import Batch
from operators.stock.rules import StockRules
from operators.stock.shard import StockOutcome, StockShard
from schemas.chain import Chain, StockConfig, StockRule
from schemas.instants import DAY_US, HOUR_US, format_instant

RULES = StockRules(
    Chain(
        timezone="Asia/Shanghai",
        stock=StockConfig(rules=(StockRule(lead_time_days=2, service_level=0.95),)),
    )
)


def batches(events: list[Event], origin: str = "till.jsonl") -> list[Batch]:
    lines = render_lines(events)
    decoded = Sharder(1).decode(Block(origin, 1, len(lines), b"\n".join(lines)))
    assert not decoded.refusals
    return decoded.batches


def feed(shard: StockShard, events: list[Event], now: int = NOON) -> list[StockOutcome]:
    return [outcome for batch in batches(events) for outcome in shard.apply([batch], now)]


def replayed(*, entries: list[bytes], base: tuple[int, bytes]) -> StockShard:
    again = StockShard(RULES, journaled=True)
    again.restore(*base)
    for entry in entries:
        again.replay(entry)
    return again


@PATIENT
@given(history=wide_histories(), cut=st.integers(0, 24), flush=st.booleans())
def test_a_replayed_journal_is_the_state(history: list[Event], cut: int, flush: bool) -> None:
    """Base and entries give the same dump as the run itself, rows that wait included."""
    shard = StockShard(RULES, journaled=True)
    feed(shard, history[:cut], NOON + 400 * HOUR_US)
    shard.journal_entry()
    base = shard.dump()
    entries = []
    for one in history[cut:]:
        feed(shard, [one], NOON + 400 * HOUR_US)
        entries.append(shard.journal_entry())
        if flush and shard.flush():
            entries.append(shard.flush_entry())
    again = replayed(entries=entries, base=base)
    assert again.dump() == shard.dump()
    assert again.waiting() == shard.waiting()


def test_a_waiting_correction_keeps_its_place_through_the_journal() -> None:
    """Its dead letter names the file and line it came from, also after a restart."""
    shard = StockShard(RULES, journaled=True)
    base = shard.dump()
    lost = correction(event("sold", 1, id="never"), 1, id="c")
    feed(shard, [event("received", 5), lost])
    again = replayed(entries=[shard.journal_entry()], base=base)
    refusals = [
        refusal
        for outcome in feed(again, [event("received", 5, 60 * 50)], NOON + 60 * HOUR_US)
        for refusal in outcome.refusals
    ]
    assert [(one.origin, one.position, one.code) for one in refusals] == [
        ("till.jsonl", 2, "corrects_unknown_event")
    ]


def test_a_quiet_stream_still_closes_its_days() -> None:
    """Without any event the rate falls by the day, and the shard asks to be told in time."""
    shard = StockShard(RULES)
    sales = [event("received", 1000)]
    sales += [event("sold", 10 + day % 3, day * 24 * 60 + 60) for day in range(10)]
    feed(shard, sales, NOON + 20 * DAY_US)
    [before] = shard.flush()
    now = NOON + 10 * DAY_US
    due = shard.due(now)
    assert due is not None
    assert format_instant(due).endswith("T16:00:00Z")  # midnight in Shanghai
    shard.tick(due + 3 * DAY_US)
    [after] = shard.flush()
    rate, version = 11, 12
    assert after.positions[rate][0] < before.positions[rate][0]
    assert after.positions[version] == before.positions[version]


def test_what_comes_after_its_day_was_closed_still_belongs_to_that_day() -> None:
    """The figures are those of a run in which the day was closed afterwards."""
    late = event("sold", 4, 11 * 60 + 59)
    one, two = StockShard(RULES), StockShard(RULES)
    shop = [event("received", 50), event("sold", 6, 60)]
    midnight = NOON + 12 * HOUR_US
    feed(one, [*shop, late], midnight)
    one.tick(midnight + 1)
    feed(two, shop, midnight)
    two.tick(midnight + 1)
    feed(two, [late], midnight + 2)
    assert one.flush()[0].positions == two.flush()[0].positions


def test_live_time_clears_an_alert_whose_level_has_fallen() -> None:
    """Safety stock follows demand: when it stops, stock that was too little is enough again."""
    shard = StockShard(RULES)
    sales = [event("received", 1000)]
    sales += [event("sold", 40 * (day % 2), day * 24 * 60 + 60) for day in range(1, 14, 2)]
    sales += [event("counted", 20, 14 * 24 * 60)]
    outcomes = feed(shard, sales, NOON + 20 * DAY_US)
    rows = [*outcomes, *shard.flush()]
    assert [row[1] for row in rows[-1].alerts] == ["below_safety_stock"]
    cleared = [
        row
        for day in range(20, 200)
        for out in shard.tick(NOON + day * DAY_US)
        for row in out.alerts
    ]
    assert [(row[1], row[2]) for row in cleared] == [("below_safety_stock", "cleared")]
