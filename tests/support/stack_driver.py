"""The live stack as its users see it: commands in this process, services as real ones."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from broker import KAFKA_HOME
from click.testing import CliRunner, Result
from flow_driver import Ended
from warehouse_server import PROGRAM

from infra.cli import main
from infra.stack.processes import Process, end
from infra.stack.record import read_record
from sinks.kafka.producer import TopicWriter
from sinks.warehouse.address import parse_target
from sinks.warehouse.client import open_reader
from sources.kafka.settings import KafkaSettings

TEA = """
SELECT coalesce(sum(on_hand), 0), coalesce(sum(allocated), 0) FROM stock_position
WHERE sku = 'TEA' AND place = 'S1'
"""


class Stack:
    """One folder of a stack."""

    def __init__(self, data: Path) -> None:
        self.data = data

    def run(self, command: str, *options: object) -> Result:
        words = [command, "--data", str(self.data), *map(str, options)]
        result = CliRunner().invoke(main, words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def up(self, *options: object) -> Ended:
        """In a process of its own, which the stack outlives."""
        home = ("--kafka-home", KAFKA_HOME) if KAFKA_HOME else ()
        words = [PROGRAM, "up", "--data", str(self.data), *home, *map(str, options)]
        done = subprocess.run(
            [sys.executable, "-P", "-c", *words], capture_output=True, text=True, check=False
        )
        return Ended(done.returncode, done.stdout + done.stderr)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("status", "--json").stdout)
        return found

    def service(self, name: str) -> dict[str, Any]:
        [found] = [one for one in self.status()["services"] if one["name"] == name]
        return dict(found)

    @property
    def processes(self) -> list[Process]:
        """Those that are written down: the services and, at the end, the supervisor."""
        record = read_record(self.data)
        assert record is not None
        return [one.process for one in record.services if one.process] + [record.supervisor]

    @property
    def environment(self) -> dict[str, str]:
        """What stack.env sets."""
        lines = (self.data / "stack.env").read_text().splitlines()
        pairs = (line.removeprefix("export ").split("=", 1) for line in lines)
        return {name: text.strip("'") for name, text in pairs}

    def move(self, kind: str, quantity: int, number: int) -> None:
        """Units of TEA at S1, on the log when this returns."""
        headers = {
            "ce_specversion": "1.0",
            "ce_id": f"till-7/{number}",
            "ce_source": "till-7",
            "ce_type": "stock.movement.v1",
            "ce_time": datetime.now(UTC).isoformat(),
        }
        moved = {"sku": "TEA", "place": "S1", "kind": kind, "quantity": quantity}
        writer = TopicWriter(KafkaSettings(self.environment["TILLFLOW_KAFKA"]))
        encoded = tuple((name, text.encode()) for name, text in headers.items())
        writer.write("stock.movement.v1", b"TEA", msgspec.json.encode(moved), encoded)
        writer.flush(30)

    def tell(self, event: dict[str, Any], key: bytes) -> None:
        """An event in structured JSON, on the log when this returns."""
        writer = TopicWriter(KafkaSettings(self.environment["TILLFLOW_KAFKA"]))
        writer.write(event["type"], key, msgspec.json.encode(event), ())
        writer.flush(30)

    def rows(self, question: str) -> list[tuple[Any, ...]]:
        """What a dashboard finds."""
        found = self.environment
        token = Path(found["TILLFLOW_WAREHOUSE_TOKEN_FILE"])
        target = parse_target(found["TILLFLOW_WAREHOUSE"], token_file=token)
        with closing(open_reader(target)) as reader:
            return list(reader.execute(question).fetchall())

    def tea(self) -> tuple[int, int]:
        """On hand and allocated, as a dashboard sees it."""
        [(on_hand, allocated)] = self.rows(TEA)
        return int(on_hand), int(allocated)

    def api(self, path: str, body: object = None) -> dict[str, Any]:
        """What the hold API answers, asked with the key that was made for it."""
        key = (self.data / "tokens" / "holds").read_text().strip()
        address = self.service("api")["address"]
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}) as client:
            answer = client.get(path) if body is None else client.post(path, json=body)
        answer.raise_for_status()
        return dict(answer.json())


@contextmanager
def stack_in(data: Path) -> Iterator[Stack]:
    """A stack that leaves no process behind, whatever happens."""
    stack = Stack(data)
    try:
        yield stack
    finally:
        record = read_record(data)
        if record is not None:
            left = [one for one in (record.supervisor, *record.left_over().values()) if one.alive]
            for one in left:
                one.signal(signal.SIGKILL)
            end(left, 5.0)
