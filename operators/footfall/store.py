"""One store's windows: takes facts in any order, closes windows, judges its sensors."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from operators.footfall.facts import QUARTER_US, Fact, OrderFact, VisitFact, window_of
from operators.footfall.pace import Days, DaySums, Rates, expected_seconds, forget_days
from operators.footfall.rules import FootfallRules
from operators.footfall.silence import KINDS, Sensor, lowest, role_of, silent_windows, span
from operators.footfall.window import NOTHING_YET, Window

DOOR, TILL = 0, 1
BUSY = "busy"
# A silence goes on into windows that are still open, this far.
OPEN_WINDOWS = 1_000

Verdict = Literal["applied", "duplicate", "conflict", "too_late", "too_far_apart"]


class Rows(NamedTuple):
    """Rows of footfall_15m and of employee_work_15m."""

    windows: list[tuple[Any, ...]]
    work: list[tuple[Any, ...]]


class Store:
    """Windows by number, what was seen, and what sensors did; see operators.footfall.silence.

    Versions of its windows are all larger than `floor`.
    """

    def __init__(self, name: str, rules: FootfallRules, first: int, floor: int) -> None:
        self.name = name
        self.rules = rules
        self.floor = floor
        self.times = rules.times(name)
        # Of doors and tills: the newest report, identities (window and checksum of the event), and
        # identities by window.
        self.newest = [NOTHING_YET, NOTHING_YET]
        self.seen: list[dict[str, int]] = [{}, {}]
        self.keys: list[dict[int, list[str]]] = [{}, {}]
        self.windows: dict[int, Window] = {}
        self.days: Days = {}
        self.sensors: dict[str, Sensor] = {}
        # Bit 0 of all bits is this window; windows before `closed` have had their time.
        self.base = first - rules.remembered
        self.last = first
        # What comes first need not be the earliest that is still in time.
        self.closed = first - rules.delay // QUARTER_US - 2
        # In which windows anything reported, customers were there, it was open, there is a row.
        self.lit = 0
        self.busy = 0
        self.inside = 0
        self.exists = 0
        self.silent = [0, 0]
        self.dirty: set[int] = set()
        # Of the live stream alone, never part of the state: when something last arrived.
        self.arrived = 0
        self._low: int | None = None

    def take(self, fact: Fact, checksum: int) -> Verdict:
        """Judge a fact and count it in."""
        kind = DOOR if fact.__class__ is VisitFact else TILL
        time, newest = fact.time, self.newest
        if time < newest[kind] - self.rules.late:
            return "too_late"
        if time < max(newest) - self.rules.apart:
            return "too_far_apart"
        key = f"{len(fact.source)}:{fact.source}{fact.id}"
        known = self.seen[kind].get(key)
        if known is not None and known >> 32 >= self._remembered(kind):
            return "duplicate" if known & 0xFFFFFFFF == checksum else "conflict"
        number = window_of(fact)
        self.seen[kind][key] = number << 32 | checksum
        self.keys[kind].setdefault(number, []).append(key)
        newest[kind] = max(newest[kind], time)
        self.last = max(self.last, number)
        window = self.windows.get(number) or self._open(number)
        window.add(fact)
        self.dirty.add(number)
        if isinstance(fact, VisitFact):
            self._mark(window, number, f"door/{fact.door}", kind, busy=fact.entries > 0)
        else:
            self._mark(window, number, f"till/{fact.source}", kind, busy=True)
            self._pace(fact, number)
        return "applied"

    def _remembered(self, kind: int) -> int:
        """The first window whose identities are known: older events are refused by their time."""
        rules = self.rules
        # A visit at the very end of a window is inside it, so one microsecond more.
        oldest = max(self.newest[kind] - rules.late, max(self.newest) - rules.apart)
        return (oldest - 1) // QUARTER_US

    def _open(self, number: int) -> Window:
        window = self.windows[number] = Window(version=self.floor)
        self.exists |= 1 << (number - self.base)
        return window

    def _mark(self, window: Window, number: int, name: str, kind: int, *, busy: bool) -> None:
        """Note that a sensor reported, and whether there were customers."""
        marks = window.marks
        if name in marks and (not busy or BUSY in marks):
            return
        at = number - self.base
        bit = 1 << at
        anew = number < self.closed
        if busy and BUSY not in marks:
            marks.add(BUSY)
            self.busy |= bit
        for each in (KINDS[kind], name):
            if each not in marks:
                marks.add(each)
                sensor = self.sensors.get(each)
                if sensor is None:
                    sensor = self.sensors[each] = Sensor(kind)
                sensor.reports |= bit
                anew = anew or bool(sensor.silent & bit)
        self.lit |= bit
        if anew:
            self._low = at if self._low is None else min(self._low, at)

    def _pace(self, order: OrderFact, number: int) -> None:
        day = self.times.names(number).day_number
        of_task = self.days.setdefault(order.task, {})
        sums = of_task.get(day)
        if sums is None:
            sums = of_task[day] = DaySums()
        sums.add(order.items, order.service_ms)

    def renew(self, floor: int) -> None:
        """Hand out all windows once more, in versions above `floor`."""
        self.floor = floor
        for window in self.windows.values():
            window.version = max(window.version, floor) + 1
        self.dirty.update(self.windows)

    def settle(self, closed: int | None = None) -> None:
        """Close the windows whose time is over, and judge the sensors where something is new.

        `closed`: the first window to stay open, by the clock; it is by the newest event anyway.
        """
        by_events = (max(self.newest) - self.rules.delay) // QUARTER_US
        closed = max(self.closed, by_events, closed or by_events)
        low = self._low
        if low is None and closed == self.closed:
            return
        begin = self.closed - self.base
        changed: set[int] = set()
        if low is not None:
            begin = min(begin, low)
        self._fill(begin, closed - self.base, changed)
        over = range(self.closed, closed)
        few = over if len(over) < len(self.windows) else list(self.windows)
        changed.update(number for number in few if self._is_over(number, closed))
        self.closed = closed
        self._low = None
        self._judge(begin, changed)
        for number in changed:
            self.windows[number].version += 1
        self.dirty |= changed
        self._trim()

    def _is_over(self, number: int, closed: int) -> bool:
        return self.closed <= number < closed and number in self.windows

    def _fill(self, begin: int, end: int, changed: set[int]) -> None:
        """Note the opening hours of windows that are over, with a row where nothing happened.

        What has not reported for so long that it is forgotten gets no more rows.
        """
        if not self.times.has_hours:
            return
        history = self.rules.silence.history
        for at in range(max(begin, 0), end):
            number, bit = self.base + at, 1 << at
            if self.inside & bit or not self.times.is_open(number):
                continue
            if self.lit & span(max(0, at - history), at + 1):
                self.inside |= bit
                if not self.exists & bit:
                    self._open(number)
                    changed.add(number)

    def _judge(self, begin: int, changed: set[int]) -> None:
        closed = self.closed - self.base
        known = self.times.has_hours
        active = (self.inside, self.inside) if known else (self.lit, self.busy)
        silent = [0, 0]
        for kind, name in enumerate(KINDS):
            if name not in self.sensors:
                self.sensors[name] = Sensor(kind)
        for name, sensor in self.sensors.items():
            since, found = silent_windows(
                sensor.reports,
                active[sensor.kind],
                closed,
                closed + OPEN_WINDOWS,
                begin,
                self.rules.silence,
                role_of(name),
            )
            sensor.silent = sensor.silent & span(0, since) | found
            silent[sensor.kind] |= sensor.silent
        differ = ((silent[0] ^ self.silent[0]) | (silent[1] ^ self.silent[1])) & self.exists
        self.silent = silent
        while differ:
            at = lowest(differ)
            differ &= differ - 1
            changed.add(self.base + at)

    def _trim(self) -> None:
        """Shift the bits when they have become twice as many as are needed."""
        needed = self.rules.remembered
        shift = self.last - self.base - needed
        # Half a year without any event leaves less than nothing behind.
        if shift < needed:
            return
        self.base += shift
        self.lit >>= shift
        self.busy >>= shift
        self.inside >>= shift
        self.exists >>= shift
        self.silent = [bits >> shift for bits in self.silent]
        for name in list(self.sensors):
            sensor = self.sensors[name]
            sensor.reports >>= shift
            sensor.silent >>= shift
            if not sensor.reports and name not in KINDS:
                del self.sensors[name]

    def take_rows(self) -> Rows:
        """The rows that have changed; what can change no more is forgotten afterwards."""
        rows = Rows([], [])
        for number in sorted(self.dirty):
            window = self.windows[number]
            local = self.times.names(number)
            final = number < self.closed
            statuses = (self._status(number, DOOR), self._status(number, TILL))
            rows.windows.append(window.row((self.name, number), local, final, statuses))
            for (employee, task), work in window.work.items():
                if work.told == work.orders:
                    continue
                work.told = work.orders
                amount = (work.orders, work.items)
                rates = Rates(self.rules, self.name)
                rows.work.append(
                    (
                        self.name,
                        number * QUARTER_US,
                        employee,
                        task,
                        local.start,
                        local.day,
                        *amount,
                        work.service_ms / 1000,
                        expected_seconds(self.days, number, task, amount, self.times, rates),
                        work.orders,
                    )
                )
        self.dirty.clear()
        self._forget()
        return rows

    def _status(self, number: int, kind: int) -> str:
        if number < self.closed and self.times.has_hours and not self.times.is_open(number):
            return "ok" if KINDS[kind] in self.windows[number].marks else "closed"
        return "silent" if self.silent[kind] >> (number - self.base) & 1 else "ok"

    def _forget(self) -> None:
        """Let go of identities, service times and rows that nothing can change any more."""
        rules, newest = self.rules, max(self.newest)
        for kind in (DOOR, TILL):
            before = self._remembered(kind)
            keys, seen = self.keys[kind], self.seen[kind]
            for number in [number for number in keys if number < before]:
                for key in keys.pop(number):
                    # Another event may have taken the identity up since.
                    if seen.get(key, 0) >> 32 == number:
                        del seen[key]
                if kind == TILL:
                    self.windows[number].slim()
        both = max(min(self.newest) - rules.late, newest - rules.apart)
        before = (both - rules.settling - 1) // QUARTER_US
        for number in [number for number in self.windows if number < before]:
            del self.windows[number]
            if number >= self.base:
                self.exists ^= 1 << (number - self.base)
        if self.days:
            forget_days(self.days, self.times.day_of(newest), rules)
