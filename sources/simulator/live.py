"""Plays a simulated chain in real time: simulated instants become real ones, in step with a clock.

A simulated instant is mapped to a real one by a line that never turns back, so what happened
before something else still did. The steepest it may be is a thousand times real time: then every
simulated millisecond still has a microsecond of its own, and no sale falls into the instant of a
count that it followed.
"""

from __future__ import annotations

import time
from bisect import bisect
from collections.abc import Callable, Iterator
from datetime import datetime

import msgspec

from schemas.instants import to_datetime, to_micros
from sources.simulator.courier import Delivery, Event
from sources.simulator.simulation import Simulation

SLOWEST, FASTEST = 1.0, 1_000.0
# How often a steady rate is looked after, and by how much the speed changes at most each time.
ADAPT_US = 1_000_000
MOST_FACTOR = 2.0
SECOND_US = 1_000_000


class Pace:
    """Which real instant a simulated one is: lines of a speed, one after the other.

    `speed` is simulated seconds a real second, from 1 to 1,000.
    """

    def __init__(self, begin_ms: int, real_us: int, speed: float) -> None:
        """The simulated `begin_ms` is the real `real_us`."""
        self._begins = [begin_ms]
        self._lines = [(begin_ms, real_us, _held(speed))]

    @property
    def speed(self) -> float:
        """The speed now."""
        return self._lines[-1][2]

    def real_us(self, at_ms: int) -> int:
        """The real instant; instants before the first line are on it, too."""
        begin_ms, real_us, speed = self._lines[max(0, bisect(self._begins, at_ms) - 1)]
        return real_us + round((at_ms - begin_ms) * 1_000 / speed)

    def change(self, at_ms: int, speed: float) -> None:
        """Another speed from a simulated instant on; none before it is moved."""
        real_us = self.real_us(at_ms)
        if at_ms <= self._begins[-1]:
            return
        self._begins.append(at_ms)
        self._lines.append((at_ms, real_us, _held(speed)))

    def resume(self, real_us: int) -> None:
        """It stood still at its beginning until now; what was before keeps the instants it had."""
        begin_ms, _, speed = self._lines[-1]
        self._begins.append(begin_ms)
        self._lines.append((begin_ms, real_us, speed))


def _held(speed: float) -> float:
    return min(FASTEST, max(SLOWEST, speed))


class SteadyRate:
    """Keeps a pace at so many deliveries a real second, as far as the chain has them."""

    def __init__(self, pace: Pace, rate: float) -> None:
        self._pace, self._rate = pace, rate
        self._since: tuple[int, int] | None = None
        self._count = 0

    def delivered(self, arrival_ms: int, now_us: int) -> None:
        """One more has gone out."""
        self._count += 1
        if self._since is None:
            self._since, self._count = (arrival_ms, now_us), 0
            return
        since_ms, since_us = self._since
        if now_us - since_us < ADAPT_US or arrival_ms <= since_ms:
            return
        density = self._count / (arrival_ms - since_ms) * 1_000
        factor = self._rate / density / self._pace.speed
        factor = min(MOST_FACTOR, max(1 / MOST_FACTOR, factor))
        self._pace.change(arrival_ms, self._pace.speed * factor)
        self._since, self._count = (arrival_ms, now_us), 0


class LivePlay:
    """A simulation in real time: iterate over it for deliveries with real times, when they are due.

    All that arrives before `begin_ms` comes at once, as it was when the shops opened; then `ready`
    is called, and the clock runs when it returns. `minutes` later the chain stands still, and what
    was still on its way arrives. `wait()` holds back who acts within the simulation until its now
    is the real one.
    """

    def __init__(
        self,
        simulation: Simulation,
        begin_ms: int,
        *,
        speed: float = 60.0,
        rate: float | None = None,
        minutes: float | None = None,
        ready: Callable[[], None] = lambda: None,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._simulation = simulation
        self._begin_ms = begin_ms
        self._now_us, self._sleep = now_us, sleep
        self._minutes = minutes
        self._rate, self._ready = rate, ready
        self._until_us: int | None = None
        self._stopped = False
        self.pace = Pace(begin_ms, now_us(), speed)
        self.begun = False
        self.behind_us = 0

    def _begin(self) -> None:
        """What came at once has gone out: now is the beginning."""
        self._ready()
        now_us = self._now_us()
        self.pace.resume(now_us)
        self.begun = True
        if self._minutes is not None:
            self._until_us = now_us + int(self._minutes * 60 * SECOND_US)

    def stop(self) -> None:
        """The chain stands still from now on."""
        self._stopped = True

    def __iter__(self) -> Iterator[Delivery]:
        """Deliveries, each when it is due; the event carries real times."""
        steady: SteadyRate | None = None
        for delivery in self._simulation:
            if delivery.arrival_ms >= self._begin_ms and not self.begun:
                self._begin()
            if self.begun and not self._over():
                if self._rate is not None:
                    steady = steady or SteadyRate(self.pace, self._rate)
                    steady.delivered(delivery.arrival_ms, self._now_us())
                self.wait(delivery.arrival_ms)
            yield delivery._replace(event=self._real(delivery.event))

    def wait(self, at_ms: int) -> None:
        """Sleep until a simulated instant has come, or the play is over."""
        if not self.begun:
            return
        while not self._over():
            now_us = self._now_us()
            ahead_us = self.pace.real_us(at_ms) - now_us
            self.behind_us = max(0, -ahead_us)
            if ahead_us <= 0:
                return
            self._sleep(min(ahead_us / SECOND_US, 0.2))

    def _over(self) -> bool:
        """Whether the time is up; from then on nothing new happens and nobody waits."""
        if not self._stopped and self._until_us is not None:
            self._stopped = self._now_us() >= self._until_us
        if self._stopped:
            self._simulation.end_now()
        return self._stopped

    def _real(self, event: Event) -> Event:
        recorded = event.recordedtime
        # What is on its way when the chain stands still arrives before it would have been recorded.
        return msgspec.structs.replace(
            event,
            time=self._moved(event.time),
            recordedtime=None if recorded is None else self._moved(recorded),
        )

    def _moved(self, instant: datetime) -> datetime:
        real = to_datetime(self.pace.real_us(to_micros(instant) // 1_000))
        return real.astimezone(instant.tzinfo)
