"""Confirmed holds are claims of placed orders, counted once; positions say up to which number."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_driver import LedgerDriver, drive
from stock_events import event, render, render_lines
from stock_strategies import PATIENT

HORIZON_MINUTES = 48 * 60


def hold(
    seq: int, minutes: int, quantity: int = 1, state: str = "confirmed", **more: Any
) -> dict[str, Any]:
    data = {
        "reservation": f"R{seq}",
        "sku": "TEA",
        "place": "S1",
        "quantity": quantity,
        "state": state,
        "hold_seq": seq if state == "confirmed" else 0,
        **more,
    }
    return {
        "specversion": "1.0",
        "id": f"{state}-{seq}",
        "source": "hold-gate/all/1",
        "type": "stock.reservation.v1",
        "time": event("sold", 1, minutes)["time"],
        "data": data,
    }


def position(lines: list[bytes], **more: Any) -> dict[str, Any]:
    return drive(lines, **more).positions[("TEA", "S1")]


def lines(*events: Any) -> list[bytes]:
    return [render(one) for one in events]


class TestHandOver:
    def test_what_is_paid_is_allocated(self) -> None:
        """And the position says which number it contains."""
        found = position(lines(event("received", 10, 0), hold(1, 1, 2), hold(2, 2, 3)))
        assert (found["on_hand"], found["allocated"], found["available"]) == (10, 5, 5)
        assert (found["held_confirmed_seq"], found["version"]) == (2, 3)

    @pytest.mark.parametrize("state", ["held", "released", "expired", "expired_short"])
    def test_other_states_are_the_gates_own(self, state: str) -> None:
        """They move nothing here, and are no dead letters."""
        kept = drive(lines(event("received", 10, 0), hold(1, 1, 2, state)))
        assert kept.positions[("TEA", "S1")]["allocated"] == 0
        assert (kept.others, kept.dead_letters) == (1, {})

    def test_shipped_ends_it(self) -> None:
        """The order's units leave: on hand and allocated go down together."""
        shipped = event("shipped", 2, 5, order="O1")
        found = position(lines(event("received", 10, 0), hold(1, 1, 2, order="O1"), shipped))
        assert (found["on_hand"], found["allocated"]) == (8, 0)

    def test_sent_again_under_another_id(self) -> None:
        """A rebuilt gate may tell of old numbers again: they are in already."""
        again = {**hold(1, 1, 2), "source": "hold-gate/all/2", "id": "x"}
        kept = drive(lines(event("received", 10, 0), hold(1, 1, 2), hold(2, 2), again))
        assert kept.positions[("TEA", "S1")]["allocated"] == 3
        assert (kept.duplicates, kept.dead_letters) == (1, {})

    def test_never_too_late(self) -> None:
        """Paid before the horizon, told after it: still a claim, for somebody waits for it."""
        late = hold(1, 0, 2)
        newest = event("received", 10, HORIZON_MINUTES + 600)
        kept = drive(lines(newest, late), size=1)
        found = kept.positions[("TEA", "S1")]
        assert (found["allocated"], found["held_confirmed_seq"]) == (2, 1)
        assert kept.dead_letters == {}

    def test_no_hold_at_all(self) -> None:
        """What claims to be one and is not goes to dead_letter with its reason."""
        wrong = hold(1, 1)
        wrong["data"]["quantity"] = 0
        kept = drive(lines(event("received", 10, 0), wrong))
        assert kept.dead_letters == {2: "invalid_event"}
        assert "quantity" in kept.reasons[2]

    def test_a_restart_remembers_the_number(self) -> None:
        """State of a dump knows what it contains."""
        driver = LedgerDriver()
        driver.feed(lines(event("received", 10, 0), hold(1, 1, 2)))
        driver.reopen()
        driver.feed(lines(hold(1, 1, 2), hold(2, 2)))
        found = driver.take().positions[("TEA", "S1")]
        assert (found["allocated"], found["held_confirmed_seq"]) == (3, 2)

    def test_names_the_order_that_loses(self) -> None:
        """An oversell shows the paid order among the claims."""
        sale = event("sold", 10, 5)
        kept = drive(lines(event("received", 10, 0), hold(1, 1, 2, order="O1"), sale))
        [alert] = [row for row in kept.alerts.values() if row["alert_type"] == "oversell"]
        claims = msgspec.json.decode(alert["claims"])
        assert {"O1"} == {claim["order"] for claim in claims if claim["claim"] == "allocation"}


@PATIENT
@given(
    st.lists(st.tuples(st.sampled_from("hsr"), st.integers(1, 5)), max_size=30), st.integers(1, 9)
)
def test_counts_as_an_allocation(steps: list[tuple[str, int]], size: int) -> None:
    """Figures are those of the same history with `allocated` in the place of confirmed holds."""
    with_holds, with_allocations, seq = [], [], 0
    for at, (step, quantity) in enumerate(steps):
        kind = {"s": "sold", "r": "received", "h": "allocated"}[step]
        plain = event(kind, quantity, at)
        if step == "h":
            seq += 1
            with_holds.append(hold(seq, at, quantity))
        else:
            with_holds.append(plain)
        with_allocations.append(plain)
    held, allocated = drive(lines(*with_holds), size=size), drive(render_lines(with_allocations))
    figures = ("on_hand", "allocated", "available", "version", "as_of")
    assert [[row[name] for name in figures] for row in held.positions.values()] == [
        [row[name] for name in figures] for row in allocated.positions.values()
    ]
    assert [row["held_confirmed_seq"] for row in held.positions.values()] in ([], [seq])
    assert held.alerts.keys() == allocated.alerts.keys()
