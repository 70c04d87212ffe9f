"""Footfall of many shops at once with the intensity it was drawn from: for judging forecasts.

The chain simulator beside this plays every person; this one draws only counts, a thousand shops
and a quarter of a year in seconds, with what a forecast has to cope with: four kinds of shops with
shapes of their own, Chinese holidays with moved working days, weather that was forecast wrongly,
campaigns that work differently well, drifting levels, doors that die and shops that are new.
Effects are not those of the forecast's own formula on purpose: temperature acts as a curve, rain
saturates, holidays fade in and out, campaigns wear off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from operators.forecast.days import DayKind, day_kinds
from operators.forecast.features import Known, campaign_age
from operators.forecast.panel import SLOTS, Panel
from sources.simulator.streams import stream

Floats = NDArray[np.float64]

GROUPS = ("mall", "office", "station", "street")
CITIES = 5
# The weather of a day is forecast up to so many days ahead.
LEADS = 8
KINDS_OF_CAMPAIGN = ("price", "new_goods")
# Monday to Sunday, by group: offices are empty on Sundays, malls full.
_WEEK = {
    "mall": (0.82, 0.80, 0.83, 0.88, 1.08, 1.38, 1.30),
    "office": (1.12, 1.15, 1.16, 1.15, 1.10, 0.62, 0.48),
    "station": (1.00, 0.96, 0.97, 1.00, 1.14, 1.02, 0.98),
    "street": (0.92, 0.92, 0.94, 0.97, 1.06, 1.16, 1.06),
}
# Peaks of the day: (hour, width in hours, weight) on working days, and on days off.
_PEAKS = {
    "mall": (((12.5, 1.5, 1.0), (19.0, 2.0, 1.8)), ((15.0, 3.0, 2.0), (19.0, 2.0, 1.3))),
    "office": (((8.5, 0.8, 1.6), (12.4, 0.8, 2.4), (18.2, 1.0, 1.0)), ((13.0, 3.0, 1.0),)),
    "station": (((8.0, 1.0, 1.8), (18.0, 1.3, 2.0), (13.0, 4.0, 1.0)), ((13.5, 4.5, 1.0),)),
    "street": (((12.3, 1.4, 1.2), (18.5, 2.2, 1.5)), ((14.5, 3.5, 1.6), (18.5, 2.0, 1.0))),
}
_HOLIDAY = {"mall": 1.30, "office": 0.55, "station": 1.15, "street": 1.12}


@dataclass(frozen=True, slots=True)
class CrowdSettings:
    """What is drawn. Shares are from 0 to 1, spreads are standard deviations of the log.

    `shock` is the day's own luck that no forecast can know; with 0 the intensity is all that can
    be known. `late` of the shops open within the last `late_days` days.
    """

    stores: int = 40
    days: int = 97
    first: date = date(2026, 1, 26)
    seed: int = 1
    visitors: float = 750.0
    level_spread: float = 0.5
    shock: float = 0.0
    drift: float = 0.004
    dead_share: float = 0.01
    closed_share: float = 0.004
    late: float = 0.0
    late_days: int = 14
    conversion: float = 0.45


@dataclass(frozen=True, slots=True)
class Crowds:
    """What was drawn.

    `intensity` is the mean of the entries, with everything that acted on them, `orders_intensity`
    that of the orders; `foreseen` is that of the entries as the evening before could know it at
    best: with the weather as it was forecast, and no step of the level since. Weather
    is (leads, cities, days): as it was forecast so many days before, with 0 as it really was.
    """

    settings: CrowdSettings
    kinds: list[DayKind]
    entries: Panel
    orders: Panel
    intensity: Floats
    foreseen: Floats
    orders_intensity: Floats
    is_open: Floats
    city: NDArray[np.intp]
    rain_mm: Floats
    high_c: Floats
    campaigns: Floats
    school: Floats

    def known(self, first: int, until: int, lead: int) -> Known:
        """What was known of days `first` to `until` so many days before each of them."""
        days = slice(first, until)
        return Known(
            kinds=self.kinds[days],
            rain_mm=self.rain_mm[lead][self.city, days],
            high_c=self.high_c[lead][self.city, days],
            school_holiday=self.school[:, days],
            campaigns=self.campaigns[:, days],
            campaign_age=campaign_age(self.campaigns)[:, days],
            campaign_kinds=KINDS_OF_CAMPAIGN,
        )


def draw(settings: CrowdSettings) -> Crowds:
    """Draw it; the same settings give the same counts with the same version of NumPy."""
    rng = np.random.default_rng(stream(settings.seed, "crowds").getrandbits(64))
    stores, days = settings.stores, settings.days
    kinds = day_kinds("CN", settings.first, days)
    group = rng.integers(0, len(GROUPS), stores)
    city = rng.integers(0, CITIES, stores)
    high, rain = _weather(rng, settings.first, days)
    campaigns = _campaigns(rng, stores, days)
    school = np.array([kind.day.month in {1, 2, 7, 8} for kind in kinds], float)
    day_level, steps = _day_levels(rng, settings, kinds, group, campaigns)
    came, foreseen = _weather_effects(rng, group, rain[:2, city], high[:2, city], kinds)
    day_level *= came
    day_level *= 1 + 0.08 * rng.normal(1, 0.4, (stores, 1)) * school
    shape, open_usual = _shapes(rng, group, kinds)
    closed = rng.random((stores, days)) < settings.closed_share
    is_open = np.where(closed[:, :, None], 0.0, open_usual)
    intensity = day_level[:, :, None] * shape * is_open
    entries = rng.poisson(intensity).astype(float)
    rate = settings.conversion * np.exp(rng.normal(0, 0.12, (stores, 1, 1)))
    rate = np.minimum(rate * (1 + 0.08 * np.sin(np.arange(SLOTS) / SLOTS * 9)), 0.95)
    orders = rng.binomial(entries.astype(int), np.broadcast_to(rate, entries.shape)).astype(float)
    seen = is_open.copy()
    _kill_doors(rng, seen, settings.dead_share)
    new = rng.random(stores) < settings.late
    for store in np.flatnonzero(new):
        seen[store, : days - int(rng.integers(1, settings.late_days + 1))] = 0
    named = tuple(f"S{number + 1:04d}" for number in range(stores))
    groups = tuple(GROUPS[at] for at in group)
    # A dead sensor says zero, and so does a closed shop; only the mask knows better.
    return Crowds(
        settings=settings,
        kinds=kinds,
        entries=Panel(named, groups, settings.first, entries * (seen > 0), seen),
        orders=Panel(named, groups, settings.first, orders * (seen > 0), seen),
        intensity=intensity,
        foreseen=intensity * (foreseen / came / np.exp(steps))[:, :, None],
        orders_intensity=intensity * rate,
        is_open=is_open,
        city=city,
        rain_mm=rain,
        high_c=high,
        campaigns=campaigns,
        school=np.broadcast_to(school, (stores, days)),
    )


def _day_levels(
    rng: np.random.Generator,
    settings: CrowdSettings,
    kinds: list[DayKind],
    group: NDArray[np.intp],
    campaigns: Floats,
) -> tuple[Floats, Floats]:
    """The level of each day, (stores, days), and the steps of its logarithm that nobody knows."""
    stores, days = settings.stores, settings.days
    level = settings.visitors * np.exp(rng.normal(0, settings.level_spread, (stores, 1)))
    steps = rng.normal(0, settings.drift, (stores, days))
    drift = np.cumsum(steps, axis=1)
    week = np.array([_WEEK[name] for name in GROUPS])[group]
    week = week * np.exp(rng.normal(0, 0.08, (stores, 7)))
    effect = np.array([_HOLIDAY[name] for name in GROUPS])[group]
    effect = effect * np.exp(rng.normal(0, 0.08, stores))
    total = np.empty((stores, days))
    for at, kind in enumerate(kinds):
        if kind.place:
            # Fades in and out: the first and the last day of a long block belong half to travel.
            edge = min(kind.place, kind.length - kind.place + 1)
            strength = 1.0 if kind.length < 5 else (0.6, 1.0, 1.2)[min(edge, 3) - 1]
            total[:, at] = (week[:, 5] + week[:, 6]) / 2 * effect**strength
        elif kind.moved:
            total[:, at] = week[:, :5].mean(axis=1) * 0.94
        else:
            total[:, at] = week[:, kind.weekday]
        total[:, at] *= 1.06 if kind.eve else 0.95 if kind.after else 1.0
    lift = np.exp(rng.normal((0.22, 0.12), (0.07, 0.05), (stores, len(KINDS_OF_CAMPAIGN))))
    # Campaigns wear off: after three weeks half of the effect is left.
    worn = 0.5 ** (campaign_age(campaigns) / 21)
    lifted = np.prod(np.where(campaigns > 0, lift[:, None, :] ** worn, 1.0), axis=2)
    luck = np.exp(rng.normal(-(settings.shock**2) / 2, settings.shock, (stores, days)))
    return np.asarray(level * np.exp(drift) * total * lifted * luck), steps + np.log(luck)


def _weather(rng: np.random.Generator, first: date, days: int) -> tuple[Floats, Floats]:
    """Highest temperature and rain, (leads, cities, days): lead 0 is what really came."""
    number = first.timetuple().tm_yday + np.arange(days)
    warm = 17 - 11 * np.cos((number - 25) / 365.25 * 2 * np.pi) + rng.normal(0, 3, (CITIES, 1))
    noise = np.zeros((CITIES, days))
    wet = np.zeros((CITIES, days), bool)
    for at in range(1, days):
        noise[:, at] = 0.7 * noise[:, at - 1] + rng.normal(0, 2.5, CITIES)
        wet[:, at] = rng.random(CITIES) < np.where(wet[:, at - 1], 0.5, 0.22)
    amount = wet * rng.gamma(0.8, 11.0, (CITIES, days))
    high = np.empty((LEADS, CITIES, days))
    rain = np.empty((LEADS, CITIES, days))
    for lead in range(LEADS):
        high[lead] = warm + noise + rng.normal(0, 0.01 + 0.7 * lead**0.7, (CITIES, days))
        rain[lead] = amount * np.exp(rng.normal(0, 0.28 * lead**0.7, (CITIES, days)))
        missed = rng.random((CITIES, days)) < 0.035 * lead
        rain[lead] = np.where(missed, np.where(wet, 0.0, 4.0), rain[lead])
    return high, rain


def _weather_effects(
    rng: np.random.Generator,
    group: NDArray[np.intp],
    rain: Floats,
    high: Floats,
    kinds: list[DayKind],
) -> Floats:
    """What the weather does to each day, (leads, stores, days)."""
    # A mall gains a little when it rains on a day off; a street loses most.
    loss = np.array([0.04, 0.10, 0.06, 0.26])[group][:, None]
    loss = loss * np.exp(rng.normal(0, 0.25, (len(group), 1)))
    wet = 1 - np.exp(-rain / 8)
    days_off = np.array([kind.place > 0 or kind.weekday > 4 for kind in kinds], float)
    gain = np.where(group == 0, 0.08, -0.04)[:, None] * days_off * wet
    outside = np.array([0.3, 0.5, 0.3, 1.0])[group][:, None]
    comfort = -0.0006 * (high - 20) ** 2 * (np.abs(high - 20) > 6)
    return np.asarray(np.exp(-loss * wet + gain + outside * np.maximum(comfort, -0.5)))


def _campaigns(rng: np.random.Generator, stores: int, days: int) -> Floats:
    """Spans of some days; most are the whole chain's, some a part's."""
    found = np.zeros((stores, days, len(KINDS_OF_CAMPAIGN)))
    for kind in range(len(KINDS_OF_CAMPAIGN)):
        at = int(rng.integers(3, 15))
        while at < days:
            length = int(rng.integers(3, 11))
            mine = rng.random(stores) < rng.choice([1.0, 0.5])
            found[mine, at : at + length, kind] = 1
            at += length + int(rng.integers(7, 22))
    return found


def _shapes(
    rng: np.random.Generator, group: NDArray[np.intp], kinds: list[DayKind]
) -> tuple[Floats, Floats]:
    """Each day's shape and the open quarters, (stores, days, 96)."""
    hour = (np.arange(SLOTS) + 0.5) / 4
    stores = len(group)
    opens = 4 * np.array([10, 7, 6, 9])[group] + rng.integers(-2, 3, stores)
    closes = 4 * np.array([22, 20, 23, 21])[group] + rng.integers(-2, 3, stores)
    slots = np.arange(SLOTS)
    is_open = ((slots >= opens[:, None]) & (slots < closes[:, None])).astype(float)
    shape = np.empty((stores, 2, SLOTS))
    for store in range(stores):
        for off in range(2):
            curve = np.full(SLOTS, 0.25)
            for peak, width, weight in _PEAKS[GROUPS[group[store]]][off]:
                moved, height = rng.normal(peak, 0.25), weight * np.exp(rng.normal(0, 0.2))
                curve += height * np.exp(-(((hour - moved) / width) ** 2) / 2)
            curve = curve * is_open[store]
            shape[store, off] = curve / curve.sum()
    friday = 0.85 * shape[:, 0] + 0.15 * shape[:, 1]
    of_day = []
    for kind in kinds:
        off = kind.place > 0 or (kind.weekday > 4 and not kind.moved)
        of_day.append(shape[:, 1] if off else friday if kind.weekday == 4 else shape[:, 0])
    return np.stack(of_day, axis=1), np.repeat(is_open[:, None], len(kinds), axis=1)


def _kill_doors(rng: np.random.Generator, seen: Floats, share: float) -> None:
    """Sensors die for some hours: `seen` becomes zero there, in place."""
    stores, days, _ = seen.shape
    for store, day in zip(*np.nonzero(rng.random((stores, days)) < share), strict=True):
        start = int(rng.integers(30, 80))
        seen[store, day, start : start + int(rng.integers(4, 40))] = 0
