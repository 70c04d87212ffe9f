"""A journey that ran: its file, and a warehouse of what was decided, bought and taken back."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from flow_driver import write_lines
from member_driver import invoke
from member_events import event, order, pair, refund, render

from infra.cli import main
from schemas.chain import Chain
from schemas.instants import DAY_US
from schemas.journey_tables import MESSAGE
from sinks.warehouse.client import Warehouse
from sinks.warehouse.tuple_rows import newest_rows
from sources.journeys import load_journeys

START = 1_788_000_000_000_000
DAY = DAY_US
FILE = """\
journey: back
version: 1
when: {no_purchase_for: 30d}
holdout: 20%
goal: {purchase_within: 10d}
steps:
  - split: {experiment: words, arms: {calm: 50%, loud: 50%}}
  - {give: pack, valid: 7d}
  - send: {class: marketing, channels: [sms], text: hi}
"""
ARMS = ("held out", "calm", "loud", "calm", "loud")
# Of each so many these take their consent back: two are loud, one is calm, two are held out.
EVERY, LEAVERS = 300, (7, 22, 41, 10, 45)
TOO_LATE = 49  # to count
BUYERS = {"held out": 10, "calm": 10, "loud": 3}  # one of so many buys in the window


def run(*words: str | Path) -> tuple[int, str]:
    told = CliRunner().invoke(main, ["experiment", "journey", *(str(word) for word in words)])
    return told.exit_code, told.output


def made(folder: Path, every: int) -> tuple[Path, Path, dict[str, list[int]]]:
    """A journey, a warehouse, and what each member of an arm paid in its ten days.

    Of `every` members some take their consent back.
    """
    file = folder / "back.yaml"
    file.write_text(FILE)
    (program,) = load_journeys(file, Chain())
    base: dict[str, Any] = {one.name: {"text": "", "json": "[]", "integer": 0}.get(one.type, START)
                            for one in MESSAGE.columns}  # fmt: skip
    base |= {"journey": "back", "journey_version": program.version, "next_at": None}
    lines, rows = [], []
    paid: dict[str, list[int]] = defaultdict(list)
    for number in range(1_500):
        name, arm = f"m{number}", ARMS[number % 5]
        at = START + number % 20 * DAY
        about = {"member": name, "entry": "e", "decided_at": at, "experiment": "words"}
        held = arm == "held out"
        about |= {"arm": "calm"} if held else {"arm": arm}
        about |= {"decision": "suppress", "reason": "holdout", "held_out": 1} if held else {
            "decision": "go"
        }  # fmt: skip
        for action in ("give", "send"):
            rows.append(base | about | {"message": f"{action}-{name}", "action": action})
        bought = 0
        lines.append(order(name, f"{name}-before", at - DAY, 9_000))
        lines.append(order(name, f"{name}-late", at + 11 * DAY, 9_000))
        if number // 5 % BUYERS[arm] == 0:
            lines.append(order(name, f"{name}-in", at + 3 * DAY, 10_000))
            bought = 10_000
            if number % 2:
                lines.append(refund(name, f"{name}-in", at + 4 * DAY, 4_000, f"{name}-r"))
                bought = 6_000
        paid[arm].append(bought)
        if number % every in (*LEAVERS, TOO_LATE):
            said = {"purpose": "marketing", "channel": "sms", "status": "withdrawn"}
            held = every != EVERY and arm == "held out"
            when = at + (12 if held or number % every == TOO_LATE else 5) * DAY
            lines.append(event("member.consent.v1", f"{name}-c", when, member=name, **said))
    # A person of two ids that were held out and not, and one whose days are not over.
    lines.append(pair("member.merged.v1", "m1", "m0", START))
    paid["held out"].remove(10_000)
    paid["calm"].remove(6_000)
    young = {"message": "young", "member": "young", "action": "send", "decision": "go"}
    rows.append(base | young | {"decided_at": START + 31 * DAY, "experiment": "words",
                                "arm": "calm", "entry": "e"})  # fmt: skip
    warehouse = folder / "w.duckdb"
    target = Warehouse(warehouse)
    target.upsert(
        MESSAGE, newest_rows(MESSAGE, [tuple(row[n] for n in MESSAGE.names) for row in rows])
    )
    target.close()
    source = write_lines(folder / "e.jsonl", [render(one) for one in lines])
    for flow in ("members", "coupons"):
        invoke("run", flow, "--source", source, "--warehouse", warehouse)
    return file, warehouse, paid
