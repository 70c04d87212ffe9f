"""The hold API and the keeper as processes, and a small stock flow between the topics."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import msgspec
from broker import Broker, free_port
from flow_driver import wait_until
from forks import start_forked
from gate_support import position
from keeper_process import keep
from openapi_check import OpenApiCheck

from schemas.position import POSITION_TYPE, Position
from schemas.reservation import RESERVATION_TYPE, Reservation
from serving.holds.keys import SCOPES, Scope, new_key
from serving.keeper.events import Event, of_pool, read_event
from sinks.kafka.events import to_record
from sinks.kafka.producer import TopicWriter
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings

TOPICS = ("stock.position.v1", "stock.reservation.v1", "stock.alert.v1")
PARTITIONS = 2
# Short, since tests wait for it after each kill; long enough for a busy machine.
LEASE_SECONDS = 0.4


class StartedKeeper:
    """`tillflow holds keep` in a process of its own."""

    def __init__(self, log: Path, *arguments: object) -> None:
        self.log = log
        texts = [str(argument) for argument in arguments]
        self._process: BaseProcess = start_forked(keep, log, texts)
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def alive(self) -> bool:
        return self._process.is_alive()

    def kill(self) -> None:
        """As a power cut would."""
        self._process.kill()
        self._process.join()

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def stop(self) -> str:
        """End it as its operator would; what it wrote to its log."""
        if self._process.is_alive():
            self.signal(signal.SIGTERM)
        self._process.join(30)
        assert self._process.exitcode == 0, self.words()
        return self.words()

    def words(self) -> str:
        return self.log.read_text(errors="replace")


def start_keeper(folder: Path, broker: Broker, url: str, pool: str) -> StartedKeeper:
    arguments = ("--redis", url, "--pool", pool, "--kafka", broker.address)
    status = folder / "status.json"
    return StartedKeeper(
        folder / "keeper.log", *arguments, "--lease-seconds", LEASE_SECONDS, "--status-file", status
    )


class Api:
    """`tillflow holds serve` in a process of its own, and a key for every need."""

    def __init__(
        self,
        folder: Path,
        url: str,
        pool: str,
        *options: object,
        keys: Mapping[str, tuple[str, Sequence[Scope], float]] | None = None,
    ) -> None:
        self.keys = folder / "api_keys.yaml"
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.log = folder / "api.log"
        key = self.key("mini-program", SCOPES)
        self.others = {name: self.key(*what) for name, what in (keys or {}).items()}
        command = [sys.executable, "-c", "from infra.cli import main; main()", "holds", "serve"]
        command += ["--redis", url, "--pool", pool, "--keys", str(self.keys)]
        command += ["--port", str(port), *map(str, options)]
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out)
        self.check: OpenApiCheck | None = None
        self.client = self.client_of(key)
        wait_until(self._answers, "the API did not start", 60)
        # From now on no answer may differ from what the page promises.
        self.check = OpenApiCheck(self.client.get("/openapi.json").json())
        self.client.close()
        self.client = self.client_of(key)

    def key(self, channel: str, scopes: Sequence[Scope], rate: float = 1e5) -> str:
        return new_key(self.keys, channel, list(scopes), rate=rate, burst=rate)[0]

    def client_of(self, key: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"}
        hooks: dict[str, list[Callable[..., Any]]] = {}
        if self.check is not None:
            hooks["response"] = [self.check]
        return httpx.Client(
            base_url=self.url, headers=headers, timeout=20, trust_env=False, event_hooks=hooks
        )

    def words(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait(20)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.words()
        try:
            self.client.get("/health")
        except httpx.TransportError:
            time.sleep(0.05)
            return False
        return True


@cache
def writer_of(address: str) -> TopicWriter:
    """One producer for all flows: a new one needs half a second to make itself known."""
    return TopicWriter(KafkaSettings(address), linger_ms=0)


class LogFlow:
    """The stock flow in miniature: reads reservations from the log, writes positions to it."""

    def __init__(self, broker: Broker, pool: str) -> None:
        settings = KafkaSettings(broker.address)
        self.pool = pool
        self.events: list[Event] = []
        self.on_hand: dict[tuple[str, str], int] = {}
        self.allocated: dict[tuple[str, str], int] = defaultdict(int)
        self.seq: dict[tuple[str, str], int] = defaultdict(int)
        self._version: dict[tuple[str, str], int] = defaultdict(int)
        self._writer = writer_of(broker.address)
        self._reader = RecordReader(settings, [RESERVATION_TYPE], "mini-flow")

    def stock(self, sku: str, place: str, on_hand: int) -> None:
        """What is on the shelf from now on."""
        self.on_hand[sku, place] = on_hand
        self.tell((sku, place))

    def tell(self, *pairs: tuple[str, str]) -> None:
        """Positions onto the log."""
        for pair in pairs:
            self._version[pair] += 1
            made = position(
                *pair,
                self.on_hand.get(pair, 0),
                self._version[pair],
                allocated=self.allocated[pair],
                seq=self.seq[pair],
            )
            told = msgspec.structs.replace(made, pool=self.pool)
            self._writer.write(*position_record(told))
        self._writer.flush()

    def read(self) -> list[tuple[str, str]]:
        """Take in what the gate told meanwhile; the pairs whose figures it changed."""
        changed = []
        for block in self._reader.read(0.02):
            for record in block.records:
                event = read_event(record)
                assert event is not None
                if not of_pool(event.source, self.pool):
                    continue
                self.events.append(event)
                told = msgspec.json.decode(event.data, type=Reservation)
                pair = (told.sku, told.place)
                # As the ledger does it: each number once.
                if told.state == "confirmed" and told.hold_seq > self.seq[pair]:
                    assert told.hold_seq == self.seq[pair] + 1, "a confirmation is missing"
                    self.seq[pair] = told.hold_seq
                    self.allocated[pair] += told.quantity
                    changed.append(pair)
        return changed

    def states(self) -> dict[str, list[str]]:
        """What was told of each reservation, repetitions left out."""
        found: dict[str, list[str]] = defaultdict(list)
        seen: dict[tuple[str, str], bytes] = {}
        for event in self.events:
            name = (event.source, event.id)
            if name in seen:
                assert seen[name] == event.data, f"{name} was told twice, and differently"
                continue
            seen[name] = event.data
            told = msgspec.json.decode(event.data, type=Reservation)
            found[told.reservation].append(told.state)
        return found

    def close(self) -> None:
        self._reader.close()


def position_record(told: Position) -> tuple[str, bytes, bytes | None, Any]:
    made = to_record(
        POSITION_TYPE,
        "tillflow/stock",
        f"{told.sku}@{told.place}#{told.version}",
        datetime(2026, 11, 23, tzinfo=UTC).isoformat(),
        told,
        key=f"{told.sku}@{told.place}",
    )
    return made.topic, made.key, made.value, made.headers
