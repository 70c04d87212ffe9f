"""What goes missing: theft and mishap that nobody records, and breakage that somebody does."""

from __future__ import annotations

from bisect import bisect
from datetime import date
from random import Random

from sources.simulator import exact
from sources.simulator.instants import DAY_MS, local_ms
from sources.simulator.places import Site
from sources.simulator.streams import stream
from sources.simulator.world import World

REASONS = ("damaged", "expired", "consumed")


class Losses:
    """Losses at all places, in proportion to what each hands out."""

    def __init__(self, world: World, rates: list[list[float]]) -> None:
        self._world = world
        self._units_per_day = [exact.total(row) for row in rates]
        self._choosers = [exact.summed(row) for row in rates]

    def plan(self, day: date) -> None:
        """Puts a day's losses of every place on the agenda."""
        rules = self._world.settings.supply
        for site in self._world.sites:
            # Two hands a time at most: the mean of 1 and 2 units makes the rate come out.
            for what, rate, act in (
                ("shrinkage", rules.shrinkage_rate, self._vanish),
                ("damage", rules.damage_rate, self._break),
            ):
                rng = stream(self._world.settings.seed, what, site.name, day)
                mean = rate * self._units_per_day[site.index] / 1.5
                for _ in range(exact.poisson(rng, mean)):
                    at_ms = local_ms(site.city.zone, day) + int(rng.random() * DAY_MS)
                    self._world.agenda.at(
                        at_ms,
                        act,
                        site,
                        self._sku(site, rng),
                        1 + (rng.random() < 0.5),
                        rng.random(),
                    )

    def _sku(self, site: Site, rng: Random) -> int:
        """What sells is also what is at hand."""
        chooser = self._choosers[site.index]
        return min(bisect(chooser, rng.random() * chooser[-1]), len(chooser) - 1)

    def _vanish(self, site: Site, sku: int, wanted: int, _: float) -> None:
        """Units are gone and nobody knows until somebody counts."""
        world = self._world
        units = world.shelves.take(site.index, sku, wanted, "shrunk")
        if units:
            name, now_ms = world.goods.skus[sku].name, world.agenda.now_ms
            world.truth.hidden("shrinkage", site.name, name, now_ms, quantity=units)

    def _break(self, site: Site, sku: int, wanted: int, why: float) -> None:
        """Units break and are written down at once."""
        world = self._world
        units = world.shelves.take(site.index, sku, wanted, "damaged")
        if units:
            world.recorder.movement(
                "adjusted",
                world.recorder.back_office(site.index),
                site.index,
                sku,
                -units,
                world.agenda.now_ms,
                reason=REASONS[int(why * len(REASONS))],
            )
