"""A fault drill from its first record to its last figure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import msgspec

from infra.drill.count import RUSH, Evidence, Number, Paid, disagreements
from infra.drill.crowd import crowd, read_logs
from infra.drill.faults import Fault, Hands, faults_of
from infra.drill.fold import movements
from infra.drill.probe import PLACE, Probes, drill_event
from infra.drill.receiver import Receiver, receiver
from infra.drill.result import DrillOptions, Recovery, Result
from infra.drill.rush import Rush
from infra.drill.settle import Settled
from infra.drill.stage import Stage
from infra.drill.tap import Tap
from infra.live_doors import OPEN, ApiDoor
from infra.live_load import UNANSWERED, LiveLoad, LiveOptions
from infra.stack_address import StackAddress
from schemas.movement import Received
from sinks.kafka.events import OutRecord
from sources.kafka.settings import KafkaSettings
from sources.simulator import Settings, settings_from, simulate
from sources.simulator.writing import write_chain

RUSH_SKUS = tuple(f"{RUSH}{number}" for number in range(1, 4))
RUSH_PLACES = ("S001", "S002")
TOPUP_UNITS = 15
TOPUP_SECONDS = 2.0
SKEWS = (0.0, 2 * 3600.0, -2 * 3600.0)
PROBES = 40
# The opening stock of a day is behind the flows by then.
CALM_SECONDS = 3.0
OPENS = 40


def scene(*, short: bool) -> Settings:
    """The chain of a drill: goods are short, carts many."""
    settings = settings_from("tea", stores=2 if short else 12, skus=15 if short else 120, days=2)
    replace = msgspec.structs.replace
    return replace(
        settings,
        forward_warehouses=1,
        trade=replace(settings.trade, visitors_per_day=1_550),
        supply=replace(settings.supply, store_cover_days=1.0, safety_z=0.3),
        online=replace(settings.online, carts_per_store_day=150, flashes_per_city_week=14),
    )


def drill(options: DrillOptions, folder: Path, told: Callable[[str], None]) -> Result:
    """Run a drill in a folder.

    Raises:
        StackError: the stack does not start or come back.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = scene(short=options.short)
    with receiver() as webhook:
        stage = Stage(folder, webhook, options.kafka_home)
        write_chain(simulate(settings), stage.config, one_pool=True)
        try:
            told("starts a stack of its own")
            there = stage.up()
            told(f"broker: {stage.broker}")
            with closing(_Drill(options, settings, stage, there, webhook, told)) as played:
                return played.run()
        finally:
            stage.down()


class _Drill:
    """A drill whose stack runs."""

    def __init__(
        self,
        options: DrillOptions,
        settings: Settings,
        stage: Stage,
        there: StackAddress,
        webhook: Receiver,
        told: Callable[[str], None],
    ) -> None:
        self._options, self._stage, self._there = options, stage, there
        self._webhook, self._told = webhook, told
        self._sent: list[OutRecord] = []
        self._topups: list[tuple[float, str, int]] = []
        self._line = ""
        kafka = KafkaSettings(there.kafka)
        self._tap = Tap(kafka)
        self._door = ApiDoor(there.api, stage.new_key(there, "chain"))
        self._load = LiveLoad(
            settings,
            LiveOptions(kafka=kafka, speed=options.speed, opens=OPENS, prefix="sim-"),
            self._door,
            self._hear,
            self._sent.append,
        )
        self._hands = Hands(
            stage,
            there,
            self._load.write,
            [sku.name for sku in self._load.simulation.world.goods.skus],
            [],
            Random(1),  # noqa: S311
        )
        self._probes = Probes(there, webhook, self._load.write)
        self._wrong: list[BaseException] = []

    def close(self) -> None:
        """Let go of the stack."""
        self._load.stop()
        self._tap.close()
        self._probes.close()
        self._door.close()

    def run(self) -> Result:
        """Load, faults, count."""
        result = Result(broker=self._stage.broker)
        playing = threading.Thread(target=self._play, name="drill-load", daemon=True)
        self._probes.stock(PROBES)
        self._top_up()
        playing.start()
        self._wait_begun()
        with crowd(self._stage.folder, self._rushes()) as logs:
            self._wait_until(time.monotonic() + CALM_SECONDS)
            began = time.monotonic()
            faults = faults_of(self._hands, short=self._options.short)
            for number, fault in enumerate(faults, start=1):
                result.recoveries.append(self._break(fault))
                self._wait_until(began + self._options.minutes * 60 * number / len(faults))
        self._load.stop()
        playing.join()
        if self._wrong:
            raise self._wrong[0]
        self._told("the load has ended; waits until the stack has come to rest")
        self._count(result, logs)
        return result

    def _break(self, fault: Fault) -> Recovery:
        self._told(f"  load: {self._line}")
        began = time.monotonic()
        did = fault.act()
        acted = time.monotonic() - began
        legs = self._probes.run(fault.patience, fault.legs)
        self._stage.wait_running()
        missing = tuple(leg for leg in fault.legs if leg not in legs)
        recovery = Recovery(fault.name, did, legs, missing)
        told = ", ".join(f"{leg} {seconds:.1f}" for leg, seconds in legs.items())
        more = f" [{did}, {acted:.1f} s]" if did else ""
        lacks = f"; NEVER: {', '.join(missing)}" if missing else ""
        self._told(f"{fault.name}{more}: {recovery.seconds:.1f} s ({told}{lacks})")
        return recovery

    def _play(self) -> None:
        try:
            self._load.run()
        except BaseException as wrong:
            self._wrong.append(wrong)

    def _hear(self, line: str) -> None:
        self._line = line

    def _wait_begun(self) -> None:
        while not self._load.play.begun and not self._wrong:
            time.sleep(0.05)

    def _wait_until(self, at: float) -> None:
        """Let the load go on, and put goods on the shelves of the rush."""
        while True:
            if self._wrong:
                raise self._wrong[0]
            self._top_up()
            left = at - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, TOPUP_SECONDS))

    def _top_up(self) -> None:
        for sku in RUSH_SKUS:
            for place in RUSH_PLACES:
                self._topups.append((time.monotonic(), sku, TOPUP_UNITS))
                data = Received(sku=sku, place=place, quantity=TOPUP_UNITS)
                self._load.write(drill_event("drill/rush", data))

    def _rushes(self) -> list[Rush]:
        """Customers with a right clock, a fast and a slow one, at the API and at the gate."""
        there = self._there
        key = self._stage.new_key(there, "rush")
        return [
            Rush(
                name=f"rush-{number}",
                skus=RUSH_SKUS,
                seed=number,
                skew_seconds=skew,
                api="" if skew > 0 else there.api,
                key=key,
                redis=there.redis,
                pool=there.pool,
            )
            for number, skew in enumerate(SKEWS)
        ]

    def _count(self, result: Result, logs: list[Path]) -> None:
        load, desk = self._load, self._load.desk
        assert desk is not None
        until = time.monotonic() + 60
        while desk.settle() and time.monotonic() < until:
            time.sleep(0.5)
        load.write(drill_event("drill/rush", Received(sku="END", place=PLACE, quantity=1)))
        load.flush()
        paid = [
            Paid(name, desk.book.confirmed_at[name], units)
            for name, units in desk.book.confirmed.items()
        ]
        tried = set(desk.book.tried)
        asked, bought, asked_to_pay = read_logs(logs)
        paid += bought
        tried |= asked_to_pay
        unanswered = sum(n for name, n in asked.items() if name.endswith(OPEN))
        evidence = Evidence(
            sent=list(movements(self._sent)),
            reservations={},
            paid=paid,
            tried=tried,
            lost_at=self._hands.lost_at,
            topups=self._topups,
        )
        result.numbers = Settled(self._there, self._tap, evidence).numbers(self._told)
        recorded = load.simulation.truth.rows["recorded"]
        promised = desk.book.confirmed.keys() - desk.book.cancelled
        books = disagreements(evidence, recorded, promised, UNANSWERED)
        repeated, again = self._webhook.repeated()
        sold, heard = self._probes.told()
        result.numbers += [
            Number(
                "pairs where the hidden books differ", len(books), True, f"of {len(recorded):,}"
            ),
            Number("duplicate messages at the hook", repeated, True),
            Number("probes the hook did not hear of", sold - heard, True, f"of {sold}"),
            Number("deliveries under the same key again", again, False),
        ]
        for row in load.simulation.truth.rows["promises"]:
            result.promises[row[14]] += 1
            if row[17]:
                result.why_broken[row[17]] += 1
        result.words = [
            load.summary(),
            f"rush: {asked.total():,} calls, {asked['hold held']:,} held, "
            f"{asked['confirm confirmed']:,} paid, {asked['hold refused']:,} refused, "
            f"{unanswered:,} unanswered; clocks wrong by {', '.join(f'{s:+g} s' for s in SKEWS)}",
            f"{len(self._sent):,} records sent, {len(self._webhook.messages):,} messages at the "
            f"hook, {self._stage.restarts():,} restarts by the supervisor",
        ]
