"""Facts for the transfer machine, and a driver that lets time pass as the engine would."""

from __future__ import annotations

from typing import Any

import msgspec

from operators.stock.refusals import Refusal
from operators.stock.transfers.facts import Decided, Fact, Moved, TransferBatch, identity
from operators.stock.transfers.rules import TransferRules
from operators.stock.transfers.shard import TransferShard
from schemas.alert import Alert
from schemas.chain import Chain
from schemas.instants import DAY_US, HOUR_US, MINUTE_US, to_datetime
from schemas.position import Position
from schemas.transfer import TransferDecision, TransferSuggestion
from schemas.transfer_rules import TransferConfig, TransferRoute, TransferTerms

# A Monday noon.
NOW = 1_795_348_800_000_000
SKU = "TEA-1"


def chain(**config: Any) -> Chain:
    """A chain whose trips are cheap and whose margins are high, unless said otherwise."""
    given: dict[str, Any] = {
        "terms": (TransferTerms(unit_margin=1_000),),
        "routes": (TransferRoute(fixed_cost=100, unit_cost=10, lead_time_hours=2),),
        "min_net_benefit": 100,
    }
    return Chain(transfers=TransferConfig(**(given | config)))


def position(place: str, available: int, rate: float = 1.0, **more: Any) -> Position:
    """A position of SKU; `version` and `as_of` count with `tick`."""
    tick = more.pop("tick", 0)
    allocated = more.get("allocated", 0)
    fields: dict[str, Any] = {
        "sku": SKU,
        "place": place,
        "pool": "all",
        "on_hand": available + allocated,
        "allocated": allocated,
        "quarantined": 0,
        "in_transit": 0,
        "held_confirmed_seq": 0,
        "available": available,
        "safety_stock": 0,
        "days_of_cover": max(available, 0) / rate if rate else None,
        "demand_rate": rate,
        "version": 1 + tick,
        "as_of": to_datetime(NOW + tick),
    }
    return Position(**(fields | more))


def oversell(place: str, units: int, orders: tuple[str, ...] = (), status: str = "raised") -> Alert:
    """An oversell alert of SKU."""
    return msgspec.convert(
        {
            "alert": f"oversell/{SKU}@{place}/1",
            "alert_type": "oversell",
            "status": status,
            "severity": "critical",
            "sku": SKU,
            "place": place,
            "observed": -units,
            "level": 0,
            "clear_level": 1,
            "shortfall": units,
            "claims": [
                {"claim": "sale", "order": "till-7", "quantity": 1},
                *({"claim": "allocation", "order": order, "quantity": 1} for order in orders),
            ],
            "evidence": [],
            "suggested_action": "",
            "opened_at": to_datetime(NOW),
            "updated_at": to_datetime(NOW),
        },
        Alert,
    )


def answer(suggestion: str, decision: str, **more: Any) -> Decided:
    """What a person says to a suggestion of SKU."""
    made = {"suggestion": suggestion, "sku": SKU, "decision": decision}
    made |= {"decided_at": to_datetime(NOW)} | more
    return Decided(msgspec.convert(made, TransferDecision), NOW, "decisions/0", 7, b"{}")


def moved(kind: str, event: str, place: str, quantity: int = 0, **more: Any) -> Moved:
    """A movement of SKU that touches a transfer."""
    given: dict[str, Any] = {"time": NOW, "sku": SKU, "quantity": quantity} | more
    return Moved(identity=identity("erp", event), kind=kind, place=place, **given)


class World:
    """A shard with a clock; everything it ever gave out, and the newest state of each."""

    def __init__(self, given: Chain | None = None) -> None:
        self.rules = TransferRules(given or chain())
        self.shard = TransferShard(self.rules, journaled=True)
        self.now = NOW
        self.log: list[TransferSuggestion] = []
        self.alerts: list[Alert] = []
        self.refusals: list[Refusal] = []

    def tell(self, *facts: Fact) -> list[TransferSuggestion]:
        """Facts in one batch, now; what came out at once."""
        return self._keep(self.shard.apply([TransferBatch(0, list(facts))], self.now))

    def wait(self, *, days: float = 0, hours: float = 0, minutes: float = 0) -> list[Any]:
        """Let time pass, with every tick at its time; the suggestions that came out."""
        until = self.now + round(days * DAY_US + hours * HOUR_US + minutes * MINUTE_US)
        found = []
        while (due := self.shard.due(self.now)) is not None and due <= until:
            self.now = max(self.now, due)
            found += self._keep(self.shard.tick(self.now))
        self.now = until
        return found

    def _keep(self, outcomes: Any) -> list[TransferSuggestion]:
        found: list[TransferSuggestion] = []
        for outcome in outcomes:
            found += outcome.suggestions
            self.alerts += outcome.alerts
            self.refusals += outcome.refusals
        self.log += found
        return found

    @property
    def newest(self) -> dict[str, TransferSuggestion]:
        """The last state of every suggestion."""
        return {one.suggestion: one for one in self.log}

    def open(self, *statuses: str) -> list[TransferSuggestion]:
        """Suggestions whose last state is one of these (without: proposed or accepted)."""
        wanted = statuses or ("proposed", "accepted")
        return [one for one in self.newest.values() if one.status in wanted]

    def restart(self) -> None:
        """Another shard takes up the dump."""
        version, packed = self.shard.dump()
        self.shard = TransferShard(self.rules, journaled=True)
        self.shard.restore(version, packed)
