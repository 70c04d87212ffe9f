"""Log to Redis: positions as they come, then what they leave over-claimed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from redis.exceptions import RedisError

from schemas.position import POSITION_TYPE, Position
from serving.keeper.alarms import Alarms
from serving.keeper.events import Unreadable, read_event
from serving.keeper.lease import KeeperKeys
from serving.keeper.ports import Block, Log, LogLost, Offsets
from serving.keeper.status import Status
from sinks.redis import keeper_calls
from sinks.redis.client import HoldGate

LOG = logging.getLogger("tillflow.keeper")

# What a position may wait for others: the client waits out its whole time.
POLL_SECONDS = 0.005
LOOK_SECONDS = 0.25
SAVE_SECONDS = 1.0

_position = msgspec.json.Decoder(Position)
_offsets = msgspec.json.Decoder(dict[str, dict[int, int]])


class Projector:
    """Sets the truth of one pool's pairs in Redis.

    Where it has got to is kept in the same Redis, so that both are lost together; versions make
    what is read twice harmless.
    """

    def __init__(self, gate: HoldGate, log: Log, alarms: Alarms, status: Status) -> None:
        self._gate, self._log, self._alarms, self._status = gate, log, alarms, status
        self._key = KeeperKeys(gate.settings.pool).offsets
        self._execute: Callable[..., Any] = gate.client.execute_command
        self._saved: Offsets = {}

    def run(self, stop: threading.Event) -> None:
        """Project until it is to stop."""
        reader = self._log.reader([POSITION_TYPE], self._begin())
        look_at, save_at = 0.0, time.monotonic() + SAVE_SECONDS
        try:
            while not stop.is_set():
                blocks = reader.read(POLL_SECONDS)
                if blocks:
                    self._project(blocks)
                now = time.monotonic()
                if now >= look_at:
                    look_at = now + LOOK_SECONDS
                    self._alarms.look()
                if now >= save_at:
                    save_at = now + SAVE_SECONDS
                    self.save(reader.offsets())
            self.save(reader.offsets())
        except LogLost:
            # From the beginning again: what is there is enough, versions guard the rest.
            self._redis("DEL", self._key)
            raise
        finally:
            reader.close()

    def save(self, offsets: Offsets) -> None:
        """Remember where to go on; all before has been projected."""
        if offsets != self._saved:
            self._redis("SET", self._key, msgspec.json.encode(offsets))
            self._saved = offsets

    def _begin(self) -> Offsets:
        found = self._redis("GET", self._key)
        return {} if found is None else _offsets.decode(found)

    def _project(self, blocks: Sequence[Block]) -> None:
        found, written_ms = newest_positions(blocks, self._status)
        pool = self._gate.settings.pool
        newest = [position for position in found if position.pool == pool]
        newest += [left(each) for each in self._known(found) if each.pool != pool]
        if not newest:
            return
        projected = self._gate.project(newest)
        self._status.projected(len(newest), written_ms)
        if projected.overclaimed:
            self._alarms.mend([(each.sku, each.place) for each in projected.overclaimed])

    def _known(self, positions: Sequence[Position]) -> list[Position]:
        """Those of other pools whose pair this gate knows: the place has left the pool."""
        keys, pool = self._gate.protocol.keys, self._gate.settings.pool
        others = [position for position in positions if position.pool != pool]
        if not others:
            return []
        asked = [("EXISTS", keys.pair(each.sku, each.place)[0]) for each in others]
        there = self._gate.run(keeper_calls.send(*asked))
        return [each for each, known in zip(others, there, strict=True) if known]

    def _redis(self, *command: Any) -> Any:
        try:
            return self._execute(*command)
        except RedisError as wrong:
            raise self._gate.protocol.unavailable(wrong) from wrong


def left(position: Position) -> Position:
    """A position of a place that left the pool: what is held there counts, nothing is promised."""
    return msgspec.structs.replace(position, available=min(0, position.available))


def newest_positions(blocks: Sequence[Block], status: Status) -> tuple[list[Position], int]:
    """The newest position of each pair, and when the last record was written (ms)."""
    newest: dict[tuple[str, str], Position] = {}
    written_ms = -1
    for block in blocks:
        for record in block.records:
            try:
                event = read_event(record)
                if event is None or event.type != POSITION_TYPE:
                    continue
                position = _position.decode(event.data)
            except (Unreadable, msgspec.MsgspecError) as wrong:
                status.count(unreadable=1)
                LOG.warning(
                    "a record of %s/%s is no position: %s", block.topic, block.partition, wrong
                )
                continue
            written_ms = max(written_ms, record.timestamp_ms)
            known = newest.get((position.sku, position.place))
            if known is None or position.version > known.version:
                newest[position.sku, position.place] = position
    return list(newest.values()), written_ms
