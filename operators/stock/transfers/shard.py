"""One shard of SKUs as the engine drives it: positions and answers in, suggestions out.

A SKU is planned when its positions have changed, at most every `replan_minutes`; at once when a
promise has come into danger. Its timers (answers, departures, peace, missing units) run on a heap,
so a quiet stream still expires and complains on time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

import msgspec

from operators.stock.refusals import Refusal
from operators.stock.transfers.decisions import decide, expire
from operators.stock.transfers.facts import Decided, Fact, Moved, TransferBatch, sku_of
from operators.stock.transfers.memory import forget, next_wake, plan_at
from operators.stock.transfers.review import review
from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.shipments import complain, see
from operators.stock.transfers.state import PlaceState, Risk, SkuState
from schemas.alert import Alert
from schemas.instants import to_micros
from schemas.position import Position
from schemas.transfer import TransferSuggestion

VERSION = 1
# Alerts that say that promises are in danger.
RISKS = ("oversell", "oversell_risk")


class TransferOutcome(NamedTuple):
    """What a shard hands on: states of suggestions and alerts, decisions it cannot follow."""

    suggestions: list[TransferSuggestion]
    alerts: list[Alert]
    refusals: list[Refusal]


_pack = msgspec.msgpack.Encoder()
_states = msgspec.msgpack.Decoder(dict[str, SkuState])


class TransferShard:
    """Suggestions of one shard behind the engine's interface (operators.machine.Machine).

    `journaled`: the engine takes journal entries; otherwise nothing is kept for them.
    """

    def __init__(self, rules: TransferRules, *, journaled: bool = False) -> None:
        self._rules = rules
        self._journaled = journaled
        self._skus: dict[str, SkuState] = {}
        # Times at which SKUs want to be woken; `_wakes` has the one of each that is in force.
        self._heap: list[tuple[int, str]] = []
        self._wakes: dict[str, int] = {}
        self._changed: set[str] = set()

    def apply(self, batches: Sequence[TransferBatch], now: int) -> list[TransferOutcome]:
        """Take facts in order; promises in danger are planned for at the end of the batches."""
        out = TransferOutcome([], [], [])
        # By SKU, whether promises may have come into danger.
        touched: dict[str, bool] = {}
        for batch in batches:
            for fact in batch.facts:
                sku = sku_of(fact)
                state = self._skus.get(sku)
                if state is None:
                    state = self._skus[sku] = SkuState()
                touched[sku] = touched.get(sku, False) or _is_grave(fact)
                self._take(state, sku, fact, now, out)
        for sku, grave in touched.items():
            state = self._skus[sku]
            if grave and _is_urgent(state):
                self._let_time_pass(state, sku, now, out, at_once=True)
            self._rearm(state, sku)
        return [out] if any(out) else []

    def _take(self, state: SkuState, sku: str, fact: Fact, now: int, out: TransferOutcome) -> None:
        if isinstance(fact, Position):
            _place(state, fact, now)
        elif isinstance(fact, Alert):
            _risk(state, fact, now)
        elif isinstance(fact, Decided):
            changed, refusal = decide(state, fact, now, self._rules)
            out.suggestions.extend(changed)
            if refusal is not None:
                out.refusals.append(refusal)
        elif isinstance(fact, Moved):
            seen = see(state, sku, fact, now, self._rules)
            out.suggestions.extend(seen.suggestions)
            out.alerts.extend(seen.alerts)

    def _let_time_pass(
        self, state: SkuState, sku: str, now: int, out: TransferOutcome, *, at_once: bool = False
    ) -> None:
        out.suggestions.extend(expire(state, now, self._rules))
        out.alerts.extend(complain(state, sku, now, self._rules))
        forget(state, now, self._rules)
        due = plan_at(state, self._rules)
        if at_once or (due is not None and due <= now):
            out.suggestions.extend(review(state, sku, now, self._rules))

    def _rearm(self, state: SkuState, sku: str) -> None:
        if self._journaled:
            self._changed.add(sku)
        wake = next_wake(state, self._rules)
        if wake is None:
            self._wakes.pop(sku, None)
        elif self._wakes.get(sku) != wake:
            self._wakes[sku] = wake
            heappush(self._heap, (wake, sku))

    def waiting(self) -> bool:
        """Nothing waits: a suggestion is handed out when it is made."""
        return False

    def full(self) -> bool:
        """Nothing waits."""
        return False

    def flush(self) -> list[TransferOutcome]:
        """Nothing waits."""
        return []

    def due(self, now: int) -> int | None:
        """When the shard has to be told the time, in microseconds since 1970."""
        heap = self._heap
        while heap and self._wakes.get(heap[0][1]) != heap[0][0]:
            heappop(heap)
        return heap[0][0] if heap else None

    def tick(self, now: int) -> list[TransferOutcome]:
        """Let time pass for every SKU that waits for it."""
        out = TransferOutcome([], [], [])
        while (at := self.due(now)) is not None and at <= now:
            _, sku = heappop(self._heap)
            del self._wakes[sku]
            state = self._skus[sku]
            self._let_time_pass(state, sku, now, out)
            self._rearm(state, sku)
        return [out] if any(out) else []

    def plan_all(self, now: int) -> TransferOutcome:
        """Plan every SKU now, for who wants a list rather than a stream."""
        out = TransferOutcome([], [], [])
        for sku, state in self._skus.items():
            self._let_time_pass(state, sku, now, out, at_once=True)
            self._rearm(state, sku)
        return out

    def dump(self) -> tuple[int, bytes]:
        """Version and state."""
        return VERSION, _pack.encode(self._skus)

    def restore(self, version: int, packed: bytes) -> None:
        """Take up the state of a dump.

        Raises:
            ValueError: the dump is of another version.
        """
        if version != VERSION:
            msg = (
                f"the state of transfers has version {version}, this program reads {VERSION}: "
                "start with a new recovery folder"
            )
            raise ValueError(msg)
        self._skus, self._heap, self._wakes = {}, [], {}
        self.adopt(_states.decode(packed))

    def adopt(self, skus: Mapping[str, SkuState]) -> None:
        """Take up the states of these SKUs, instead of what was known of them."""
        for sku, state in skus.items():
            self._skus[sku] = state
            self._rearm(state, sku)
        self._changed = set()

    def journal_entry(self) -> bytes:
        """The SKUs that have changed since the last call, whole.

        Whole rather than what happened to them: planning is not repeated, and what was suggested
        stays suggested whatever a later program would think of it.
        """
        entry = _pack.encode({sku: self._skus[sku] for sku in sorted(self._changed)})
        self._changed = set()
        return entry

    def flush_entry(self) -> bytes:
        """Nothing is flushed, so nothing has changed."""
        return self.journal_entry()

    def tick_entry(self, now: int) -> bytes:
        """What `tick` has changed, for `replay`."""
        return self.journal_entry()

    def replay(self, entry: bytes) -> None:
        """Bring SKUs to where they were."""
        self.adopt(_states.decode(entry))

    def state_of(self, sku: str) -> SkuState:
        """The state of a SKU; an empty one where nothing was heard of it."""
        return self._skus.get(sku) or SkuState()


def _place(state: SkuState, position: Position, now: int) -> None:
    known = state.places.get(position.place)
    if known is not None and position.version <= known.version:
        return
    place = PlaceState(
        position.pool,
        position.available,
        position.in_transit,
        position.safety_stock,
        position.demand_rate,
        position.version,
        to_micros(position.as_of),
    )
    state.places[position.place] = place
    if known is None or _differs(known, place):
        state.dirty_at = state.dirty_at or now


def _differs(known: PlaceState, place: PlaceState) -> bool:
    """Whether planning could come to something else."""
    return (known.available, known.in_transit, known.safety_stock, known.rate, known.pool) != (
        place.available,
        place.in_transit,
        place.safety_stock,
        place.rate,
        place.pool,
    )


def _risk(state: SkuState, alert: Alert, now: int) -> None:
    """Remember which promises are in danger, and whose orders they are."""
    if alert.alert_type not in RISKS:
        return
    known = state.risks.get(alert.place)
    if alert.status == "cleared":
        if known is None or known.alert != alert.alert:
            return
        del state.risks[alert.place]
    else:
        orders = [
            str(claim["order"])
            for claim in alert.claims
            if claim.get("claim") == "allocation" and claim.get("order")
        ]
        state.risks[alert.place] = Risk(alert.alert, alert.shortfall, orders)
    state.dirty_at = state.dirty_at or now


def _is_grave(fact: Fact) -> bool:
    """Whether the fact may tell of promises in danger."""
    if isinstance(fact, Position):
        return fact.available < 0
    return isinstance(fact, Alert) and fact.alert_type in RISKS


def _is_urgent(state: SkuState) -> bool:
    """Whether more promises are in danger than the last plan knew of."""
    if not state.dirty_at:
        return False
    for name, place in state.places.items():
        risk = state.risks.get(name)
        units = max(-place.available, risk.units if risk else 0)
        if units > state.planned_risk.get(name, 0):
            return True
    return False
