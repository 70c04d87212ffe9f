"""The stage of a drill: a stack of its own in a folder, and hands that break its services."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

from infra.drill.receiver import Receiver, hooks_file
from infra.stack.record import StackError, StackRecord, read_record
from infra.stack_address import StackAddress, find_stack
from serving.holds.keys import new_key
from sinks.redis.client import HoldGate
from sinks.redis.settings import GateSettings

START_SECONDS = 240.0
POLL_SECONDS = 0.05


class Stage:
    """One stack. `up` starts it and `down` stops it, both as a person would."""

    def __init__(self, folder: Path, receiver: Receiver, kafka_home: Path | None) -> None:
        self.folder = folder
        self._data = folder / "stack"
        self._kafka_home = kafka_home
        secret = folder / "hook-secret"
        secret.write_text(secrets.token_urlsafe(24), "utf-8")
        self.config, self._hooks = folder / "chain.yaml", folder / "hooks.yaml"
        self._hooks.write_text(hooks_file(receiver.address, str(secret.resolve())), "utf-8")

    def up(self) -> StackAddress:
        """Start it.

        Raises:
            StackError: it did not start; its own words say why.
        """
        given = ["--kafka-home", str(self._kafka_home)] if self._kafka_home else []
        options = ["--config", str(self.config), "--hooks", str(self._hooks), *given]
        self._tillflow("up", *options)
        return find_stack(self._data)

    def down(self) -> None:
        """Stop it.

        Raises:
            StackError: something is left.
        """
        self._tillflow("down")

    @property
    def record(self) -> StackRecord:
        """What its supervisor wrote down last."""
        record = read_record(self._data)
        assert record is not None, "it was started here"
        return record

    @property
    def broker(self) -> str:
        """Which broker it has."""
        return self.record.broker

    @property
    def volatile(self) -> bool:
        """Whether its broker forgets everything when it ends."""
        return self.broker.startswith("Tansu")

    def services(self) -> list[str]:
        """Names of what it has."""
        return [one.name for one in self.record.services]

    def restarts(self) -> int:
        """How often anything was started again."""
        return sum(one.restarts for one in self.record.services)

    def hit(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a service a signal, and wait until its process is gone.

        Raises:
            StackError: it has no process, or does not end.
        """
        [one] = [each for each in self.record.services if each.name == name]
        process = one.process
        if process is None or not process.alive:
            msg = f"{name} does not run ({one.state}: {one.said}); see {one.log}"
            raise StackError(msg)
        process.signal(number)
        until = time.monotonic() + START_SECONDS
        while process.alive:
            if time.monotonic() > until:
                msg = f"{name} has not ended {START_SECONDS:g} s after signal {number}"
                raise StackError(msg)
            time.sleep(POLL_SECONDS)

    def wait_running(self) -> None:
        """Wait until all services run.

        Raises:
            StackError: one was given up, or they take too long.
        """
        until = time.monotonic() + START_SECONDS
        while True:
            states = {one.name: one.state for one in self.record.services}
            if all(state == "running" for state in states.values()):
                return
            failed = [name for name, state in states.items() if state == "failed"]
            if failed or time.monotonic() > until:
                told = ", ".join(f"{name} {state}" for name, state in states.items())
                msg = f"the stack does not come back: {told}; logs in {self._data / 'logs'}"
                raise StackError(msg)
            time.sleep(POLL_SECONDS)

    def new_key(self, there: StackAddress, channel: str) -> str:
        """A key of the hold API for another channel, with no limit that a drill would meet."""
        file = there.data / "api_keys.yaml"
        key, _ = new_key(file, channel, ["holds:write"], rate=10_000.0, burst=10_000.0)
        return key

    def flush_redis(self, there: StackAddress) -> None:
        """Take all its data from Redis, as a lost disk would."""
        with HoldGate(GateSettings(url=there.redis, pool=there.pool)) as gate:
            gate.client.flushall()

    def _tillflow(self, *words: str) -> None:
        start = (sys.executable, "-P", "-c", "from infra.cli import main; main()")
        environ = {name: text for name, text in os.environ.items() if name[:9] != "TILLFLOW_"}
        done = subprocess.run(
            [*start, words[0], "--data", str(self._data), *words[1:]],
            capture_output=True,
            text=True,
            check=False,
            timeout=START_SECONDS,
            env=environ,
        )
        if done.returncode:
            msg = f"tillflow {words[0]} failed: {(done.stdout + done.stderr)[-3000:]}"
            raise StackError(msg)
