"""How events get from where they are made to where they are read: late, twice, in bursts.

Every source has its own streams, one for each thing that can go wrong, so switching one of them off
leaves the others, and all that really happens, where they were.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from schemas.envelope import MovementEvent, OrderEvent, VisitEvent
from sources.simulator.instants import HOUR_MS, MINUTE_MS, SECOND_MS, LocalClock
from sources.simulator.settings import Settings
from sources.simulator.streams import stream
from sources.simulator.truth import Truth

Event = MovementEvent | VisitEvent | OrderEvent

# A till that is back on line sends what it has kept at this pace.
BURST_STEP_MS = 25
# An event held up for less than this is in nobody's way; nothing is written about it.
NOTICED_MS = MINUTE_MS
FACTORS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75)  # of the mean network time, equally likely


class Delivery(NamedTuple):
    """One event as it arrives; `number` orders what arrives in the same millisecond."""

    arrival_ms: int
    number: int
    event: Event


@dataclass(slots=True)
class Source:
    """One sender: its numbering, its clock, its luck. `offline` is [from, to) in ms."""

    name: str
    clock: LocalClock
    late: Random
    twice: Random
    order: Random
    network: Random
    number: int = 0
    last_ms: int = 0
    offline: tuple[int, int] = (0, 0)
    prefix: str = field(init=False)

    def __post_init__(self) -> None:
        """Ids carry the source's name, so that a person can read them."""
        self.prefix = self.name.replace("/", "-")

    def next_id(self) -> str:
        """The id of the next event; equal to its place in the source's sequence."""
        self.number += 1
        return f"{self.prefix}-{self.number:07d}"


class Courier:
    """Takes events and hands them out again in order of arrival.

    Nothing arrives later than `max_lateness_hours` after it happened, whatever goes wrong.
    """

    def __init__(self, settings: Settings, truth: Truth) -> None:
        self._settings = settings
        self._rules = settings.imperfections
        self._truth = truth
        self.max_ms = int(settings.max_lateness_hours * HOUR_MS)
        self._waiting: list[Delivery] = []
        self._number = 0
        self._sources: dict[str, Source] = {}

    def source(self, name: str, clock: LocalClock) -> Source:
        """The sender of that name."""
        known = self._sources.get(name)
        if known is None:
            late, twice, order, network = (
                stream(self._settings.seed, what, name)
                for what in ("late", "duplicate", "order", "network")
            )
            known = self._sources[name] = Source(name, clock, late, twice, order, network)
        return known

    def send(
        self,
        event: Event,
        source: Source,
        at_ms: int,
        *,
        known_ms: int | None = None,
        arrive_ms: int | None = None,
        late_rate: float | None = None,
        latest_ms: int | None = None,
    ) -> int:
        """Sends an event that happened at `at_ms`; answers when it will arrive.

        `known_ms` is when it was recorded, where that was later; `arrive_ms` fixes the arrival;
        `latest_ms` is a bound that is earlier than the usual one.
        """
        rules = self._rules
        recorded_ms = at_ms if known_ms is None else known_ms
        latest = at_ms + self.max_ms if latest_ms is None else min(latest_ms, at_ms + self.max_ms)
        off_from, off_to = source.offline
        if arrive_ms is not None:
            arrival_ms = recorded_ms = min(arrive_ms, latest)
        elif off_from <= recorded_ms < off_to:
            recorded_ms = off_to
            arrival_ms = source.last_ms = max(off_to, source.last_ms + BURST_STEP_MS)
            self._truth.imperfection("offline", event, at_ms, arrival_ms)
        else:
            network_ms = rules.network_ms * FACTORS[int(source.network.random() * len(FACTORS))]
            arrival_ms = max(recorded_ms + int(network_ms), source.last_ms + 1)
            if not rules.network_ms:
                arrival_ms = recorded_ms
            if source.late.random() < (rules.late_rate if late_rate is None else late_rate):
                arrival_ms = recorded_ms = self._held_up(source, recorded_ms, latest)
                kind = "late_count" if late_rate is not None else "late"
                self._truth.imperfection(kind, event, at_ms, arrival_ms)
            elif source.order.random() < rules.out_of_order_rate:
                arrival_ms += SECOND_MS + int(29 * SECOND_MS * source.order.random())
                self._truth.imperfection("out_of_order", event, at_ms, arrival_ms)
            else:
                source.last_ms = arrival_ms
        arrival_ms = min(arrival_ms, latest)
        if recorded_ms > at_ms:
            event.recordedtime = source.clock.at(min(recorded_ms, arrival_ms))
        self._put(arrival_ms, event)
        if rules.duplicate_rate and source.twice.random() < rules.duplicate_rate:
            self._again(event, source, at_ms, arrival_ms, latest)
        return arrival_ms

    def _held_up(self, source: Source, recorded_ms: int, latest_ms: int) -> int:
        """An arrival between a minute and the bound: half of them within an eighth of it."""
        share = source.late.random()
        room_ms = max(0, latest_ms - recorded_ms - MINUTE_MS)
        return recorded_ms + MINUTE_MS + int(room_ms * share * share * share)

    def _again(
        self, event: Event, source: Source, at_ms: int, arrival_ms: int, latest_ms: int
    ) -> None:
        """The same event once more, and perhaps twice or three times: soon, or much later."""
        copies = 1 + (source.twice.random() < 0.2) + (source.twice.random() < 0.05)
        again_ms = arrival_ms
        for _ in range(copies):
            soon_ms = SECOND_MS + int(source.twice.random() * MINUTE_MS)
            much_later = source.twice.random() < 0.2
            share = source.twice.random()
            if much_later:
                soon_ms += int((latest_ms - arrival_ms) * share * share)
            again_ms = min(again_ms + soon_ms, latest_ms)
            self._put(again_ms, event)
        self._truth.imperfection("duplicate", event, at_ms, again_ms, quantity=copies)

    def _put(self, arrival_ms: int, event: Event) -> None:
        self._number += 1
        heapq.heappush(self._waiting, Delivery(arrival_ms, self._number, event))

    def due(self, before_ms: int) -> Iterator[Delivery]:
        """What arrives before an instant, in order."""
        waiting = self._waiting
        while waiting and waiting[0][0] < before_ms:
            yield heapq.heappop(waiting)

    def rest(self) -> Iterator[Delivery]:
        """Everything that is still on its way, in order."""
        while self._waiting:
            yield heapq.heappop(self._waiting)
