"""The shops' days: plans each one, puts it on the agenda and writes down what is hidden of it."""

from __future__ import annotations

from datetime import date

from sources.simulator.checkout import Checkout
from sources.simulator.doors import Doors
from sources.simulator.footfall import Footfall, ShopHours
from sources.simulator.instants import HOUR_MS, QUARTER_MS, SECOND_MS
from sources.simulator.members import Members
from sources.simulator.places import Site
from sources.simulator.returns import Returns
from sources.simulator.shop_day import ShopDay, ShopDays
from sources.simulator.staff import Staff
from sources.simulator.streams import stream
from sources.simulator.world import World


class Shops:
    """All shops of the chain."""

    def __init__(self, world: World, returns: Returns) -> None:
        settings, goods = world.settings, world.goods
        self._world = world
        items = goods.mean_lines * goods.mean_units
        mean_s = settings.counter.seconds_per_order + settings.counter.seconds_per_item * items
        self._staff = Staff(settings, mean_s)
        self._footfall = Footfall(settings, world.seasons)
        self._days = ShopDays(settings, goods, self._footfall, self._staff)
        orders = [
            settings.trade.visitors_per_day * site.shop.level * site.shop.conversion
            for site in world.shops
            if site.shop
        ]
        self.members = Members(settings, world.shops, orders, world.start_ms)
        self.checkout = Checkout(world, self.members, returns)
        self._doors = Doors(world)

    def plan(self, day: date) -> None:
        """Puts a day of every shop on the agenda."""
        promoted = self._world.seasons.promoted(day)
        for site in self._world.shops:
            hours = self._footfall.hours(site, day)
            played = self._days.play(site, hours, promoted)
            self._tills_go_offline(site, played)
            for purchase in played.purchases:
                self._world.agenda.at(purchase.paid_ms, self.checkout.pay, site, purchase)
            self._doors.plan(site, played)
            self._write(site, played)

    def _tills_go_offline(self, site: Site, day: ShopDay) -> None:
        """Some tills lose their line for a part of the day."""
        rules = self._world.settings.imperfections
        longest_ms = int(min(rules.offline_hours * HOUR_MS, self._world.courier.max_ms / 2))
        hours: ShopHours = day.hours
        for till in sorted({shift.till for shift in day.shifts}):
            rng = stream(self._world.settings.seed, "offline", site.name, till, hours.day)
            if rng.random() >= rules.offline_rate:
                continue
            from_ms = hours.opens_ms + int(rng.random() * (hours.closes_ms - hours.opens_ms))
            to_ms = from_ms + longest_ms // 12 + int(rng.random() * longest_ms * 11 / 12)
            name = f"till/{site.name}/{till}"
            self._world.recorder.source(name, site).offline = (from_ms, to_ms)
            self._world.truth.hidden(
                "offline_till", site.name, "", from_ms, quantity=0, known_ms=to_ms, source=name
            )

    def _write(self, site: Site, day: ShopDay) -> None:
        """The truth of every quarter, and after closing until the last customer has gone."""
        opens_ms = day.hours.opens_ms
        open_slots = len(day.hours.quarters)
        last_ms = max(day.left, default=opens_ms)
        slots = max(open_slots, (last_ms - opens_ms) // QUARTER_MS + 1)
        entered, left, joined, gave_up, served, waited_ms = ([0] * slots for _ in range(6))
        for instants, counts in (
            (day.entered, entered),
            (day.left, left),
            (day.joined, joined),
            (day.gave_up, gave_up),
        ):
            for at_ms in instants:
                counts[(at_ms - opens_ms) // QUARTER_MS] += 1
        for purchase in day.purchases:
            slot = (purchase.paid_ms - opens_ms) // QUARTER_MS
            served[slot] += 1
            waited_ms[slot] += purchase.started_ms - purchase.joined_ms
        factors = day.hours.factors
        for slot in range(slots):
            quarter = day.hours.quarters[slot] if slot < open_slots else None
            start_ms = opens_ms + slot * QUARTER_MS
            on_duty = [s for s in day.shifts if s.start_ms <= start_ms < s.end_ms]
            self._world.truth.add(
                "intensity",
                (
                    site.name,
                    start_ms * 1_000,
                    day.hours.day.isoformat(),
                    quarter.intensity if quarter else 0.0,
                    quarter.profile if quarter else 0.0,
                    factors.week,
                    factors.special,
                    factors.weather,
                    factors.campaign,
                    factors.shock,
                    entered[slot],
                    left[slot],
                    joined[slot],
                    gave_up[slot],
                    served[slot],
                    waited_ms[slot] / SECOND_MS,
                    len(on_duty),
                ),
            )
        for shift in day.shifts:
            who = shift.employee
            row = (site.name, who.name, who.grade, who.pace, shift.till)
            self._world.truth.add("shifts", (*row, shift.start_ms * 1_000, shift.end_ms * 1_000))
