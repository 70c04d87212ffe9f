"""What the simulator promises about its truth and its record, whatever its settings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from depth import cases
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from schemas.envelope import MovementEvent
from schemas.instants import to_micros
from sources.simulator import Settings, Simulation, clean
from sources.simulator.courier import Delivery
from sources.simulator.truth import TABLES

Positions = dict[tuple[str, str], tuple[int, int, int, int]]
Json = dict[str, Any]
RATES = st.floats(0.0, 0.3)


def rows(simulation: Simulation, table: str) -> list[dict[str, Any]]:
    names = TABLES[table].names
    return [dict(zip(names, row, strict=True)) for row in simulation.truth.rows[table]]


def recorded(simulation: Simulation) -> Positions:
    columns = ("on_hand", "allocated", "quarantined", "in_transit")
    return {
        (row["place"], row["sku"]): tuple(row[name] for name in columns)
        for row in rows(simulation, "recorded")
    }


@given(
    seed=st.integers(0, 10_000),
    lateness_hours=st.sampled_from([0.1, 0.5, 6.0, 24.0, 72.0]),
    rates=st.fixed_dictionaries(
        dict.fromkeys(
            (
                "lost_scan_rate",
                "wrong_scan_rate",
                "duplicate_rate",
                "late_rate",
                "late_count_rate",
                "out_of_order_rate",
                "offline_rate",
            ),
            RATES,
        )
    ),
    supply=st.fixed_dictionaries(
        dict.fromkeys(
            (
                "shrinkage_rate",
                "damage_rate",
                "transfer_short_rate",
                "return_rate",
                "count_share_per_day",
            ),
            RATES,
        )
    ),
    shape=st.fixed_dictionaries(
        {
            "stores": st.integers(1, 4),
            "skus": st.integers(1, 12),
            "forward_warehouses": st.integers(0, 2),
            "central_warehouses": st.integers(1, 2),
            "timezones": st.sampled_from(
                [["Asia/Shanghai"], ["America/New_York", "Europe/Berlin", "Pacific/Auckland"]]
            ),
            "start": st.sampled_from(["2026-03-07", "2026-03-28", "2026-10-24"]),
        }
    ),
)
@hypothesis_settings(
    max_examples=cases(10, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_chain_keeps_its_books(
    small: Callable[..., Settings],
    read_all: Callable[[Iterable[Json]], Positions],
    movements_of: Callable[[Iterable[Delivery]], list[Json]],
    seed: int,
    lateness_hours: float,
    rates: dict[str, float],
    supply: dict[str, float],
    shape: dict[str, Any],
) -> None:
    """Conservation, the record, and the bound on lateness hold for any settings."""
    simulation = Simulation(
        small(
            seed=seed,
            max_lateness_hours=lateness_hours,
            imperfections=rates,
            supply=supply,
            trade={"visitors_per_day": 80.0, "stores_per_city": 1},
            **shape,
        )
    )
    deliveries = list(simulation)
    assert deliveries == sorted(deliveries, key=lambda d: d[:2])
    for delivery in deliveries:
        late_ms = delivery.arrival_ms - to_micros(delivery.event.time) / 1_000
        assert 0 <= late_ms <= lateness_hours * 3_600_000
    positions = read_all(movements_of(deliveries))
    for pair, position in recorded(simulation).items():
        assert position == positions.get(pair, (0, 0, 0, 0)), pair
    assert_conserved(simulation)


def assert_conserved(simulation: Simulation) -> None:
    """Per SKU: what came in is there or has gone out; nothing is anywhere below 0."""
    flows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows(simulation, "flows"):
        flows[row["sku"]][row["flow"]] = row["quantity"]
    there: Counter[str] = Counter()
    shelves = rows(simulation, "on_hand")
    for row in shelves:
        units = (row["on_hand"], row["quarantined"], row["in_transit"])
        assert min(units) >= 0
        if row["at"] == shelves[-1]["at"]:
            there[row["sku"]] += sum(units)
    for sku, flow in flows.items():
        gone = ("sold", "shipped", "shrunk", "written_off", "damaged", "lost_in_transit")
        came = flow["opening"] + flow["received"] + flow["returned"]
        assert there[sku] + sum(flow[name] for name in gone) == came, sku


def test_a_bumpy_chain_keeps_its_books_too(
    bumpy_run: tuple[Simulation, list[Delivery]],
    read_all: Callable[[Iterable[Json]], Positions],
    movements_of: Callable[[Iterable[Delivery]], list[Json]],
) -> None:
    """The same with every kind of movement and imperfection in one run."""
    simulation, deliveries = bumpy_run
    movements = movements_of(deliveries)
    assert len({event["data"]["kind"] for event in movements}) == 13
    positions = read_all(movements)
    assert all(positions.get(p, (0,) * 4) == pos for p, pos in recorded(simulation).items())
    assert_conserved(simulation)
    wrong = [r for r in rows(simulation, "recorded") if r["on_hand"] != r["true_on_hand"]]
    assert wrong, "a record that is never wrong would measure nothing"


def test_without_imperfections_the_record_is_the_truth(
    small: Callable[..., Settings],
    movements_of: Callable[[Iterable[Delivery]], list[Json]],
) -> None:
    """Clean: everything is known at once and as it is, so no promise is broken by the record."""
    simulation = Simulation(clean(small(days=3)))
    deliveries = list(simulation)
    assert not simulation.truth.imperfections
    assert all(row["on_hand"] == row["true_on_hand"] for row in rows(simulation, "recorded"))
    last = {(r["place"], r["sku"]): r for r in rows(simulation, "on_hand")}
    for pair, position in recorded(simulation).items():
        true = last[pair]
        assert position == tuple(
            true[name] for name in ("on_hand", "claimed", "quarantined", "in_transit")
        )
    promises = rows(simulation, "promises")
    assert promises
    assert {row["why_not"] for row in promises} == {""}
    assert {row["broken_by"] for row in promises} <= {"", "taken_after"}
    movements = movements_of(deliveries)
    times = [datetime.fromisoformat(event["time"]) for event in movements]
    assert times == sorted(times)
    assert len({(event["source"], event["id"]) for event in movements}) == len(movements)
    assert not any("recordedtime" in event for event in movements)


def test_promises_add_up(bumpy_run: tuple[Simulation, list[Delivery]]) -> None:
    """Shipped, kept, broken: the columns of a promise agree with each other and with the events."""
    simulation, deliveries = bumpy_run
    promises = rows(simulation, "promises")
    assert {row["outcome"] for row in promises} >= {"kept", "broken", "cancelled"}
    for row in promises:
        enough = row["true_on_hand"] - row["true_claimed"] >= row["quantity"]
        assert bool(row["fulfillable"]) == enough == (not row["why_not"])
        assert row["seen"] >= row["quantity"]
        if row["why_not"] == "phantom":
            assert row["recorded"] >= row["quantity"]
        assert (row["outcome"] == "kept") == (row["shipped"] == row["quantity"])
        assert (row["outcome"] == "broken") == bool(row["broken_by"])
    claims: Counter[tuple[str, str]] = Counter()
    seen = set()
    for delivery in deliveries:
        event = delivery.event
        if not isinstance(event, MovementEvent) or (event.source, event.id) in seen:
            continue
        seen.add((event.source, event.id))
        data = event.data
        sign = {"allocated": 1, "released": -1, "shipped": -1}.get(data.kind, 0)
        claims[data.order or "", data.line or ""] += sign * (data.quantity or 0)
    for row in promises:
        left = row["quantity"] if row["outcome"] == "open" else 0
        assert claims[row["order"], row["line"]] == left


def test_carts_become_orders_or_are_given_up(
    bumpy_run: tuple[Simulation, list[Delivery]],
) -> None:
    """A cart line is paid for or abandoned, never both, and promised only where it was paid."""
    simulation, _ = bumpy_run
    carts = rows(simulation, "carts")
    paid = [row for row in carts if row["paid_at"] is not None]
    assert 0.6 < len(paid) / len(carts) < 0.85
    for row in carts:
        assert (row["paid_at"] is None) == (row["abandoned_at"] is not None) == (not row["order"])
        assert row["created_at"] < (row["paid_at"] or row["abandoned_at"])
    promised = {(row["order"], row["line"]) for row in paid if row["promised"]}
    assert promised == {(r["order"], r["line"]) for r in rows(simulation, "promises")}
