"""A simulated chain played against a live stack: movements on the log, carts as real holds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from infra.live_doors import HoldDoor, Units
from infra.live_holds import LiveDesk
from infra.live_watch import SUGGESTION_TYPE, LiveWatch
from schemas.alert import ALERT_TYPE
from schemas.envelope import MovementEvent
from schemas.movement import Allocated, Corrected, Released
from schemas.position import POSITION_TYPE
from sinks.kafka.events import OutRecord
from sinks.kafka.live_events import LiveWriter, event_record
from sources.kafka.settings import KafkaSettings
from sources.simulator import Settings, simulate
from sources.simulator.courier import Event
from sources.simulator.desk import Desk, RecordDesk
from sources.simulator.instants import local_ms
from sources.simulator.live import LivePlay
from sources.simulator.world import World
from sources.simulator.writing import write_chain, write_truth

TELL_SECONDS = 1.0
# Opening stock of a large chain on a busy machine; after that the day begins without it.
KNOWN_SECONDS = 90.0
SAMPLE_EVERY = 5
# Who gives back what was paid for without an answer.
UNANSWERED = "web/unanswered"
TOLD = ("asked", "held", "refused", "confirmed", "released", "too_late", "open", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How to play: `opens` is the local quarter of an hour at which the clock begins to run."""

    kafka: KafkaSettings
    speed: float = 60.0
    rate: float | None = None
    minutes: float | None = None
    opens: int = 4 * 10
    prefix: str = ""
    out: Path | None = None


class LiveLoad:
    """One play. `run` returns when it is over; `stop` ends it early, from any thread.

    `sent` hears of every record that is handed to the log, `told` of one line a second.
    """

    def __init__(
        self,
        settings: Settings,
        options: LiveOptions,
        door: HoldDoor | None,
        told: Callable[[str], None],
        sent: Callable[[OutRecord], None] = lambda _record: None,
    ) -> None:
        self._options, self._told = options, told
        self.simulation = simulate(settings, lambda world: self._desk_of(world, door))
        world = self.simulation.world
        self.play = LivePlay(
            self.simulation,
            local_ms(world.cities[0].zone, settings.start, options.opens),
            speed=options.speed,
            rate=options.rate,
            minutes=options.minutes,
            ready=self._ready,
        )
        self._writer = LiveWriter(options.kafka, sent)
        self.watch = LiveWatch(options.kafka)
        self._pairs: set[str] = set()
        self._line_at = (time.monotonic(), 0, Counter[str]())

    def run(self) -> None:
        """Play it, once.

        Raises:
            DeliveryError: the brokers have been away for many minutes.
        """
        if self._options.out is not None:
            self._options.out.mkdir(parents=True, exist_ok=True)
            write_chain(self.simulation, self._options.out / "chain.yaml", one_pool=True)
        if self.desk is not None:
            self.desk.play, self.desk.before_first = self.play, self._known
        try:
            for number, delivery in enumerate(self.play):
                self._send(delivery.event, sample=number % SAMPLE_EVERY == 0)
                self._tell()
            if self.desk is not None:
                self.desk.settle()
            self._writer.flush()
        finally:
            self.watch.close()
        if self._options.out is not None:
            write_truth(self.simulation, self._options.out)

    def stop(self) -> None:
        """The chain stands still; what is on its way still goes out."""
        self.play.stop()

    def write(self, record: OutRecord) -> None:
        """Something more for the log, from any thread."""
        self._writer.write(record)

    def flush(self) -> None:
        """Wait until all is on the log."""
        self._writer.flush()

    def line(self) -> str:
        """How it goes, in one line."""
        now, written, seen = time.monotonic(), self._writer.written, self.watch.counts.copy()
        then, written_then, seen_then = self._line_at
        seconds = max(now - then, 1e-3)
        self._line_at = (now, written, seen)
        lag_ms = self.watch.lag_ms()
        parts = [
            f"{(written - written_then) / seconds:6,.0f} events/s",
            f"{(seen[POSITION_TYPE] - seen_then[POSITION_TYPE]) / seconds:6,.0f} positions/s",
            f"{seen[ALERT_TYPE]:5,} alerts",
        ]
        if self.desk is not None:
            counts = self.desk.book.counts
            parts.append(
                f"holds {counts['held']:,} held {counts['confirmed']:,} paid "
                f"{counts['refused']:,} refused {counts['open']:,} unanswered"
            )
        parts.append("lag -" if lag_ms is None else f"lag {lag_ms:,.0f} ms")
        if self.play.behind_us > 1_000_000:
            parts.append(f"{self.play.behind_us / 1e6:.0f} s behind")
        if self._options.rate is not None:
            parts.append(f"{self.play.pace.speed:,.0f} x real time")
        if self.watch.trouble:
            parts.append(self.watch.trouble)
        return "  ".join(parts)

    def summary(self) -> str:
        """What was played, in some lines."""
        seen = self.watch.counts
        lines = [
            f"{self._writer.written:,} records written ({self._writer.again:,} again), "
            f"{seen[POSITION_TYPE]:,} positions, {seen[ALERT_TYPE]:,} alert states and "
            f"{seen[SUGGESTION_TYPE]:,} suggestion states came of them"
        ]
        if self.desk is not None:
            counts = self.desk.book.counts
            told = ", ".join(f"{counts[name]:,} {name}" for name in TOLD)
            lines.append(f"cart lines: {told}")
        outcomes = Counter(row[14] for row in self.simulation.truth.rows["promises"])
        if outcomes:
            told = ", ".join(f"{count:,} {name}" for name, count in outcomes.most_common())
            lines.append(f"promises: {told}")
        return "\n".join(lines)

    def _desk_of(self, world: World, door: HoldDoor | None) -> Desk:
        self.desk: LiveDesk | None = None
        if door is None:
            return RecordDesk(world)
        self.desk = LiveDesk(world, door, self._cancel, time.monotonic, self._options.prefix)
        return self.desk

    def _send(self, event: Event, *, sample: bool) -> None:
        record = self._record(event)
        if record is None:
            return
        self.write(record)
        if not isinstance(event, MovementEvent):
            return
        pair = f"{event.data.sku}@{event.data.place}"
        if not self.play.begun:
            self._pairs.add(pair)
        elif sample and event.data.kind != "corrected":
            self.watch.sample(pair)

    def _record(self, event: Event) -> OutRecord | None:
        """The event as it goes out; None for what the gate tells by itself."""
        prefix = self._options.prefix
        if prefix:
            event = msgspec.structs.replace(event, id=f"{prefix}{event.id}")
        if isinstance(event, MovementEvent) and isinstance(event.data, Corrected):
            data = msgspec.structs.replace(event.data, corrects=f"{prefix}{event.data.corrects}")
            event = msgspec.structs.replace(event, data=data)
        if isinstance(event, MovementEvent) and self.desk is not None:
            if isinstance(event.data, Allocated):
                return None
            cart = self.desk.carts.get(event.data.order or "")
            if cart is not None:
                event = msgspec.structs.replace(
                    event, data=msgspec.structs.replace(event.data, order=cart)
                )
        return event_record(event)

    def _cancel(self, reservation: str, units: Units, order: str) -> None:
        """What was paid for after all is given back by a movement."""
        for number, (sku, place, quantity) in enumerate(units):
            event = MovementEvent(
                specversion="1.0",
                id=f"cancel-{reservation}-{number}",
                source=UNANSWERED,
                type="stock.movement.v1",
                time=datetime.now(UTC),
                data=Released(
                    sku=sku, place=place, quantity=quantity, order=order, reason="unanswered"
                ),
            )
            self.write(event_record(event))

    def _ready(self) -> None:
        """Wait until the stack knows the opening stock, as a shop that opens in the morning."""
        self._known()
        self._told(f"opening stock of {len(self._pairs):,} shelves is known, the day begins")

    def _known(self) -> None:
        """Wait until a position came of every shelf that was written."""
        self._writer.flush()
        wanted = {pair.encode() for pair in self._pairs}
        until = time.monotonic() + KNOWN_SECONDS
        while wanted - self.watch.pairs and time.monotonic() < until:
            time.sleep(0.2)
            self._tell()

    def _tell(self) -> None:
        if time.monotonic() - self._line_at[0] >= TELL_SECONDS:
            self._told(self.line())
