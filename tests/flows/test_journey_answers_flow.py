"""What became of a message comes back as an event, and the journey goes on by it."""

from __future__ import annotations

from pathlib import Path

from flow_driver import query, write_lines
from member_driver import run_members
from member_events import event, order, render

from operators.engine import system_clock
from schemas.instants import HOUR_US, MINUTE_US

JOURNEY = """
journey: asks
when: {event: purchase}
reenter: always
steps:
  - send: {class: service, channels: [sms], text: thank you}
  - wait: {event: opened, timeout: 2d}
    then: [{exit: glad}]
    else: [{exit: sad}]
"""


def test_an_opened_message_ends_the_wait(tmp_path: Path) -> None:
    """As the mini-program tells it, in a file; of a message that is not there nothing comes."""
    now = system_clock()
    source, warehouse = tmp_path / "a.jsonl", tmp_path / "w.duckdb"
    (tmp_path / "asks.yaml").write_text(JOURNEY, encoding="utf-8")
    lines = [render(order(one, one, now - HOUR_US, 5_000)) for one in ("m1", "m2")]
    lines.append(render(order("m3", "3", now - 50 * MINUTE_US, 5_000)))
    write_lines(source, lines)
    options = ["--source", source, "--warehouse", warehouse, "--journeys", tmp_path / "asks.yaml"]
    run_members(*options)
    rows = query(warehouse, "SELECT member, message FROM message WHERE action = 'send'")
    ids = {str(member): str(message) for member, message in rows}
    assert {"m1", "m2"} <= ids.keys()
    opened = [
        event("message.opened.v1", f"o{number}", now - 40 * MINUTE_US, member=member, message=id_)
        for number, (member, id_) in enumerate([("m1", ids["m1"]), ("m2", "none"), ("x", "none")])
    ]
    delivered = event(
        "message.delivered.v1", "d", now - 40 * MINUTE_US, member="m2", message=ids["m2"],
        channel="sms", status="delivered", reason="", attempts=1,
    )  # fmt: skip
    last = render(order("m4", "4", now - 30 * MINUTE_US, 5_000))
    write_lines(source, [*lines, *map(render, opened), render(delivered), last])
    run_members(*options)
    asked = "SELECT member, status, reason FROM journey_run WHERE member < 'm3' ORDER BY member"
    assert query(warehouse, asked) == [("m1", "exited", "glad"), ("m2", "waiting", "")]
    assert query(warehouse, "SELECT count(*) FROM dead_letter") == [(0,)]
    # Who only opened something is no member yet.
    assert query(warehouse, "SELECT count(*) FROM member_state WHERE member = 'x'") == [(0,)]
