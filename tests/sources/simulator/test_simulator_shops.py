"""Footfall, queue, doors and members of the simulated shops."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest

from schemas.envelope import OrderEvent, VisitEvent
from schemas.instants import parse_instant, to_micros
from sources.simulator import Settings, Simulation, clean
from sources.simulator.courier import Delivery
from sources.simulator.footfall import Footfall
from sources.simulator.goods import Goods
from sources.simulator.places import cities_of, sites_of
from sources.simulator.seasons import CHINA_2026, Seasons
from sources.simulator.shop_day import ShopDay, ShopDays
from sources.simulator.staff import Staff
from sources.simulator.truth import TABLES


def rows(simulation: Simulation, table: str) -> list[dict[str, Any]]:
    names = TABLES[table].names
    return [dict(zip(names, row, strict=True)) for row in simulation.truth.rows[table]]


def days_of(settings: Settings, store: str) -> list[ShopDay]:
    """Every day of one shop, played alone."""
    cities = cities_of(settings)
    site = next(site for site in sites_of(settings, cities) if site.name == store)
    seasons = Seasons(settings, cities)
    goods = Goods(settings)
    footfall = Footfall(settings, seasons)
    days = ShopDays(settings, goods, footfall, Staff(settings, 60.0))
    return [
        days.play(site, footfall.hours(site, day), seasons.promoted(day)) for day in seasons.days
    ]


def test_another_shop_changes_no_shops_draws(small: Callable[..., Settings]) -> None:
    """Who comes, what they ask for and how long it takes depend on the shop's own name alone."""
    few, many = small(stores=2), small(stores=9, forward_warehouses=3, days=4)
    for one, other in zip(days_of(few, "S001"), days_of(many, "S001"), strict=False):
        assert one.entered == other.entered
        assert one.purchases == other.purchases


def test_people_come_as_often_as_the_intensity_says(small: Callable[..., Settings]) -> None:
    """The count of a shop's days lies within four standard deviations of the Poisson mean."""
    days = days_of(small(days=60, trade={"visitors_per_day": 400.0}), "S001")
    expected = math.fsum(q.intensity for day in days for q in day.hours.quarters)
    came = sum(len(day.entered) for day in days)
    assert abs(came - expected) < 4 * math.sqrt(expected)
    for day in days:
        assert all(day.hours.opens_ms <= at_ms < day.hours.closes_ms for at_ms in day.entered)


def test_the_counter_serves_in_order_and_one_at_a_time(small: Callable[..., Settings]) -> None:
    """First come, first served; nobody serves two at once or begins before or after the shift."""
    settings = small(
        trade={"visitors_per_day": 900.0, "conversion": 0.9}, counter={"staffing_spread": 0.3}
    )
    for day in days_of(settings, "S002"):
        starts = [purchase.started_ms for purchase in day.purchases]
        assert any(p.started_ms > p.joined_ms for p in day.purchases), "somebody has to wait"
        busy: defaultdict[str, int] = defaultdict(int)
        shifts = {shift.employee.name: shift for shift in day.shifts}
        for purchase in day.purchases:
            who = purchase.employee.name
            assert purchase.joined_ms <= purchase.started_ms < purchase.paid_ms
            assert busy[who] <= purchase.started_ms
            assert shifts[who].start_ms <= purchase.started_ms < shifts[who].end_ms
            busy[who] = purchase.paid_ms
        assert starts == sorted(starts)
        assert len(day.joined) == len(day.purchases) + len(day.gave_up)
        assert len(day.left) == len(day.entered)


def test_doors_count_everybody_when_they_miss_nobody(small: Callable[..., Settings]) -> None:
    """Without imperfections the doors' sums are the truth, quarter by quarter."""
    simulation = Simulation(clean(small()))
    counted: Counter[tuple[str, str]] = Counter()
    reports: Counter[str] = Counter()
    for delivery in simulation:
        if isinstance(delivery.event, VisitEvent):
            data = delivery.event.data
            counted[data.store, "in"] += data.in_
            counted[data.store, "out"] += data.out
            reports[data.store] += 1
    true: Counter[tuple[str, str]] = Counter()
    for row in rows(simulation, "intensity"):
        true[row["store"], "in"] += row["entered"]
        true[row["store"], "out"] += row["left"]
    assert counted == true
    assert len(reports) == 3


def test_orders_agree_with_the_truth_of_the_counter(small: Callable[..., Settings]) -> None:
    """Every order was somebody's service; times, people and money fit together."""
    simulation = Simulation(clean(small(days=3)))
    deliveries = list(simulation)
    orders = [d.event for d in deliveries if isinstance(d.event, OrderEvent)]
    served = sum(row["served"] for row in rows(simulation, "intensity"))
    assert 0.9 * served < len(orders) <= served
    on_duty = {(row["store"], row["employee"]) for row in rows(simulation, "shifts")}
    prices = {sku.name: sku.price for sku in simulation.world.goods.skus}
    for event in orders:
        data = event.data
        assert (data.store, data.employee) in on_duty
        span_us = to_micros(event.time) - parse_instant(data.opened_at)
        assert span_us == round(data.service_seconds * 1e6)
        assert data.items == sum(line.quantity for line in data.lines)
        assert data.amount == sum(prices[line.sku] * line.quantity for line in data.lines)


def test_members_buy_only_while_they_are_members(
    bumpy_run: tuple[Simulation, list[Delivery]],
) -> None:
    """Orders name members who had joined and not dropped out, and as often as the truth says."""
    simulation, deliveries = bumpy_run
    members = {row["member"]: row for row in rows(simulation, "members")}
    assert len(members) == 90
    bought: Counter[str] = Counter()
    seen = set()
    for delivery in deliveries:
        event = delivery.event
        if not isinstance(event, OrderEvent) or (event.source, event.id) in seen:
            continue
        seen.add((event.source, event.id))
        if event.data.member:
            member = members[event.data.member]
            at = to_micros(event.time)
            assert member["joined_at"] <= at
            assert member["dropped_at"] is None or at <= member["dropped_at"]
            bought[event.data.member] += 1
    assert bought.total() > 20
    assert all(bought[name] == row["purchases"] for name, row in members.items())


def test_special_days_are_those_of_the_notice(small: Callable[..., Settings]) -> None:
    """2026: 33 days off and 6 weekend days that are worked."""
    assert Counter(CHINA_2026.values()) == {"holiday": 33, "moved_working_day": 6}
    settings = small(start=date(2026, 4, 4), days=1)
    cities = cities_of(settings)
    shop = sites_of(settings, cities)[0]
    factors = Seasons(settings, cities).footfall(shop, date(2026, 4, 4))
    assert factors.special == settings.trade.holiday_factor


@pytest.mark.parametrize(
    ("day", "hours_more"), [(date(2026, 3, 29), -1), (date(2026, 10, 25), 1), (date(2026, 6, 1), 0)]
)
def test_a_day_on_which_the_clocks_change(
    small: Callable[..., Settings], day: date, hours_more: int
) -> None:
    """A shop that is open all day has an hour less or more of quarters, each with its people."""
    settings = small(
        timezones=["Europe/Berlin"],
        start=day - timedelta(days=1),
        trade={"opens": "00:00", "closes": "23:45"},
    )
    before, changed = (played.hours for played in days_of(settings, "S001"))
    assert len(changed.quarters) == len(before.quarters) + 4 * hours_more
    spans = {after.start_ms - here.start_ms for here, after in pairwise(changed.quarters)}
    assert spans == {900_000}


def test_another_shop_changes_no_shops_reports(small: Callable[..., Settings]) -> None:
    """The same to the last byte and arrival: what doors report rests on the shop alone."""

    def reports(settings: Settings) -> list[tuple[int, VisitEvent]]:
        deliveries = list(Simulation(settings))
        return [
            (d.arrival_ms, d.event)
            for d in deliveries
            if isinstance(d.event, VisitEvent) and d.event.data.store == "S002"
        ]

    few = reports(small(stores=2))
    assert few == reports(small(stores=4))
    assert len(few) > 50
