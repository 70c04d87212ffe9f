"""Journeys in the members flow: a backfill sends nothing, and whatever dies, each goes out once."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from random import Random

import msgspec
import pytest
from broker import Broker, start_broker
from click.testing import CliRunner
from flow_driver import StartedFlow, query, wait_until, write_chain, write_lines
from journey_driver import SEND, chain_of, journey
from log_driver import records
from member_driver import progress, run_members
from member_events import event, order, render

from flows.members import TOPICS
from infra.cli import main
from operators.engine import system_clock
from schemas.chain import Chain
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, SECOND_US, to_datetime
from schemas.journey_events import MESSAGE_DECIDED_TYPE, MessageDecided
from sinks.kafka.producer import TopicWriter
from sources.kafka.settings import KafkaSettings

CHAIN = chain_of({"late_days": 366}, quiet_hours=None)
THANKS = journey("thanks", "{event: purchase}", "give: stamp", SEND, reenter="always")
WINBACK = journey("winback", "{no_purchase_for: 30d}", "give: pack", SEND, reenter="always")
VIP = journey("vip", "{crosses: {field: spent, above: 500}}", "set: {tier: VIP}", SEND)
# On a day of the week that is neither today nor of late, whichever day it is.
_AHEAD = to_datetime(system_clock() + 3 * DAY_US)
WEEKLY = journey("weekly", f"{{schedule: every {_AHEAD:%A} 20:00}}", SEND)
SIZES = {
    "sources.abreast.reader.ABREAST_BYTES": 4 * 1024,
    "sinks.journal.SMALLEST_REBASE_BYTES": 16 * 1024,
}
GONE = "SELECT count(*) FROM message WHERE decision = 'go'"


def folder(path: Path, *texts: str) -> Path:
    """A folder of journeys."""
    path.mkdir(exist_ok=True)
    for number, text in enumerate(texts):
        (path / f"j{number}.yaml").write_text(text, encoding="utf-8")
    return path


def agreed(member: str, at: int) -> bytes:
    """A consent to all marketing."""
    said = {"purpose": "marketing", "channel": "any", "status": "granted"}
    return render(event("member.consent.v1", f"c-{member}", at, "crm", member=member, **said))


def bought(rng: Random, members: int, number: int, since: int, until: int) -> list[bytes]:
    """Purchases in the order of time."""
    times = sorted(rng.randrange(since, until) for _ in range(number))
    return [
        render(order(f"m{rng.randrange(members)}", f"{since}-{at}", when, 20_000))
        for at, when in enumerate(times)
    ]


def test_twelve_months_of_backfill_send_nothing(tmp_path: Path) -> None:
    """Not one decision; what happens afterwards is decided as ever, and once."""
    now = system_clock()
    rng = Random(1)
    year = bought(rng, 40, 1_500, now - 365 * DAY_US, now - 2 * DAY_US)
    consents = [agreed(f"m{number}", now - 366 * DAY_US) for number in range(40)]
    source, warehouse = tmp_path / "events", tmp_path / "w.duckdb"
    source.mkdir()
    write_lines(source / "1.jsonl", [*consents, *year])
    journeys = folder(tmp_path / "journeys", THANKS, WINBACK, VIP, WEEKLY)
    config = write_chain(tmp_path / "chain.yaml", CHAIN)
    options = ["--source", source, "--warehouse", warehouse, "--config", config]
    options += ["--journeys", journeys]
    shown = run_members(*options)
    assert "0 messages in all" in shown
    assert query(warehouse, "SELECT count(*) FROM message") == [(0,)]
    assert query(warehouse, "SELECT count(*) FROM journey_run") == [(0,)]
    assert query(warehouse, "SELECT count(*) FROM member_state") == [(40,)]
    fresh = [render(order("m1", "new", now - 5 * MINUTE_US, 20_000))]
    write_lines(source / "2.jsonl", fresh)
    assert "1 messages in all" in run_members(*options)
    wanted = [("thanks", "give", "stamp"), ("thanks", "send", None)]
    asked = "SELECT journey, action, gift FROM message WHERE decision = 'go' ORDER BY step"
    assert query(warehouse, asked) == wanted
    # All of it once more, as a backfill under the same ids: nothing.
    write_lines(source / "3.jsonl", [*year, *fresh])
    run_members(*options)
    assert query(warehouse, asked) == wanted


def ids(warehouse: Path) -> list[tuple[object, ...]]:
    """What was decided for good."""
    return query(
        warehouse,
        "SELECT message, member, journey, step, decision FROM message "
        "WHERE decision <> 'defer' ORDER BY ALL",
    )


def has_moved(flow: StartedFlow, warehouse: Path, before: dict[str, int]) -> bool:
    """Whether more has become durable, or the flow has ended."""
    return not flow.alive() or progress(warehouse) != before


@pytest.mark.slow
def test_killed_and_replayed(tmp_path: Path) -> None:
    """Kill -9 again and again: the same decisions as of a run that nobody disturbed, each once."""
    now = system_clock()
    rng = Random(5)
    lines = [agreed(f"m{number}", now - DAY_US) for number in range(30)]
    lines += bought(rng, 30, 900, now - 3 * HOUR_US, now - MINUTE_US)
    merged = {"member": "m1", "survivor": "m2"}
    lines.insert(700, render(event("member.merged.v1", "merge", now - HOUR_US, "crm", **merged)))
    journeys = folder(tmp_path / "journeys", THANKS, VIP)
    config = write_chain(tmp_path / "chain.yaml", CHAIN)
    about = ["--config", config, "--journeys", journeys]
    whole = tmp_path / "whole.duckdb"
    complete = write_lines(tmp_path / "whole.jsonl", lines)
    run_members("--source", complete, "--warehouse", whole, *about)

    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    options = ["--source", source, "--warehouse", warehouse, *about, "--epoch-seconds", 0.05]
    hits = 0
    for part in (300, 600, len(lines)):
        write_lines(source, lines[:part])
        before = progress(warehouse)
        flow = StartedFlow(tmp_path / "log", *options, sizes=SIZES, flow="members")
        wait_until(partial(has_moved, flow, warehouse, before), "no progress was made")
        time.sleep(0.1 * rng.random())
        flow.process.kill()
        ended = flow.wait()
        assert ended.code in (0, -signal.SIGKILL), ended.output
        hits += ended.code != 0
    assert hits
    run_members(*options)
    assert ids(warehouse) == ids(whole)
    assert len(ids(whole)) > 1_700
    runs = "SELECT member, journey, entry, status, reason FROM journey_run ORDER BY ALL"
    assert query(warehouse, runs) == query(whole, runs)


def test_who_is_erased_leaves_no_message(tmp_path: Path) -> None:
    now = system_clock()
    lines = [agreed("m", now - DAY_US), render(order("m", "1", now - HOUR_US, 60_000))]
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    write_lines(source, lines)
    journeys = folder(tmp_path / "journeys", THANKS, VIP)
    config = write_chain(tmp_path / "chain.yaml", CHAIN)
    options = ["--source", source, "--warehouse", warehouse, "--config", config]
    options += ["--journeys", journeys]
    run_members(*options)
    assert query(warehouse, GONE) == [(4,)]
    lines.append(render(event("member.erased.v1", "x", now - MINUTE_US, "crm", members=["m"])))
    write_lines(source, lines)
    run_members(*options)
    for table in ("message", "journey_run", "member_transition"):
        assert query(warehouse, f"SELECT count(*) FROM {table}") == [(0,)]


def test_files_that_change_between_runs(tmp_path: Path) -> None:
    """Who is in a journey finishes the version it came into, also when the file is gone."""
    now = system_clock()
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    config = write_chain(tmp_path / "chain.yaml", CHAIN)
    about = ["--source", source, "--warehouse", warehouse, "--config", config, "--journeys"]
    first = journey("j", "{event: purchase}", "wait: 1s", "give: old", reenter="always")
    lines = [render(order("a", "1", now - 20 * SECOND_US, 100))]
    write_lines(source, lines)
    journeys = folder(tmp_path / "journeys", first)
    run_members(*about, journeys)
    assert query(warehouse, GONE) == [(0,)]
    folder(journeys, first.replace("old", "new").replace("1s", "1h"))
    time.sleep(1.1)
    later = system_clock()
    lines.append(render(order("b", "2", later, 100)))
    write_lines(source, lines)
    run_members(*about, journeys)
    asked = "SELECT member, gift FROM message WHERE decision = 'go' ORDER BY member"
    assert query(warehouse, asked) == [("a", "old")]
    lines.append(render(order("c", "3", later + 10 * SECOND_US, 100)))
    write_lines(source, lines)
    run_members(*about[:-1])
    assert query(warehouse, asked) == [("a", "old")]
    states = "SELECT member, status, reason FROM journey_run ORDER BY member"
    assert query(warehouse, states) == [("a", "exited", "done"), ("b", "waiting", "")]


def test_a_file_that_is_wrong_does_not_start(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "a.jsonl", [render(order("m", "1", 0, 100))])
    journeys = folder(tmp_path / "journeys", THANKS.replace("purchase", "purchas"))
    words = ["run", "members", "--source", source, "--warehouse", tmp_path / "w.duckdb"]
    result = CliRunner().invoke(main, [*map(str, words), "--journeys", str(journeys)])
    assert result.exit_code == 1
    assert "j0.yaml, line 2: error: purchas is none of purchase" in result.output


@pytest.fixture(name="broker")
def _broker(tmp_path: Path) -> Iterator[Broker]:
    with start_broker(tmp_path / "broker") as broker:
        for topic in TOPICS:
            broker.create(topic, 2)
        yield broker


def decisions(broker: Broker) -> list[MessageDecided]:
    """All decisions on the log."""
    found = []
    for record in records(broker, MESSAGE_DECIDED_TYPE):
        one = msgspec.json.decode(record.value or b"", type=MessageDecided)
        assert record.key == one.member.encode()
        assert dict(record.headers)["ce_id"] == f"{one.message}#{one.decision}".encode()
        found.append(one)
    return found


def test_live_a_wait_ends_on_a_quiet_stream(tmp_path: Path, broker: Broker) -> None:
    """Purchases of a member and of a merged one, three seconds of silence, and two messages."""
    now = system_clock()
    text = journey("live", "{event: purchase}", "wait: 3s", SEND)
    journeys = folder(tmp_path / "journeys", text)
    config = write_chain(tmp_path / "chain.yaml", Chain(journeys=CHAIN.journeys))
    merged = {"member": "p", "survivor": "q"}
    lines = [
        *(agreed(member, now - DAY_US) for member in ("m", "q")),
        render(event("member.merged.v1", "merge", now - HOUR_US, "crm", **merged)),
        *(render(order(member, member, now, 5_000)) for member in ("m", "p")),
    ]
    writer = TopicWriter(KafkaSettings(broker.address))
    for line in lines:
        whole = json.loads(line)
        kind = [("content-type", b"application/cloudevents+json")]
        writer.write(whole["type"], b"k", line, kind)
    writer.flush()
    warehouse = tmp_path / "w.duckdb"
    options = ["--kafka", broker.address, "--create-topics", "--warehouse", warehouse]
    options += ["--config", config, "--journeys", journeys, "--epoch-seconds", 0.2]
    flow = StartedFlow(tmp_path / "log", *options, flow="members")

    def both() -> bool:
        return {one.member for one in decisions_there(broker)} == {"m", "q"}

    wait_until(both, "nothing was decided")
    flow.signal(signal.SIGTERM)
    assert flow.wait().code == 0
    told = decisions(broker)
    assert [(one.action, one.decision, one.channels) for one in told] == [
        ("send", "go", ["sms"])
    ] * 2
    kept = query(warehouse, "SELECT message FROM message ORDER BY message")
    assert kept == [(one,) for one in sorted(one.message for one in told)]


def decisions_there(broker: Broker) -> list[MessageDecided]:
    """Those on the log; none while there is no topic."""
    try:
        return decisions(broker)
    except KeyError:
        return []
