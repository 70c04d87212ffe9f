"""The supply rule: against a plain loop, without a look ahead, and merged in order."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from schemas.envelope import MovementEvent
from sources.opening.lines import SalesError, lines_of, merge_lines
from sources.opening.mishaps import CUT_BYTES, CUT_LINES
from sources.opening.rule import SupplyRule
from sources.opening.run import Completed, complete

ZONE = ZoneInfo("America/New_York")
FIRST = datetime(2017, 2, 1, 15, tzinfo=UTC)
DAYS = 100
PLAIN = SupplyRule(missed_share=0, short_share=0, lost_share=0)


class Sale(NamedTuple):
    time: datetime
    sku: str
    place: str
    units: int


def sales_of(seed: int, days: int = DAYS) -> list[Sale]:
    luck = Random(seed)
    found = []
    for day in range(days):
        for place in ("S1", "S2", "S3", "S4", "S5", "S6", "S7"):
            for number in range(8):
                # From one that sells every day to one that hardly ever does.
                if luck.random() < 0.9 / (1 + number) ** 1.5:
                    at = FIRST + timedelta(days=day, seconds=luck.randrange(40_000))
                    units = luck.choice((1, 1, 1, 2, 3, 12))
                    found.append(Sale(at, f"SKU {number}", place, units))
    return sorted(found)


def write(sales: list[Sale], to: Path) -> Path:
    with to.open("w") as file:
        for number, sale in enumerate(sales):
            event = {
                "specversion": "1.0",
                "id": f"s{number}",
                "source": "till",
                "type": "stock.movement.v1",
                "time": sale.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "data": {
                    "kind": "sold",
                    "sku": sale.sku,
                    "place": sale.place,
                    "quantity": sale.units,
                },
            }
            file.write(json.dumps(event) + "\n")
    return to


def run(
    sales: list[Sale], folder: Path, rule: SupplyRule
) -> tuple[Completed, list[dict[str, Any]]]:
    done = complete(write(sales, folder / "sales.jsonl"), folder / "events.jsonl", rule)
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    assert len(lines) == done.lines
    assert (folder / "events.jsonl").stat().st_size == done.bytes
    whole = [json.loads(line) for line in lines if line.endswith(b"}}")]
    assert len(whole) == len(lines) - done.cut
    return done, whole


def supplied(events: list[dict[str, Any]]) -> dict[tuple[str, str], dict[str, int]]:
    """What came in by shelf and local day; the day before the first sale is the opening."""
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for event in events:
        data = event["data"]
        if event["source"] == "demo/replenishment":
            day = datetime.fromisoformat(event["time"]).astimezone(ZONE).date().isoformat()
            found[data["sku"], data["place"]].setdefault(day, 0)
            found[data["sku"], data["place"]][day] += data["quantity"]
    return dict(found)


def reference(sales: list[Sale], rule: SupplyRule) -> dict[tuple[str, str], dict[str, int]]:
    """The rule as a person would follow it, shelf by shelf and morning by morning."""
    days = [sale.time.astimezone(ZONE).date() for sale in sales]
    first, last = days[0], sales[-1].time
    found: dict[tuple[str, str], dict[str, int]] = {}
    shelves = sorted({(sale.sku, sale.place) for sale in sales})
    weekdays = review_days(rule)
    for shelf in shelves:
        sold: dict[date, int] = defaultdict(int)
        for sale, day in zip(sales, days, strict=True):
            if (sale.sku, sale.place) == shelf:
                sold[day] += sale.units

        def between(start: date, end: date, sold: dict[date, int] = sold) -> int:
            return sum(units for day, units in sold.items() if start <= day < end)

        case = rule.case_units
        early = between(first, first + timedelta(days=rule.opening_days))
        position = case * (math.ceil(rule.least_units / case) + math.ceil(early / case))
        came = {(first - timedelta(days=1)).isoformat(): position}
        for number in range(DAYS + rule.review_days):
            if number % rule.review_days != weekdays[shelf[1]] or number == 0:
                continue
            morning = first + timedelta(days=number)
            memory = rule.review_days * rule.memory_reviews
            recent = between(morning - timedelta(days=memory), morning)
            rate = recent / min(memory, max(memory // 2, number))
            need = rate * (rule.review_days + rule.lead_days)
            level = max(rule.least_units, math.ceil(need + rule.z * math.sqrt(need)))
            stock = position - between(first, morning)
            if stock < level:
                units = case * math.ceil((level - stock) / case)
                position += units
                arrives = morning + timedelta(days=rule.lead_days)
                at = datetime.combine(arrives, time(rule.arrives), ZONE)
                if at <= last:
                    came[arrives.isoformat()] = units
        found[shelf] = came
    return found


def review_days(rule: SupplyRule) -> dict[str, int]:
    from hashlib import md5

    return {
        place: int.from_bytes(md5(f"{rule.seed}/review/{place}".encode()).digest()[8:], "little")
        % rule.review_days
        for place in ("S1", "S2", "S3", "S4", "S5", "S6", "S7")
    }


@pytest.mark.parametrize("rule", [PLAIN, SupplyRule(missed_share=0, short_share=0, case_units=1)])
def test_it_is_the_rule_that_is_stated(rule: SupplyRule, tmp_path: Path) -> None:
    sales = sales_of(1)
    _, events = run(sales, tmp_path, rule)
    assert supplied(events) == reference(sales, rule)


def test_it_never_looks_ahead(tmp_path: Path) -> None:
    """The sales of the last weeks change nothing of what came before them."""
    sales = sales_of(2)
    until = FIRST + timedelta(days=60)
    early = [sale for sale in sales if sale.time < until]
    _, all_events = run(sales, tmp_path, SupplyRule())
    _, early_events = run(early, tmp_path, SupplyRule())
    last = max(sale.time for sale in early).astimezone(ZONE).date().isoformat()
    everything, known = supplied(all_events), supplied(early_events)
    for shelf, came in known.items():
        assert came == {day: units for day, units in everything[shelf].items() if day < last} | {
            day: units for day, units in came.items() if day == last
        }


def test_nothing_is_lost_by_late_and_short_deliveries(tmp_path: Path) -> None:
    sales = sales_of(3)
    clumsy = SupplyRule(missed_share=0.2, short_share=0.3, delay_days=7, case_units=5)
    done, events = run(sales, tmp_path, clumsy)
    assert done.late_deliveries > 20
    assert done.short_deliveries > 30
    numbers: dict[str, list[int]] = defaultdict(list)
    for event in events:
        if event["source"] == "demo/replenishment":
            numbers[event["id"].replace("rest:", "")].append(event["data"]["quantity"])
    # Both parts of a short delivery are whole cases, save for rests that would come after the end.
    halves = [quantities for quantities in numbers.values() if len(quantities) == 2]
    assert len(halves) > 20
    assert all(sum(quantities) % 5 == 0 for quantities in halves)


def test_every_sale_comes_out_byte_by_byte_and_all_in_order_of_arrival(tmp_path: Path) -> None:
    sales = sales_of(4)
    done, events = run(sales, tmp_path, SupplyRule())
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    given = (tmp_path / "sales.jsonl").read_bytes().splitlines()
    assert set(given) <= set(lines)
    assert done.sales == len(given)
    assert done.resent > 0
    assert done.late > 0
    assert done.too_late > 0
    assert done.cut == CUT_LINES
    assert sum(len(line) == CUT_BYTES for line in lines) == CUT_LINES
    late = 0
    newest = ""
    for event in events:
        late += event["time"] < newest
        newest = max(newest, event["time"])
    assert late == done.resent + done.late + done.too_late


def test_every_event_is_one(tmp_path: Path) -> None:
    import msgspec

    _, events = run(sales_of(5), tmp_path, SupplyRule())
    kinds = {msgspec.convert(event, MovementEvent).data.kind for event in events}
    assert {"sold", "received", "counted", "allocated", "shipped"} <= kinds


def test_the_same_sales_give_the_same_events(tmp_path: Path) -> None:
    sales = sales_of(6)
    run(sales, tmp_path, SupplyRule())
    once = (tmp_path / "events.jsonl").read_bytes()
    run(sales, tmp_path, SupplyRule())
    assert (tmp_path / "events.jsonl").read_bytes() == once
    run(sales, tmp_path, SupplyRule(seed=8))
    assert (tmp_path / "events.jsonl").read_bytes() != once


def test_what_is_no_file_of_sales_in_order_is_refused(tmp_path: Path) -> None:
    sales = sales_of(7, days=3)
    backward = write(sales[::-1], tmp_path / "backward.jsonl")
    with pytest.raises(SalesError, match="older than the one before"):
        complete(backward, tmp_path / "events.jsonl")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("")
    with pytest.raises(SalesError, match="has no sales"):
        complete(empty, tmp_path / "events.jsonl")
    other = tmp_path / "other.jsonl"
    other.write_text(write(sales, tmp_path / "sales.jsonl").read_text().replace("sold", "received"))
    with pytest.raises(SalesError, match="are no sales"):
        complete(other, tmp_path / "events.jsonl")


def test_lines_are_merged_where_they_belong(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_bytes(b"a\nb\nc\nd\n")
    inserts = [(0, b"0"), (2, b"1"), (2, b"2"), (4, b"3")]
    assert merge_lines(given, inserts, [1], tmp_path / "out") == (7, 14)
    assert (tmp_path / "out").read_bytes() == b"0\na\n1\n2\nc\nd\n3\n"
    assert lines_of(given, [2, 0, 2]) == {0: b"a", 2: b"c"}
