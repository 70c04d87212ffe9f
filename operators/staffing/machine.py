"""The roster flow's state machine: windows of all stores in, forecasts, need and alerts out.

One machine has all stores, since forecasts learn from all of them. What comes out is handed out at
once: there is nothing that waits to be flushed. The journal has the windows, and of each round what
became of the state, so that a replay makes no forecast again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import msgspec

from operators.roster.intraday.watch import OpenAlert
from operators.staffing.facts import WindowBatch, WindowFact
from operators.staffing.history import History
from operators.staffing.outcome import StaffingOutcome
from operators.staffing.plans import Plan
from operators.staffing.round import Given, Hopeless, Open, Plans, Round, zone_of
from operators.staffing.triggers import SETTLE_US, Passage, Schedule
from schemas.chain import Chain
from schemas.forecast_rules import Measure
from schemas.instants import DAY_US, MINUTE_US, SECOND_US

VERSION = 1
# Live, the first round waits until what had piled up has been read: until nothing came for so
# long, but no longer than that.
QUIET_US, PATIENCE_US = 5 * SECOND_US, 60 * SECOND_US


class _Rounded(msgspec.Struct, array_like=True):
    """What a round has changed."""

    at: int
    plans: list[Plan]
    hopeless: list[tuple[str, Measure, str]]
    opened: dict[str, list[OpenAlert]]


class _State(msgspec.Struct, array_like=True):
    """All of the state."""

    begun: int
    last: int
    plans: list[Plan]
    hopeless: list[tuple[str, Measure, str]]
    opened: dict[str, list[OpenAlert]]
    newest: dict[str, int]
    history: dict[str, tuple[int, bytes, bytes, bytes, bytes]]


_encode = msgspec.msgpack.Encoder().encode
_entry = msgspec.msgpack.Decoder(list[list[WindowFact] | dict[str, _Rounded]])
_state = msgspec.msgpack.Decoder(_State)


class StaffingMachine:
    """All stores behind the engine's interface (operators.machine.Machine).

    `prime` gives windows of the past to a machine without state. `live`: rounds follow the clock;
    otherwise the time is that of the windows. `since`: no round before it.
    """

    def __init__(
        self,
        chain: Chain,
        given: Given,
        *,
        live: bool = False,
        since: int = 0,
        prime: Callable[[], Iterable[WindowFact]] | None = None,
        journaled: bool = False,
    ) -> None:
        self._chain = chain
        self._given = given
        self._live = live
        self._since = since
        self._prime = prime
        self._journaled = journaled
        self._schedule = Schedule(chain)
        self._history = History()
        self._passage = Passage(chain.staffing.quiet_hours)
        self._zones: set[str] = set()
        self._plans: Plans = {}
        self._hopeless: Hopeless = {}
        self._opened: Open = {}
        # When the first window was over.
        self._begun = 0
        # The instant of the last round, 0 before the first; and of the next one in event time.
        self._last = 0
        self._next: int | None = None
        self._entries: list[list[WindowFact] | dict[str, _Rounded]] = []
        self._awake_since: int | None = None
        self._arrived = 0

    def apply(self, batches: Sequence[WindowBatch], now: int) -> list[StaffingOutcome]:
        """Take windows in; without a clock, rounds are made as soon as all have come that far."""
        self._primed()
        self._arrived = now
        outcomes = []
        for batch in batches:
            taken: list[WindowFact] = []
            for fact in batch.facts:
                self._take(fact)
                taken.append(fact)
                if self._live or fact.end < self._due_by_events():
                    continue
                while self._passage.passed(due := self._due_by_events()):
                    self._kept(taken)
                    taken = []
                    outcomes.append(self._round(due))
            self._kept(taken)
            outcomes.append(StaffingOutcome.empty(len(batch.facts)))
        return outcomes

    def _take(self, fact: WindowFact) -> None:
        self._history.take((fact,))
        self._begun = self._begun or fact.end
        if fact.store not in self._passage.newest:
            self._zones.add(zone_of(self._chain, fact.store))
            self._next = None
        self._passage.heard(fact.store, fact.end)

    def _kept(self, facts: list[WindowFact]) -> None:
        if self._journaled and facts:
            self._entries.append(facts)

    def _primed(self) -> None:
        prime, self._prime = self._prime, None
        if prime is not None:
            self._history.take(prime())

    def _due_by_events(self) -> int:
        if self._next is None:
            after = self._last or max(self._begun, self._since) - 1
            self._next = self._schedule.after(after, self._zones)
        return self._next

    def _round(self, at: int) -> StaffingOutcome:
        """Forecasts, need and alerts of the zones that are due; in live runs of all zones."""
        self._next = None
        made = Round(self._chain, self._given, self._history, at)
        zones = sorted(self._zones) if self._live else self._schedule.zones_due(at, self._zones)
        for zone in zones:
            plan = self._schedule.plans(at, zone)
            made.run(zone, self._plans, self._hopeless, self._opened, plan=plan)
        changed = _Rounded(
            at,
            list(made.plans.values()),
            [(zone, name, day.isoformat()) for (zone, name), day in made.hopeless.items()],
            made.opened,
        )
        self._change(changed)
        if self._journaled:
            self._entries.append({"": changed})
        return made.outcome

    def _change(self, made: _Rounded) -> None:
        self._last = made.at
        for plan in made.plans:
            self._plans[plan.zone, plan.measure] = plan
        self._hopeless.update(_days(made.hopeless))
        for store, opened in made.opened.items():
            self._opened[store] = opened
        keep = (self._chain.forecast.history_days + 3) * DAY_US
        self._history.forget((made.at - keep) // (15 * MINUTE_US))

    def waiting(self) -> bool:
        """Nothing ever waits."""
        return False

    def full(self) -> bool:
        """Nothing ever waits."""
        return False

    def flush(self) -> list[StaffingOutcome]:
        """Nothing ever waits."""
        return []

    def due(self, now: int) -> int | None:
        """When the next round is to be made by the clock; None before any store was heard of."""
        if not self._live:
            return None
        if self._awake_since is None:
            self._awake_since = now
            self._primed()
        if not self._zones:
            return None
        settle = SETTLE_US + round(self._chain.footfall.delay_minutes * MINUTE_US)
        read = min(self._arrived + QUIET_US, self._awake_since + PATIENCE_US)
        latest = self._schedule.latest(now - settle, self._zones)
        if latest > self._last and latest >= self._since:
            return max(read, latest + settle)
        after = max(self._last, latest, self._since - 1)
        return max(self._schedule.after(after, self._zones) + settle, read)

    def tick(self, now: int) -> list[StaffingOutcome]:
        """Make the round that is due; of several that were missed only the last one."""
        due = self.due(now)
        if due is None or due > now:
            return []
        settle = SETTLE_US + round(self._chain.footfall.delay_minutes * MINUTE_US)
        return [self._round(self._schedule.latest(now - settle, self._zones))]

    def dump(self) -> tuple[int, bytes]:
        """Version and state."""
        self._primed()
        state = _State(
            self._begun,
            self._last,
            list(self._plans.values()),
            [(zone, name, day.isoformat()) for (zone, name), day in self._hopeless.items()],
            self._opened,
            self._passage.newest,
            self._history.dump(),
        )
        return VERSION, _encode(state)

    def restore(self, version: int, packed: bytes) -> None:
        """Take up the state of a dump.

        Raises:
            ValueError: it was made by another version.
        """
        if version != VERSION:
            msg = f"staffing state of version {version}, this tillflow knows {VERSION}"
            raise ValueError(msg)
        state = _state.decode(packed)
        self._prime = None
        self._history.restore(state.history)
        self._plans = {(plan.zone, plan.measure): plan for plan in state.plans}
        self._hopeless = _days(state.hopeless)
        self._opened = state.opened
        self._begun, self._last = state.begun, state.last
        self._next = None
        for store, end in state.newest.items():
            self._passage.heard(store, end)
            self._zones.add(zone_of(self._chain, store))

    def journal_entry(self) -> bytes:
        """What `apply` has taken in and done since the last call, for `replay`."""
        entries, self._entries = self._entries, []
        return _encode(entries)

    def flush_entry(self) -> bytes:
        """That nothing was flushed."""
        return _encode([])

    def tick_entry(self, now: int) -> bytes:
        """What the rounds of `tick` have done, for `replay`."""
        return self.journal_entry()

    def replay(self, entry: bytes) -> None:
        """Bring about again what a journal entry stands for."""
        for one in _entry.decode(entry):
            if isinstance(one, dict):
                self._next = None
                for made in one.values():
                    self._change(made)
                continue
            for fact in one:
                self._take(fact)


def _days(named: Iterable[tuple[str, Measure, str]]) -> Hopeless:
    return {(zone, measure): date.fromisoformat(day) for zone, measure, day in named}
