"""The desk rule by rule; the oracle has the combinations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from operators.notify.case import SEEN_KEPT, Message
from operators.notify.desk import Desk
from operators.notify.notice import Notice
from operators.notify.routing import Zones
from schemas.hooks import Digest, Escalate, Route
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, to_micros

T0 = to_micros(datetime(2026, 11, 23, 2, tzinfo=UTC))  # 10:00 in Shanghai
SHOP = Route(name="shop", channel="c")


def at(minutes: float) -> int:
    return T0 + round(minutes * MINUTE_US)


def state(status: str, minute: float, observed: int = -1, **more: object) -> Notice:
    values: dict[str, object] = {
        "alert": "a",
        "type": "oversell",
        "status": status,
        "severity": "high",
        "sku": "TEA-1",
        "place": "S01",
        "observed": observed,
        "level": 0,
        "clear_level": 1,
        "shortfall": 1,
        "opened_at": T0,
        "updated_at": at(minute),
    }
    return Notice(**(values | more))  # type: ignore[arg-type]


def desk(*routes: Route) -> Desk:
    return Desk(routes, Zones("Asia/Shanghai", {"BLN": "Europe/Berlin"}), stale_us=DAY_US)


def said(messages: list[Message]) -> list[tuple[str, str, int]]:
    return [(each.route, each.kind, len(each.items)) for each in messages]


def test_raised_folded_and_cleared() -> None:
    made = desk(SHOP)
    assert made.hear(state("raised", 0), at(0)) == "new"
    assert said(made.tick(at(0))) == [("shop", "raised", 1)]
    for minute in (1, 2, 3):
        made.hear(state("updated", minute, -1 - minute), at(minute))
        assert made.tick(at(minute)) == []
    (update,) = made.tick(at(15))
    assert (update.kind, update.items[0].notice.observed) == ("updated", -4)
    made.hear(state("cleared", 20, 5), at(20))
    assert said(made.tick(at(20))) == [("shop", "cleared", 1)]
    assert made.next_due() is None


def test_an_update_that_is_taken_back_is_not_told() -> None:
    made = desk(SHOP)
    made.hear(state("raised", 0), at(0))
    made.tick(at(0))
    made.hear(state("updated", 1, -7), at(1))
    made.hear(state("updated", 2, -1), at(2))
    assert made.tick(at(60)) == []


def test_what_is_cleared_before_it_is_told_was_never_there() -> None:
    made = desk(Route(name="shop", channel="c", wait_seconds=60))
    made.hear(state("raised", 0), at(0))
    assert made.tick(at(0.5)) == []
    made.hear(state("cleared", 0.6, 3), at(0.6))
    assert made.tick(at(5)) == []


@pytest.mark.parametrize(("severity", "kinds"), [("high", []), ("critical", ["raised"])])
def test_quiet_hours_are_the_shops_own(severity: str, kinds: list[str]) -> None:
    """10:00 in Shanghai is 03:00 in Berlin."""
    made = desk(Route(name="shop", channel="c", quiet="22:00-08:00"))
    made.hear(state("raised", 0, place="BLN", severity=severity), at(0))
    made.hear(state("raised", 0, alert="b", severity=severity), at(0))
    told = {item.notice.place: each.kind for each in made.tick(at(0)) for item in each.items}
    assert told.get("S01") == "raised"
    assert [kind for place, kind in told.items() if place == "BLN"] == kinds
    if not kinds:
        assert made.tick(at(5 * 60) - 1) == []
        assert said(made.tick(at(5 * 60))) == [("shop", "raised", 1)]


def test_after_a_quiet_night_the_rest_comes_as_one_digest() -> None:
    quiet = Route(name="shop", channel="c", quiet="09:00-11:00", digest=Digest(over=2))
    made = desk(quiet)
    for number in range(10):
        made.hear(state("raised", 0, alert=f"a{number}"), at(0))
    assert made.tick(at(1)) == []
    assert [count for _, _, count in said(made.tick(at(60)))] == [1, 1, 8]


def test_a_held_update_that_is_taken_back_is_not_urgent_next_time() -> None:
    quiet = Route(
        name="shop", channel="c", quiet="10:01-10:30", update_minutes=1, digest=Digest(over=1)
    )
    made = desk(quiet)
    made.hear(state("raised", 0), at(0))
    made.tick(at(0))
    made.hear(state("updated", 2, -5), at(2))
    made.tick(at(2))
    made.hear(state("updated", 3, -1), at(3))
    made.hear(state("raised", 29, alert="b"), at(31))
    assert said(made.tick(at(31))) == [("shop", "raised", 1)]
    made.hear(state("updated", 32, -5), at(32))
    # Put off by the digest's window, not sent at once as what the night held back would be.
    assert made.tick(at(32)) == []
    assert said(made.tick(at(42))) == [("shop", "updated", 1)]


def test_nobody_acknowledged() -> None:
    shop = Route(name="shop", channel="c", escalate=Escalate(to="boss", high=30.0))
    boss = Route(name="boss", channel="c", only_escalated=True)
    made = desk(shop, boss)
    made.hear(state("raised", 0), at(0))
    made.hear(state("raised", 0, alert="b"), at(0))
    assert len(made.tick(at(0))) == 2
    assert made.acknowledge("b", at(10))
    assert not made.acknowledge("nobody", at(10))
    assert made.tick(at(29)) == []
    (passed_on,) = made.tick(at(30))
    assert (passed_on.route, passed_on.kind, passed_on.items[0].notice.alert) == (
        "boss",
        "escalated",
        "a",
    )
    # Both hear that it is over.
    made.hear(state("cleared", 40, 3), at(40))
    assert sorted(said(made.tick(at(40)))) == [("boss", "cleared", 1), ("shop", "cleared", 1)]


def test_two_routes_that_pass_on_to_the_same_one_are_told_once() -> None:
    first, second = (
        Route(name=name, channel="c", escalate=Escalate(to="boss", high=minutes))
        for name, minutes in (("first", 10.0), ("second", 20.0))
    )
    made = desk(first, second, Route(name="boss", channel="c", only_escalated=True))
    made.hear(state("raised", 0), at(0))
    assert len(made.tick(at(0))) == 2
    assert said(made.tick(at(10))) == [("boss", "escalated", 1)]
    assert made.tick(at(20)) == []


def test_what_reached_nobody_is_passed_on_at_once() -> None:
    shop = Route(name="shop", channel="c", escalate=Escalate(to="boss"))
    made = desk(shop, Route(name="boss", channel="c", only_escalated=True))
    made.hear(state("raised", 0), at(0))
    made.tick(at(0))
    made.give_up("shop", ["a", "unknown"], at(1))
    assert said(made.tick(at(1))) == [("boss", "escalated", 1)]
    made.give_up("shop", ["a"], at(2))
    assert made.tick(at(2)) == []


def test_open_again_is_told_again() -> None:
    made = desk(SHOP)
    made.hear(state("raised", 0), at(0))
    made.hear(state("cleared", 1, 3), at(1))
    assert made.tick(at(1)) == []
    made.hear(state("updated", 2, -2), at(2))
    assert said(made.tick(at(2))) == [("shop", "raised", 1)]


def test_a_backfill_is_known_and_not_told() -> None:
    made = desk(SHOP)
    assert made.hear(state("raised", 0), at(0) + 2 * DAY_US) == "stale"
    assert made.tick(at(0) + 2 * DAY_US) == []
    assert made.hear(state("raised", 0, alert="b"), at(1) + 2 * DAY_US) == "stale"
    assert set(made.cases) == {"a"}
    # It lives: what happens to it now is told.
    late = state("updated", 2 * 24 * 60, -9)
    assert made.hear(late, late.updated_at) == "new"
    assert said(made.tick(late.updated_at)) == [("shop", "raised", 1)]


def test_a_closing_is_told_however_late_it_is_read() -> None:
    made = desk(SHOP)
    made.hear(state("raised", 0), at(0))
    made.tick(at(0))
    made.hear(state("cleared", 5, 3), at(5) + 3 * DAY_US)
    assert said(made.tick(at(5) + 3 * DAY_US)) == [("shop", "cleared", 1)]


def test_states_older_than_all_that_are_remembered_are_known() -> None:
    made = desk(SHOP)
    for number in range(SEEN_KEPT + 10):
        assert made.hear(state("updated", number, -number), at(number)) == "new"
    assert made.hear(state("updated", 0, 0), at(900)) == "known"
    assert made.hear(state("updated", 5, -5), at(900)) == "known"


def test_what_is_over_is_forgotten_and_stays_silent() -> None:
    made = desk(SHOP)
    made.hear(state("raised", 0), at(0))
    made.tick(at(0))
    made.hear(state("cleared", 1, 3), at(1))
    made.tick(at(1))
    assert made.forget(at(1) + 2 * DAY_US) == []
    later = at(1) + 2 * DAY_US + HOUR_US
    assert made.forget(later) == ["a"]
    assert made.hear(state("raised", 0), later) == "stale"
    assert made.tick(later) == []


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({"place": "W1"}, ["all", "east"]),
        ({"place": "E1"}, ["east"]),
        ({"place": "E1", "sku": "MILK"}, ["all"]),
        ({"place": "E1", "type": "drift"}, ["all"]),
        ({"place": "E1", "severity": "warning"}, ["all"]),
    ],
)
def test_routes(more: dict[str, Any], taken: list[str]) -> None:
    east = Route(
        name="east",
        channel="c",
        places=("E*", "W?"),
        skus=("TEA-*",),
        types=("oversell",),
        severities=("critical", "high"),
        stop=more["place"] == "E1",
    )
    made = desk(east, Route(name="all", channel="c"))
    made.hear(state("raised", 0, **more), at(0))
    assert sorted(each.route for each in made.tick(at(0))) == taken


def test_hours_and_days_are_local() -> None:
    """T0 is a Monday: 10:00 in Shanghai, 03:00 in Berlin."""
    day = Route(name="day", channel="c", hours="09:00-18:00", days=("mon",))
    night = Route(name="night", channel="c", hours="18:00-09:00")
    sunday = Route(name="sunday", channel="c", days=("sun",))
    made = desk(day, night, sunday)
    made.hear(state("raised", 0), at(0))
    made.hear(state("raised", 0, alert="b", place="BLN"), at(0))
    told = sorted((each.items[0].notice.place, each.route) for each in made.tick(at(0)))
    assert told == [("BLN", "night"), ("S01", "day")]
