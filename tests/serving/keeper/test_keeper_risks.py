"""A till sells what was held: the hold goes elsewhere, or an alert names the order that loses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from keeper_world import Alerts, World

from sinks.redis.model import HoldLine


@pytest.fixture
def alerts(own_world: World) -> Iterator[Alerts]:
    found = Alerts(own_world)
    yield found
    found.close()


def test_a_sold_hold_moves_or_is_told(own_world: World, alerts: Alerts) -> None:
    world = own_world
    keeper = world.opened()
    world.stocked(world.tea, "S1", 5)
    world.stocked(world.tea, "S2", 4)
    for number in (1, 2):
        lines = [HoldLine(world.tea, 2, "S1")]
        world.gate.hold(f"r{number}", lines, ttl_seconds=600, order=f"O-{number}")

    world.flow.stock(world.tea, "S1", 3)  # the till sold two of the held ones
    world.read_until(
        lambda: world.flow.states().get("r2") == ["held", "released", "held"], "nothing moved"
    )
    moved = world.gate.read("r2")
    assert [(line.place, line.quantity) for line in moved.lines] == [("S2", 2)]
    assert world.free(world.tea) == {"S1": 1, "S2": 2}

    world.flow.stock(world.tea, "S2", 0)  # and there: r2 fits nowhere any more
    (raised,) = alerts.next(1)
    assert (raised.alert_type, raised.status, raised.severity) == (
        "oversell_risk",
        "raised",
        "critical",
    )
    assert (raised.sku, raised.place, raised.observed, raised.shortfall) == (world.tea, "S2", -2, 2)
    assert raised.alert.startswith(f"oversell_risk/{world.tea}@S2/")
    (claim,) = raised.claims
    assert (claim["order"], claim["reservation"], claim["quantity"]) == ("O-2", "r2", 2)
    assert world.gate.read("r2").state == "held", "who loses is for people to say"

    # Redis is emptied while the alert is open: it is known from the log, and not raised again.
    epoch = world.gate.gate_state().epoch
    world.gate.client.flushall()
    world.new_epoch(epoch)
    world.flow.stock(world.tea, "S2", 1)
    updated = alerts.next(2)[1]
    assert (updated.alert, updated.status, updated.shortfall) == (raised.alert, "updated", 1)
    world.gate.release("r2")
    cleared = alerts.next(3)[2]
    assert (cleared.alert, cleared.status, cleared.shortfall) == (raised.alert, "cleared", 0)
    assert cleared.cleared_at is not None
    assert len(set(alerts.ids)) == 3
    world.wait(lambda: world.status().get("open_risks") == 0, "the status still has it")
    assert world.status()["moved"] == 1

    # A place that gets room takes the loser.
    world.stocked(world.cup, "S1", 2)
    world.gate.hold("r", [HoldLine(world.cup, 2)], ttl_seconds=600, order="O-9")
    keeper.kill()
    world.flow.stock(world.cup, "S1", 1)  # sold while no keeper was there
    world.keeper()
    raised = alerts.next(4)[3]
    world.flow.stock(world.cup, "S2", 9)
    cleared = alerts.next(5)[4]
    assert (cleared.alert, cleared.status) == (raised.alert, "cleared")
    assert [line.place for line in world.gate.read("r").lines] == ["S2"]
