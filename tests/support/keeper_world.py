"""A pool with everything around it: gate, keeper processes, log, and a flow in miniature."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from broker import Broker
from flow_driver import wait_until
from hold_stack import LogFlow, StartedKeeper, start_keeper
from redis_server import RedisServer

from schemas.alert import Alert
from serving.keeper.events import read_event, source_of
from sinks.redis.client import HoldGate
from sinks.redis.settings import GateSettings
from sources.kafka.reader import RecordReader
from sources.kafka.settings import KafkaSettings


class World:
    """A pool of its own: topics are shared, and keepers must leave other pools alone."""

    def __init__(self, folder: Path, broker: Broker, redis: RedisServer, stack: ExitStack) -> None:
        self.folder, self.broker, self.redis = folder, broker, redis
        self.pool = f"pool/{uuid.uuid4().hex[:8]}"
        # A pair is of one pool at a time, and topics are shared: so SKUs are not.
        self.tea, self.cup = (f"{name}-{self.pool[-8:]}" for name in ("TEA", "CUP"))
        self._stack = stack
        settings = GateSettings(url=redis.url, pool=self.pool, timeout_seconds=20)
        self.gate = stack.enter_context(HoldGate(settings))
        self.flow = LogFlow(broker, self.pool)
        stack.callback(self.flow.close)

    def keeper(self) -> StartedKeeper:
        started = start_keeper(self.folder, self.broker, self.redis.url, self.pool)
        self._stack.callback(started.kill)
        return started

    def opened(self) -> StartedKeeper:
        """A keeper, and the gate that it has opened."""
        started = self.keeper()
        self.wait(lambda: self.gate.gate_state().state == "open", "the gate was not opened")
        return started

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        try:
            wait_until(condition, what, 20)
        except AssertionError as wrong:
            words = (self.folder / "keeper.log").read_text(errors="replace")
            msg = f"{what}; the keeper said:\n{words[-3000:]}"
            raise AssertionError(msg) from wrong

    def stocked(self, sku: str, place: str, on_hand: int) -> None:
        """Stock of a SKU, known to the gate by way of the log."""
        self.flow.stock(sku, place, on_hand)
        self.wait(
            lambda: any(
                row.place == place and row.on_hand == on_hand
                for row in self.gate.available([sku])[sku]
            ),
            "the position did not arrive",
        )

    def free(self, sku: str) -> dict[str, int]:
        """What can be promised, by place."""
        return {row.place: row.available for row in self.gate.available([sku])[sku]}

    def read_until(self, condition: Callable[[], bool], what: str) -> None:
        """Let the flow read (and tell nothing) until something holds."""

        def read() -> bool:
            self.flow.read()
            return condition()

        self.wait(read, what)

    def new_epoch(self, before: str | None) -> None:
        """Wait until the gate is open in another epoch."""

        def opened() -> bool:
            state = self.gate.gate_state()
            return state.state == "open" and state.epoch != before

        self.wait(opened, "the gate was not written anew")

    def status(self) -> dict[str, Any]:
        """What the keeper says of itself."""
        try:
            found: dict[str, Any] = json.loads((self.folder / "status.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    @contextmanager
    def flowing(self) -> Iterator[None]:
        """The flow reads and answers with positions by itself."""
        stop, failed = threading.Event(), list[BaseException]()

        def flow() -> None:
            try:
                while not stop.is_set():
                    self.flow.tell(*self.flow.read())
            except BaseException as wrong:
                failed.append(wrong)

        thread = threading.Thread(target=flow)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        assert not failed, failed


class Alerts:
    """The alerts of a pool, as they come on the log."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._reader = RecordReader(KafkaSettings(world.broker.address), ["stock.alert.v1"], "t")
        self.found: list[Alert] = []
        self.ids: list[str] = []

    def next(self, count: int) -> list[Alert]:
        """Wait until so many have come in all."""
        self._world.wait(lambda: self._read() >= count, f"there were no {count} alerts")
        return self.found

    def _read(self) -> int:
        for block in self._reader.read(0.02):
            for record in block.records:
                event = read_event(record)
                assert event is not None
                if event.source == source_of(self._world.pool):
                    self.ids.append(event.id)
                    self.found.append(msgspec.json.decode(event.data, type=Alert))
        return len(self.found)

    def close(self) -> None:
        self._reader.close()
