"""What is done to the stack in a drill, in this order."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from infra.drill.probe import LEGS, PLACE, drill_event
from infra.drill.stage import Stage
from infra.drill.tap import read_topic
from infra.stack_address import StackAddress
from schemas.movement import MOVEMENT_TYPE, Sold
from sinks.kafka.events import OutRecord
from sinks.kafka.producer import TopicWriter
from sources.kafka.settings import KafkaSettings

LATE_SALES, FAST_SALES = 200, 50
LATE_HOURS = 5.0
FAST_HOURS = 2.0
REPLAY_SECONDS = 300.0
# How long a sale after a fault may take to be everywhere; longer is a failure.
PATIENCE_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `act` returns when it is done, and says what it did. `legs` are then watched."""

    name: str
    act: Callable[[], str]
    legs: tuple[str, ...] = LEGS
    patience: float = PATIENCE_SECONDS


@dataclass(slots=True)
class Hands:
    """What faults work with; `skus` are those of the simulated chain at `PLACE`."""

    stage: Stage
    there: StackAddress
    write: Callable[[OutRecord], None]
    skus: list[str]
    lost_at: list[float]
    rng: Random

    def kill(self, *names: str) -> Callable[[], str]:
        """Kill -9, all at once."""

        def act() -> str:
            for name in names:
                self.stage.hit(name)
            return ""

        return act

    def stop(self, name: str) -> Callable[[], str]:
        """SIGTERM; the supervisor starts it again."""

        def act() -> str:
            self.stage.hit(name, signal.SIGTERM)
            return ""

        return act

    def empty_redis(self) -> str:
        """Redis loses its data and its process."""
        self.lost_at.append(time.monotonic())
        self.stage.flush_redis(self.there)
        self.stage.hit("redis")
        return ""

    def late_till(self) -> str:
        """A till that was off line for hours sends what it has sold."""
        now = datetime.now(UTC)
        for number in range(LATE_SALES):
            before = timedelta(hours=LATE_HOURS * (1 - number / LATE_SALES))
            self._sell("drill/till-late", now - before)
        return f"{LATE_SALES} sales, up to {LATE_HOURS:g} h old"

    def fast_till(self) -> str:
        """A till whose clock is fast sells."""
        now = datetime.now(UTC)
        for number in range(FAST_SALES):
            ahead = timedelta(hours=FAST_HOURS, milliseconds=number)
            self._sell("drill/till-fast", now + ahead)
        return f"{FAST_SALES} sales, {FAST_HOURS:g} h ahead"

    def duplicate_partition(self) -> str:
        """Everything of one partition comes again, byte by byte."""
        kafka = KafkaSettings(self.there.kafka)
        found = read_topic(kafka, MOVEMENT_TYPE)
        partition, records = max(found.items(), key=lambda each: len(each[1]))
        writer = TopicWriter(kafka)
        for record in records:
            writer.write(MOVEMENT_TYPE, record.key, record.value, record.headers)
        writer.flush()
        return f"{len(records):,} records of partition {partition}"

    def replay(self) -> str:
        """A second flow of a new group reads the topics from their start and tells it all again."""
        folder = self.stage.folder / f"replay-{time.monotonic_ns()}"
        folder.mkdir()
        words = ["run", "stock", "--kafka", self.there.kafka, "--group", "drill-replay"]
        words += ["--config", str(self.stage.config), "--until-end", "--create-topics"]
        words += ["--recovery", str(folder / "state"), "--warehouse", str(folder / "w.duckdb")]
        done = subprocess.run(
            [sys.executable, "-P", "-c", "from infra.cli import main; main()", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=REPLAY_SECONDS,
        )
        shutil.rmtree(folder, ignore_errors=True)
        if done.returncode:
            msg = f"the replay failed: {(done.stdout + done.stderr)[-2000:]}"
            raise RuntimeError(msg)
        return "a second flow, from the first record"

    def _sell(self, source: str, at: datetime) -> None:
        sku = self.rng.choice(self.skus)
        self.write(drill_event(source, Sold(sku=sku, place=PLACE, quantity=1), at))


def faults_of(hands: Hands, *, short: bool) -> list[Fault]:
    """The faults of a drill, in their order; the first is none, for comparison."""
    calm = Fault("none", lambda: "")
    all_ours = ("stock", "keeper", "warehouse", "hooks", "api")
    if short:
        return [
            calm,
            Fault("kill -9 stock flow, keeper, hooks at once", hands.kill(*all_ours[:2], "hooks")),
            Fault("a till hours late", hands.late_till),
            Fault("a till with a fast clock", hands.fast_till),
            Fault("a partition twice", hands.duplicate_partition),
            Fault("Redis loses all its data", hands.empty_redis),
        ]
    named = {"stock": "stock flow", "warehouse": "warehouse server", "hooks": "hooks worker"}
    faults = [calm]
    faults += [
        Fault(f"kill -9 {named.get(name, name)}", hands.kill(name))
        for name in ("stock", "keeper", "warehouse", "hooks", "api", "transfers")
    ]
    faults += [
        Fault("kill -9 Redis, data kept", hands.kill("redis")),
        Fault("Redis loses all its data", hands.empty_redis),
        Fault("a till hours late", hands.late_till),
        Fault("a till with a fast clock", hands.fast_till),
        Fault("a partition twice", hands.duplicate_partition),
        Fault("a topic read again from the start", hands.replay),
    ]
    if not hands.stage.volatile:
        faults += [
            Fault("broker stopped and started", hands.stop("broker")),
            Fault("kill -9 broker", hands.kill("broker")),
        ]
    faults.append(Fault("kill -9 all flows and servers of ours", hands.kill(*all_ours)))
    return faults
